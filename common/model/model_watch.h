#pragma once

#include "common/model/model.h"

/*
 * model_watch - what is derived from objects: the watchers of a class, values that are kept up to
 * date, and its queries, objects that are looked up on demand. Both stand in the model's file
 * (deploy/example/README.md); nothing that is not declared there is derived.
 *
 * A watcher starts at one object, goes along relations step by step, keeps of what the last step
 * reaches the objects for which all conditions hold, and makes one value of these. An object that
 * is reached twice in a step counts once. How values are compared and added up is in
 * model_watch_value.h.
 *
 * Like everything of the model this is immutable and belongs to it.
 */

/* ---- Fields of what was reached ---- */

struct model_watcher;

/* Where objects of one class have a value: in a field, or in a watcher that has no params. */
struct model_origin {
    const struct model_class *class_;    /* concrete */
    const struct model_field *field;     /* of the class; NULL: `watcher` */
    const struct model_watcher *watcher; /* NULL: `field` */
};

/* A field that objects of several classes may have, of one type in all of them. Objects of a class
 * that is not among the origins have none: theirs counts as null. */
struct model_term {
    const char *name;     /* NULL: there is none */
    enum field_type type; /* FIELD_JSON too for what watchers give that is not of one type */
    const struct model_origin *origins; /* ordered by the names of the classes */
    size_t origin_count;
};

/* The origin for an object of this class; NULL: it has none. */
const struct model_origin *model_origin_of(const struct model_term *term,
                                           const struct model_class *c);

/* ---- Steps ---- */

enum step_kind {
    STEP_OUT, /* to what an object refers to by the column of its class */
    STEP_IN   /* to objects of these classes that refer to it by the column of theirs */
};

/*
 * A toMany through a join class is two steps: STEP_IN to the join objects, STEP_OUT from them.
 * Columns are those of to-one and list fields, so that what they refer to, and what refers by them,
 * is known without looking at a value (reference.lua).
 */
struct model_step {
    enum step_kind kind;
    const struct model_origin *origins; /* STEP_OUT: the classes that the step leaves; STEP_IN:
                                           those that it reaches; by name, each with a field */
    size_t origin_count;
    const struct model_class *const *reached; /* concrete, by name, NULL-terminated */
};

/* ---- Params and conditions ---- */

#define MODEL_PARAMS_MAX 16

/* Positional, each checked like the value of a field: `name` and `type` (string, integer, double,
 * boolean, date, toOne), of a to-one `targets`; `required`: may not be null. */
struct model_params {
    const struct model_field *items;
    size_t count;
};

enum condition_kind { IS_EQUAL, IS_NOT, IS_LESS, IS_AT_MOST, IS_MORE, IS_AT_LEAST };

struct model_condition {
    struct model_term term; /* string, integer, double, boolean, date or to-one; of fields only */
    enum condition_kind is; /* boolean and to-one: IS_EQUAL or IS_NOT */
    const char *text;       /* canonical; "null" only with these two; NULL: that of a param */
    size_t param;           /* its number */
};

struct model_order {
    struct model_term term; /* string, integer, double, boolean or date; of fields only */
    bool descending;        /* null is last either way */
};

/* The params of a request, checked. */
struct model_args {
    size_t count;
    const char *texts[MODEL_PARAMS_MAX]; /* canonical, borrowed from `memory` */
    struct text canonical;               /* all of them: ["a",1], "[]" of none */
    struct text memory;
};

/*
 * Checks a JSON array against the params; null and an absent span are an empty array. On failure
 * *out is empty and `problem` gets the rest of a line that begins with the path of the array:
 * "[1] (until): expected an integer, found a string", ": expected 2 (name, until), found 1".
 * ERR_TYPE, ERR_RANGE, ERR_MALFORMED. A canonical array is accepted again, as it is.
 */
_must_check_ enum err model_read_args(const struct model *model, const struct model_params *params,
                                      struct json_span array, struct model_args *out,
                                      struct text *problem);
void model_args_deinit(struct model_args *args);

/* ---- Watchers ---- */

enum watch_value {
    WATCH_COUNT, /* how many objects */
    WATCH_SUM,   /* of `field`; null counts as nothing in all of these. Of none: 0 */
    WATCH_MIN,   /* of none: null, as with those that follow */
    WATCH_MAX,
    WATCH_AVG,
    WATCH_FIRST,  /* in the order */
    WATCH_PATH,   /* what is reached */
    WATCH_PROCESS /* what a process says; nothing but `name`, `params` and `process` is set */
};

struct model_watcher {
    const char *name;
    const struct model_class *owner; /* that declares it; its descendants have it too */
    enum watch_value value;
    enum field_type type; /* of the value: FIELD_TO_ONE is a pair; FIELD_JSON anything */
    bool many;            /* only WATCH_PATH: there may be several, so the value is an array */
    bool personal; /* it reads what not everybody who signs in may read: objects on the way, fields,
                      or what a watcher does that it names. That the object may be read at which it
                      starts is asked before */
    bool open;     /* nothing of that is for those alone who sign in */
    const struct model_step *steps; /* none: the object itself is what was reached */
    size_t step_count;
    const struct model_class *const *reached; /* by the last step; concrete, NULL-terminated */
    struct model_term field; /* no name: WATCH_COUNT; WATCH_FIRST and WATCH_PATH of a pair */
    const struct model_condition *where; /* all hold, on what the last step reaches */
    size_t where_count;
    const struct model_order *order; /* WATCH_FIRST, WATCH_PATH of many; what is equal in all of
                                        them, and without any: by class, then by ID */
    size_t order_count;
    struct model_params params;
    const char *process; /* WATCH_PROCESS */
};

/* Does any class declare a watcher? Where none does, no value is watched, of fields neither. */
bool model_has_watchers(const struct model *model);

/*
 * The watcher of this name of objects of the class, inherited ones too; or that of the field of
 * this name, a WATCH_PATH without steps and params, unless it is a to-many that is not listed.
 * NULL: there is none.
 */
const struct model_watcher *model_watcher(const struct model_class *c, const char *name,
                                          size_t size);

/* The columns that `where`, `order` and `field` read of an object of this class, each once. Room
 * for model_watcher_columns_max(); returns their number. */
size_t model_watcher_columns(const struct model_watcher *watcher, const struct model_class *c,
                             const char **out);
size_t model_watcher_columns_max(const struct model_watcher *watcher);

/* ---- Queries ---- */

#define MODEL_QUERY_LIMIT_MAX 1000

struct model_query {
    const char *name;
    const struct model_class *owner; /* that declares it; asked of a descendant it finds only that
                                        one's objects */
    struct model_rule run;           /* who may ask; never RULE_OWNER */
    struct model_params params;
    const struct model_condition *where;
    size_t where_count;
    const struct model_order *order; /* what is equal in all of them, and without any: by ID */
    size_t order_count;
    size_t limit;                             /* objects in the answer at most */
    const struct model_field *const *columns; /* of `owner`, NULL-terminated: the answer's rows are
                                                 arrays of their values; NULL: they are objects */
};

/* NULL: there is none. */
const struct model_query *model_query(const struct model_class *c, const char *name, size_t size);
