#include "agents/sync/rights.h"

#include <string.h>

void rights_add_rule(struct redis_call *call, const struct model_class *c, enum action action)
{
    redis_call_arg(call, c->rules[action].text);
}

static bool says_more(const struct model_rule *rule, const char *than)
{
    return strcmp(rule->text, than) != 0;
}

/* Does its rule keep it from some who may read the object? */
static bool is_ruled(const struct model_class *c, const struct model_field *field)
{
    return field->read && says_more(field->read, "everyone") &&
           says_more(field->read, c->rules[ACTION_READ].text);
}

static int64_t ruled_count(const struct model_class *c)
{
    int64_t count = 0;

    for (size_t i = 0; i < c->field_count; i++)
        count += is_ruled(c, &c->fields[i]);
    return count;
}

static void add_class(struct redis_call *call, const struct model_class *c)
{
    redis_call_arg(call, c->name);
    rights_add_rule(call, c, ACTION_READ);
    redis_call_arg_i64(call, ruled_count(c));
    for (size_t i = 0; i < c->field_count; i++) {
        if (!is_ruled(c, &c->fields[i]))
            continue;
        redis_call_arg(call, c->fields[i].column);
        redis_call_arg(call, c->fields[i].read->text);
    }
}

static bool is_restricted(const struct model_class *c)
{
    return !c->abstract && (says_more(&c->rules[ACTION_READ], "signedIn") || ruled_count(c) > 0);
}

void rights_add_restricted(struct redis_call *call, const struct model *model)
{
    int64_t count = 0;

    for (size_t i = 0; i < model_class_count(model); i++)
        count += is_restricted(model_class_at(model, i));
    redis_call_arg_i64(call, count);
    for (size_t i = 0; i < model_class_count(model); i++) {
        if (is_restricted(model_class_at(model, i)))
            add_class(call, model_class_at(model, i));
    }
}

void rights_add_restricted_of(struct redis_call *call, const struct model_class *c)
{
    redis_call_arg_i64(call, (int64_t)c->concrete_count);
    for (size_t i = 0; i < c->concrete_count; i++)
        add_class(call, c->concrete[i]);
}

/* ---- Guards ---- */

#define PER_GUARD 4

/* Of a new object: does it change anything that the value was given? */
static bool is_guarded(const struct model_value *value, bool is_new)
{
    const char *anyway = value->field->initial ? value->field->initial : "null";

    return value->field->update && !(is_new && !strcmp(value->text, anyway));
}

static void add_guards(struct redis_call *call, const struct model_object *object, size_t given,
                       bool is_new)
{
    int64_t count = 0;

    for (size_t i = 0; i < given; i++)
        count += is_guarded(&object->values[i], is_new);
    redis_call_arg_i64(call, count * PER_GUARD);
    for (size_t i = 0; i < given; i++) {
        const struct model_field *field = object->values[i].field;

        if (!is_guarded(&object->values[i], is_new))
            continue;
        redis_call_arg(call, field->column);
        redis_call_arg(call, field->name);
        redis_call_arg(call, field->update->text);
        redis_call_arg(call, field->read ? field->read->text : "");
    }
}

void rights_add_guards(struct redis_call *call, const struct model_object *object)
{
    add_guards(call, object, object->count, false);
}

void rights_add_guards_new(struct redis_call *call, const struct model_object *object, size_t given)
{
    add_guards(call, object, given, true);
}
