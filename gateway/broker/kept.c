#include "gateway/broker/kept.h"

#include <stdlib.h>

#define BUCKETS 8192  /* by request number; numbers come in sequence, so they spread evenly */
#define RING    16384 /* outcomes awaited at once; publish numbers come in sequence, too */

TAILQ_HEAD(kept_list, kept_message);

struct kept {
    struct kept_list all;
    struct kept_message *cursor; /* no message before it is waiting; NULL: none is */
    struct kept_message *buckets[BUCKETS];
    struct kept_message *sent[RING];
    uint64_t last_publish;
    size_t counts[KEPT_SAFE + 1]; /* messages in each state */
};

enum err kept_create(struct kept **out)
{
    struct kept *k = calloc(1, sizeof(*k));

    if (!k)
        return ERR_NOMEM;
    TAILQ_INIT(&k->all);
    *out = k;
    return ERR_OK;
}

void kept_destroy(struct kept *k)
{
    if (!k)
        return;
    while (!TAILQ_EMPTY(&k->all))
        kept_drop(k, TAILQ_FIRST(&k->all));
    free(k);
}

static void set_state(struct kept *k, struct kept_message *m, enum kept_state state)
{
    k->counts[m->state]--;
    m->state = state;
    k->counts[state]++;
}

/* What has no number is never looked for. */
static void put_in_bucket(struct kept *k, struct kept_message *m)
{
    struct kept_message **bucket = &k->buckets[m->order->number % BUCKETS];

    if (m->order->number == 0)
        return;
    m->next_in_bucket = *bucket;
    *bucket = m;
}

static void take_from_bucket(struct kept *k, const struct kept_message *m)
{
    struct kept_message **at = &k->buckets[m->order->number % BUCKETS];

    if (m->order->number == 0)
        return;
    while (*at != m)
        at = &(*at)->next_in_bucket;
    *at = m->next_in_bucket;
}

void kept_add_take(struct kept *k, struct order **order)
{
    struct kept_message *m = calloc(1, sizeof(*m));

    if (!m)
        err_out_of_memory();
    m->order = *order;
    *order = NULL;
    m->forgotten = m->order->number == 0;
    k->counts[KEPT_WAITING]++;
    put_in_bucket(k, m);
    TAILQ_INSERT_TAIL(&k->all, m, in_order);
    if (!k->cursor)
        k->cursor = m;
}

struct kept_message *kept_next_waiting(struct kept *k)
{
    while (k->cursor && k->cursor->state != KEPT_WAITING)
        k->cursor = TAILQ_NEXT(k->cursor, in_order);
    return k->cursor;
}

bool kept_may_send(const struct kept *k)
{
    return !k->sent[(k->last_publish + 1) % RING];
}

void kept_mark_sent(struct kept *k, struct kept_message *m, uint64_t publish)
{
    set_state(k, m, KEPT_SENT);
    m->ever_sent = true;
    m->publish = publish;
    k->last_publish = publish;
    k->sent[publish % RING] = m;
}

struct kept_message *kept_by_publish(const struct kept *k, uint64_t publish)
{
    struct kept_message *m = k->sent[publish % RING];

    return m && m->publish == publish ? m : NULL;
}

void kept_mark_safe(struct kept *k, struct kept_message *m)
{
    k->sent[m->publish % RING] = NULL;
    set_state(k, m, KEPT_SAFE);
    if (m->forgotten)
        kept_drop(k, m);
}

static struct kept_message *find(const struct kept *k, uint64_t number)
{
    struct kept_message *m = k->buckets[number % BUCKETS];

    while (m && m->order->number != number)
        m = m->next_in_bucket;
    return m;
}

void kept_forget(struct kept *k, uint64_t number)
{
    struct kept_message *m = find(k, number);

    if (!m)
        return;
    m->forgotten = true;
    if (m->state == KEPT_SAFE)
        kept_drop(k, m);
}

void kept_drop(struct kept *k, struct kept_message *m)
{
    take_from_bucket(k, m);
    if (m->state == KEPT_SENT)
        k->sent[m->publish % RING] = NULL;
    if (k->cursor == m)
        k->cursor = TAILQ_NEXT(m, in_order);
    TAILQ_REMOVE(&k->all, m, in_order);
    k->counts[m->state]--;
    order_destroy(m->order);
    free(m);
}

void kept_link_lost(struct kept *k)
{
    struct kept_message *m;

    TAILQ_FOREACH(m, &k->all, in_order) {
        if (m->state != KEPT_SENT)
            continue;
        k->sent[m->publish % RING] = NULL;
        set_state(k, m, KEPT_WAITING);
    }
    k->last_publish = 0;
    k->cursor = TAILQ_FIRST(&k->all);
}

void kept_replies_lost(struct kept *k)
{
    struct kept_message *m;

    TAILQ_FOREACH(m, &k->all, in_order)
        if (m->state == KEPT_SAFE)
            set_state(k, m, KEPT_WAITING);
    k->cursor = TAILQ_FIRST(&k->all);
}

size_t kept_waiting_count(const struct kept *k)
{
    return k->counts[KEPT_WAITING];
}

size_t kept_unconfirmed_count(const struct kept *k)
{
    return k->counts[KEPT_WAITING] + k->counts[KEPT_SENT];
}

struct kept_message *kept_first(const struct kept *k)
{
    return TAILQ_FIRST(&k->all);
}
