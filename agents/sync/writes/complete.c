#include "agents/sync/writes/complete.h"

#include <string.h>

void complete_add_defaults(struct model_object *object)
{
    const struct model_class *c = object->class_;

    for (size_t i = 0; i < c->field_count; i++) {
        const struct model_field *field = &c->fields[i];
        bool given = !field->initial;

        for (size_t j = 0; !given && j < object->count; j++)
            given = object->values[j].field == field;
        if (!given)
            object->values[object->count++] =
                (struct model_value){field, field->initial, strlen(field->initial)};
    }
}

const char *complete_missing(const struct model_object *object)
{
    const struct model_class *c = object->class_;

    for (size_t i = 0; i < c->field_count; i++) {
        bool given = !c->fields[i].required;

        for (size_t j = 0; !given && j < object->count; j++)
            given = object->values[j].field == &c->fields[i];
        if (!given)
            return c->fields[i].name;
    }
    return NULL;
}
