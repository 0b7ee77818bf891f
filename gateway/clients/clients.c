#include "gateway/clients/clients.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SMALLEST_TABLE 256 /* buckets; a power of two */

struct clients {
    struct client **buckets;
    size_t bucket_count, count;
};

static struct client **allocate_buckets(size_t count)
{
    struct client **buckets = calloc(count, sizeof(struct client *));

    if (!buckets)
        err_out_of_memory();
    return buckets;
}

enum err clients_create(struct clients **out)
{
    struct clients *t = calloc(1, sizeof(*t));

    if (!t)
        return ERR_NOMEM;
    t->bucket_count = SMALLEST_TABLE;
    t->buckets = allocate_buckets(t->bucket_count);
    *out = t;
    return ERR_OK;
}

void clients_destroy(struct clients *t)
{
    if (!t)
        return;
    free(t->buckets);
    free(t);
}

/* Client ids are random: some of their bytes are as good as any hash. */
static struct client **bucket_of(const struct clients *t, const char *id)
{
    uint64_t hash = 0;

    for (size_t i = 0; i < 16; i++)
        hash = hash * 31 + (unsigned char)id[i];
    return &t->buckets[hash & (t->bucket_count - 1)];
}

static void put_in_bucket(struct clients *t, struct client *c)
{
    struct client **bucket = bucket_of(t, c->session.client_id);

    c->next_in_bucket = *bucket;
    *bucket = c;
}

static void grow(struct clients *t)
{
    struct client **old = t->buckets;
    size_t old_count = t->bucket_count;

    t->bucket_count *= 2;
    t->buckets = allocate_buckets(t->bucket_count);
    for (size_t i = 0; i < old_count; i++) {
        struct client *c, *next;

        for (c = old[i]; c; c = next) {
            next = c->next_in_bucket;
            put_in_bucket(t, c);
        }
    }
    free(old);
}

void clients_add(struct clients *t, struct client *c)
{
    if (t->count == t->bucket_count)
        grow(t);
    put_in_bucket(t, c);
    t->count++;
}

void clients_remove(struct clients *t, struct client *c)
{
    struct client **at = bucket_of(t, c->session.client_id);

    while (*at != c)
        at = &(*at)->next_in_bucket;
    *at = c->next_in_bucket;
    t->count--;
}

struct client *clients_find(const struct clients *t, const char *id, size_t size)
{
    struct client *c;

    if (size != SECRET_ID_CHARS)
        return NULL;
    c = *bucket_of(t, id);
    while (c && memcmp(c->session.client_id, id, SECRET_ID_CHARS) != 0)
        c = c->next_in_bucket;
    return c;
}

size_t clients_count(const struct clients *t)
{
    return t->count;
}

void clients_visit(const struct clients *t,
                   void (*visit)(void *arg, struct client *c, size_t index), void *arg)
{
    size_t index = 0;

    for (size_t i = 0; i < t->bucket_count; i++)
        for (struct client *c = t->buckets[i]; c; c = c->next_in_bucket)
            visit(arg, c, index++);
}
