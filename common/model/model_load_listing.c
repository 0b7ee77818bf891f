#include <string.h>

#include "common/model/model_load.h"

/* The to-many fields that are listed: who makes them up, and may everybody see whom they show? */

static bool is_any(const struct model_class *c, const struct model_class *const *ancestors)
{
    while (*ancestors && !model_is_a(c, *ancestors))
        ancestors++;
    return *ancestors != NULL;
}

const struct model_class *const *model_concrete_of(struct model *model,
                                                   const struct model_class *const *classes)
{
    const struct model_class **found = model_alloc(model, model->count + 1, sizeof(*found));
    size_t count = 0;

    for (size_t i = 0; i < model->count; i++) {
        if (!model->by_name[i]->abstract && is_any(model->by_name[i], classes))
            found[count++] = model->by_name[i];
    }
    return found;
}

void model_check_readable(struct loading *l, const struct model_class *const *classes,
                          const char *path, const char *shown)
{
    for (; *classes; classes++) {
        if ((*classes)->rules[ACTION_READ].restricts)
            text_addf(l->problems, "%s: not everyone who signs in may read %s, and %s\n", path,
                      (*classes)->name, shown);
    }
}

static const struct model_listing *load_listing(struct loading *l, const struct model_class *owner,
                                                const struct model_field *field)
{
    const struct model_class *const join[] = {field->through, NULL};
    struct model_listing *listing = model_alloc(l->model, 1, sizeof(*listing));
    _cleanup_(text_deinitp) struct text path = {0};

    model_class_path(&path, owner, ".fields.");
    text_add(&path, field->name);
    listing->owner = owner;
    listing->field = field;
    listing->members = model_concrete_of(l->model, field->targets);
    listing->sources = field->through ? model_concrete_of(l->model, join) : listing->members;
    if (field->inverse && strcmp(field->inverse, "ID") == 0)
        model_tell(l, path.at, "listed", "what is found by its ID is not listed in the object");
    text_add(&path, ".listed");
    /* Whoever may read the object sees the IDs in its lists, so these must be no secret. */
    model_check_readable(l, listing->members, path.at,
                         "the list would show the IDs of its objects");
    model_check_shown(l, field, path.at);
    return listing;
}

static size_t inherited_count(const struct model_class *c)
{
    return c->parent ? c->parent->field_count : 0;
}

static size_t count_listed(const struct model *model)
{
    size_t count = 0;

    for (size_t i = 0; i < model->count; i++) {
        const struct model_class *c = &model->classes[i];

        for (size_t f = inherited_count(c); f < c->field_count; f++)
            count += c->fields[f].listed;
    }
    return count;
}

static void find_listings_of(struct model *model, struct model_class *c)
{
    const struct model_listing **found =
        model_alloc(model, model->listing_count, sizeof(struct model_listing *));

    for (size_t i = 0; i < model->listing_count; i++) {
        const struct model_class *const *source = model->listings[i]->sources;

        while (*source && *source != c)
            source++;
        if (*source)
            found[c->listing_count++] = model->listings[i];
    }
    c->listings = found;
}

void model_load_listings(struct loading *l)
{
    struct model *model = l->model;

    model->listings = model_alloc(model, count_listed(model), sizeof(struct model_listing *));
    for (size_t i = 0; i < model->count; i++) {
        const struct model_class *c = &model->classes[i];

        for (size_t f = inherited_count(c); f < c->field_count; f++) {
            if (c->fields[f].listed)
                model->listings[model->listing_count++] = load_listing(l, c, &c->fields[f]);
        }
    }
    for (size_t i = 0; i < model->count; i++)
        find_listings_of(model, &model->classes[i]);
}
