#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/runtime/children.h"
#include "agents/runtime/indexes.h"
#include "agents/runtime/lineage.h"
#include "agents/runtime/listings.h"
#include "agents/runtime/touches.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/operations.h"
#include "agents/sync/refused.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/stored.h"
#include "agents/sync/writes/complete.h"
#include "agents/sync/writes/write_object.h"
#include "common/base/clock.h"

/*
 * For activestack-ctl import.
 *
 * importObjects takes `objects`, as exportObjects gives them, one after the other: each is made, or
 * what differs is changed, as by a put of this moment. The answer counts `created`, `changed` and
 * `same`; `refused` has {"index", "reason"} of what was not taken; `broken` has {"index", "target",
 * "reason"} for each reference to an object that is not there (yet).
 *
 * settleReferences takes `targets` of these, when everything is imported: the indexes of those that
 * are still not there are answered in `missing`, and references to them are mended as if they had
 * just been removed (spec 5.6): optional ones are cleared, and what requires them is removed.
 */

struct import {
    struct json_walk items;
    int64_t index; /* of the item that is being looked at */
    struct model_object object;
    int64_t created, changed, same;
    struct text refused, broken; /* items of the answer's lists */
};

static void import_destroy(void *state)
{
    struct import *import = state;

    model_object_deinit(&import->object);
    text_deinit(&import->refused);
    text_deinit(&import->broken);
    free(import);
}

static struct import *import_create(struct work *work, const char *list)
{
    struct import *import = calloc(1, sizeof(*import));

    if (!import)
        err_out_of_memory();
    import->items = json_walk(json_member(work->request.body, list, NULL));
    import->index = -1;
    work->state = import;
    work->state_destroy = import_destroy;
    return import;
}

static bool next_item(struct import *import)
{
    import->index++;
    return json_next(&import->items);
}

static void begin_item(struct text *list, int64_t index)
{
    text_addf(list, "%s{\"index\":%" PRId64, list->size ? "," : "", index);
}

static void refuse(struct import *import, const char *reason, const char *rest)
{
    _cleanup_(text_deinitp) struct text whole = {0};

    text_addf(&whole, "%s%s", reason, rest);
    begin_item(&import->refused, import->index);
    text_add(&import->refused, ",\"reason\":");
    text_add_json_str(&import->refused, whole.at);
    text_add_char(&import->refused, '}');
}

/* ---- importObjects ---- */

static enum work_step import_next(struct work *work);

static enum work_step answer(struct work *work, const struct import *import)
{
    _cleanup_(text_deinitp) struct text body = {0};

    work_response_begin(work, &body, NULL);
    text_addf(&body, ",\"created\":%" PRId64 ",\"changed\":%" PRId64 ",\"same\":%" PRId64,
              import->created, import->changed, import->same);
    text_addf(&body, ",\"refused\":[%s],\"broken\":[%s]", text_str(&import->refused),
              text_str(&import->broken));
    response_end(&body);
    return work_reply(work, &body, NULL);
}

/* False: refused. */
static bool read_object(const struct work *work, struct import *import)
{
    _cleanup_(text_deinitp) struct text problem = {0};

    model_object_deinit(&import->object);
    if (model_read_exported(work->agent->model, import->items.value, &import->object, &problem)) {
        refuse(import, text_str(&problem), "");
        return false;
    }
    if (!import->object.id)
        refuse(import, "ID: missing", "");
    return import->object.id != NULL;
}

static const struct model_field *field_of_column(const struct model_class *c, const char *column)
{
    const struct model_field *field = c->fields;

    while (strcmp(field->column, column) != 0)
        field++;
    return field;
}

static void add_broken(struct import *import, const char *column, const char *target)
{
    const struct model_field *field = field_of_column(import->object.class_, column);
    const bool required = field->required && field->type == FIELD_TO_ONE;
    _cleanup_(text_deinitp) struct text reason = {0};

    text_addf(&reason, "%s: there is no %s; %s", field->name, target,
              required ? "not imported, nor what requires this object in turn"
                       : "imported without this reference");
    begin_item(&import->broken, import->index);
    text_add(&import->broken, ",\"target\":");
    text_add_json_str(&import->broken, target);
    text_add(&import->broken, ",\"reason\":");
    text_add_json_str(&import->broken, reason.at);
    text_add_char(&import->broken, '}');
}

static enum work_step imported(struct work *work)
{
    struct import *import = work->state;
    const struct redis_reply *r = work->call.reply, *broken = redis_item(r, 1);
    const char *outcome = redis_str(redis_item(r, 0));
    enum work_step step;

    if (refused(work, "the store fails; import the same lines again", &step))
        return step;
    import->created += !strcmp(outcome, "created");
    import->changed += !strcmp(outcome, "changed");
    import->same += !strcmp(outcome, "same");
    if (!strcmp(outcome, "required"))
        refuse(import, complete_missing(&import->object), ": missing, and required");
    if (!strcmp(outcome, "taken"))
        refuse(import, "another object of the same family has this ID, of class ",
               redis_str(broken));
    if (!strcmp(outcome, "unique"))
        refuse(import, "another object has the same ", redis_str(broken));
    for (size_t i = 0; i + 1 < redis_count(broken); i += 2)
        add_broken(import, redis_str(redis_item(broken, i)), redis_str(redis_item(broken, i + 1)));
    jobs_start(work, redis_item(r, 2), redis_item(r, 3));
    return import_next(work);
}

/* The fields of which an empty list is as good as nothing. */
static void add_lists(struct redis_call *call, const struct model_class *c)
{
    int64_t count = 0;

    for (size_t i = 0; i < c->field_count; i++)
        count += c->fields[i].type == FIELD_LIST;
    redis_call_arg_i64(call, count);
    for (size_t i = 0; i < c->field_count; i++) {
        if (c->fields[i].type == FIELD_LIST)
            redis_call_arg(call, c->fields[i].column);
    }
}

/* What is given, then the defaults of what is not. */
static void add_values(struct redis_call *call, struct model_object *object)
{
    struct model_object rest = *object;
    const size_t given = object->count;

    write_add_values(call, object, true);
    complete_add_defaults(object);
    rest.values += given;
    rest.count = object->count - given;
    write_add_values(call, &rest, false);
}

static enum work_step import_object(struct work *work, struct model_object *object)
{
    const struct settings *settings = &work->agent->proc.settings;
    const struct model_class *c = object->class_;
    struct redis_call *call = &work->call;
    const int64_t now = clock_wall_ms();

    redis_call_begin(call, &script_import);
    listings_add_all(call, work->agent->model, settings);
    children_add_args(call, work->agent->children, NULL);
    touches_add_args(call, work->agent->model);
    redis_call_arg_i64(call, now);
    redis_call_arg_i64(call, now + settings->sync_job_lease_ms);
    lineage_add_args(call, c, settings->sync_history_kept);
    redis_call_arg(call, object->id);
    redis_call_arg_i64(call, object->version);
    redis_call_arg_i64(call, object->created_ms ? object->created_ms : now);
    redis_call_arg(call, object->user ? object->user : "");
    add_lists(call, c);
    add_values(call, object);
    redis_call_arg(call, complete_missing(object) ? "1" : "0");
    write_add_family(call, c);
    indexes_add_args(call, c->indexes, c->index_count);
    return work_call(work, imported);
}

static enum work_step import_next(struct work *work)
{
    struct import *import = work->state;

    while (next_item(import)) {
        if (read_object(work, import))
            return import_object(work, &import->object);
    }
    return answer(work, import);
}

enum work_step plan_import_objects(struct work *work)
{
    if (json_kind(json_member(work->request.body, "objects", NULL)) != JSON_ARRAY)
        return work_error(work, CODE_MALFORMED, "objects: expected an array");
    import_create(work, "objects");
    return import_next(work);
}

/* ---- settleReferences: `broken` holds the answer ---- */

static enum work_step settle_next(struct work *work);

static enum work_step settled(struct work *work)
{
    struct import *import = work->state;
    const char *job = redis_str(redis_item(work->call.reply, 0));
    enum work_step step;

    if (refused(work, "the store fails; import the same lines again", &step))
        return step;
    if (*job) {
        text_addf(&import->broken, "%s%" PRId64, import->broken.size ? "," : "", import->index);
        job_cascade_start(work, job);
    }
    return settle_next(work);
}

static enum work_step settle_next(struct work *work)
{
    struct import *import = work->state;
    _cleanup_(text_deinitp) struct text ref = {0}, body = {0};
    const int64_t now = clock_wall_ms();

    if (!next_item(import)) {
        work_response_begin(work, &body, NULL);
        text_addf(&body, ",\"missing\":[%s]", text_str(&import->broken));
        response_end(&body);
        return work_reply(work, &body, NULL);
    }
    if (json_decode(import->items.value, &ref) ||
        !stored_ref(work->agent->model, text_str(&ref)).class_)
        return work_error(work, CODE_MALFORMED, "targets: expected those of an answer");
    redis_call_begin(&work->call, &script_settle_reference);
    redis_call_arg(&work->call, ref.at);
    redis_call_arg_i64(&work->call, now);
    redis_call_arg_i64(&work->call, now + work->agent->proc.settings.sync_job_lease_ms);
    return work_call(work, settled);
}

enum work_step plan_settle_references(struct work *work)
{
    if (json_kind(json_member(work->request.body, "targets", NULL)) != JSON_ARRAY)
        return work_error(work, CODE_MALFORMED, "targets: expected an array");
    import_create(work, "targets");
    return settle_next(work);
}
