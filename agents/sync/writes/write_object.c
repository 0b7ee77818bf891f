#include "agents/sync/writes/write_object.h"

#include <inttypes.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/runtime/indexes.h"
#include "agents/sync/writes/write.h"

/* ---- From the request ---- */

bool write_check_lists(const struct work *work, const struct model_object *object, const char *path,
                       struct text *problem)
{
    const int64_t most = work->agent->proc.settings.sync_max_listed;

    for (size_t i = 0; i < object->count; i++) {
        const struct model_value *value = &object->values[i];
        struct json_walk w = json_walk((struct json_span){value->text, value->size});
        int64_t count = 0;

        while (value->field->type == FIELD_LIST && json_next(&w))
            count++;
        if (count > most) {
            text_addf(problem, "%s.%s: expected at most %" PRId64 " objects", path,
                      value->field->name, most);
            return false;
        }
    }
    return true;
}

#define MODEL_PATH "theObject" /* what the model calls the object in its problems */

static enum err read_object(const struct work *work, struct json_span given, const char *path,
                            struct model_object *object, struct text *problem)
{
    _cleanup_(text_deinitp) struct text told = {0};
    size_t most = (size_t)work->agent->proc.settings.sync_max_object_bytes;
    const char *rest;
    enum err e;

    if (given.size > most) {
        text_addf(problem, "%s: expected at most %zu bytes", path, most);
        return ERR_RANGE;
    }
    e = model_read_object(work->agent->model, given, object, &told);
    if (!e)
        return write_check_lists(work, object, path, problem) ? ERR_OK : ERR_RANGE;
    rest = text_str(&told);
    if (!strncmp(rest, MODEL_PATH, strlen(MODEL_PATH)))
        rest += strlen(MODEL_PATH);
    text_addf(problem, "%s%s", path, rest);
    return e;
}

bool write_read_object(struct work *work, struct json_span given, const char *path,
                       struct model_object *object, enum work_step *step)
{
    _cleanup_(text_deinitp) struct text problem = {0};
    enum err e;

    if (json_kind(json_member(given, "cn", NULL)) != JSON_STRING) {
        text_addf(&problem, "%s: expected an object with a string member cn", path);
        *step = work_error(work, CODE_MALFORMED, problem.at);
        return false;
    }
    e = read_object(work, given, path, object, &problem);
    if (e == ERR_NOT_FOUND)
        *step = work_error(work, CODE_MISSING_CLASS, text_str(&problem));
    else if (e)
        *step = write_refuse(work, 0, text_str(&problem));
    return !e;
}

/* ---- To the script ---- */

/* The objects that a relation's text refers to, as refs, newline-separated. */
static void add_pair_ref(struct text *out, struct json_span pair)
{
    if (out->size)
        text_add_char(out, '\n');
    if (json_decode(json_member(pair, "className", NULL), out))
        return;
    text_add_char(out, ':');
    if (json_decode(json_member(pair, "ID", NULL), out))
        return;
}

static void add_refs(struct text *out, const struct model_value *value)
{
    struct json_span text = {value->text, value->size};

    if (value->field->type == FIELD_TO_ONE && json_kind(text) == JSON_OBJECT) {
        add_pair_ref(out, text);
    } else if (value->field->type == FIELD_LIST) {
        for (struct json_walk w = json_walk(text); json_next(&w);)
            add_pair_ref(out, w.value);
    }
}

/* Null is what a field is that was never set, unless it would have a default. */
static bool says_something(const struct model_value *value)
{
    return value->field->initial || strcmp(value->text, "null") != 0;
}

void write_add_values(struct redis_call *call, const struct model_object *object, bool nulls)
{
    size_t count = 0;

    for (size_t i = 0; i < object->count; i++)
        count += nulls || says_something(&object->values[i]);
    redis_call_arg_i64(call, (int64_t)count * 3);
    for (size_t i = 0; i < object->count; i++) {
        const struct model_value *value = &object->values[i];
        _cleanup_(text_deinitp) struct text refs = {0};

        if (!nulls && !says_something(value))
            continue;
        add_refs(&refs, value);
        redis_call_arg(call, value->field->column);
        redis_call_arg_bytes(call, value->text, value->size);
        redis_call_arg(call, text_str(&refs));
    }
}

void write_add_object(struct redis_call *call, const struct model_object *object)
{
    const struct model_class *c = object->class_;

    write_add_values(call, object, true);
    indexes_add_args(call, c->indexes, c->index_count);
}

void write_add_family(struct redis_call *call, const struct model_class *c)
{
    const struct model_class *family = model_family(c);

    redis_call_arg(call, family ? family->name : "");
}

void write_add_new(struct redis_call *call, const struct model_object *object)
{
    const struct model_class *c = object->class_;

    write_add_values(call, object, false);
    indexes_add_args(call, c->indexes, c->index_count);
    write_add_family(call, c);
}
