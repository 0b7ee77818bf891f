#include <string.h>

#include "common/json/json_patch_private.h"
#include "common/json/json_pointer.h"

#define POINTER_SHOWN 200 /* bytes of a pointer in a problem text */

/* ---- What went wrong ---- */

/* The pointer as a JSON string, cut between two characters if it is long. */
static void add_pointer(struct text *out, struct json_span pointer)
{
    size_t size = 0;

    while (size < pointer.size && size < POINTER_SHOWN)
        size += text_utf8_size(pointer.at + size, pointer.size - size);
    text_add_json(out, pointer.at, size);
    if (size < pointer.size)
        text_add(out, "...");
}

struct text *json_patch_blame(struct patching *p)
{
    text_addf(p->problem, "operation %zu", p->index);
    if (p->now && p->now->verb) {
        text_addf(p->problem, ", %s ", p->now->verb->name);
        add_pointer(p->problem, json_span_text(&p->now->path));
    }
    text_add(p->problem, ": ");
    return p->problem;
}

enum err json_patch_fail_at(struct patching *p, const char *before, struct json_span pointer,
                            const char *behind)
{
    struct text *problem = json_patch_blame(p);

    text_add(problem, before);
    add_pointer(problem, pointer);
    text_add(problem, behind);
    return ERR_NOT_FOUND;
}

/* ---- Finding a place ---- */

static enum err find_item(struct patching *p, struct json_span pointer, struct json_span key,
                          struct place *out)
{
    const struct json_span parent = json_pointer_parent(pointer);

    if (json_string_is(key, "-")) {
        out->index = out->in->count;
        return ERR_OK;
    }
    if (json_pointer_index(key, &out->index))
        return json_patch_fail_at(p, "", pointer, " has no index of an array at its end");
    if (out->index > out->in->count) {
        struct text *problem = json_patch_blame(p);

        text_addf(problem, "there are only %zu items in ", out->in->count);
        add_pointer(problem, parent);
        return ERR_NOT_FOUND;
    }
    return ERR_OK;
}

/* Where `pointer`, whose last token is `key`, stands or would stand in `parent`. */
static enum err find_place(struct patching *p, struct json_node *parent, struct json_span pointer,
                           struct json_span key, struct place *out)
{
    *out = (struct place){.in = json_tree_open(&p->tree, parent)};
    if (!out->in) {
        struct text *problem = json_patch_blame(p);

        add_pointer(problem, json_pointer_parent(pointer));
        text_addf(problem, " is a %s, nothing is inside of it",
                  json_kind_name(json_node_kind(parent)));
        return ERR_NOT_FOUND;
    }
    if (!out->in->is_object)
        return find_item(p, pointer, key, out);
    if (json_tree_find(&p->tree, out->in, key, &out->index))
        out->index = out->in->count;
    return ERR_OK;
}

enum err json_patch_find(struct patching *p, struct json_span pointer, struct json_node **out)
{
    _cleanup_(text_deinitp) struct text key = {0};
    struct json_span rest = pointer;
    struct json_node *node = &p->tree.root;

    while (json_pointer_next(&rest, &key)) {
        const struct json_span so_far = {pointer.at, pointer.size - rest.size};
        struct place place;
        enum err e = find_place(p, node, so_far, json_span_text(&key), &place);

        if (e)
            return e;
        if (place.index == place.in->count)
            return json_patch_fail_at(p, "nothing is at ", so_far, "");
        node = &place.in->entries[place.index].value;
    }
    *out = node;
    return ERR_OK;
}

enum err json_patch_find_place(struct patching *p, struct json_span pointer, struct text *key,
                               struct place *out)
{
    const struct json_span parent = json_pointer_parent(pointer);
    struct json_span last = {pointer.at + parent.size, pointer.size - parent.size};
    struct json_node *node;
    enum err e = json_patch_find(p, parent, &node);

    if (e)
        return e;
    (void)json_pointer_next(&last, key);
    return find_place(p, node, pointer, json_span_text(key), out);
}
