#include <string.h>

#include <json-c/json.h>

#include "common/json/json_get.h"
#include "common/model/model_load_watch.h"

/* The queries of a class. */

static void load_limit(struct loading *l, struct json_object *row, const char *path,
                       struct model_query *query)
{
    struct json_object *given = NULL;
    int64_t limit;

    query->limit = MODEL_QUERY_LIMIT_MAX;
    if (!json_object_object_get_ex(row, "limit", &given))
        return;
    limit = json_object_is_type(given, json_type_int) ? json_object_get_int64(given) : 0;
    if (limit >= 1 && limit <= MODEL_QUERY_LIMIT_MAX)
        query->limit = (size_t)limit;
    else
        text_addf(l->problems, "%s.limit: expected an integer from 1 to %d\n", path,
                  MODEL_QUERY_LIMIT_MAX);
}

static void load_columns(struct loading *l, struct json_object *row, const char *path,
                         struct model_query *query)
{
    struct json_object *given = NULL;
    const struct model_field **columns;
    const char *const *names;
    size_t count = 0;

    if (json_get_array(row, path, "columns", false, &given, l->problems))
        return;
    names = model_get_words(l, given, path, "columns");
    columns = model_alloc(l->model, json_object_array_length(given) + 1, sizeof(*columns));
    for (; *names; names++) {
        const struct model_field *field = model_find_field(query->owner, *names);

        if (!field)
            text_addf(l->problems, "%s.columns: %s has no field %s\n", path, query->owner->name,
                      *names);
        else if (!model_is_shown(field))
            text_addf(l->problems, "%s.columns: %s is a toMany that is not listed\n", path, *names);
        else
            columns[count++] = field;
    }
    query->columns = columns;
}

static void load_query(struct loading *l, struct json_object *row, const char *path,
                       struct model_query *query)
{
    static const char *const members[] = {"where",   "params", "order", "limit",
                                          "columns", "run",    NULL};
    const struct model_class *const start[] = {query->owner, NULL};
    const struct model_class *const *classes = model_concrete_of(l->model, start);

    if (!model_is_name(query->name, "-."))
        text_addf(l->problems, "%s: a query has a name of letters, digits, -, _ and dots\n", path);
    if (!json_object_is_type(row, json_type_object)) {
        text_addf(l->problems, "%s: expected an object\n", path);
        return;
    }
    json_get_only(row, path, members, l->problems);
    model_load_run(l, query->owner, row, path, &query->run);
    model_load_params(l, row, path, &query->params);
    query->where = model_load_where(l, row, path, &query->params, classes, &query->where_count);
    query->order = model_load_order(l, row, path, classes, &query->order_count);
    load_limit(l, row, path, query);
    load_columns(l, row, path, query);
}

static void load_own_query(struct loading *l, const struct model_class *c, struct json_object *row,
                           struct model_query *query)
{
    _cleanup_(text_deinitp) struct text path = {0};

    query->owner = c;
    model_class_path(&path, c, ".queries.");
    text_add(&path, query->name);
    if (c->parent && model_query(c->parent, query->name, strlen(query->name)))
        text_addf(l->problems, "%s: the parent has a query of this name\n", path.at);
    load_query(l, row, path.at, query);
}

static void load_queries(struct loading *l, struct model_class *c)
{
    const size_t inherited = c->parent ? c->parent->query_count : 0;
    _cleanup_(text_deinitp) struct text path = {0};
    const struct model_query **all;
    struct model_query *query;
    struct json_object *own = NULL;
    struct json_object_iter row;
    size_t count = 0;

    model_class_path(&path, c, "");
    if (!json_get_object(model_row_of(l, c), path.at, "queries", false, &own, l->problems))
        count = (size_t)json_object_object_length(own);
    all = model_alloc(l->model, inherited + count, sizeof(struct model_query *));
    query = model_alloc(l->model, count, sizeof(*query));
    c->queries = all;
    for (; c->query_count < inherited; c->query_count++)
        all[c->query_count] = c->parent->queries[c->query_count];
    if (count == 0)
        return;
    json_object_object_foreachC(own, row)
    {
        query->name = row.key;
        load_own_query(l, c, row.val, query);
        all[c->query_count++] = query++;
    }
}

void model_load_queries(struct loading *l)
{
    for (size_t i = 0; i < l->model->count; i++)
        load_queries(l, l->parents_first[i]);
}
