#include "agents/sync/watchers/reached.h"

#include <stdlib.h>
#include <string.h>

#include "agents/sync/stored.h"
#include "common/model/model_watch_value.h"

static char *copy(const char *str)
{
    char *copied = strdup(str);

    if (!copied)
        err_out_of_memory();
    return copied;
}

/* ---- Places ---- */

void places_add(struct places *places, size_t root, const char *ref)
{
    if (places->count == places->room) {
        places->room = places->room ? places->room * 2 : 16;
        places->at = reallocarray(places->at, places->room, sizeof(*places->at));
        if (!places->at)
            err_out_of_memory();
    }
    places->at[places->count++] = (struct place){root, copy(ref)};
}

void places_deinit(struct places *places)
{
    for (size_t i = 0; i < places->count; i++)
        free(places->at[i].ref);
    free(places->at);
    *places = (struct places){0};
}

static int compare_places(const void *a, const void *b)
{
    const struct place *first = a, *second = b;

    if (first->root != second->root)
        return first->root < second->root ? -1 : 1;
    return strcmp(first->ref, second->ref);
}

void places_unite(struct places *places)
{
    size_t kept = 0;

    if (places->count)
        qsort(places->at, places->count, sizeof(*places->at), compare_places);
    for (size_t i = 0; i < places->count; i++) {
        if (kept && !compare_places(&places->at[kept - 1], &places->at[i]))
            free(places->at[i].ref);
        else
            places->at[kept++] = places->at[i];
    }
    places->count = kept;
}

/* ---- What was found ---- */

static void found_deinit(struct found *found, size_t order_count)
{
    for (size_t i = 0; found->order && i < order_count; i++)
        free(found->order[i]);
    free(found->order);
    free(found->text);
    free(found->ref);
}

void founds_deinit(struct founds *founds)
{
    for (size_t i = 0; i < founds->count; i++)
        found_deinit(&founds->at[i], founds->watcher->order_count);
    free(founds->at);
    *founds = (struct founds){0};
}

static struct found *founds_add(struct founds *founds)
{
    if (founds->count == founds->room) {
        founds->room = founds->room ? founds->room * 2 : 16;
        founds->at = reallocarray(founds->at, founds->room, sizeof(*founds->at));
        if (!founds->at)
            err_out_of_memory();
    }
    founds->at[founds->count] = (struct found){0};
    return &founds->at[founds->count++];
}

void found_set(struct founds *founds, struct found *found, const char *text)
{
    founds->bytes += strlen(text);
    free(found->text);
    found->text = strcmp(text, "null") ? copy(text) : NULL;
    found->inner = NULL;
}

/* The texts of one object, by column. */
struct columns {
    const char **names;
    size_t count;
    const struct redis_reply *texts;
};

static const char *text_of(const void *arg, const char *column)
{
    const struct columns *columns = arg;

    for (size_t i = 0; i < columns->count; i++) {
        const char *text = redis_str(redis_item(columns->texts, i));

        if (!strcmp(columns->names[i], column))
            return *text ? text : NULL;
    }
    return NULL;
}

static char *copy_of(const struct columns *columns, const struct model_field *field)
{
    const char *text = model_said(field, text_of(columns, field->column));

    return strcmp(text, "null") ? copy(text) : NULL;
}

static char *term_text(const struct columns *columns, const struct model_term *term,
                       const struct model_class *c)
{
    const struct model_origin *origin = model_origin_of(term, c);

    return origin && origin->field ? copy_of(columns, origin->field) : NULL;
}

static void keep(struct founds *founds, const struct place *place, const struct model_class *c,
                 const struct columns *columns)
{
    const struct model_watcher *watcher = founds->watcher;
    const struct model_origin *origin =
        watcher->field.name ? model_origin_of(&watcher->field, c) : NULL;
    struct found *found = founds_add(founds);

    found->root = place->root;
    found->ref = copy(place->ref);
    found->class_ = c;
    found->inner = origin ? origin->watcher : NULL;
    if (watcher->field.name)
        found->text = term_text(columns, &watcher->field, c);
    if (!watcher->order_count)
        return;
    found->order = calloc(watcher->order_count, sizeof(*found->order));
    if (!found->order)
        err_out_of_memory();
    for (size_t i = 0; i < watcher->order_count; i++)
        found->order[i] = term_text(columns, &watcher->order[i].term, c);
}

void founds_take(struct founds *founds, const struct place *place, const struct redis_reply *texts)
{
    const struct model_watcher *watcher = founds->watcher;
    const struct model_class *c = stored_ref(founds->model, place->ref).class_;
    struct columns columns = {.texts = texts};
    const struct model_seen seen = {.class_ = c, .text_of = text_of, .arg = &columns};

    columns.names = calloc(model_watcher_columns_max(watcher) + 1, sizeof(*columns.names));
    if (!columns.names)
        err_out_of_memory();
    columns.count = model_watcher_columns(watcher, c, columns.names);
    for (size_t i = 0; i < columns.count; i++)
        founds->bytes += strlen(redis_str(redis_item(texts, i)));
    if (model_conditions_hold(founds->model, watcher->where, watcher->where_count, founds->args,
                              &seen))
        keep(founds, place, c, &columns);
    free(columns.names);
}

const struct model_watcher *founds_inner(const struct founds *founds)
{
    for (size_t i = 0; i < founds->count; i++) {
        if (founds->at[i].inner)
            return founds->at[i].inner;
    }
    return NULL;
}

/* ---- Their order ---- */

static int compare_ids(const struct model_class *c, const char *a, const char *b)
{
    long long first, second;

    if (c->id != ID_INTEGER)
        return strcmp(a, b);
    first = strtoll(a, NULL, 10);
    second = strtoll(b, NULL, 10);
    return (first > second) - (first < second);
}

static int compare_founds(const void *a, const void *b, void *arg)
{
    const struct found *first = a, *second = b;
    const struct founds *founds = arg;
    int order = 0;

    if (first->root != second->root)
        return first->root < second->root ? -1 : 1;
    if (first->order)
        order = model_compare_ordered(
            founds->model, founds->watcher->order, founds->watcher->order_count,
            (const char *const *)first->order, (const char *const *)second->order);
    if (!order)
        order = strcmp(first->class_->name, second->class_->name);
    return order ? order
                 : compare_ids(first->class_, strchr(first->ref, ':') + 1,
                               strchr(second->ref, ':') + 1);
}

static void keep_firsts(struct founds *founds)
{
    size_t kept = 0;

    for (size_t i = 0; i < founds->count; i++) {
        if (kept && founds->at[kept - 1].root == founds->at[i].root)
            found_deinit(&founds->at[i], founds->watcher->order_count);
        else
            founds->at[kept++] = founds->at[i];
    }
    founds->count = kept;
}

void founds_rank(struct founds *founds)
{
    if (founds->count)
        qsort_r(founds->at, founds->count, sizeof(*founds->at), compare_founds, founds);
    if (founds->watcher->value == WATCH_FIRST)
        keep_firsts(founds);
}

/* ---- Values ---- */

static void add_pair(struct text *out, struct json_span pair)
{
    struct json_span class_name = json_member(pair, "className", NULL);
    struct json_span id = json_member(pair, "ID", NULL);

    text_add(out, "{\"className\":");
    text_add_bytes(out, class_name.at, class_name.size);
    text_add(out, ",\"properties\":null,\"ID\":");
    text_add_bytes(out, id.at, id.size);
    text_add_char(out, '}');
}

static void add_pairs(struct text *out, struct json_span list)
{
    const char *between = "";

    text_add_char(out, '[');
    for (struct json_walk w = json_walk(list); json_next(&w); between = ",") {
        text_add(out, between);
        add_pair(out, w.value);
    }
    text_add_char(out, ']');
}

static void add_object(struct text *out, const struct found *found)
{
    text_add(out, "{\"className\":");
    text_add_json_str(out, found->class_->name);
    text_add(out, ",\"properties\":null,\"ID\":");
    text_add_json_str(out, strchr(found->ref, ':') + 1);
    text_add_char(out, '}');
}

/* What one of them yields: itself, or what its field says. */
static void add_yield(struct text *out, const struct model_watcher *watcher,
                      const struct found *found)
{
    const char *said = found->text ? found->text : "null";
    const struct json_span text = {said, strlen(said)};

    if (!watcher->field.name)
        add_object(out, found);
    else if (json_kind(text) == JSON_OBJECT && watcher->field.type == FIELD_TO_ONE)
        add_pair(out, text);
    else if (watcher->field.type == FIELD_LIST || watcher->field.type == FIELD_TO_MANY)
        add_pairs(out, text);
    else
        text_add(out, said);
}

/* They are in the order of their roots. */
static const struct found *first_of(const struct founds *founds, size_t root)
{
    size_t low = 0, high = founds->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (founds->at[middle].root < root)
            low = middle + 1;
        else
            high = middle;
    }
    return founds->at + low;
}

static bool is_of(const struct founds *founds, const struct found *found, size_t root)
{
    return found < founds->at + founds->count && found->root == root;
}

static void add_many(struct text *out, const struct founds *founds, size_t root)
{
    const struct model_watcher *watcher = founds->watcher;
    const char *between = "";

    text_add_char(out, '[');
    for (const struct found *f = first_of(founds, root); is_of(founds, f, root); f++) {
        if (watcher->field.name && !f->text)
            continue;
        text_add(out, between);
        add_yield(out, watcher, f);
        between = ",";
    }
    text_add_char(out, ']');
}

static void add_one(struct text *out, const struct founds *founds, size_t root)
{
    const struct found *found = first_of(founds, root);

    if (is_of(founds, found, root))
        add_yield(out, founds->watcher, found);
    else
        text_add(out, "null");
}

static void add_total(struct text *out, const struct founds *founds, size_t root)
{
    struct model_total total;

    model_total_begin(&total, founds->watcher);
    for (const struct found *f = first_of(founds, root); is_of(founds, f, root); f++)
        model_total_add(&total, f->text);
    model_total_end(&total, out);
    model_total_deinit(&total);
}

void founds_add_value(struct text *out, const struct founds *founds, size_t root)
{
    const struct model_watcher *watcher = founds->watcher;

    if (watcher->value != WATCH_FIRST && watcher->value != WATCH_PATH)
        add_total(out, founds, root);
    else if (watcher->many)
        add_many(out, founds, root);
    else
        add_one(out, founds, root);
}
