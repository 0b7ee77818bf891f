#include "common/amqp/amqp_private.h"
#include "common/base/log.h"

/*
 * One question is with the broker at a time, so that each answer is the first one's: a channel that
 * the broker closes takes everything behind the question with it.
 */

#define NAME_MAX_BYTES 255 /* AMQP's limit */
#define NO_SUCH_QUEUE  404

static const char *first_question(const struct amqp_link *link)
{
    return link->questions.size ? link->questions.at : NULL;
}

/* What is sent here always fits: publishing leaves most of the send buffer free. The broker opens
 * the channel before it reads the question, so that nobody has to wait for its word on that. */
static int send_question(struct amqp_link *link, const char *queue)
{
    amqp_queue_declare_t question = {.queue = amqp_bytes_of(queue), .passive = 1};
    amqp_channel_open_t open = {0};
    int status = AMQP_STATUS_OK;

    if (!link->count_open)
        status =
            amqp_send_method(link->connection, AMQP_CHANNEL_COUNT, AMQP_CHANNEL_OPEN_METHOD, &open);
    link->count_open = true;
    if (status == AMQP_STATUS_OK)
        status = amqp_send_method(link->connection, AMQP_CHANNEL_COUNT, AMQP_QUEUE_DECLARE_METHOD,
                                  &question);
    return status;
}

static void ask_first(struct amqp_link *link)
{
    const char *queue = first_question(link);
    int status;

    if (!queue || !amqp_link_is_up(link))
        return;
    status = send_question(link, queue);
    if (status != AMQP_STATUS_OK)
        amqp_break(link, amqp_error_string2(status));
}

/* The callback may ask more. */
static void answer_first(struct amqp_link *link, int64_t consumers)
{
    struct text *questions = &link->questions;
    char queue[NAME_MAX_BYTES + 1];
    size_t size;

    if (!first_question(link))
        return;
    size = strlen(questions->at) + 1;
    memcpy(queue, questions->at, size);
    questions->size -= size;
    memmove(questions->at, questions->at + size, questions->size);
    ask_first(link);
    link->config.events.counted(link->config.arg, queue, consumers);
}

enum err amqp_link_count_consumers(struct amqp_link *link, const char *queue)
{
    bool first = !first_question(link);
    size_t size = strlen(queue);

    if (!amqp_link_is_up(link))
        return ERR_AWAY;
    if (!size || size > NAME_MAX_BYTES)
        return ERR_RANGE;
    text_add_bytes(&link->questions, queue, size + 1);
    if (first)
        ask_first(link);
    return ERR_OK;
}

void amqp_counted(struct amqp_link *link, const amqp_queue_declare_ok_t *m)
{
    answer_first(link, m->consumer_count);
}

void amqp_count_refused(struct amqp_link *link, const amqp_channel_close_t *m)
{
    const char *queue = first_question(link);

    link->count_open = false;
    if (m->reply_code != NO_SUCH_QUEUE)
        log_warn("amqp.not_counted", LOG_STR("connection", link->config.connection_name),
                 LOG_STR("queue", queue), LOG_I64("code", m->reply_code));
    answer_first(link, -1);
}
