#include "common/model/model_watch.h"

#include <string.h>

#include "common/model/model_internal.h"

const struct model_origin *model_origin_of(const struct model_term *term,
                                           const struct model_class *c)
{
    for (size_t i = 0; i < term->origin_count; i++) {
        if (term->origins[i].class_ == c)
            return &term->origins[i];
    }
    return NULL;
}

bool model_has_watchers(const struct model *model)
{
    return model->has_watchers;
}

static bool is_named(const char *given, const char *name, size_t size)
{
    return strlen(given) == size && memcmp(given, name, size) == 0;
}

const struct model_watcher *model_watcher(const struct model_class *c, const char *name,
                                          size_t size)
{
    const struct model_field *field = model_field(c, name, size);

    if (field)
        return c->field_watchers ? c->field_watchers[field - c->fields] : NULL;
    for (size_t i = 0; i < c->watcher_count; i++) {
        if (is_named(c->watchers[i]->name, name, size))
            return c->watchers[i];
    }
    return NULL;
}

const struct model_query *model_query(const struct model_class *c, const char *name, size_t size)
{
    for (size_t i = 0; i < c->query_count; i++) {
        if (is_named(c->queries[i]->name, name, size))
            return c->queries[i];
    }
    return NULL;
}

/* ---- Columns ---- */

static void add_column(const struct model_term *term, const struct model_class *c,
                       const char **columns, size_t *count)
{
    const struct model_origin *origin = model_origin_of(term, c);
    size_t i = 0;

    if (!origin || !origin->field)
        return;
    while (i < *count && strcmp(columns[i], origin->field->column) != 0)
        i++;
    if (i == *count)
        columns[(*count)++] = origin->field->column;
}

size_t model_watcher_columns(const struct model_watcher *watcher, const struct model_class *c,
                             const char **out)
{
    size_t count = 0;

    for (size_t i = 0; i < watcher->where_count; i++)
        add_column(&watcher->where[i].term, c, out, &count);
    for (size_t i = 0; i < watcher->order_count; i++)
        add_column(&watcher->order[i].term, c, out, &count);
    add_column(&watcher->field, c, out, &count);
    return count;
}

size_t model_watcher_columns_max(const struct model_watcher *watcher)
{
    return watcher->where_count + watcher->order_count + 1;
}

/* ---- Params ---- */

void model_args_deinit(struct model_args *args)
{
    text_deinit(&args->canonical);
    text_deinit(&args->memory);
    args->count = 0;
}

static enum err wrong_count(const struct model_params *params, size_t found, struct text *problem)
{
    text_addf(problem, ": expected %zu", params->count);
    for (size_t i = 0; i < params->count; i++)
        text_addf(problem, "%s%s", i ? ", " : " (", params->items[i].name);
    text_addf(problem, "%s, found %zu", params->count ? ")" : "", found);
    return ERR_RANGE;
}

/* A param's text, NUL-terminated, to the memory; texts are placed when that has stopped moving. */
static enum err add_arg(const struct model *model, const struct model_field *param,
                        struct json_span value, struct model_args *out, struct text *problem)
{
    _cleanup_(text_deinitp) struct text rest = {0};
    const size_t begin = out->memory.size;
    enum err e = model_add_value(model, param, value, &out->memory, &rest);

    if (e) {
        text_addf(problem, "[%zu] (%s)%s", out->count, param->name, text_str(&rest));
        return e;
    }
    text_add_char(&out->canonical, out->count ? ',' : '[');
    text_add(&out->canonical, out->memory.at + begin);
    text_add_char(&out->memory, '\0');
    out->count++;
    return ERR_OK;
}

static void place_args(struct model_args *args)
{
    const char *at = text_str(&args->memory);

    text_add(&args->canonical, args->count ? "]" : "[]");
    for (size_t i = 0; i < args->count; i++) {
        args->texts[i] = at;
        at += strlen(at) + 1;
    }
}

enum err model_read_args(const struct model *model, const struct model_params *params,
                         struct json_span array, struct model_args *out, struct text *problem)
{
    const enum json_kind kind = json_kind(array);
    const size_t found = kind == JSON_ARRAY ? json_count(array) : 0;
    struct json_walk w = json_walk(array);
    enum err e = ERR_OK;

    memset(out, 0, sizeof(*out));
    if (kind != JSON_ARRAY && kind != JSON_NULL && kind != JSON_ABSENT)
        return model_wrong_kind(problem, "an array", array);
    if (found != params->count)
        return wrong_count(params, found, problem);
    for (size_t i = 0; !e && i < found && json_next(&w); i++)
        e = add_arg(model, &params->items[i], w.value, out, problem);
    if (e)
        model_args_deinit(out);
    else
        place_args(out);
    return e;
}
