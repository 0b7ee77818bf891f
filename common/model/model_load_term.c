#include <string.h>

#include "common/model/model_load_watch.h"

/* Fields of objects that may be of several classes. */

bool model_is_shown(const struct model_field *field)
{
    return field->type != FIELD_TO_MANY || field->listed;
}

static size_t count_of(const struct model_class *const *classes)
{
    size_t count = 0;

    while (classes[count])
        count++;
    return count;
}

static enum field_type type_of(const struct model_origin *origin)
{
    return origin->field ? origin->field->type : origin->watcher->type;
}

bool model_load_term_by(struct loading *l, const struct model_class *const *classes,
                        const char *path, struct model_term *out, model_origin_fn *find, void *arg)
{
    struct model_origin *origins = model_alloc(l->model, count_of(classes), sizeof(*origins));

    out->origins = origins;
    for (; *classes; classes++) {
        struct model_origin *origin = &origins[out->origin_count];

        origin->class_ = *classes;
        if (!find(arg, *classes, out->name, origin))
            continue;
        if (out->origin_count > 0 && type_of(origin) != out->type) {
            text_addf(l->problems, "%s: %s is not of one type in all classes that are reached\n",
                      path, out->name);
            return false;
        }
        out->type = type_of(origin);
        out->origin_count++;
    }
    if (out->origin_count == 0)
        text_addf(l->problems, "%s: no class that is reached has %s\n", path, out->name);
    return out->origin_count > 0;
}

static bool find_field(void *arg, const struct model_class *c, const char *name,
                       struct model_origin *out)
{
    (void)arg;
    out->field = model_find_field(c, name);
    return out->field != NULL;
}

bool model_load_term(struct loading *l, const struct model_class *const *classes, const char *name,
                     const char *path, struct model_term *out)
{
    out->name = name;
    return model_load_term_by(l, classes, path, out, find_field, NULL);
}
