#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * model_rule - who may do something: whoever one of its alternatives lets do it. From the model's
 * file (deploy/example/README.md), immutable, and owned by the model.
 *
 * The text is the rule as scripts have it (agents/runtime/lua/rights.lua): the alternatives, apart
 * by "|":
 *
 *   everyone | signedIn | nobody | owner:<column> | role:<name>
 *
 * Names of classes, columns and roles have none of these characters.
 */

struct model_class;

enum rule_kind {
    RULE_NOBODY,
    RULE_EVERYONE,  /* every session */
    RULE_SIGNED_IN, /* every session but those of the provider anonymous */
    RULE_OWNER,     /* `column` holds the user's id (a string), or refers to the user's own object,
                       alone or among others */
    RULE_ROLE       /* users who have the role */
};

/* Where the store says to which user an object belongs: a column that no field can have. */
#define MODEL_USER_COLUMN "@u"

/* At most so many alternatives. */
#define MODEL_RULE_MAX 8

/* What is not said to have a member has NULL there. */
struct model_rule_alternative {
    enum rule_kind kind;
    const char *column; /* RULE_OWNER: of a field, or MODEL_USER_COLUMN */
    const char *role;   /* RULE_ROLE */
};

struct model_rule {
    const char *text;
    bool restricts;                                    /* not everyone who signs in may */
    const struct model_rule_alternative *alternatives; /* one at least */
    size_t count;
};

/* The first alternative of this kind, or NULL. */
const struct model_rule_alternative *model_rule_has(const struct model_rule *rule,
                                                    enum rule_kind kind);
