#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"
#include "common/json/json_scan.h"
#include "common/model/model_rule.h"

/*
 * model - the domain: classes, their fields and relations, and who may do what to them.
 * For the content protocol also: what a page shows of an object, which objects are whose children
 * and in which orders, and where a user begins.
 *
 * Loaded once from a JSON file (schema: deploy/example/README.md; every mistake is told with its
 * path), immutable afterwards, shared by all threads of a process. Everything that the functions
 * below return belongs to the model, unless they say otherwise.
 *
 * Field texts are canonical JSON (json_add_canonical()). A relation's text is
 * {"className":"<class>","ID":"<id>"}; a request may name a parent of the object's own class.
 */

struct model;

enum field_type {
    FIELD_STRING,
    FIELD_INTEGER, /* int64 */
    FIELD_DOUBLE,  /* also float: any JSON number */
    FIELD_BOOLEAN,
    FIELD_DATE,   /* ms since 1970 */
    FIELD_JSON,   /* any value */
    FIELD_TO_ONE, /* a pair, or null */
    FIELD_LIST,   /* an array of pairs, kept here, at the source */
    FIELD_TO_MANY /* the other side of somebody's FIELD_TO_ONE or FIELD_LIST; stored where listed */
};

enum id_kind { ID_STRING, ID_INTEGER, ID_ARRAY };

/* What the server itself puts into a field. */
enum field_server {
    SERVER_NONE,
    SERVER_CREATOR,  /* the object of the user who makes it; of a FIELD_LIST: behind what the maker
                        gives, unless it is among it */
    SERVER_NOW,      /* the time of creation */
    SERVER_CONNECTED /* of the class that stands for users: is a session of the user bound? */
};

enum action {
    ACTION_READ,
    ACTION_CREATE,
    ACTION_UPDATE,
    ACTION_REMOVE,
    ACTION_ADD_CHILD, /* on the parent */
    ACTION_COUNT
};

struct model_class;
struct model_watcher; /* model_watch.h */
struct model_query;

struct model_field {
    const char *name;   /* as clients say it */
    const char *column; /* as the store says it: the field's first name (spec 5.4) */
    enum field_type type;
    bool required;            /* null and absent are refused */
    bool read_only;           /* set by the server; ignored in requests */
    enum field_server server; /* what it is set to; only a FIELD_LIST is not read-only then */
    bool listed;              /* only FIELD_TO_MANY: printed with its members */
    const struct model_class *const *targets; /* relations: they and their descendants may be
                                                 referred to; NULL-terminated */
    const char *inverse; /* FIELD_TO_MANY: the source field, on the target or on `through`, that
                            refers here; "ID": the target's array id begins with ours */
    const struct model_class *through; /* FIELD_TO_MANY through a join class; else NULL */
    const char *onward;                /* with `through`: its field that refers to the target */
    const char *initial;               /* canonical text of the default; NULL: null */
    const char *const *values;         /* FIELD_STRING: the only allowed values, NULL-terminated */
    const struct model_rule *read;     /* in addition to the class's; NULL: none of its own */
    const struct model_rule *update;   /* the same; also of a value that is given at creation */
};

/* Objects are found, or are unique, by the texts of these fields, none of them null. */
struct model_index {
    const char *name;          /* the fields' names, joined by "+": for people */
    const char *columns;       /* their columns, joined by "+": for the store */
    const char *const *fields; /* their names, in the order of the file */
    size_t field_count;
    bool unique;
    const struct model_class *owner; /* the class that declares it; it covers its descendants too */
};

/* A FIELD_TO_MANY that is listed. Lists of classes: concrete ones, by name, NULL-terminated. */
struct model_listing {
    const struct model_class *owner; /* the class that declares it; its descendants have it too */
    const struct model_field *field;
    const struct model_class *const *sources; /* what refers to the owner by field->inverse */
    const struct model_class *const *members; /* what is shown: the sources, or with `through` what
                                                 they refer to by field->onward */
};

/* One step of an order: by the first of the fields `by` that the child's class has. */
struct model_sort {
    const char *const *by;    /* names, NULL-terminated */
    const char *const *ranks; /* strings in their order, NULL-terminated; NULL: as the values are */
    bool descending;
};

/* An order of the children of an object, cut in pages. */
struct model_view {
    const char *name;
    size_t size; /* of a page */
    const struct model_sort *sorts;
    size_t sort_count;
};

/* The relation whose members the content protocol shows as an object's children. */
struct model_children {
    const struct model_field *relation;       /* FIELD_LIST or FIELD_TO_MANY */
    const struct model_class *const *members; /* concrete ones, by name, NULL-terminated; each has a
                                                 type, and who signs in may read it */
    const struct model_view *views;           /* in the order of the file */
    size_t view_count;
};

struct model_class {
    const char *name; /* full: com.app.mo.Task */
    const char *type; /* short, of the content protocol: task; NULL: unknown there */
    bool abstract;
    enum id_kind id;
    const struct model_class *parent;          /* NULL: none */
    const struct model_class *const *concrete; /* itself and its descendants, not abstract ones */
    size_t concrete_count;
    const struct model_field *fields; /* inherited ones first, in the order of the file */
    const struct model_field *const *fields_by_name; /* sorted, for model_field() */
    size_t field_count;
    struct model_rule rules[ACTION_COUNT];
    bool history;                      /* earlier states of its objects are kept */
    const struct model_index *indexes; /* inherited ones first */
    size_t index_count;
    const struct model_listing *const *listings; /* those of which it is a source */
    size_t listing_count;
    const struct model_field *anchor_field;   /* this class stands for users; what holds their id */
    const struct model_children *children;    /* NULL: none */
    const struct model_field *const *summary; /* what pages show beside the key, NULL-terminated;
                                                 NULL: nothing */
    const struct model_watcher *const *watchers; /* inherited ones first */
    size_t watcher_count;
    const struct model_watcher *const
        *field_watchers;                      /* of the fields, NULL where one is not shown;
                                                 NULL: no class declares a watcher */
    const struct model_query *const *queries; /* inherited ones first */
    size_t query_count;
};

/* Which document a login names. */
enum entry_kind {
    ENTRY_SELF,  /* the user's own object */
    ENTRY_FIELD, /* what `field` of the user's own object refers to */
    ENTRY_OWN,  /* the one object of `class_` that belongs to the user, made when first needed, with
                   the ID of the user's own object where both are integers */
    ENTRY_FIXED /* always this one: `class_`, `id` */
};

/* One entry point. What is not said to have a member has NULL there. */
struct model_entry {
    const char *name;
    enum entry_kind kind;
    const struct model_field *field;
    const struct model_class *class_;
    const char *id;
    const char *object;             /* ENTRY_FIXED: what is made where there is none, as text for
                                       model_read_exported(); NULL: nothing */
    bool unnamed;                   /* ENTRY_OWN: clients are not told of it, but may know its id */
    const struct model_class *join; /* ENTRY_FIXED: each user gets one object of it at login, */
    const struct model_field *here; /* which refers to the entry point by this to-one, */
    const struct model_field *person; /* and to the user's own object by this; NULL: nobody */
};

/* ERR_OK; ERR_IO or ERR_CONFIG with all mistakes in `problems`, a line each. */
_must_check_ enum err model_load(const char *path, struct model **out, struct text *problems);
/* The same with another bound than MODEL_PATH_MOST for the objects that a path of a rule may come
 * to. */
_must_check_ enum err model_load_limited(const char *path, int64_t path_most, struct model **out,
                                         struct text *problems);
/* The same from the text of such a file; `name` stands for it in `problems`. ERR_CONFIG. */
_must_check_ enum err model_parse(const char *name, const struct text *content, struct model **out,
                                  struct text *problems);
void model_destroy(struct model *model);
DEFINE_CLEANUP(struct model *, model_destroy)

/* The file without what means nothing (white space), and the SHA-256 of that in hex: models with
 * the same digest are the same. */
const char *model_text(const struct model *model);
const char *model_digest(const struct model *model);

size_t model_class_count(const struct model *model);
const struct model_class *model_class_at(const struct model *model, size_t i);
const struct model_class *model_class(const struct model *model, const char *name, size_t size);
const struct model_class *model_class_by_type(const struct model *model, const char *type);
/* The class that stands for users, or NULL. */
const struct model_class *model_anchor(const struct model *model);

/* All that is listed. */
const struct model_listing *const *model_listings(const struct model *model, size_t *count);

/* The entry points, in the order of the file. */
const struct model_entry *model_entries(const struct model *model, size_t *count);
/* What clients are told at login: the canonical text of a JSON object, "{}" where there is none. */
const char *model_client_config(const struct model *model);

/* What the paths of rules for reads look at beside the object's own columns: "<class>\n<column>",
 * or, where they come to what refers by the column, "<" and the same. */
const char *const *model_rule_inputs(const struct model *model, size_t *count);

const struct model_field *model_field(const struct model_class *c, const char *name, size_t size);
/* The view of the children of such objects; NULL: there is none. */
const struct model_view *model_view(const struct model_class *c, const char *name, size_t size);
/* The field of a child of this class by which it is sorted; NULL: it has none of them. */
const struct model_field *model_sort_field(const struct model_sort *sort,
                                           const struct model_class *child);
/* Do some who may read the object not see this field? */
bool model_hides(const struct model_field *field);
/* The indexes that the class itself declares; their number. `out` may be NULL. */
size_t model_own_indexes(const struct model_class *c, const struct model_index **out);
/* May the field be part of an index? Its values are compared by their texts. */
bool model_can_index(const struct model_field *field);
bool model_is_a(const struct model_class *c, const struct model_class *ancestor);
/* May an object of another class be named by this one, its parent? */
bool model_names_others(const struct model_class *c);
/* The furthest ancestor, by which all objects of its descendants are found; NULL where no other
 * class than this one has any. */
const struct model_class *model_family(const struct model_class *c);

/*
 * Checks an ID as clients write it (a string; decimal text for integers, compact JSON text for
 * arrays). ERR_OK; ERR_TYPE or ERR_RANGE (1 to 512 bytes, no control characters) with `why`.
 */
_must_check_ enum err model_check_id(const struct model_class *c, const char *id, const char **why);

/* One field of an object, checked. */
struct model_value {
    const struct model_field *field;
    const char *text; /* canonical, NUL-terminated; "null" clears, and is what an empty list is */
    size_t size;
};

/* Where an object was read from. */
enum model_source { MODEL_REQUEST, MODEL_EXAMPLE, MODEL_EXPORT };

/* A request's object, checked against its class. Texts live in `texts`. */
struct model_object {
    const struct model_class *class_;
    char *id;                   /* NULL: none given (absent, null or blank) */
    struct model_value *values; /* without FIELD_TO_MANY and, in a request, read-only fields, which
                                   are ignored; room for all of the class's fields */
    size_t count;
    enum model_source source;
    int64_t version, created_ms; /* only MODEL_EXPORT; 0: not told */
    char *user; /* only MODEL_EXPORT: to whom it belongs; NULL: nobody, or not told */
    struct text texts;
};

/*
 * Checks {"cn":..., "ID":..., fields...} of a checked JSON text. On failure *out is empty and
 * `problem` gets one line for the client: "theObject.done: expected a boolean, found a string".
 * ERR_NOT_FOUND: unknown or abstract class; ERR_TYPE; ERR_RANGE; ERR_MALFORMED: unknown or
 * duplicate member, no cn. Null is refused for required fields, absence is not: a put may leave
 * them out.
 */
_must_check_ enum err model_read_object(const struct model *model, struct json_span object,
                                        struct model_object *out, struct text *problem);

/*
 * Reads an object as an example of what is looked for (spec 3.4). Its class may be abstract, and
 * `values` holds the fields that are set, read-only ones too: strings with text, numbers and
 * booleans, dates after 1970, to-ones with an ID, lists that are not empty. Otherwise as
 * model_read_object(); ERR_TYPE also for a FIELD_TO_MANY that is not empty.
 */
_must_check_ enum err model_read_example(const struct model *model, struct json_span example,
                                         struct model_object *out, struct text *problem);

/*
 * Reads an object as an export has it: read-only fields are as given, but for what shows who is
 * connected, and "@version" and "@created" (1 or more) and "@user" (the id of a user) stand beside
 * them. Otherwise as model_read_object(), but the problem is told from the object's view: "done:
 * expected a boolean, found a string".
 */
_must_check_ enum err model_read_exported(const struct model *model, struct json_span object,
                                          struct model_object *out, struct text *problem);
void model_object_deinit(struct model_object *object);

/* An object of the class without any values, which model_object_set() gives it. */
void model_object_init(struct model_object *object, const struct model_class *c);

/* The value that the object has for the field; NULL: none was given. */
const struct model_value *model_object_value(const struct model_object *object,
                                             const struct model_field *field);

/* Gives the field this canonical text, which is copied, in place of the value that it may have. */
void model_object_set(struct model_object *object, const struct model_field *field,
                      const char *text);

/*
 * Visits, in their order, all pairs of an object that may name another class than that of what
 * they lead to. The visitor returns the class that stands there from now on.
 */
typedef const struct model_class *model_pair_fn(void *arg, const struct model_class *named,
                                                const char *id);
void model_visit_pairs(const struct model *model, struct model_object *object, model_pair_fn *visit,
                       void *arg);

/*
 * Reads {"className":..., "ID":..., "properties":...}; the class may be abstract, the ID is the
 * caller's to free(). On failure `problem` gets the rest of a line that begins with the path of the
 * pair: ".className: ...", ": expected an object, ...". ERR_NOT_FOUND: unknown class; ERR_TYPE;
 * ERR_RANGE; ERR_MALFORMED: unknown or duplicate member.
 */
_must_check_ enum err model_read_pair(const struct model *model, struct json_span pair,
                                      const struct model_class **class_out, char **id_out,
                                      struct text *problem);

/* Adds {"className":"...","ID":"..."}. */
void model_add_pair(struct text *out, const char *class_name, const char *id);

/* What clients are told of a field: its stored text; where there is none, or null: [] of a list or
 * to-many, false of SERVER_CONNECTED, which is a fact, else null. */
const char *model_said(const struct model_field *field, const char *text);

/* In place of a text, which it can never be: whoever is told of the object may not know the field.
 */
#define MODEL_HIDDEN "-"

/*
 * Adds the object as clients see it, every field in the model's order: {"cn":..,"ID":..,...}.
 * `value` gives the stored text of a field, or NULL; or MODEL_HIDDEN: it is left out.
 */
typedef const char *model_value_fn(const void *arg, const struct model_field *field);
void model_add_object(struct text *out, const struct model_class *c, const char *id,
                      model_value_fn *value, const void *arg);
bool model_is_hidden(const char *text);
