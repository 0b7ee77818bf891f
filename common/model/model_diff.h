#pragma once

#include <stdbool.h>

#include "common/base/text.h"
#include "common/model/model.h"

/*
 * model_diff - what it takes to go from one model to another while the store has objects.
 *
 * Fields are the same if they have the same column, indexes if they have the same columns and are
 * declared by the same class; so a renamed field is no new one.
 */

/* In ascending order: of several the greatest counts. */
enum model_need {
    MODEL_RESTART, /* nothing, or no more than agents that are started anew */
    MODEL_MIGRATE, /* objects must be gone through */
    MODEL_REFUSE   /* what is stored cannot be told by the new model */
};

/* What the store says. Objects are those of exactly this class. */
struct model_facts {
    bool (*has_objects)(const void *arg, const char *class_name);
    bool (*is_built)(const void *arg, const struct model_index *index);
    const void *arg;
};

/*
 * Adds a line for each difference, beginning with what it takes:
 *
 *     migrate classes.com.app.mo.Task.fields.text: new, objects get its default
 *
 * `before` is the applied model, `after` the one that shall be. Returns the greatest need.
 */
enum model_need model_diff(const struct model *before, const struct model *after,
                           const struct model_facts *facts, struct text *lines);

/* "restart", "migrate", "refused". */
const char *model_need_word(enum model_need need);

/*
 * What a migration does to the objects of the class, which is one of the new model's: gives them
 * the default of a field, puts them into an index (again, if it has become unique), or sets a
 * listed field from what refers to them. Fields and indexes may be inherited.
 */
bool model_needs_default(const struct model *before, const struct model_class *after,
                         const struct model_field *field);
bool model_needs_listing(const struct model *before, const struct model_class *after,
                         const struct model_field *field);
bool model_needs_index(const struct model *before, const struct model_index *index,
                       const struct model_facts *facts);
