#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * model_rule - who may do something: whoever one of its alternatives lets do it. From the model's
 * file (deploy/example/README.md), immutable, and owned by the model.
 *
 * The text is the rule as scripts have it (agents/runtime/lua/rule.lua): the alternatives, apart by
 * "|", but "everyone" alone where everyone may, and "signedIn" where everyone who signs in may.
 *
 *   everyone | signedIn | nobody | owner:<column> | role:<name> | path:<step>;...;<end>
 *
 * Where a path is among them "<most>!" stands in front: the objects that it may come to. Steps are
 *
 *   ><class>=<column>,...   what objects of the class refer to by the column
 *   <<class>=<column>,...   objects of the class that refer by the column to what was reached
 *
 * and the end is one of
 *
 *   =                       users' own objects were reached
 *   =<class>=<column>,...   the column of objects of the class says whose they are
 *
 * Names of classes, columns and roles have none of these characters.
 */

struct model_class;
struct model_step; /* model_watch.h */

enum rule_kind {
    RULE_NOBODY,
    RULE_EVERYONE,  /* every session */
    RULE_SIGNED_IN, /* every session but those of the provider anonymous */
    RULE_OWNER,     /* `column` holds the user's id (a string), or refers to the user's own object,
                       alone or among others */
    RULE_ROLE,      /* users who have the role */
    RULE_PATH       /* the steps lead to the user's own object; with `ends`: to an object that is
                       the user's by the column of its class */
};

/* Where the store says to which user an object belongs: a column that no field can have. */
#define MODEL_USER_COLUMN "@u"

#define MODEL_RULE_MAX  8    /* alternatives of a rule */
#define MODEL_PATH_MAX  8    /* steps of a path, as the file has them */
#define MODEL_PATH_MOST 1000 /* objects that a path may come to, unless something else is said */

struct model_rule_end {
    const struct model_class *class_; /* concrete */
    const char *column;               /* of a field, or MODEL_USER_COLUMN */
};

/* What is not said to have a member has NULL or 0 there. */
struct model_rule_alternative {
    enum rule_kind kind;
    const char *column;             /* RULE_OWNER: of a field, or MODEL_USER_COLUMN */
    const char *role;               /* RULE_ROLE */
    const struct model_step *steps; /* RULE_PATH, as those of a watcher */
    size_t step_count;
    const struct model_rule_end *ends; /* RULE_PATH: by the names of the classes */
    size_t end_count;                  /* 0: users' own objects are reached */
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

/* May those do it, too, who have not signed in? */
bool model_rule_is_open(const struct model_rule *rule);
