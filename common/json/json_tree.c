#include "common/json/json_tree.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/json_members.h"

#define BLOCK_SIZE    16384 /* of memory, at least */
#define SMALLEST_ROOM 8     /* entries */
#define BYTES_ALIGNED 16

/* ---- Memory: given back all at once, with the tree ---- */

struct json_tree_block {
    struct json_tree_block *next;
    size_t used, size;
    _Alignas(BYTES_ALIGNED) char bytes[];
};

static void *allocate(struct json_tree *t, size_t size)
{
    const size_t need = (size + BYTES_ALIGNED - 1) / BYTES_ALIGNED * BYTES_ALIGNED;
    struct json_tree_block *block = t->blocks;

    if (!block || block->size - block->used < need) {
        const size_t room = need > BLOCK_SIZE ? need : BLOCK_SIZE;

        block = malloc(sizeof(*block) + room);
        if (!block)
            err_out_of_memory();
        *block = (struct json_tree_block){.next = t->blocks, .size = room};
        t->blocks = block;
    }
    block->used += need;
    t->work += size;
    return block->bytes + block->used - need;
}

static struct json_span copy(struct json_tree *t, struct json_span text)
{
    char *at = allocate(t, text.size);

    memcpy(at, text.at, text.size);
    return (struct json_span){at, text.size};
}

void json_tree_init(struct json_tree *t, struct json_span document)
{
    *t = (struct json_tree){.root = {.text = document}, .size = document.size};
}

void json_tree_deinit(struct json_tree *t)
{
    while (t->blocks) {
        struct json_tree_block *next = t->blocks->next;

        free(t->blocks);
        t->blocks = next;
    }
}

/* ---- Nodes ---- */

enum json_kind json_node_kind(const struct json_node *node)
{
    if (!node->open)
        return json_kind(node->text);
    return node->open->is_object ? JSON_OBJECT : JSON_ARRAY;
}

/* What an entry adds to the text of a container that has `others` besides. */
static size_t entry_size(const struct json_entry *entry, size_t others)
{
    const size_t key = entry->key.at ? entry->key.size + strlen(":") : 0;

    return key + json_node_size(&entry->value) + (others > 0 ? strlen(",") : 0);
}

size_t json_node_size(const struct json_node *node)
{
    size_t size = strlen("[]");

    if (!node->open)
        return node->text.size;
    for (size_t i = 0; i < node->open->count; i++)
        size += entry_size(&node->open->entries[i], i);
    return size;
}

static void write_container(const struct json_container *c, struct text *out)
{
    text_add_char(out, c->is_object ? '{' : '[');
    for (size_t i = 0; i < c->count; i++) {
        const struct json_entry *entry = &c->entries[i];

        if (i > 0)
            text_add_char(out, ',');
        if (c->is_object) {
            text_add_bytes(out, entry->key.at, entry->key.size);
            text_add_char(out, ':');
        }
        json_node_write(&entry->value, out);
    }
    text_add_char(out, c->is_object ? '}' : ']');
}

void json_node_write(const struct json_node *node, struct text *out)
{
    if (node->open)
        write_container(node->open, out);
    else
        text_add_bytes(out, node->text.at, node->text.size);
}

static bool open_fits(struct json_tree *t, const struct json_container *c, size_t depth)
{
    bool fits = depth > 0;

    t->work += c->count;
    for (size_t i = 0; i < c->count && fits; i++)
        fits = json_tree_fits(t, &c->entries[i].value, depth - 1);
    return fits;
}

bool json_tree_fits(struct json_tree *t, const struct json_node *node, size_t depth)
{
    const struct json_limits limits = {.depth = depth, .number_chars = SIZE_MAX};

    if (node->open)
        return open_fits(t, node->open, depth);
    if (node->text.size / strlen("[]") <= depth) /* too short to be nested deeper */
        return true;
    t->work += node->text.size;
    return json_check(node->text.at, node->text.size, &limits, NULL) == ERR_OK;
}

/* ---- Opening and closing ---- */

static void make_room(struct json_tree *t, struct json_container *c)
{
    struct json_entry *entries;

    if (c->count < c->room)
        return;
    c->room = c->room > 0 ? c->room * 2 : SMALLEST_ROOM;
    entries = allocate(t, c->room * sizeof(*entries));
    if (c->count > 0)
        memcpy(entries, c->entries, c->count * sizeof(*entries));
    c->entries = entries;
}

struct json_container *json_tree_open(struct json_tree *t, struct json_node *node)
{
    const enum json_kind kind = json_node_kind(node);
    struct json_walk w = json_walk(node->text);
    struct json_container *c;

    if (node->open || (kind != JSON_OBJECT && kind != JSON_ARRAY))
        return node->open;
    c = allocate(t, sizeof(*c));
    *c = (struct json_container){.is_object = kind == JSON_OBJECT};
    while (json_next(&w)) {
        make_room(t, c);
        c->entries[c->count++] = (struct json_entry){w.key, {.text = w.value}};
    }
    t->work += node->text.size;
    *node = (struct json_node){.open = c};
    return c;
}

struct json_span json_tree_close(struct json_tree *t, struct json_node *node)
{
    _cleanup_(text_deinitp) struct text text = {0};

    if (node->open) {
        json_node_write(node, &text);
        *node = (struct json_node){.text = copy(t, (struct json_span){text.at, text.size})};
    }
    return node->text;
}

/* ---- Entries ---- */

enum err json_tree_find(struct json_tree *t, const struct json_container *c, struct json_span key,
                        size_t *out)
{
    size_t i = c->count;

    while (i > 0 && !json_same_text(c->entries[i - 1].key, key))
        i--;
    t->work += c->count - i;
    if (i == 0)
        return ERR_NOT_FOUND;
    *out = i - 1;
    return ERR_OK;
}

void json_tree_insert(struct json_tree *t, struct json_container *c, size_t index,
                      struct json_entry entry)
{
    struct json_entry *place;

    t->size += entry_size(&entry, c->count);
    t->work += c->count - index;
    if (entry.key.at)
        entry.key = copy(t, entry.key);
    make_room(t, c);
    place = &c->entries[index];
    memmove(place + 1, place, (c->count - index) * sizeof(*place));
    *place = entry;
    c->count++;
}

struct json_node json_tree_take(struct json_tree *t, struct json_container *c, size_t index)
{
    const struct json_entry taken = c->entries[index];
    const bool is_member = taken.key.at;
    const size_t first = is_member ? 0 : index, count = c->count;
    size_t kept = first;

    for (size_t i = first; i < count; i++) {
        const struct json_entry entry = c->entries[i];

        if (i == index || (is_member && json_same_text(entry.key, taken.key))) {
            c->count--;
            t->size -= entry_size(&entry, c->count);
        } else {
            c->entries[kept++] = entry;
        }
    }
    t->work += count - first;
    return taken.value;
}

void json_tree_replace(struct json_tree *t, struct json_node *place, struct json_node value)
{
    t->size -= json_node_size(place);
    t->size += json_node_size(&value);
    *place = value;
}
