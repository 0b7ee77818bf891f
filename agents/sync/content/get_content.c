#include <stdlib.h>
#include <string.h>

#include "agents/sync/content/content.h"
#include "agents/sync/content/version.h"
#include "agents/sync/operations.h"
#include "agents/sync/rights.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/stored.h"
#include "common/json/json_diff.h"
#include "common/model/model_content.h"

/*
 * get_content: 204 if nothing has changed, a patch (206) if that is not longer than the content,
 * else the content (200). Unlike other replies it is not looked at again for being overtaken by
 * something newer: its version tells the client.
 */

/* What the script has found, with the model's eyes. */
struct found {
    const struct model_class *class_;
    const struct redis_reply *fields;
    const struct redis_reply *earlier; /* column, text as of the version that was asked for */
    int64_t since;                     /* that version; 0: unknown */
};

static const char *earlier_text(const struct found *found, const struct model_field *field)
{
    for (size_t i = 0; i + 1 < redis_count(found->earlier); i += 2) {
        if (!strcmp(redis_str(redis_item(found->earlier, i)), field->column))
            return redis_str(redis_item(found->earlier, i + 1));
    }
    return NULL;
}

static void add_replacement(struct text *out, const struct found *found,
                            const struct model_field *field)
{
    /* A name has no character that a pointer or a string would escape. */
    text_addf(out, "{\"op\":\"replace\",\"path\":\"/%s\",\"value\":", field->name);
    model_add_content_value(out, field, stored_text(found->fields, field));
    text_add_char(out, '}');
}

/* The operations that lead from the earlier text to the present one, if they are shorter than
 * `most`. Both stand in an object, so that paths begin with the field. */
static bool add_inner(struct text *out, const struct model_field *field, const char *earlier,
                      const char *present, size_t most)
{
    _cleanup_(text_deinitp) struct text before = {0}, after = {0}, patch = {0};

    text_addf(&before, "{\"%s\":%s}", field->name, earlier);
    text_addf(&after, "{\"%s\":%s}", field->name, present);
    if (json_diff(json_span_text(&before), json_span_text(&after), most, &patch))
        return false;
    text_add_bytes(out, patch.at + 1, patch.size - 2); /* without the brackets */
    return true;
}

static void add_operations(struct text *out, const struct found *found,
                           const struct model_field *field)
{
    _cleanup_(text_deinitp) struct text whole = {0}, inner = {0};
    const char *earlier = earlier_text(found, field), *present = stored_text(found->fields, field);
    const struct text *shortest = &whole;

    add_replacement(&whole, found, field);
    if (earlier && present && add_inner(&inner, field, earlier, present, whole.size))
        shortest = &inner;
    if (out->size > 1 && shortest->size)
        text_add_char(out, ',');
    text_add_bytes(out, text_str(shortest), shortest->size);
}

/* False: it would be longer than `most`. */
static bool add_patch(struct text *out, const struct found *found, size_t most)
{
    const struct model_class *c = found->class_;

    text_add_char(out, '[');
    for (size_t i = 0; i < c->field_count && out->size < most; i++) {
        const struct model_field *field = &c->fields[i];

        if (model_in_content(c, field) && stored_field_version(found->fields, field) > found->since)
            add_operations(out, found, field);
    }
    text_add_char(out, ']');
    return out->size <= most;
}

/* Adds the patch or the content; returns the status. */
static int add_state(struct text *out, const struct found *found)
{
    _cleanup_(text_deinitp) struct text content = {0}, patch = {0};

    model_add_content(&content, found->class_, stored_shown, found->fields);
    if (found->since && add_patch(&patch, found, content.size)) {
        text_addf(out, ",\"patch\":%s}", patch.at);
        return 206;
    }
    text_addf(out, ",\"content\":%s}", content.at);
    return 200;
}

static void key_destroy(void *state)
{
    content_key_deinit(state);
    free(state);
}

static enum work_step answer(struct work *work)
{
    const struct content_key *key = work->state;
    const struct redis_reply *r = work->call.reply;
    const struct found found = {.class_ = key->class_,
                                .fields = redis_item(r, 1),
                                .since = redis_i64(redis_item(r, 2)),
                                .earlier = redis_item(r, 3)};
    _cleanup_(text_deinitp) struct text data = {0}, identity = {0};
    enum work_step step;
    int status;

    if (!content_found(work, &step))
        return step;
    if (!strcmp(redis_str(redis_item(r, 0)), "same"))
        return work_content_result(work, 204, NULL, NULL);
    text_add(&data, "{\"key\":");
    model_add_key(&data, key->class_, key->id);
    text_add(&data, ",\"ver\":");
    version_add_identity(&identity, key->class_, redis_str(redis_item(r, 4)));
    version_add(&data, text_str(&identity), stored_version(found.fields));
    status = add_state(&data, &found);
    return work_content_result(work, status, &data, NULL);
}

static enum work_step read_document(struct work *work, const struct content_key *key,
                                    const struct version *asked, bool subscribes)
{
    _cleanup_(text_deinitp) struct text suffix = {0};
    struct redis_call *call = &work->call;

    version_add_suffix(&suffix, key->class_);
    redis_call_begin(call, &script_get_content);
    redis_call_arg(call, work->request.client);
    redis_call_arg_i64(call, work->request.accepted_ms);
    redis_call_arg(call, key->class_->name);
    rights_add_restricted_of(call, key->class_);
    redis_call_arg(call, key->id);
    redis_call_arg(call, text_str(&suffix));
    version_add_args(call, asked);
    redis_call_arg_i64(call, subscribes);
    redis_call_arg_i64(call, work->agent->proc.settings.sync_max_subscriptions);
    return work_call(work, answer);
}

enum work_step plan_get_content(struct work *work)
{
    struct content_key *key = calloc(1, sizeof(*key));
    struct json_span data;
    struct version asked;
    bool subscribes = false;
    enum work_step step;

    if (!key)
        err_out_of_memory();
    work->state = key;
    work->state_destroy = key_destroy;
    if (!content_data(work, &data, &step) || !version_read(work, data, &asked, &step) ||
        !content_read_flag(work, data, "subscribe", &subscribes, &step) ||
        !content_read_key(work, data, key, &step))
        return step;
    return read_document(work, key, &asked, subscribes);
}
