#include <string.h>

#include "common/model/model_load.h"

/* The fields that the server itself sets. */

void model_load_server(struct loading *l, struct json_object *row, const char *path,
                       struct model_field *field)
{
    static const char *const words[] = {
        [SERVER_CREATOR] = "creator", [SERVER_NOW] = "now", [SERVER_CONNECTED] = "connected"};
    const char *word = model_get_string(l, row, path, "server", false);

    if (!word)
        return;
    for (size_t i = SERVER_CREATOR; i < ARRAY_SIZE(words); i++) {
        if (strcmp(word, words[i]) == 0)
            field->server = (enum field_server)i;
    }
    if (!field->server)
        model_tell(l, path, "server", "expected creator, now or connected");
    if (field->type != FIELD_LIST) /* to a list the maker may add others */
        field->read_only = true;
}

/* Has another field of the class the same meaning? */
static bool is_second(const struct model_class *c, const struct model_field *field)
{
    const struct model_field *other = c->fields;

    while (other < field && other->server != field->server)
        other++;
    return other < field;
}

static const char *why_not(const struct model *model, const struct model_class *owner,
                           const struct model_field *field)
{
    switch (field->server) {
    case SERVER_CREATOR:
        return model_refers_to_users(model, field)
                   ? NULL
                   : "only a toOne or list of the class that stands for users refers to who makes "
                     "an object";
    case SERVER_NOW:
        if (field->type != FIELD_DATE)
            return "only a date holds the time of creation";
        return field->initial ? "never the default, so there cannot be one" : NULL;
    case SERVER_CONNECTED:
        if (owner != model->anchor || field->type != FIELD_BOOLEAN)
            return "only a boolean of the class that stands for users says whether they are "
                   "connected";
        return is_second(owner, field) ? "another field says so already" : NULL;
    default:
        return NULL;
    }
}

void model_check_server(struct loading *l, const struct model_class *owner,
                        const struct model_field *field, const char *path)
{
    const char *why = why_not(l->model, owner, field);

    if (why)
        model_tell(l, path, "server", why);
}
