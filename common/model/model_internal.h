#pragma once

#include "common/base/secret.h"
#include "common/model/model.h"

/*
 * model_internal - what the files of the module share: model.c (memory, look-ups), model_load*.c
 * (from a file), model_pair.c (IDs and pairs), model_key.c (those of the content protocol),
 * model_value.c (one value of a request), model_object.c (a whole object), model_export.c (what an
 * export tells beside it), model_content.c (in the form of the content protocol).
 */

struct json_object;

/* All memory of a model is in blocks that live as long as it does. */
struct model_block;

struct model {
    struct json_object *tree; /* the file; all names and values point into it */
    struct model_block *blocks;
    struct model_class *classes; /* in the order of the file */
    size_t count;
    const struct model_class **by_name; /* sorted */
    const struct model_class *anchor;
    const struct model_listing **listings;
    size_t listing_count;
    const struct model_entry *entries;
    size_t entry_count;
    const char *client_config;
    bool has_watchers;
    int64_t path_most; /* objects that a path of a rule may come to */
    const char **rule_inputs;
    size_t rule_input_count;
    const char *text; /* canonical */
    char digest[SECRET_HASH_CHARS + 1];
};

/* Zeroed memory for `count` items of `size` bytes, freed with the model. Never NULL. */
void *model_alloc(struct model *model, size_t count, size_t size);

/* A copy with the model's lifetime. */
const char *model_keep(struct model *model, const struct text *t);

/* The rule's text, and whether it restricts, when its alternatives are there. */
void model_complete_rule(struct model *model, struct model_rule *rule);

/* What model_rule_inputs() returns, when all rules are there. */
void model_note_inputs(struct model *model);

/* Those that are said in a word, up to RULE_SIGNED_IN. */
extern const char *const model_rule_words[RULE_SIGNED_IN + 1];

/* Fills by_name of the model, and fields_by_name of a class. */
void model_index_classes(struct model *model);
void model_index_fields(struct model *model, struct model_class *c);

/*
 * The following add to `problem`, on failure, the rest of a line that begins with the path of what
 * they read: ": expected a string, found null".
 */

/* Always ERR_MALFORMED: ": stands there twice". */
enum err model_twice(struct text *problem);

/* What an export tells of an object beside its fields. ERR_TYPE, ERR_MALFORMED. */
bool model_is_mark(struct json_span key);
_must_check_ enum err model_read_marks(struct json_span object, struct model_object *out,
                                       struct text *problem);

/* Always ERR_TYPE. */
enum err model_wrong_kind(struct text *problem, const char *expected, struct json_span value);

/* ERR_TYPE, ERR_NOT_FOUND. */
_must_check_ enum err model_read_class(const struct model *model, struct json_span name,
                                       const struct model_class **out, struct text *problem);

/* ERR_TYPE, ERR_RANGE. *out is the caller's to free(). */
_must_check_ enum err model_read_id(const struct model_class *c, struct json_span value, char **out,
                                    struct text *problem);

/* Adds the one spelling of an array ID. False: it is no array of integers and strings. */
bool model_spell_array(struct json_span array, struct text *out);

/* May the relation refer to an object of this class? */
bool model_may_refer(const struct model_field *field, const struct model_class *c);

/* Room for all values of an object of its class, and the end of filling it: texts have stopped
 * moving, and the values are told where theirs are. Before, model_object_value() has no texts. */
void model_begin_values(struct model_object *object);
void model_place_texts(struct model_object *object);

/* Takes the text that was added to object->texts since it had `before` bytes as the field's. */
void model_take_text(struct model_object *object, const struct model_field *field, size_t before);

/* The class's field that a member's key names, or NULL, which is told: ": A has no field ...". */
const struct model_field *model_field_of_key(const struct model_class *c, struct json_span key,
                                             struct text *problem);

/* Adds the canonical text of a request's value, or of a default, to *out. ERR_TYPE, ERR_RANGE,
 * ERR_MALFORMED. */
_must_check_ enum err model_add_value(const struct model *model, const struct model_field *field,
                                      struct json_span value, struct text *out,
                                      struct text *problem);
