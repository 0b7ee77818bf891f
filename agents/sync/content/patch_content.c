#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agents/sync/content/content.h"
#include "agents/sync/content/version.h"
#include "agents/sync/operations.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/stored.h"
#include "agents/sync/writes/own_class.h"
#include "agents/sync/writes/put.h"
#include "agents/sync/writes/write.h"
#include "agents/sync/writes/write_object.h"
#include "common/json/json_members.h"
#include "common/json/json_patch.h"
#include "common/model/model_content.h"
#include "common/protocol/content.h"

/*
 * patch_content: reads the document, applies the patch here, and commits what differs, if the
 * document is still what was read. A patch without a version is tried again if it is not. What
 * cannot be carried out is kept like every other outcome, so that a repeated request is answered
 * alike, whatever has happened to the document meanwhile.
 */

struct patching {
    struct content_key key;
    struct version asked;
    struct json_span patch;
    struct text state;          /* "<version> <birth>" of the document as it was read */
    struct model_object object; /* what the patch changes */
    int64_t tries;
};

static void patching_destroy(void *state)
{
    struct patching *p = state;

    content_key_deinit(&p->key);
    text_deinit(&p->state);
    model_object_deinit(&p->object);
    free(p);
}

static enum work_step conflict(struct work *work)
{
    return work_content_error(work, 409, CONTENT_DENIED, "Version Conflict");
}

/* ---- The last step: {"ver": [...]} ---- */

static enum work_step answer(struct work *work, const char *outcome)
{
    const struct patching *p = work->state;
    const char *state = write_said(work, outcome), *born = strchr(state, ' ');
    _cleanup_(text_deinitp) struct text data = {0}, identity = {0};

    version_add_identity(&identity, p->key.class_, born ? born + 1 : "");
    text_add(&data, "{\"ver\":");
    version_add(&data, text_str(&identity), strtoll(state, NULL, 10));
    text_add_char(&data, '}');
    return work_content_result(work, 200, &data, write_replied);
}

/* ---- The commit ---- */

static work_fn begin;

static enum work_step try_again(struct work *work)
{
    struct patching *p = work->state;

    if (p->asked.given)
        return conflict(work);
    if (++p->tries >= work->agent->proc.settings.sync_max_patch_tries)
        return work_error(work, CODE_BACK_END_AWAY, "others keep changing this document");
    return begin(work);
}

static enum work_step committed(struct work *work)
{
    enum work_step step;
    const char *outcome;

    if (write_ended(work, &outcome, &step))
        return step;
    if (!strcmp(outcome, "conflict"))
        return try_again(work);
    if (!strcmp(outcome, "ok"))
        write_start_jobs(work);
    return answer(work, outcome);
}

/* Who gave no version cannot know what lay between, and is told like everybody else. */
static enum work_step commit(struct work *work)
{
    const struct patching *p = work->state;

    put_begin(work, &(struct put){.object = &p->object,
                                  .time = work->request.accepted_ms,
                                  .state = text_str(&p->state),
                                  .tells_writer = !p->asked.given});
    return work_call(work, committed);
}

static enum work_step looked_up(struct work *work)
{
    struct patching *p = work->state;
    enum work_step step;

    return own_class_take_object(work, &p->object, false, &step) ? commit(work) : step;
}

/* ---- What the patch makes of the document ---- */

static work_fn ended;

static void begin_script(struct work *work, const char *outcome, const char *said)
{
    const struct content_key *key = &((const struct patching *)work->state)->key;

    write_begin(work, &script_patch, key->class_, key->id, ACTION_UPDATE);
    redis_call_arg(&work->call, outcome);
    redis_call_arg(&work->call, said);
}

static enum work_step refuse(struct work *work, const char *outcome, const struct text *why)
{
    begin_script(work, outcome, text_str(why));
    return work_call(work, ended);
}

static enum err apply(const struct work *work, struct json_span content, struct text *out,
                      struct text *problem)
{
    const struct settings *settings = &work->agent->proc.settings;
    const struct patching *p = work->state;
    /* A frame that holds the content has two levels more: {"data":{"content":...}}. */
    const struct json_patch_limits limits = {
        .operations = (size_t)settings->sync_max_patch_operations,
        .depth = (size_t)settings->gateway_max_depth - 2,
        .size = (size_t)settings->sync_max_object_bytes,
        .work = (size_t)settings->sync_max_patch_work,
    };

    return json_patch_apply(content, p->patch, &limits, out, problem);
}

static const char *outcome_of(enum err e)
{
    if (e == ERR_MALFORMED)
        return "malformed";
    return e == ERR_RANGE ? "large" : "unfit";
}

/* The members that differ, as an object; a removed one is null. */
static void add_changes(struct text *out, struct json_span before, struct json_span after)
{
    _cleanup_(json_changes_deinit) struct json_changes c;

    json_changes_init(&c, before, after);
    text_add_char(out, '{');
    while (json_changes_next(&c)) {
        struct json_span value = c.after.at ? c.after : json_span_of("null");

        if (out->size > 1)
            text_add_char(out, ',');
        text_add_bytes(out, c.key.at, c.key.size);
        text_add_char(out, ':');
        text_add_bytes(out, value.at, value.size);
    }
    text_add_char(out, '}');
}

/* Takes what differs as the object that is put. */
static bool take_changes(struct work *work, struct json_span before, struct json_span after,
                         struct text *problem)
{
    struct patching *p = work->state;
    _cleanup_(text_deinitp) struct text changes = {0}, rest = {0};

    if (json_kind(after) != JSON_OBJECT) {
        text_addf(problem, "content: expected an object, found %s",
                  json_kind_name(json_kind(after)));
        return false;
    }
    add_changes(&changes, before, after);
    model_object_deinit(&p->object);
    if (model_read_content(work->agent->model, p->key.class_, json_span_text(&changes), &p->object,
                           &rest)) {
        text_addf(problem, "content%s", text_str(&rest));
        return false;
    }
    p->object.id = strdup(p->key.id);
    if (!p->object.id)
        err_out_of_memory();
    return write_check_lists(work, &p->object, "content", problem);
}

static enum work_step patch(struct work *work, const struct redis_reply *fields)
{
    struct patching *p = work->state;
    _cleanup_(text_deinitp) struct text content = {0}, patched = {0}, problem = {0};
    enum err e;

    model_add_content(&content, p->key.class_, stored_shown, fields);
    e = apply(work, json_span_text(&content), &patched, &problem);
    if (e)
        return refuse(work, outcome_of(e), &problem);
    if (!take_changes(work, json_span_text(&content), json_span_text(&patched), &problem))
        return refuse(work, "unfit", &problem);
    return own_class_ask_object(work, &p->object, false) ? work_call(work, looked_up)
                                                         : commit(work);
}

/* ---- The first step: what is there? ---- */

static bool is_asked_for(const struct patching *p, const struct redis_reply *fields,
                         const char *born)
{
    _cleanup_(text_deinitp) struct text identity = {0};

    version_add_identity(&identity, p->key.class_, born);
    return !p->asked.given || version_is(&p->asked, text_str(&identity), stored_version(fields));
}

/* Has it been carried out before, or refused? */
static enum work_step ended(struct work *work)
{
    enum work_step step;
    const char *outcome;

    return write_ended(work, &outcome, &step) ? step : answer(work, outcome);
}

static enum work_step found(struct work *work)
{
    const struct redis_reply *fields = redis_item(work->call.reply, 2);
    struct patching *p = work->state;

    if (strcmp(redis_str(redis_item(work->call.reply, 0)), "read") != 0)
        return ended(work);
    if (!is_asked_for(p, fields, redis_str(redis_item(work->call.reply, 3))))
        return conflict(work);
    text_clear(&p->state);
    text_addf(&p->state, "%" PRId64 " %s", stored_version(fields), stored_birth(fields));
    return patch(work, fields);
}

static enum work_step begin(struct work *work)
{
    begin_script(work, "", "");
    return work_call(work, found);
}

/* ---- The request ---- */

static bool read_patch(struct work *work, struct json_span data, struct json_span *out,
                       enum work_step *step)
{
    const size_t most = (size_t)work->agent->proc.settings.sync_max_patch_operations;
    _cleanup_(text_deinitp) struct text desc = {0};

    *out = json_member(data, "patch", NULL);
    if (json_kind(*out) == JSON_OBJECT)
        return true;
    if (json_kind(*out) != JSON_ARRAY) {
        *step = content_expected(work, "data.patch", "an operation or an array of them", *out);
        return false;
    }
    if (json_count(*out) <= most)
        return true;
    text_addf(&desc, "data.patch: expected at most %zu operations", most);
    *step = work_error(work, CODE_TOO_EXPENSIVE, text_str(&desc));
    return false;
}

enum work_step plan_patch_content(struct work *work)
{
    struct patching *p = calloc(1, sizeof(*p));
    struct json_span data;
    enum work_step step;

    if (!p)
        err_out_of_memory();
    work->state = p;
    work->state_destroy = patching_destroy;
    if (!content_data(work, &data, &step) || !version_read(work, data, &p->asked, &step) ||
        !read_patch(work, data, &p->patch, &step) || !content_read_key(work, data, &p->key, &step))
        return step;
    return begin(work);
}
