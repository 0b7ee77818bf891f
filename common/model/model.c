#include "common/model/model.h"

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/model/model_internal.h"

struct model_block {
    struct model_block *next;
    max_align_t data[];
};

void *model_alloc(struct model *model, size_t count, size_t size)
{
    struct model_block *block = NULL;

    if (size == 0 || count <= (SIZE_MAX - sizeof(*block)) / size)
        block = calloc(1, sizeof(*block) + count * size);
    if (!block)
        err_out_of_memory();
    block->next = model->blocks;
    model->blocks = block;
    return block->data;
}

const char *model_keep(struct model *model, const struct text *t)
{
    char *copy = model_alloc(model, t->size + 1, 1);

    memcpy(copy, text_str(t), t->size);
    return copy;
}

void model_destroy(struct model *model)
{
    struct model_block *next;

    if (!model)
        return;
    for (struct model_block *block = model->blocks; block; block = next) {
        next = block->next;
        free(block);
    }
    json_object_put(model->tree);
    free(model);
}

/* ---- Sorted indexes: a name that is not NUL-terminated is looked up among C strings. ---- */

static int compare(const char *name, size_t size, const char *other)
{
    size_t other_size = strlen(other);
    int order = memcmp(name, other, size < other_size ? size : other_size);

    return order ? order : (size > other_size) - (size < other_size);
}

static int by_class_name(const void *a, const void *b)
{
    const struct model_class *const *left = a, *const *right = b;

    return strcmp((*left)->name, (*right)->name);
}

static int by_field_name(const void *a, const void *b)
{
    const struct model_field *const *left = a, *const *right = b;

    return strcmp((*left)->name, (*right)->name);
}

void model_index_classes(struct model *model)
{
    model->by_name = model_alloc(model, model->count, sizeof(struct model_class *));
    for (size_t i = 0; i < model->count; i++)
        model->by_name[i] = &model->classes[i];
    qsort(model->by_name, model->count, sizeof(struct model_class *), by_class_name);
}

void model_index_fields(struct model *model, struct model_class *c)
{
    const struct model_field **index =
        model_alloc(model, c->field_count, sizeof(struct model_field *));

    for (size_t i = 0; i < c->field_count; i++)
        index[i] = &c->fields[i];
    qsort(index, c->field_count, sizeof(struct model_field *), by_field_name);
    c->fields_by_name = index;
}

const struct model_class *model_class(const struct model *model, const char *name, size_t size)
{
    size_t low = 0, high = model->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(name, size, model->by_name[middle]->name);

        if (order == 0)
            return model->by_name[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const struct model_field *model_field(const struct model_class *c, const char *name, size_t size)
{
    size_t low = 0, high = c->field_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(name, size, c->fields_by_name[middle]->name);

        if (order == 0)
            return c->fields_by_name[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* ---- The rest ---- */

const char *model_text(const struct model *model)
{
    return model->text;
}

const char *model_digest(const struct model *model)
{
    return model->digest;
}

size_t model_class_count(const struct model *model)
{
    return model->count;
}

const struct model_class *model_class_at(const struct model *model, size_t i)
{
    return &model->classes[i];
}

const struct model_class *model_class_by_type(const struct model *model, const char *type)
{
    for (size_t i = 0; i < model->count; i++)
        if (model->classes[i].type && strcmp(model->classes[i].type, type) == 0)
            return &model->classes[i];
    return NULL;
}

const struct model_class *model_anchor(const struct model *model)
{
    return model->anchor;
}

size_t model_own_indexes(const struct model_class *c, const struct model_index **out)
{
    const size_t inherited = c->parent ? c->parent->index_count : 0;

    if (out)
        *out = c->indexes + inherited;
    return c->index_count - inherited;
}

const struct model_listing *const *model_listings(const struct model *model, size_t *count)
{
    *count = model->listing_count;
    return model->listings;
}

const struct model_entry *model_entries(const struct model *model, size_t *count)
{
    *count = model->entry_count;
    return model->entries;
}

const char *model_client_config(const struct model *model)
{
    return model->client_config;
}

const struct model_view *model_view(const struct model_class *c, const char *name, size_t size)
{
    for (size_t i = 0; c->children && i < c->children->view_count; i++) {
        if (compare(name, size, c->children->views[i].name) == 0)
            return &c->children->views[i];
    }
    return NULL;
}

const struct model_field *model_sort_field(const struct model_sort *sort,
                                           const struct model_class *child)
{
    const struct model_field *field = NULL;

    for (const char *const *name = sort->by; !field && *name; name++)
        field = model_field(child, *name, strlen(*name));
    return field;
}

bool model_can_index(const struct model_field *field)
{
    return field->type != FIELD_JSON && field->type != FIELD_LIST && field->type != FIELD_TO_MANY;
}

bool model_is_a(const struct model_class *c, const struct model_class *ancestor)
{
    while (c && c != ancestor)
        c = c->parent;
    return c != NULL;
}

bool model_names_others(const struct model_class *c)
{
    return c->abstract || c->concrete_count > 1;
}

const struct model_class *model_family(const struct model_class *c)
{
    while (c->parent)
        c = c->parent;
    return c->concrete_count > 1 ? c : NULL;
}
