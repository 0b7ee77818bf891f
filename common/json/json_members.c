#include "common/json/json_members.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"

bool json_same_text(struct json_span a, struct json_span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

static int compare_keys(struct json_span a, struct json_span b)
{
    const size_t common = a.size < b.size ? a.size : b.size;
    const int order = memcmp(a.at, b.at, common);

    return order ? order : (a.size > b.size) - (a.size < b.size);
}

/* Members of one name stay in the order of the text. */
static int compare_pairs(const void *a, const void *b)
{
    const struct json_pair *left = a, *right = b;
    const int order = compare_keys(left->key, right->key);

    return order ? order : (left->key.at > right->key.at) - (left->key.at < right->key.at);
}

static void keep_last_of_name(struct json_members *m)
{
    size_t kept = 0;

    for (size_t i = 0; i < m->count; i++)
        if (i + 1 == m->count || !json_same_text(m->at[i].key, m->at[i + 1].key))
            m->at[kept++] = m->at[i];
    m->count = kept;
}

void json_members_init(struct json_members *m, struct json_span object)
{
    const size_t count = json_count(object);
    struct json_walk w = json_walk(object);

    *m = (struct json_members){0};
    if (count == 0)
        return;
    m->at = calloc(count, sizeof(*m->at));
    if (!m->at)
        err_out_of_memory();
    while (json_next(&w))
        m->at[m->count++] = (struct json_pair){w.key, w.value};
    qsort(m->at, m->count, sizeof(*m->at), compare_pairs);
    keep_last_of_name(m);
}

void json_members_deinit(struct json_members *m)
{
    free(m->at);
    *m = (struct json_members){0};
}

void json_changes_init(struct json_changes *c, struct json_span before, struct json_span after)
{
    *c = (struct json_changes){0};
    json_members_init(&c->old, before);
    json_members_init(&c->new, after);
}

/* Takes the next name from either list, or from both if it stands in both. */
static bool next_name(struct json_changes *c)
{
    const bool old_left = c->old_at < c->old.count, new_left = c->new_at < c->new.count;
    int order = new_left - old_left; /* if one list is done, the other has the next name */

    if (!old_left && !new_left)
        return false;
    if (old_left && new_left)
        order = compare_keys(c->old.at[c->old_at].key, c->new.at[c->new_at].key);
    c->key = order <= 0 ? c->old.at[c->old_at].key : c->new.at[c->new_at].key;
    c->before = order <= 0 ? c->old.at[c->old_at++].value : (struct json_span){0};
    c->after = order >= 0 ? c->new.at[c->new_at++].value : (struct json_span){0};
    return true;
}

bool json_changes_next(struct json_changes *c)
{
    while (next_name(c))
        if (!json_same_text(c->before, c->after))
            return true;
    return false;
}

void json_changes_deinit(struct json_changes *c)
{
    json_members_deinit(&c->old);
    json_members_deinit(&c->new);
}
