#include "common/amqp/asker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/amqp/amqp_link.h"
#include "common/base/clock.h"
#include "common/base/secret.h"
#include "common/protocol/format.h"

#define QUEUE_EXPIRY_MS 60000 /* of the queue for answers, once nobody consumes it */
#define RETRY_MS        20    /* while it cannot be published */

enum state { TO_PUBLISH, PUBLISHED, RETURNED, REFUSED, ANSWERED, TOO_LARGE };

struct asker {
    struct amqp_link *link;
    struct text name, queue;
    uint64_t number;    /* of the question, its correlation id */
    uint64_t published; /* the publish number of its message */
    enum state state;
    struct text *answer; /* the question's */
};

/* ---- What the link tells ---- */

static void on_down(void *arg)
{
    struct asker *a = arg;

    if (a->state == PUBLISHED)
        a->state = TO_PUBLISH;
}

static void on_delivery(void *arg, const struct msg *m, uint64_t tag, bool redelivered)
{
    struct asker *a = arg;

    (void)tag;
    (void)redelivered;
    if (!a->answer || !m->correlation_id || strtoull(m->correlation_id, NULL, 10) != a->number)
        return;
    text_clear(a->answer);
    text_add_bytes(a->answer, m->body, m->size);
    a->state = ANSWERED;
}

static void on_outcome(void *arg, uint64_t number, enum amqp_outcome outcome)
{
    struct asker *a = arg;

    if (a->state == PUBLISHED && number == a->published && outcome != AMQP_CONFIRMED)
        a->state = outcome == AMQP_RETURNED ? RETURNED : REFUSED;
}

/* ---- Life ---- */

static void name_queue(struct asker *a, const char *kind)
{
    char id[SECRET_ID_CHARS + 1];

    secret_random_id(id);
    text_addf(&a->queue, "%s.%s", kind, id);
}

enum err asker_create(const struct asker_config *config, struct asker **out)
{
    struct asker *a = calloc(1, sizeof(*a));
    struct amqp_queue answers = {
        .transient_expiring = true,
        .expires_ms = QUEUE_EXPIRY_MS,
        .consume = true,
        .no_ack = true,
    };
    const struct amqp_link_config link = {
        .url = config->url,
        .tls = config->tls,
        .connection_name = config->name,
        .consumer_tag = config->name,
        .heartbeat_s = config->heartbeat_s,
        .queues = &answers,
        .queue_count = 1,
        .events = {NULL, on_down, on_delivery, on_outcome, NULL},
        .arg = a,
    };
    enum err e;

    if (!a)
        return ERR_NOMEM;
    text_add(&a->name, config->name);
    name_queue(a, config->kind);
    answers.name = text_str(&a->queue);
    e = amqp_link_create(&link, &a->link);
    if (e)
        asker_destroy(a);
    else
        *out = a;
    return e;
}

void asker_destroy(struct asker *a)
{
    if (!a)
        return;
    amqp_link_destroy(a->link);
    text_deinit(&a->name);
    text_deinit(&a->queue);
    free(a);
}

bool asker_connect(struct asker *a)
{
    if (!amqp_link_is_up(a->link))
        (void)amqp_link_turn(a->link, -1, 0);
    return amqp_link_is_up(a->link);
}

/* ---- Asking ---- */

static void publish(struct asker *a, const struct msg *question, int64_t left_ms)
{
    struct msg m = *question;
    char number[24];
    enum err e;

    snprintf(number, sizeof(number), "%" PRIu64, a->number);
    m.type = m.queue;
    m.message_id = m.message_id ? m.message_id : number;
    m.correlation_id = number;
    m.reply_to = text_str(&a->queue);
    m.app_id = text_str(&a->name);
    m.timestamp_ms = clock_wall_ms();
    m.expiration_ms = (uint32_t)left_ms;
    m.mandatory = true;
    m.format = FORMAT_WRITTEN;
    e = amqp_link_publish(a->link, &m, &a->published);
    if (!e || e == ERR_RANGE)
        a->state = e ? TOO_LARGE : PUBLISHED;
}

/* Until the answer is there, it is certain that none will come, or the time is up. */
static void converse(struct asker *a, const struct msg *question, int64_t wait_ms)
{
    const int64_t deadline = clock_mono_ms() + wait_ms;
    int64_t left;

    while (a->state <= PUBLISHED && (left = deadline - clock_mono_ms()) > 0) {
        if (a->state == TO_PUBLISH && asker_connect(a))
            publish(a, question, left);
        if (a->state == TO_PUBLISH && left > RETRY_MS)
            left = RETRY_MS;
        (void)amqp_link_turn(a->link, -1, (int)left);
    }
}

enum asked asker_ask(struct asker *a, const struct msg *question, int64_t wait_ms,
                     struct text *answer)
{
    static const enum asked asked[] = {
        [TO_PUBLISH] = ASKED_AWAY, [PUBLISHED] = ASKED_SILENT,  [RETURNED] = ASKED_NO_QUEUE,
        [REFUSED] = ASKED_REFUSED, [ANSWERED] = ASKED_ANSWERED, [TOO_LARGE] = ASKED_TOO_LARGE,
    };

    a->number++;
    a->state = TO_PUBLISH;
    a->answer = answer;
    converse(a, question, wait_ms);
    a->answer = NULL;
    return asked[a->state];
}
