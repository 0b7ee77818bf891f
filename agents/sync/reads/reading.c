#include "agents/sync/reads/reading.h"

#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/pushes/overtaken.h"
#include "agents/sync/refused.h"
#include "agents/sync/rights.h"
#include "agents/sync/store/scripts.h"

#define NAME_MAX_BYTES 512 /* of a class name, and of an id */

void reading_deinit(struct reading *reading)
{
    text_deinit(&reading->objects);
    text_deinit(&reading->refs);
    free(reading->versions);
}

static void remember(struct reading *reading, const char *ref, int64_t version)
{
    int64_t *versions = reallocarray(reading->versions, reading->count + 1, sizeof(*versions));

    if (!versions)
        err_out_of_memory();
    reading->versions = versions;
    versions[reading->count++] = version;
    text_add_bytes(&reading->refs, ref, strlen(ref) + 1);
}

static void take_object(const struct work *work, struct reading *reading, const char *ref,
                        const struct redis_reply *fields)
{
    struct stored_ref stored = stored_ref(work->agent->model, ref);

    if (!stored.class_)
        return;
    if (reading->count)
        text_add_char(&reading->objects, ',');
    stored_add_object(&reading->objects, stored, fields);
    remember(reading, ref, stored_version(fields));
}

bool reading_take(struct work *work, struct reading *reading, enum work_step *step)
{
    const struct redis_reply *r = work->call.reply, *list = redis_item(r, 2);

    if (refused(work, "the objects could not be read", step))
        return false;
    strncpy(reading->sid, redis_str(redis_item(r, 1)), sizeof(reading->sid) - 1);
    for (size_t i = 0; i + 1 < redis_count(list); i += 2)
        take_object(work, reading, redis_str(redis_item(list, i)), redis_item(list, i + 1));
    if (reading->objects.size <= (size_t)work->agent->proc.settings.sync_max_answer_bytes)
        return true;
    *step = work_error(work, CODE_TOO_EXPENSIVE, "the answer is too large; ask for less at a time");
    return false;
}

/* Some of what was told, at a time. */
static enum work_step look(struct work *work)
{
    struct reading *reading = work->state;
    size_t left = reading->count - reading->looked;
    size_t count = left < READING_PER_CALL ? left : READING_PER_CALL;

    if (!left)
        return WORK_DONE;
    if (!reading->looked)
        reading->look_at = reading->refs.at;
    overtaken_begin(&work->call, work->agent->model, count);
    for (size_t i = 0; i < count; i++) {
        overtaken_told(&work->call, reading->look_at,
                       overtaken_version(work, reading->versions[reading->looked++]), true);
        reading->look_at += strlen(reading->look_at) + 1;
    }
    overtaken_sessions(&work->call, 1, 0);
    redis_call_arg(&work->call, reading->sid);
    return work_call(work, look);
}

enum work_step reading_reply(struct work *work, const struct text *body)
{
    return work_reply(work, body, look);
}

bool reading_asked(struct work *work, const struct model_class **class_out, char **id_out,
                   enum work_step *step)
{
    _cleanup_(text_deinitp) struct text problem = {0};
    _cleanup_(freep) char *name = NULL;

    *id_out = NULL;
    if (request_string(&work->request, "theClassName", NAME_MAX_BYTES, &name, &problem) ||
        request_string(&work->request, "theClassId", NAME_MAX_BYTES, id_out, &problem)) {
        *step = work_error(work, CODE_MALFORMED, text_str(&problem));
        return false;
    }
    *class_out = model_class(work->agent->model, name, strlen(name));
    if (!*class_out)
        *step = work_error(work, CODE_MISSING_CLASS, "theClassName: the model has no such class");
    return *class_out != NULL;
}

void reading_begin(struct work *work, const struct redis_script *script,
                   const struct model_class *c)
{
    redis_call_begin(&work->call, script);
    redis_call_arg(&work->call, work->request.client);
    redis_call_arg_i64(&work->call, work->request.accepted_ms);
    rights_add_restricted_of(&work->call, c);
}

void reading_begin_ids(struct work *work, const struct model_class *c, size_t count)
{
    reading_begin(work, &script_read, c);
    redis_call_arg_i64(&work->call, (int64_t)count);
}
