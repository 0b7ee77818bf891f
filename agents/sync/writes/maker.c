#include "agents/sync/writes/maker.h"

#include <string.h>

#include "agents/sync/refused.h"
#include "agents/sync/store/scripts.h"

bool maker_is_needed(const struct model_class *c)
{
    for (size_t i = 0; i < c->field_count; i++) {
        if (c->fields[i].server == SERVER_CREATOR)
            return true;
    }
    return false;
}

void maker_ask(struct work *work)
{
    redis_call_begin(&work->call, &script_maker);
    redis_call_arg(&work->call, work->request.client);
    redis_call_arg_i64(&work->call, work->request.accepted_ms);
}

bool maker_take(struct work *work, const char **pair, enum work_step *step)
{
    if (refused(work, "the object could not be made", step))
        return false;
    *pair = redis_str(redis_item(work->call.reply, 2));
    return true;
}

static const char *text_of(const struct model_object *object, const struct model_field *field)
{
    for (size_t i = 0; i < object->count; i++) {
        if (object->values[i].field == field)
            return object->values[i].text;
    }
    return "null";
}

/* Behind what the list has, unless it is among it: the quotes of a pair are not escaped, so no
 * other text looks so. */
static void add_to_list(struct model_object *object, const struct model_field *field,
                        const char *pair)
{
    const char *given = text_of(object, field);
    _cleanup_(text_deinitp) struct text list = {0};

    if (strstr(given, pair))
        return;
    if (*given == '[') {
        text_add_bytes(&list, given, strlen(given) - 1);
        text_add_char(&list, ',');
    } else {
        text_add_char(&list, '[');
    }
    text_add(&list, pair);
    text_add_char(&list, ']');
    model_object_set(object, field, list.at);
}

static void add_time(struct model_object *object, const struct model_field *field, int64_t now_ms)
{
    _cleanup_(text_deinitp) struct text time = {0};

    text_add_i64(&time, now_ms);
    model_object_set(object, field, time.at);
}

void maker_add(struct model_object *object, const char *pair, int64_t now_ms)
{
    for (size_t i = 0; i < object->class_->field_count; i++) {
        const struct model_field *field = &object->class_->fields[i];

        if (field->server == SERVER_NOW)
            add_time(object, field, now_ms);
        else if (field->server == SERVER_CREATOR && *pair && field->type == FIELD_LIST)
            add_to_list(object, field, pair);
        else if (field->server == SERVER_CREATOR && *pair)
            model_object_set(object, field, pair);
    }
}
