#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/operations.h"
#include "agents/sync/operator/survey.h"
#include "agents/sync/refused.h"
#include "agents/sync/store/scripts.h"
#include "common/base/clock.h"

/*
 * For activestack-ctl model.
 *
 * modelCheck compares `model`, the text of a model file, with the applied model. The answer has
 * what it takes (`need`, as model_need_word() says it), the differences (`lines`), and which
 * `agents` serve another model than this one.
 *
 * modelMigrate takes and answers the same, and in `job` the migration that it has ordered, or that
 * runs already; null if the model is refused or there are such agents.
 *
 * modelProgress takes `job`. The answer has `ended`, how many objects are `done` of about `total`,
 * the agent that served another model meanwhile (`spoiledBy`, or null) and, at the end, the
 * `duplicates` that break a unique index: {"index", "count", "objects"}.
 */

#define EXAMPLES 5 /* of duplicates */

struct change {
    struct survey survey; /* first: see survey.h */
    struct model *after;
    enum model_need need;
    struct text lines;
};

static void change_destroy(void *state)
{
    struct change *change = state;

    survey_deinit(&change->survey);
    model_destroy(change->after);
    text_deinit(&change->lines);
    free(change);
}

/* ---- What both begin with ---- */

/* False: *step is the answer. */
static bool read_model(struct work *work, struct model **out, enum work_step *step)
{
    struct json_span given = json_member(work->request.body, "model", NULL);
    _cleanup_(text_deinitp) struct text content = {0}, problems = {0};

    if (json_decode(given, &content))
        text_add(&problems, "model: expected the text of a model");
    else if (model_parse("model", &content, out, &problems) == ERR_OK)
        return true;
    *step = work_error(work, CODE_MALFORMED, text_str(&problems));
    return false;
}

static enum work_step begin(struct work *work, work_fn *then)
{
    struct change *change = calloc(1, sizeof(*change));
    enum work_step step;

    if (!change)
        err_out_of_memory();
    work->state = change;
    work->state_destroy = change_destroy;
    return read_model(work, &change->after, &step) ? survey_begin(work, change->after, then) : step;
}

/* False: *step is the answer. */
static bool compare(struct work *work, struct change *change, enum work_step *step)
{
    const struct survey *survey = &change->survey;

    if (survey->before) {
        change->need = model_diff(survey->before, change->after, &survey->facts, &change->lines);
        return true;
    }
    *step = work_error(work, CODE_INTERNAL, "the applied model could not be read");
    return false;
}

/* Adds `,"name":["...","..."]` of a text that is a line each. */
static void add_lines(struct text *out, const char *name, const struct text *lines)
{
    const char *at = text_str(lines), *end;

    text_addf(out, ",\"%s\":[", name);
    for (; (end = strchr(at, '\n')); at = end + 1) {
        if (at > text_str(lines))
            text_add_char(out, ',');
        text_add_json(out, at, (size_t)(end - at));
    }
    text_add_char(out, ']');
}

static void begin_answer(const struct work *work, struct text *body)
{
    const struct change *change = work->state;

    work_response_begin(work, body, NULL);
    text_addf(body, ",\"need\":\"%s\"", model_need_word(change->need));
    add_lines(body, "lines", &change->lines);
    add_lines(body, "agents", &change->survey.agents);
}

/* ---- modelCheck ---- */

static enum work_step check(struct work *work)
{
    _cleanup_(text_deinitp) struct text body = {0};
    enum work_step step;

    if (!compare(work, work->state, &step))
        return step;
    begin_answer(work, &body);
    response_end(&body);
    return work_reply(work, &body, NULL);
}

enum work_step plan_model_check(struct work *work)
{
    return begin(work, check);
}

/* ---- modelMigrate ---- */

/* `job` "": none. */
static enum work_step answer_order(struct work *work, const char *job)
{
    _cleanup_(text_deinitp) struct text body = {0};

    begin_answer(work, &body);
    text_add(&body, ",\"job\":");
    text_add_json_str(&body, *job ? job : NULL);
    response_end(&body);
    return work_reply(work, &body, NULL);
}

static enum work_step ordered(struct work *work)
{
    const struct redis_reply *r = work->call.reply;
    struct change *change = work->state;
    enum work_step step;

    if (refused(work, "the migration could not be ordered", &step))
        return step;
    if (strcmp(redis_str(redis_item(r, 0)), "ok") != 0) {
        const struct redis_reply *agents = redis_item(r, 1);

        text_clear(&change->survey.agents);
        for (size_t i = 0; i < redis_count(agents); i++)
            text_addf(&change->survey.agents, "%s\n", redis_str(redis_item(agents, i)));
        return answer_order(work, "");
    }
    if (!strcmp(model_digest(work->agent->model), model_digest(change->after)))
        job_migrate_start(work, redis_str(redis_item(r, 1)));
    return answer_order(work, redis_str(redis_item(r, 1)));
}

/* About as many as the job goes through. */
static int64_t count_objects(const struct change *change)
{
    int64_t count = 0;

    for (size_t i = 0; i < model_class_count(change->after); i++) {
        const struct model_class *c = model_class_at(change->after, i);

        count += migrate_is_walked(&change->survey, c) ? survey_count(&change->survey, c) : 0;
    }
    return count;
}

static enum work_step migrate(struct work *work)
{
    struct change *change = work->state;
    enum work_step step;

    if (!compare(work, change, &step))
        return step;
    if (change->need == MODEL_REFUSE || change->survey.agents.size)
        return answer_order(work, "");
    redis_call_begin(&work->call, &script_migrate_order);
    redis_call_arg(&work->call, model_digest(change->after));
    redis_call_arg(&work->call, model_text(change->after));
    redis_call_arg_i64(&work->call, survey_silent_since(work));
    redis_call_arg_i64(&work->call, clock_wall_ms() + work->agent->proc.settings.sync_job_lease_ms);
    redis_call_arg_i64(&work->call, count_objects(change));
    return work_call(work, ordered);
}

enum work_step plan_model_migrate(struct work *work)
{
    return begin(work, migrate);
}

/* ---- modelProgress ---- */

/* Objects are listed as "<id>\n<class>". */
static void add_member_ref(struct text *out, const char *member)
{
    _cleanup_(text_deinitp) struct text ref = {0};
    const char *end = strchr(member, '\n');

    if (!end)
        return;
    text_addf(&ref, "%s:%.*s", end + 1, (int)(end - member), member);
    text_add_json(out, ref.at, ref.size);
}

/* The list of index, count, list of members. */
static void add_duplicates(struct text *out, const struct redis_reply *list)
{
    text_add(out, ",\"duplicates\":[");
    for (size_t i = 0; i + 2 < redis_count(list); i += 3) {
        const struct redis_reply *members = redis_item(list, i + 2);

        text_add(out, i ? ",{\"index\":" : "{\"index\":");
        text_add_json_str(out, redis_str(redis_item(list, i)));
        text_addf(out, ",\"count\":%" PRId64 ",\"objects\":[", redis_i64(redis_item(list, i + 1)));
        for (size_t j = 0; j < redis_count(members); j++) {
            text_add(out, j ? "," : "");
            add_member_ref(out, redis_str(redis_item(members, j)));
        }
        text_add(out, "]}");
    }
    text_add_char(out, ']');
}

static enum work_step progress(struct work *work)
{
    const struct redis_reply *r = work->call.reply;
    const char *spoiled_by = redis_str(redis_item(r, 4));
    _cleanup_(text_deinitp) struct text body = {0};
    enum work_step step;

    if (refused(work, "the migration could not be looked at", &step))
        return step;
    if (strcmp(redis_str(redis_item(r, 0)), "ok") != 0)
        return work_error(work, CODE_MALFORMED, "job: there is no such migration (any more)");
    work_response_begin(work, &body, NULL);
    text_addf(&body, ",\"ended\":%s", redis_i64(redis_item(r, 1)) ? "true" : "false");
    text_addf(&body, ",\"done\":%" PRId64 ",\"total\":%" PRId64, redis_i64(redis_item(r, 2)),
              redis_i64(redis_item(r, 3)));
    text_add(&body, ",\"spoiledBy\":");
    text_add_json_str(&body, *spoiled_by ? spoiled_by : NULL);
    add_duplicates(&body, redis_item(r, 5));
    response_end(&body);
    return work_reply(work, &body, NULL);
}

enum work_step plan_model_progress(struct work *work)
{
    _cleanup_(text_deinitp) struct text problem = {0};
    _cleanup_(freep) char *job = NULL;

    if (request_string(&work->request, "job", 32, &job, &problem))
        return work_error(work, CODE_MALFORMED, text_str(&problem));
    redis_call_begin(&work->call, &script_migrate_progress);
    redis_call_arg(&work->call, job);
    redis_call_arg_i64(&work->call, EXAMPLES);
    return work_call(work, progress);
}
