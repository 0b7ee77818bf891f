#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/operations.h"
#include "agents/sync/reads/reading.h"
#include "agents/sync/refused.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/stored.h"

/* ---- getHistory (spec 3.4, 10.4): what an object was, the newest state first ---- */

#define STATES_PER_CALL 10 /* each may be as large as an object */

struct history {
    const struct model_class *class_; /* that was asked for */
    char *id;
    struct text states; /* the items of the answer's list */
    int64_t passed;     /* in the store's list */
    int64_t oldest;     /* version of the last state taken */
};

static void history_destroy(void *state)
{
    struct history *history = state;

    free(history->id);
    text_deinit(&history->states);
    free(history);
}

/* ---- One state: {"version":..,"time":..,"user":..,"fields":{..}} (lua/history.lua) ---- */

struct past {
    struct json_span fields;
    const struct redis_reply *hidden; /* fields that may not be seen now, as stored.h has them */
    struct text *text;                /* of the field that was asked for last */
};

static const char *past_value(const void *arg, const struct model_field *field)
{
    const struct past *past = arg;
    struct json_span value = json_member(past->fields, field->column, NULL);

    if (model_is_hidden(stored_shown(past->hidden, field)))
        return MODEL_HIDDEN;
    if (!value.at)
        return NULL;
    text_clear(past->text);
    text_add_bytes(past->text, value.at, value.size);
    return past->text->at;
}

/* Adds a HistoricalObject. Its objectVersion is that of the object; its ID names object and
 * version.
 */
static void add_state(struct text *out, struct stored_ref ref, struct json_span state,
                      int64_t version, const struct redis_reply *hidden)
{
    _cleanup_(text_deinitp) struct text data = {0}, field = {0};
    const struct json_span time = json_member(state, "time", NULL);
    const struct json_span user = json_member(state, "user", NULL);
    const struct past past = {json_member(state, "fields", NULL), hidden, &field};

    model_add_object(&data, ref.class_, ref.id, past_value, &past);
    if (out->size)
        text_add_char(out, ',');
    text_add(out, "{\"cn\":\"" SYNC_CLASS("HistoricalObject") "\",\"ID\":");
    text_clear(&field);
    text_addf(&field, "%s:%s:%" PRId64, ref.class_->name, ref.id, version);
    text_add_json_str(out, field.at);
    text_add(out, ",\"objectChangeDate\":");
    text_add_bytes(out, time.at, time.size);
    text_add(out, ",\"objectChangerId\":");
    text_add_bytes(out, user.at, user.size);
    text_addf(out, ",\"objectVersion\":\"%" PRId64 "\",\"objectId\":", version);
    text_add_json_str(out, ref.id);
    text_add(out, ",\"objectClassName\":");
    text_add_json_str(out, ref.class_->name);
    text_add(out, ",\"objectData\":");
    text_add_json(out, data.at, data.size);
    text_add_char(out, '}');
}

/* ---- All of them, in steps ---- */

static enum work_step answer(struct work *work, const char *open, const char *states,
                             const char *close)
{
    _cleanup_(text_deinitp) struct text body = {0};

    work_response_begin(work, &body, NULL);
    text_addf(&body, ",\"result\":%s%s%s", open, states, close);
    response_end(&body);
    return work_reply(work, &body, NULL);
}

static enum work_step states_found(struct work *work);

static enum work_step next_states(struct work *work)
{
    const struct history *history = work->state;

    reading_begin(work, &script_history, history->class_);
    redis_call_arg(&work->call, history->id);
    redis_call_arg_i64(&work->call, history->passed);
    redis_call_arg_i64(&work->call, STATES_PER_CALL);
    return work_call(work, states_found);
}

/* A put between two steps moves the list on, so that some states come again. */
static void take(struct history *history, struct stored_ref ref, const struct redis_reply *r)
{
    const struct redis_reply *list = redis_item(r, 3);

    for (size_t i = 0; i < redis_count(list); i++) {
        const struct json_span state = json_span_of(redis_str(redis_item(list, i)));
        int64_t version = 0;

        if (json_int64(json_member(state, "version", NULL), &version) ||
            (history->oldest && version >= history->oldest))
            continue;
        add_state(&history->states, ref, state, version, redis_item(r, 4));
        history->oldest = version;
    }
    history->passed += (int64_t)redis_count(list);
}

static enum work_step states_found(struct work *work)
{
    const struct redis_reply *r = work->call.reply, *list = redis_item(r, 3);
    struct history *history = work->state;
    enum work_step step;
    struct stored_ref ref;

    if (refused(work, "the history could not be read", &step))
        return step;
    ref = stored_ref(work->agent->model, redis_str(redis_item(r, 2)));
    if (!ref.class_)
        return answer(work, "", "null", "");
    take(history, ref, r);
    if (history->states.size > (size_t)work->agent->proc.settings.sync_max_answer_bytes)
        return work_error(work, CODE_TOO_EXPENSIVE, "the history is too large for one answer");
    if (redis_count(list) == STATES_PER_CALL)
        return next_states(work);
    return answer(work, "[", text_str(&history->states), "]");
}

enum work_step plan_get_history(struct work *work)
{
    struct history *history = calloc(1, sizeof(*history));
    enum work_step step;

    if (!history)
        err_out_of_memory();
    work->state = history;
    work->state_destroy = history_destroy;
    return reading_asked(work, &history->class_, &history->id, &step) ? next_states(work) : step;
}
