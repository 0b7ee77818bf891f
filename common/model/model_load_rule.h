#pragma once

#include "common/model/model_load.h"

/*
 * model_load_rule - what the files share that read rules: model_load_rule.c (a rule),
 * model_load_path.c (one along relations), model_load_access.c (the rules of classes and fields).
 */

/* A rule about objects of the class, from the file, or in a word. `path` is its own. */
void model_load_rule(struct loading *l, const struct model_class *c, struct json_object *given,
                     const char *path, struct model_rule *rule);
void model_set_rule(struct loading *l, enum rule_kind kind, struct model_rule *rule);

/* Part of that: an alternative with a "path". */
void model_load_path(struct loading *l, const struct model_class *c, struct json_object *given,
                     const char *path, struct model_rule_alternative *out);

/* Can it name a user: by an id in a string, or by the object that stands for them? */
bool model_may_name_owner(const struct model *model, const struct model_field *field);
