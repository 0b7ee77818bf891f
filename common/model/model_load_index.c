#include <string.h>

#include <json-c/json.h>

#include "common/json/json_get.h"
#include "common/model/model_load.h"

/* The indexes of a class: {"fields": [...], "unique": true} each. */

static void check_field(struct loading *l, const struct model_class *c, const char *name,
                        const char *path)
{
    const struct model_field *field = model_find_field(c, name);

    if (!field)
        text_addf(l->problems, "%s.fields: %s has no field %s\n", path, c->name, name);
    else if (!model_can_index(field))
        text_addf(l->problems, "%s.fields: %s is json, list or toMany, which have no index\n", path,
                  name);
}

static bool is_among(const char *const *names, size_t count, const char *name)
{
    while (count > 0 && strcmp(names[count - 1], name) != 0)
        count--;
    return count > 0;
}

static void check_fields(struct loading *l, const struct model_class *c,
                         const struct model_index *index, const char *path)
{
    for (size_t i = 0; i < index->field_count; i++) {
        check_field(l, c, index->fields[i], path);
        if (is_among(index->fields, i, index->fields[i]))
            text_addf(l->problems, "%s.fields: %s stands there twice\n", path, index->fields[i]);
    }
    for (const struct model_index *other = c->indexes; other < index; other++) {
        if (strcmp(other->name, index->name) == 0)
            text_addf(l->problems, "%s.fields: %s has an index on these already\n", path,
                      other->owner->name);
    }
}

static void join_names(struct loading *l, const struct model_class *c, struct model_index *index)
{
    _cleanup_(text_deinitp) struct text names = {0}, columns = {0};

    for (size_t i = 0; i < index->field_count; i++) {
        const char *name = index->fields[i];
        const struct model_field *field = model_find_field(c, name);

        text_addf(&names, "%s%s", i ? "+" : "", name);
        text_addf(&columns, "%s%s", i ? "+" : "", field ? field->column : name);
    }
    index->name = model_keep(l->model, &names);
    index->columns = model_keep(l->model, &columns);
}

static void load_index(struct loading *l, const struct model_class *c, struct json_object *row,
                       const char *path, struct model_index *index)
{
    static const char *const members[] = {"fields", "unique", NULL};
    struct json_object *fields = NULL;

    index->owner = c;
    index->name = index->columns = "";
    if (!json_object_is_type(row, json_type_object)) {
        text_addf(l->problems, "%s: expected an object\n", path);
        return;
    }
    json_get_only(row, path, members, l->problems);
    index->unique = model_get_flag(l, row, path, "unique");
    if (json_get_array(row, path, "fields", true, &fields, l->problems))
        return;
    index->fields = model_get_words(l, fields, path, "fields");
    while (index->fields[index->field_count])
        index->field_count++;
    join_names(l, c, index);
    check_fields(l, c, index, path);
}

void model_load_indexes(struct loading *l, struct model_class *c)
{
    const size_t inherited = c->parent ? c->parent->index_count : 0;
    _cleanup_(text_deinitp) struct text path = {0};
    struct json_object *own = NULL;
    struct model_index *indexes;
    size_t own_count;

    model_class_path(&path, c, "");
    if (json_get_array(model_row_of(l, c), path.at, "indexes", false, &own, l->problems))
        own = NULL;
    own_count = own ? json_object_array_length(own) : 0;
    indexes = model_alloc(l->model, inherited + own_count, sizeof(*indexes));
    if (inherited > 0)
        memcpy(indexes, c->parent->indexes, inherited * sizeof(*indexes));
    c->indexes = indexes;
    c->index_count = inherited + own_count;
    for (size_t i = 0; i < own_count; i++) {
        model_class_path(&path, c, ".indexes");
        text_addf(&path, "[%zu]", i);
        load_index(l, c, json_object_array_get_idx(own, i), path.at, &indexes[inherited + i]);
    }
}
