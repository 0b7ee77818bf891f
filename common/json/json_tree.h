#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"
#include "common/json/json_scan.h"

/*
 * json_tree - a document that can be changed in place; what json_patch works on.
 *
 * A value is closed (its text, as it came) until somebody looks inside. Opening makes a list of its
 * entries, each of which is closed again, so that only what a path goes through is taken apart and
 * scalars stay the texts that they are.
 *
 * All texts are canonical (json_add_canonical()); those that are put in are borrowed and must
 * outlive the tree. Entries belong to the tree: a pointer to a node lives until the container that
 * it stands in gains or loses an entry.
 */

struct json_container;

struct json_node {
    struct json_span text;       /* closed: the value's text; absent while open */
    struct json_container *open; /* NULL: closed */
};

/* One item of an array, or one member of an object. */
struct json_entry {
    struct json_span key; /* absent in arrays */
    struct json_node value;
};

struct json_container {
    struct json_entry *entries; /* in their order */
    size_t count, room;
    bool is_object;
};

struct json_tree {
    struct json_node root;
    size_t size; /* bytes of the document's text as it is now */
    size_t work; /* grows by each byte read or written and each entry passed or moved: the measure
                    of both time and memory */
    struct json_tree_block *blocks; /* private: memory */
};

void json_tree_init(struct json_tree *t, struct json_span document);
void json_tree_deinit(struct json_tree *t);

enum json_kind json_node_kind(const struct json_node *node);
size_t json_node_size(const struct json_node *node); /* bytes of its text */
void json_node_write(const struct json_node *node, struct text *out);

/* Is the value nested at most `depth` levels deep? A scalar has none. */
bool json_tree_fits(struct json_tree *t, const struct json_node *node, size_t depth);

/* The entries of an array or object; NULL for a scalar. */
struct json_container *json_tree_open(struct json_tree *t, struct json_node *node);

/* The text of a value, which is closed thereby. */
struct json_span json_tree_close(struct json_tree *t, struct json_node *node);

/* The place of a member; of several with that name, of the last one. ERR_NOT_FOUND. */
_must_check_ enum err json_tree_find(struct json_tree *t, const struct json_container *c,
                                     struct json_span key, size_t *out);

/* Puts an entry in front of the one at `index`, or at the end. The key is copied. */
void json_tree_insert(struct json_tree *t, struct json_container *c, size_t index,
                      struct json_entry entry);

/* Takes an entry out; of a member, also the others of its name. */
struct json_node json_tree_take(struct json_tree *t, struct json_container *c, size_t index);

/* Puts a value where another one stands, which is forgotten. */
void json_tree_replace(struct json_tree *t, struct json_node *place, struct json_node value);
