#include "deploy/ctl/asking.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/amqp/amqp_link.h"
#include "common/base/clock.h"
#include "common/base/secret.h"
#include "common/process/config.h"
#include "common/protocol/operations.h"

#define QUEUE_EXPIRY_MS 60000 /* of the queue for answers, once nobody consumes it */
#define WAIT_MAX_S      86400

enum state { TO_PUBLISH, PUBLISHED, RETURNED, REFUSED, ANSWERED };

struct asking {
    const char *command;
    struct settings settings;
    int64_t wait_ms;
    struct amqp_link *link;
    char queue[sizeof("ctl.") + SECRET_ID_CHARS];
    uint64_t number; /* of the question, its correlation id */
    enum state state;
    struct text answer;
};

static bool fail(const struct asking *a, const char *what, const char *rest)
{
    fprintf(stderr, "activestack-ctl %s: %s%s\n", a->command, what, rest);
    return false;
}

/* ---- What the link tells ---- */

static void on_down(void *arg)
{
    struct asking *a = arg;

    if (a->state == PUBLISHED)
        a->state = TO_PUBLISH;
}

static void on_delivery(void *arg, const struct msg *m, uint64_t tag, bool redelivered)
{
    struct asking *a = arg;

    (void)tag;
    (void)redelivered;
    if (!m->correlation_id || strtoull(m->correlation_id, NULL, 10) != a->number)
        return;
    text_clear(&a->answer);
    text_add_bytes(&a->answer, m->body, m->size);
    a->state = ANSWERED;
}

static void on_outcome(void *arg, uint64_t number, enum amqp_outcome outcome)
{
    struct asking *a = arg;

    (void)number;
    if (a->state == PUBLISHED && outcome != AMQP_CONFIRMED)
        a->state = outcome == AMQP_RETURNED ? RETURNED : REFUSED;
}

/* ---- Opening ---- */

static bool read_wait(struct asking *a, const char *wait)
{
    char *end;
    long seconds = wait ? strtol(wait, &end, 10) : ASKING_WAIT_S;

    if (wait && (end == wait || *end || seconds < 1 || seconds > WAIT_MAX_S))
        return fail(a, "--wait: expected seconds, 1 to 86400", "");
    a->wait_ms = seconds * INT64_C(1000);
    return true;
}

static bool read_settings(struct asking *a, const char *config)
{
    _cleanup_(text_deinitp) struct text problems = {0};

    if (config_load(&settings_table, PROGRAM_CTL, config, environ, &a->settings, &problems))
        return fail(a, text_str(&problems), "");
    if (!*a->settings.amqp_url)
        return fail(a, "amqp.url is not set; see activestack-ctl --help", "");
    return true;
}

static bool connect_link(struct asking *a)
{
    const struct amqp_queue answers = {
        .name = a->queue,
        .transient_expiring = true,
        .expires_ms = QUEUE_EXPIRY_MS,
        .consume = true,
        .no_ack = true,
    };
    const struct amqp_link_config link = {
        .url = a->settings.amqp_url,
        .connection_name = "activestack-ctl",
        .consumer_tag = "activestack-ctl",
        .heartbeat_s = (uint16_t)a->settings.amqp_heartbeat_s,
        .queues = &answers,
        .queue_count = 1,
        .events = {NULL, on_down, on_delivery, on_outcome, NULL},
        .arg = a,
    };
    char id[SECRET_ID_CHARS + 1];

    secret_random_id(id);
    snprintf(a->queue, sizeof(a->queue), "ctl.%s", id);
    if (amqp_link_create(&link, &a->link))
        return fail(a, "amqp.url: not of the form amqp://user:password@host:port/vhost", "");
    (void)amqp_link_turn(a->link, -1, 0);
    return amqp_link_is_up(a->link) || fail(a, "the broker at amqp.url cannot be reached", "");
}

bool asking_open(const char *command, const char *config, const char *wait, struct asking **out)
{
    struct asking *a = calloc(1, sizeof(*a));
    bool open;

    if (!a)
        err_out_of_memory();
    a->command = command;
    open = read_wait(a, wait) && read_settings(a, config) && connect_link(a);
    if (open)
        *out = a;
    else
        asking_close(a);
    return open;
}

const struct settings *asking_settings(const struct asking *a)
{
    return &a->settings;
}

void asking_close(struct asking *a)
{
    if (!a)
        return;
    amqp_link_destroy(a->link);
    config_free(&settings_table, &a->settings);
    text_deinit(&a->answer);
    free(a);
}

/* ---- Asking ---- */

static enum err publish(struct asking *a, const char *operation, const struct text *body,
                        int64_t left_ms)
{
    char number[24];
    struct msg m = {
        .queue = operation,
        .type = operation,
        .message_id = number,
        .correlation_id = number,
        .reply_to = a->queue,
        .app_id = "activestack-ctl",
        .timestamp_ms = clock_wall_ms(),
        .expiration_ms = (uint32_t)left_ms,
        .mandatory = true,
        .format = MSG_FORMAT,
        .body = text_str(body),
        .size = body->size,
    };

    snprintf(number, sizeof(number), "%" PRIu64, a->number);
    return amqp_link_publish(a->link, &m, NULL);
}

/* Until the answer is there, it is certain that none will come, or the time is up. */
static enum err converse(struct asking *a, const char *operation, const struct text *body)
{
    const int64_t deadline = clock_mono_ms() + a->wait_ms;
    int64_t left;

    while (a->state <= PUBLISHED && (left = deadline - clock_mono_ms()) > 0) {
        enum err e = a->state == TO_PUBLISH ? publish(a, operation, body, left) : ERR_FULL;

        if (e == ERR_RANGE)
            return e;
        if (!e)
            a->state = PUBLISHED;
        (void)amqp_link_turn(a->link, -1, (int)left);
    }
    return ERR_OK;
}

static bool read_answer(struct asking *a, struct json_span *answer)
{
    static const struct json_limits limits = {.depth = JSON_DEPTH_MAX, .number_chars = SIZE_MAX};
    _cleanup_(text_deinitp) struct text why = {0};

    if (json_check(text_str(&a->answer), a->answer.size, &limits, NULL))
        return fail(a, "the agent's answer is no JSON", "");
    *answer = json_value(a->answer.at, a->answer.size);
    if (!json_string_is(json_member(*answer, "cn", NULL), SYNC_CLASS("SyncErrorResponse")))
        return true;
    if (json_decode(json_member(*answer, "errorDesc", NULL), &why))
        text_add(&why, "the agent refuses");
    return fail(a, text_str(&why), "");
}

bool asking_ask(struct asking *a, const char *operation, const char *body, struct json_span *answer)
{
    _cleanup_(text_deinitp) struct text request = {0};
    const struct operation *o = operation_by_name(operation, strlen(operation));

    a->number++;
    a->state = TO_PUBLISH;
    text_addf(&request, "{\"cn\":\"%s\"%s%s}", o->request_class, *body ? "," : "", body);
    if (converse(a, operation, &request))
        return fail(a, "the request is too large for the broker", "");
    switch (a->state) {
    case ANSWERED:
        return read_answer(a, answer);
    case RETURNED:
        return fail(a, "no agent that could answer has ever run here: there is no queue ",
                    operation);
    case REFUSED:
        return fail(a, "the broker refuses the request: too many wait in the queue ", operation);
    case PUBLISHED:
        return fail(a, "nobody answers; does an agent run? Its queue is ", operation);
    default:
        return fail(a, "the broker was lost, or takes nothing", "");
    }
}

int64_t answer_number(struct json_span answer, const char *name)
{
    int64_t value = 0;

    return json_int64(json_member(answer, name, NULL), &value) ? 0 : value;
}

void answer_text(struct json_span answer, const char *name, struct text *out)
{
    text_clear(out);
    if (json_decode(json_member(answer, name, NULL), out))
        text_clear(out);
}
