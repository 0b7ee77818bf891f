#include "deploy/ctl/asking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/amqp/asker.h"
#include "common/process/config.h"
#include "common/protocol/operations.h"

#define WAIT_MAX_S 86400

struct asking {
    const char *command;
    struct settings settings;
    int64_t wait_ms;
    struct asker *asker;
    struct text answer;
};

static bool fail(const struct asking *a, const char *what, const char *rest)
{
    fprintf(stderr, "activestack-ctl %s: %s%s\n", a->command, what, rest);
    return false;
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

static bool connect_asker(struct asking *a)
{
    const struct asker_config asker = {
        .url = a->settings.amqp_url,
        .tls = settings_amqp_tls(&a->settings),
        .name = "activestack-ctl",
        .kind = "ctl",
        .heartbeat_s = (uint16_t)a->settings.amqp_heartbeat_s,
    };

    switch (asker_create(&asker, &a->asker)) {
    case ERR_OK:
        break;
    case ERR_IO: /* the log says why */
        return fail(a, "the files for TLS cannot be used", "");
    default:
        return fail(a, "amqp.url: not of the form amqp://user:password@host:port/vhost", "");
    }
    return asker_connect(a->asker) || fail(a, "the broker at amqp.url cannot be reached", "");
}

bool asking_open(const char *command, const char *config, const char *wait, struct asking **out)
{
    struct asking *a = calloc(1, sizeof(*a));
    bool open;

    if (!a)
        err_out_of_memory();
    a->command = command;
    open = read_wait(a, wait) && read_settings(a, config) && connect_asker(a);
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
    asker_destroy(a->asker);
    config_free(&settings_table, &a->settings);
    text_deinit(&a->answer);
    free(a);
}

/* ---- Asking ---- */

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
    struct msg question = {.queue = operation};

    text_addf(&request, "{\"cn\":\"%s\"%s%s}", o->request_class, *body ? "," : "", body);
    question.body = text_str(&request);
    question.size = request.size;
    switch (asker_ask(a->asker, &question, a->wait_ms, &a->answer)) {
    case ASKED_ANSWERED:
        return read_answer(a, answer);
    case ASKED_NO_QUEUE:
        return fail(a, "no agent that could answer has ever run here: there is no queue ",
                    operation);
    case ASKED_REFUSED:
        return fail(a, "the broker refuses the request: too many wait in the queue ", operation);
    case ASKED_SILENT:
        return fail(a, "nobody answers; does an agent run? Its queue is ", operation);
    case ASKED_TOO_LARGE:
        return fail(a, "the request is too large for the broker", "");
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
