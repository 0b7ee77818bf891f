#include "agents/sync/writes/complete.h"

#include <string.h>

void complete_add_defaults(struct model_object *object)
{
    const struct model_class *c = object->class_;

    for (size_t i = 0; i < c->field_count; i++) {
        const struct model_field *field = &c->fields[i];

        if (field->initial && !model_object_value(object, field))
            object->values[object->count++] =
                (struct model_value){field, field->initial, strlen(field->initial)};
    }
}

const char *complete_missing(const struct model_object *object)
{
    const struct model_class *c = object->class_;

    for (size_t i = 0; i < c->field_count; i++) {
        if (c->fields[i].required && !model_object_value(object, &c->fields[i]))
            return c->fields[i].name;
    }
    return NULL;
}

static void add_behind(struct text *out, const char *list, const char *pair)
{
    if (*list == '[') {
        text_add_bytes(out, list, strlen(list) - 1);
        text_add_char(out, ',');
    } else {
        text_add_char(out, '[');
    }
    text_add(out, pair);
    text_add_char(out, ']');
}

/* A pair's quotes are not escaped, so no other text in a list looks so. */
bool complete_add_pair(struct model_object *object, const struct model_field *field,
                       const char *pair)
{
    const struct model_value *value = model_object_value(object, field);
    const char *given = value ? value->text : "null";
    _cleanup_(text_deinitp) struct text text = {0};

    if (strstr(given, pair))
        return false;
    if (field->type == FIELD_LIST)
        add_behind(&text, given, pair);
    else
        text_add(&text, pair);
    model_object_set(object, field, text.at);
    return true;
}
