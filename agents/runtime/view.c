#include "agents/runtime/view.h"

#include <string.h>

#include "common/base/secret.h"

static const char *const id_kinds[] = {
    [ID_STRING] = "string",
    [ID_INTEGER] = "integer",
    [ID_ARRAY] = "array",
};

static const char *const sort_kinds[] = {
    [FIELD_STRING] = "string",   [FIELD_INTEGER] = "integer", [FIELD_DOUBLE] = "double",
    [FIELD_BOOLEAN] = "boolean", [FIELD_DATE] = "integer",
};

const char *view_id_kind(const struct model_class *c)
{
    return id_kinds[c->id];
}

static void add_order(struct text *out, const struct model_sort *sort)
{
    text_addf(out, "{\"descending\":%s", sort->descending ? "true" : "false");
    if (sort->ranks) {
        text_add(out, ",\"ranks\":[");
        for (size_t i = 0; sort->ranks[i]; i++) {
            text_add(out, i ? "," : "");
            text_add_json_str(out, sort->ranks[i]);
        }
        text_add_char(out, ']');
    }
    text_add_char(out, '}');
}

static const char *column_of(const struct model_field *field)
{
    return field->column;
}

static const char *kind_of(const struct model_field *field)
{
    return sort_kinds[field->type];
}

/* What each part of the order is of a child of this class; "" where it has no such field. */
static void add_fields(struct text *out, const struct model_view *view,
                       const struct model_class *child,
                       const char *(*of)(const struct model_field *))
{
    for (size_t i = 0; i < view->sort_count; i++) {
        const struct model_field *field = model_sort_field(&view->sorts[i], child);

        text_add(out, i ? "," : "");
        text_add_json_str(out, field ? of(field) : "");
    }
}

static void add_child(struct text *out, const struct model_view *view,
                      const struct model_class *child, int place)
{
    text_add_json_str(out, child->name);
    text_addf(out, ":{\"place\":%d,\"id\":\"%s\",\"columns\":[", place, view_id_kind(child));
    add_fields(out, view, child, column_of);
    text_add(out, "],\"kinds\":[");
    add_fields(out, view, child, kind_of);
    text_add(out, "]}");
}

static void add_definition(struct text *out, const struct model_class *c,
                           const struct model_view *view)
{
    const struct model_class *const *members = c->children->members;

    text_add(out, "{\"orders\":[");
    for (size_t i = 0; i < view->sort_count; i++) {
        text_add(out, i ? "," : "");
        add_order(out, &view->sorts[i]);
    }
    text_add(out, "],\"classes\":{");
    for (int i = 0; members[i]; i++) {
        text_add(out, i ? "," : "");
        add_child(out, view, members[i], i + 1);
    }
    text_add(out, "}}");
}

/* The first hex digits of a hash. */
static void digest(const struct text *text, char *out, size_t digits)
{
    char hash[SECRET_HASH_CHARS + 1];

    secret_hash(text->at, text->size, hash);
    memcpy(out, hash, digits);
    out[digits] = '\0';
}

void view_define(struct view_definition *out, const struct model *model,
                 const struct model_class *c, const struct model_view *view)
{
    _cleanup_(text_deinitp) struct text shape = {0};

    *out = (struct view_definition){0};
    add_definition(&out->text, c, view);
    digest(&out->text, out->digest, sizeof(out->digest) - 1);
    text_addf(&shape, "%s %s %s", view->name, c->name, model_digest(model));
    digest(&shape, out->shape, sizeof(out->shape) - 1);
}

void view_definition_deinit(struct view_definition *definition)
{
    text_deinit(&definition->text);
}

void view_add_summary(struct redis_call *call, const struct model_class *c)
{
    int64_t count = 0;

    while (c->summary && c->summary[count])
        count++;
    redis_call_arg_i64(call, count);
    for (int64_t i = 0; i < count; i++)
        redis_call_arg(call, c->summary[i]->column);
}
