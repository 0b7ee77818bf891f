#include "agents/runtime/request.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"

/* Generous beside the gateway's limits: this guards against what is published by hand. */
static const struct json_limits limits = {.depth = 256, .number_chars = 100000};

#define ENVELOPE_MAX 512 /* bytes of an id in the envelope */

/* A header, or else the body's member, as a string that lives in request->strings. Offsets, since
 * the text may move while it grows. */
static enum err envelope_string(struct request *request, const char *header, const char *name,
                                size_t *at, struct text *problem)
{
    _cleanup_(text_deinitp) struct text value = {0};
    struct json_span member;

    *at = request->strings.size;
    if (header) {
        text_add(&request->strings, header);
    } else {
        member = json_member(request->body, name, NULL);
        if (json_kind(member) == JSON_STRING) {
            if (json_decode(member, &value) || value.size > ENVELOPE_MAX ||
                (value.size && memchr(value.at, '\0', value.size))) {
                text_addf(problem, "%s: expected at most %d bytes without NUL", name, ENVELOPE_MAX);
                return ERR_MALFORMED;
            }
            text_add(&request->strings, text_str(&value));
        } else if (json_kind(member) != JSON_ABSENT && json_kind(member) != JSON_NULL) {
            text_addf(problem, "%s: expected a string, found %s", name,
                      json_kind_name(json_kind(member)));
            return ERR_MALFORMED;
        }
    }
    text_add_char(&request->strings, '\0');
    return ERR_OK;
}

static enum err read_envelope(struct request *request, struct text *problem)
{
    const struct msg *m = request->msg;
    const struct {
        const char *name, *header;
        const char **out;
    } rows[] = {
        {"clientId", m->client, &request->client},
        {"userId", m->user, &request->user},
        {"deviceId", m->device, &request->device},
        {"messageId", m->message_id, &request->message_id},
    };
    const char *otherwise = request_is_content(request) ? "" : NULL;
    size_t at[ARRAY_SIZE(rows)];
    enum err e;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *header = rows[i].header ? rows[i].header : otherwise;

        if ((e = envelope_string(request, header, rows[i].name, &at[i], problem)))
            return e;
    }
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        *rows[i].out = request->strings.at + at[i];
    if (!*request->message_id)
        request->message_id = NULL;
    request->told = request->client;
    return ERR_OK;
}

static const char *or_unknown(const char *id)
{
    return id ? id : "";
}

void request_keep(struct request *request, const struct operation *operation, const struct msg *m)
{
    memset(request, 0, sizeof(*request));
    if (msg_create(m, &request->msg))
        err_out_of_memory();
    request->operation = operation;
    request->body = json_value("{}", 2);
    request->client = request->told = or_unknown(request->msg->client);
    request->user = or_unknown(request->msg->user);
    request->device = or_unknown(request->msg->device);
    request->address = or_unknown(request->msg->address);
    request->message_id = request->msg->message_id;
    request->accepted_ms = m->accepted_ms > 0 ? m->accepted_ms : clock_wall_ms();
}

enum err request_read(struct request *request, const struct operation *operation,
                      const struct msg *m, struct text *problem)
{
    struct json_fault fault;

    request_keep(request, operation, m);
    if (json_check(request->msg->body, request->msg->size, &limits, &fault)) {
        text_addf(problem, "not JSON at byte %zu: %s", fault.offset, fault.what);
        return ERR_MALFORMED;
    }
    request->body = json_value(request->msg->body, request->msg->size);
    if (json_kind(request->body) != JSON_OBJECT) {
        text_addf(problem, "expected an object, found %s",
                  json_kind_name(json_kind(request->body)));
        return ERR_MALFORMED;
    }
    return read_envelope(request, problem);
}

bool request_is_content(const struct request *request)
{
    return request->msg->dialect && !strcmp(request->msg->dialect, "content");
}

struct json_span request_data(const struct request *request)
{
    return json_member(request->body, "data", NULL);
}

void request_deinit(struct request *request)
{
    msg_destroy(request->msg);
    text_deinit(&request->strings);
    text_deinit(&request->told_again);
    memset(request, 0, sizeof(*request));
}

enum err request_string(const struct request *request, const char *name, size_t max, char **out,
                        struct text *problem)
{
    struct json_span member = json_member(request->body, name, NULL);
    enum err e = json_string(member, max, out);

    if (e == ERR_TYPE) {
        text_addf(problem, "%s: expected a string, found %s", name,
                  json_kind_name(json_kind(member)));
        return ERR_MALFORMED;
    }
    if (e || !**out) {
        if (!e)
            free(*out);
        *out = NULL;
        text_addf(problem, "%s: expected 1 to %zu bytes without NUL", name, max);
        return ERR_MALFORMED;
    }
    return ERR_OK;
}
