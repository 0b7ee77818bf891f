#include "gateway/clients/open_requests.h"

#include <stdlib.h>
#include <string.h>

#include "common/amqp/msg.h"
#include "common/protocol/operations.h"

#define SMALLEST_TABLE 256 /* buckets; a power of two */

/* Numbers are given in sequence, so their low bits spread over the buckets by themselves. */
struct open_requests {
    struct open_limits limits;
    struct open_request_list by_deadline[OPEN_PACE_COUNT];
    struct open_request **buckets;
    size_t bucket_count, count;
    uint64_t last_number;
};

static struct open_request **allocate_buckets(size_t count)
{
    struct open_request **buckets = calloc(count, sizeof(struct open_request *));

    if (!buckets)
        err_out_of_memory();
    return buckets;
}

enum err open_requests_create(const struct open_limits *limits, struct open_requests **out)
{
    struct open_requests *t = calloc(1, sizeof(*t));

    if (!t)
        return ERR_NOMEM;
    t->limits = *limits;
    t->bucket_count = SMALLEST_TABLE;
    t->buckets = allocate_buckets(t->bucket_count);
    for (size_t pace = 0; pace < OPEN_PACE_COUNT; pace++)
        TAILQ_INIT(&t->by_deadline[pace]);
    *out = t;
    return ERR_OK;
}

static void free_request(struct open_request *r)
{
    msg_destroy(r->held);
    free(r->members);
    free(r);
}

static void free_list(struct open_request_list *list)
{
    struct open_request *r;

    while ((r = TAILQ_FIRST(list))) {
        TAILQ_REMOVE(list, r, by_deadline);
        free_request(r);
    }
}

void open_requests_destroy(struct open_requests *t)
{
    if (!t)
        return;
    for (size_t pace = 0; pace < OPEN_PACE_COUNT; pace++)
        free_list(&t->by_deadline[pace]);
    free(t->buckets);
    free(t);
}

void open_account_init(struct open_account *a)
{
    *a = (struct open_account){0};
    TAILQ_INIT(&a->list);
}

static struct open_request **bucket_of(const struct open_requests *t, uint64_t number)
{
    return &t->buckets[number & (t->bucket_count - 1)];
}

static void put_in_bucket(struct open_requests *t, struct open_request *r)
{
    struct open_request **bucket = bucket_of(t, r->number);

    r->next_in_bucket = *bucket;
    *bucket = r;
}

static void take_from_bucket(struct open_requests *t, const struct open_request *r)
{
    struct open_request **at = bucket_of(t, r->number);

    while (*at != r)
        at = &(*at)->next_in_bucket;
    *at = r->next_in_bucket;
}

static void put_list_in_buckets(struct open_requests *t, const struct open_request_list *list)
{
    struct open_request *r;

    TAILQ_FOREACH(r, list, by_deadline)
        put_in_bucket(t, r);
}

static void grow(struct open_requests *t)
{
    free(t->buckets);
    t->bucket_count *= 2;
    t->buckets = allocate_buckets(t->bucket_count);
    for (size_t pace = 0; pace < OPEN_PACE_COUNT; pace++)
        put_list_in_buckets(t, &t->by_deadline[pace]);
}

/* The gateway's own requests end a login or a logout, or are of no one client: a full account must
 * not stop them. */
static bool is_within_limits(const struct open_requests *t, const struct open_account *account,
                             const struct open_request *fields)
{
    if (fields->purpose >= PURPOSE_BIND)
        return true;
    return account->count < t->limits.count && account->bytes + fields->bytes <= t->limits.bytes;
}

enum err open_requests_add(struct open_requests *t, struct open_account *account,
                           const struct open_request *fields, const char *message_id,
                           int64_t now_us, struct open_request **out)
{
    size_t id_size = message_id ? strlen(message_id) + 1 : 0;
    struct open_request *r;

    if (!is_within_limits(t, account, fields))
        return ERR_FULL;
    r = calloc(1, sizeof(*r) + id_size);
    if (!r)
        err_out_of_memory();
    r->number = ++t->last_number;
    r->client = fields->client;
    r->operation = fields->operation;
    r->purpose = fields->purpose;
    r->wants_ack = fields->wants_ack;
    r->bytes = fields->bytes;
    r->started_us = now_us;
    r->pace = r->operation && r->operation->is_slow ? OPEN_SLOW : OPEN_PROMPT;
    r->deadline_ms = now_us / 1000 + t->limits.timeout_ms[r->pace];
    r->has_message_id = message_id != NULL;
    if (message_id)
        memcpy(r->message_id, message_id, id_size);

    if (t->count == t->bucket_count)
        grow(t);
    put_in_bucket(t, r);
    TAILQ_INSERT_TAIL(&t->by_deadline[r->pace], r, by_deadline);
    TAILQ_INSERT_TAIL(&account->list, r, by_client);
    t->count++;
    account->count++;
    account->bytes += r->bytes;
    *out = r;
    return ERR_OK;
}

void open_requests_end(struct open_requests *t, struct open_account *account,
                       struct open_request *r)
{
    take_from_bucket(t, r);
    TAILQ_REMOVE(&t->by_deadline[r->pace], r, by_deadline);
    TAILQ_REMOVE(&account->list, r, by_client);
    t->count--;
    account->count--;
    account->bytes -= r->bytes;
    free_request(r);
}

struct open_request *open_requests_find(const struct open_requests *t, uint64_t number)
{
    struct open_request *r = *bucket_of(t, number);

    while (r && r->number != number)
        r = r->next_in_bucket;
    return r;
}

struct open_request *open_requests_overdue(const struct open_requests *t, int64_t now_ms)
{
    for (size_t pace = 0; pace < OPEN_PACE_COUNT; pace++) {
        struct open_request *oldest = TAILQ_FIRST(&t->by_deadline[pace]);

        if (oldest && oldest->deadline_ms <= now_ms)
            return oldest;
    }
    return NULL;
}

size_t open_requests_count(const struct open_requests *t)
{
    return t->count;
}

const char *open_request_message_id(const struct open_request *r)
{
    return r->has_message_id ? r->message_id : NULL;
}
