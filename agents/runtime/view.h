#pragma once

#include "common/model/model.h"
#include "common/redis/redis_link.h"

/*
 * view - what the store knows of an order of children (lua/view.lua): as JSON, how it sorts the
 * children of each class. A view that is stored under another digest is built anew.
 */

struct view_definition {
    struct text text;
    char digest[17]; /* of the text */
    char shape[9];   /* of all that its pages depend on: two pages of one shape can be compared */
};

/* Puts together that of a view of this class. The caller deinits it. */
void view_define(struct view_definition *out, const struct model *model,
                 const struct model_class *c, const struct model_view *view);
void view_definition_deinit(struct view_definition *definition);

/* Adds the list of the columns that pages show of objects of the class. */
void view_add_summary(struct redis_call *call, const struct model_class *c);

/* What scripts call the ids of a class: "string", "integer", "array". */
const char *view_id_kind(const struct model_class *c);
