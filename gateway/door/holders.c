#include "gateway/door/holders.h"

#include <stdlib.h>

#include "common/base/secret.h"

TAILQ_HEAD(holder_list, holder);

struct holders {
    struct holder **buckets;
    size_t bucket_count, count; /* of buckets a power of two */
    struct holder_list idle;    /* have nothing open, the longest first */
};

enum err holders_create(size_t most, struct holders **out)
{
    struct holders *t = calloc(1, sizeof(*t));

    if (!t)
        return ERR_NOMEM;
    TAILQ_INIT(&t->idle);
    t->bucket_count = 1;
    while (t->bucket_count < most)
        t->bucket_count *= 2;
    t->buckets = calloc(t->bucket_count, sizeof(struct holder *));
    if (!t->buckets) {
        free(t);
        return ERR_NOMEM;
    }
    *out = t;
    return ERR_OK;
}

void holders_destroy(struct holders *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->bucket_count; i++) {
        for (struct holder *h = t->buckets[i], *next; h; h = next) {
            next = h->next;
            free(h);
        }
    }
    free(t->buckets);
    free(t);
}

/* Nobody can choose addresses that collide. */
static struct holder **bucket_of(const struct holders *t, const struct address *holder)
{
    const uint64_t hash = secret_table_hash(holder->bytes, sizeof(holder->bytes));

    return &t->buckets[hash & (t->bucket_count - 1)];
}

static struct holder *add(struct holders *t, const struct address *holder, struct holder **bucket)
{
    struct holder *h = calloc(1, sizeof(*h));

    if (!h)
        err_out_of_memory();
    h->address = *holder;
    h->next = *bucket;
    *bucket = h;
    t->count++;
    return h;
}

struct holder *holders_find(struct holders *t, const struct address *a, int64_t now_ms)
{
    const struct address holder = address_holder(a);
    struct holder **bucket = bucket_of(t, &holder);
    struct holder *h = *bucket;

    while (h && !address_equals(&h->address, &holder))
        h = h->next;
    if (!h)
        h = add(t, &holder, bucket);
    holders_changed(t, h, now_ms);
    return h;
}

void holders_changed(struct holders *t, struct holder *h, int64_t now_ms)
{
    if (h->idle_since_ms)
        TAILQ_REMOVE(&t->idle, h, by_idle);
    h->idle_since_ms = h->sockets + h->clients > 0 ? 0 : now_ms;
    if (h->idle_since_ms)
        TAILQ_INSERT_TAIL(&t->idle, h, by_idle);
}

static void forget(struct holders *t, struct holder *h)
{
    struct holder **at = bucket_of(t, &h->address);

    while (*at != h)
        at = &(*at)->next;
    *at = h->next;
    TAILQ_REMOVE(&t->idle, h, by_idle);
    t->count--;
    free(h);
}

void holders_forget(struct holders *t, int64_t idle_ms, int64_t now_ms)
{
    struct holder *h = TAILQ_FIRST(&t->idle), *next;

    for (; h && now_ms - h->idle_since_ms >= idle_ms; h = next) {
        next = TAILQ_NEXT(h, by_idle);
        forget(t, h);
    }
}

size_t holders_count(const struct holders *t)
{
    return t->count;
}
