#include "agents/runtime/work.h"

#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/runtime/metrics.h"
#include "common/base/clock.h"
#include "common/protocol/content.h"
#include "common/protocol/format.h"
#include "common/protocol/seal.h"

#define DEAD_LETTERS "dead-letter"

enum work_step work_call(struct work *work, work_fn *next)
{
    work->next = next;
    return WORK_CALL;
}

enum work_step work_publish(struct work *work, work_fn *next)
{
    work->next = next;
    return WORK_PUBLISH;
}

enum work_step work_join(struct work *work, work_fn *next)
{
    work->next = next;
    return WORK_JOIN;
}

enum work_step work_count_consumers(struct work *work, const char *queue, work_fn *next)
{
    work->counted = queue;
    work->next = next;
    return WORK_COUNT;
}

enum work_step work_aside(struct work *work, aside_fn *run, work_fn *next)
{
    work->aside = run;
    work->next = next;
    return WORK_ASIDE;
}

void work_spawn_named(const struct work *work, work_fn *first, const char *name)
{
    char *state = strdup(name);

    if (!state)
        err_out_of_memory();
    work_spawn(work, first, state, free);
}

void work_add_out(struct work *work, const struct msg *fields)
{
    struct msg stamped = *fields;
    struct work_out *grown;

    stamped.app_id = work->agent->name;
    stamped.timestamp_ms = clock_wall_ms();
    if (!fields->format)
        stamped.format = FORMAT_WRITTEN;
    grown = realloc(work->out, (work->out_count + 1) * sizeof(*grown));
    if (!grown)
        err_out_of_memory();
    work->out = grown;
    if (msg_create(&stamped, &grown[work->out_count].msg))
        err_out_of_memory();
    grown[work->out_count].told = false;
    grown[work->out_count++].outcome = AMQP_REFUSED;
}

void work_add_letter(struct work *work, const struct msg *m, const char *reason)
{
    struct msg letter = *m;

    metrics_add(work->agent->metrics, FIGURE_LETTERS, 1);
    letter.queue = DEAD_LETTERS;
    letter.reason = reason;
    letter.expiration_ms = 0;
    letter.persistent = true;
    work_add_out(work, &letter);
}

enum work_step work_done(struct work *work)
{
    (void)work;
    return WORK_DONE;
}

enum work_step work_reply(struct work *work, const struct text *body, work_fn *after)
{
    return work_reply_with(work, body, &(struct msg){0}, after);
}

/* Whoever has sealed what it asks can open what it is told. */
static void seal_answer(const struct work *work, struct msg *m, struct text *sealed)
{
    seal_close(work->agent->seal, m, sealed);
    m->encoding = SEAL_ENCODING;
    m->body = sealed->at;
    m->size = sealed->size;
}

enum work_step work_reply_with(struct work *work, const struct text *body,
                               const struct msg *headers, work_fn *after)
{
    const struct msg *asked = work->request.msg;
    struct msg m = {
        .queue = asked->reply_to,
        .type = work->request.again ? "again" : "reply",
        .message_id = work->request.message_id,
        .correlation_id = asked->correlation_id,
        .client = work->request.told,
        .user = headers->user,
        .reason = headers->reason,
        .body = text_str(body),
        .size = body->size,
    };
    _cleanup_(text_deinitp) struct text sealed = {0};

    if (!after)
        after = work_done;
    if (!m.queue)
        return after(work);
    if (seal_is_on(asked))
        seal_answer(work, &m, &sealed);
    work_add_out(work, &m);
    return work_publish(work, after);
}

static enum work_step reply_content_error(struct work *work, int code, const char *msg)
{
    _cleanup_(text_deinitp) struct text body = {0};

    work->refused = true;
    content_add_error(&body, work->request.message_id, content_cls(work->request.operation), code,
                      msg);
    return work_reply(work, &body, NULL);
}

static enum work_step activestack_error(struct work *work, enum response_code code,
                                        const char *desc)
{
    _cleanup_(text_deinitp) struct text body = {0};

    work->refused = true;
    response_error(&body, *work->request.told ? work->request.told : NULL, work->request.message_id,
                   code, desc);
    return work_reply(work, &body, NULL);
}

enum work_step work_error(struct work *work, enum response_code code, const char *desc)
{
    _cleanup_(text_deinitp) struct text msg = {0};

    if (!request_is_content(&work->request))
        return activestack_error(work, code, desc);
    content_add_msg(&msg, code, desc);
    return reply_content_error(work, content_code_of(work->request.operation, code),
                               text_str(&msg));
}

enum work_step work_content_result(struct work *work, int status, const struct text *data,
                                   work_fn *after)
{
    _cleanup_(text_deinitp) struct text body = {0};

    content_add_result(&body, work->request.message_id, content_cls(work->request.operation),
                       status, data ? text_str(data) : NULL);
    return work_reply(work, &body, after);
}

enum work_step work_content_error(struct work *work, int status, int detail, const char *msg)
{
    return reply_content_error(work, content_code(work->request.operation, status, detail), msg);
}

void work_response_begin(const struct work *work, struct text *out, const char *data)
{
    response_begin(out, &(struct response){.class_name = work->request.operation->response_class,
                                           .client = work->request.told,
                                           .message_id = work->request.message_id,
                                           .data = data});
}
