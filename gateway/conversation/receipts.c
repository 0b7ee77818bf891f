#include "gateway/conversation/receipts.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/clients/owed.h"
#include "gateway/conversation/outgoing.h"
#include "gateway/conversation/requests.h"
#include "gateway/dialect/activestack.h"
#include "gateway/gateway.h"

#define BATCH_BYTES ((size_t)256 * 1024) /* of one message, but for the last pair or id */

/* Replies are our agents' work, but an operator may write one by hand. */
static const struct json_limits reply_limits = {JSON_DEPTH_MAX, SIZE_MAX};

static const char *const queues[RECEIPTS_QUEUE_COUNT] = {
    [RECEIPTS_UPDATES] = "updatesReceived",
    [RECEIPTS_DELETES] = "deletesReceived",
    [RECEIPTS_REPLIES] = "repliesReceived",
    [RECEIPTS_CHANGED] = "changedReceived",
};

void receipts_init(struct receipts *r)
{
    *r = (struct receipts){0};
    for (size_t i = 0; i < RECEIPTS_QUEUE_COUNT; i++)
        r->batches[i].operation = operation_by_name(queues[i], strlen(queues[i]));
}

void receipts_deinit(struct receipts *r)
{
    for (size_t i = 0; i < RECEIPTS_QUEUE_COUNT; i++) {
        text_deinit(&r->batches[i].body);
        text_deinit(&r->batches[i].members);
    }
    text_deinit(&r->ref);
}

/* ---- What is gathered ---- */

static void begin_any(struct receipts_batch *b)
{
    text_add(&b->body, b->body.size == 0 ? "{\"v\":1,\"receipts\":[" : ",");
}

/* The entry of one client; `list` is the member that it ends with, still open. */
static void begin_entry(struct receipts_batch *b, const struct client *c, const char *list)
{
    begin_any(b);
    text_addf(&b->body, "{\"client\":\"%s\",\"%s\":[", c->session.client_id, list);
}

static void end_entry(struct receipts_batch *b)
{
    text_add(&b->body, "]}");
}

/* ---- Published ---- */

static struct open_request *member_at(struct gateway *g, const uint64_t *numbers, size_t i)
{
    return open_requests_find(g->requests, numbers[i]);
}

static void fail_members(struct gateway *g, const uint64_t *numbers, size_t count,
                         enum response_code code, const char *desc)
{
    for (size_t i = 0; i < count; i++) {
        struct open_request *r = member_at(g, numbers, i);

        if (!r)
            continue; /* its client has gone, or its time was over */
        outgoing_error(g, r->client, open_request_message_id(r), code, desc);
        requests_end(g, r);
    }
}

static void ask(struct gateway *g, struct receipts_batch *b)
{
    const struct request request = {.operation = b->operation,
                                    .purpose = PURPOSE_RECEIPTS,
                                    .wants_ack = b->wants_ack,
                                    .body = b->body.at,
                                    .size = b->body.size};
    const size_t count = b->members.size / sizeof(uint64_t);
    uint64_t *numbers = (void *)text_steal(&b->members);
    enum err e = requests_ask_for(g, &request, &numbers, count);

    if (e)
        fail_members(g, numbers, count, requests_code(e), requests_reason(e));
    free(numbers);
    b->wants_ack = false;
}

static void publish(struct gateway *g, struct receipts_batch *b)
{
    text_add(&b->body, "]}");
    metrics_add(g->metrics, METRIC_RECEIPT_MESSAGES, 1);
    if (b->operation->is_receipt)
        ask(g, b);
    else
        requests_tell(g, b->operation, &b->body);
    text_clear(&b->body);
}

static void publish_if_large(struct gateway *g, struct receipts_batch *b)
{
    if (b->body.size >= BATCH_BYTES)
        publish(g, b);
}

bool receipts_wait(const struct receipts *r)
{
    for (size_t i = 0; i < RECEIPTS_QUEUE_COUNT; i++)
        if (r->batches[i].body.size > 0)
            return true;
    return false;
}

void receipts_flush(struct gateway *g)
{
    for (size_t i = 0; i < RECEIPTS_QUEUE_COUNT; i++)
        if (g->receipts.batches[i].body.size > 0)
            publish(g, &g->receipts.batches[i]);
}

/* ---- Push receipts ---- */

static bool is_text(struct json_span pair, size_t index, const char *name, struct text *problem)
{
    const enum json_kind kind = json_kind(json_member(pair, name, NULL));

    if (kind == JSON_STRING)
        return true;
    text_addf(problem, "classIdPairs[%zu].%s: expected a string, found %s", index, name,
              json_kind_name(kind));
    return false;
}

/* False, with *problem filled, when these are no pairs {className, ID}. */
static bool are_pairs(struct json_span pairs, struct text *problem)
{
    const enum json_kind kind = json_kind(pairs);
    struct json_walk w = json_walk(pairs);

    if (kind == JSON_ABSENT || kind == JSON_NULL)
        return true;
    if (kind != JSON_ARRAY) {
        text_addf(problem, "classIdPairs: expected an array, found %s", json_kind_name(kind));
        return false;
    }
    for (size_t i = 0; json_next(&w); i++) {
        if (json_kind(w.value) != JSON_OBJECT) {
            text_addf(problem, "classIdPairs[%zu]: expected an object, found %s", i,
                      json_kind_name(json_kind(w.value)));
            return false;
        }
        if (!is_text(w.value, i, "className", problem) || !is_text(w.value, i, "ID", problem))
            return false;
    }
    return true;
}

/* What a receipt for this pair proves, with the name of what it stands for in `ref`. False: nothing
 * that is known. */
static bool settle(struct client *c, enum sends_kind kind, struct json_span pair, struct text *ref,
                   int64_t *number)
{
    text_clear(ref);
    if (json_decode(json_member(pair, "className", NULL), ref))
        return false;
    text_add_char(ref, ':');
    return !json_decode(json_member(pair, "ID", NULL), ref) &&
           owed_take(&c->owed, kind, ref, number);
}

static void add_pair(struct text *out, const struct text *ref, int64_t number)
{
    if (out->at[out->size - 1] != '[')
        text_add_char(out, ',');
    text_add_char(out, '[');
    text_add_json(out, ref->at, ref->size);
    text_addf(out, ",%lld]", (long long)number);
}

/* Also a receipt that settles nothing is passed on: it tells that its client sends receipts. */
static void gather(struct gateway *g, struct receipts_batch *b, const struct open_request *r,
                   struct json_span pairs)
{
    const enum sends_kind kind =
        b == &g->receipts.batches[RECEIPTS_DELETES] ? SENDS_DELETE : SENDS_UPDATE;
    struct text *ref = &g->receipts.ref;
    struct json_walk w = json_walk(pairs);
    int64_t number, unsent = 0;

    begin_entry(b, r->client, "pairs");
    while (json_next(&w)) {
        if (!settle(r->client, kind, w.value, ref, &number)) {
            unsent++;
            continue;
        }
        if (b->body.size >= BATCH_BYTES) { /* the rest, and the answer, come with the next one */
            end_entry(b);
            publish(g, b);
            begin_entry(b, r->client, "pairs");
        }
        add_pair(&b->body, ref, number);
    }
    end_entry(b);
    text_add_bytes(&b->members, &r->number, sizeof(r->number));
    b->wants_ack = b->wants_ack || r->wants_ack;
    metrics_add(g->metrics, METRIC_RECEIPTS_UNSENT, unsent);
    publish_if_large(g, b);
}

static void say_received(struct gateway *g, struct open_request *r)
{
    text_clear(&g->scratch);
    response_begin(&g->scratch, &(struct response){.class_name = r->operation->response_class,
                                                   .client = r->client->session.client_id,
                                                   .message_id = open_request_message_id(r)});
    text_add(&g->scratch, ",\"result\":true");
    response_end(&g->scratch);
    client_send(r->client, g->scratch.at, g->scratch.size);
    requests_end(g, r);
}

static struct receipts_batch *batch_of(struct gateway *g, const struct operation *o)
{
    return &g->receipts.batches[strcmp(o->name, queues[RECEIPTS_DELETES]) == 0 ? RECEIPTS_DELETES
                                                                               : RECEIPTS_UPDATES];
}

/* Of a client that is just being bound, and was sent nothing, the agents may not have heard. */
static bool is_about_nothing(const struct client *c)
{
    return c->state == CLIENT_BINDING && !c->owed.sends;
}

void receipts_take(struct gateway *g, struct client *c, const struct frame *f)
{
    const char *message_id = f->has_message_id ? f->message_id : NULL;
    const struct json_span pairs = json_member(f->object, "classIdPairs", NULL);
    const struct request request = {.operation = f->operation,
                                    .purpose = PURPOSE_RECEIPT,
                                    .message_id = message_id,
                                    .wants_ack = f->wants_ack,
                                    .size = f->object.size};
    _cleanup_(text_deinitp) struct text problem = {0};
    struct open_request *r;
    enum err e;

    if (!are_pairs(pairs, &problem)) {
        outgoing_error(g, c, message_id, CODE_MALFORMED, text_str(&problem));
        return;
    }
    e = requests_open(g, c, &request, &r);
    if (e) {
        outgoing_error(g, c, message_id, requests_code(e), requests_reason(e));
        return;
    }
    metrics_add(g->metrics, METRIC_PUSH_RECEIPTS, 1);
    if (!is_about_nothing(c)) {
        gather(g, batch_of(g, f->operation), r, pairs);
        return;
    }
    requests_acknowledge(g, r);
    say_received(g, r);
}

/* ---- Answers ---- */

/* A client id is bound once, so who is unknown now stays so: all its receipts come to nothing. */
static void note_unknown(struct gateway *g, struct json_span id)
{
    struct client *c =
        json_kind(id) == JSON_STRING ? clients_find(g->clients, id.at + 1, id.size - 2) : NULL;
    struct open_request *r;

    if (!c)
        return;
    TAILQ_FOREACH(r, &c->open.list, by_client)
        if (r->purpose == PURPOSE_RECEIPT)
            r->refused = true;
}

static void answer_members(struct gateway *g, const struct open_request *batch)
{
    for (size_t i = 0; i < batch->member_count; i++) {
        struct open_request *r = member_at(g, batch->members, i);

        if (!r)
            continue;
        if (!r->refused) {
            say_received(g, r);
            continue;
        }
        outgoing_error(g, r->client, open_request_message_id(r), CODE_INVALID_CLIENT,
                       "unknown client; log in anew");
        requests_end(g, r);
    }
}

/* An agent's own error is passed on with its code. */
static enum response_code code_of(struct json_span reply)
{
    _cleanup_(text_deinitp) struct text code = {0};

    if (json_decode(json_member(reply, "errorCode", NULL), &code))
        return CODE_BACK_END_AWAY;
    return (enum response_code)strtol(text_str(&code), NULL, 10);
}

void receipts_answered(struct gateway *g, struct open_request *batch, const struct msg *m)
{
    struct json_span reply = {0};
    struct json_walk unknown;

    if (m->size > 0 && !json_check(m->body, m->size, &reply_limits, NULL))
        reply = json_value(m->body, m->size);
    if (json_kind(json_member(reply, "unknown", NULL)) != JSON_ARRAY) {
        receipts_failed(g, batch, code_of(reply), "the receipts could not be settled");
        return;
    }
    unknown = json_walk(json_member(reply, "unknown", NULL));
    while (json_next(&unknown))
        note_unknown(g, unknown.value);
    answer_members(g, batch);
}

void receipts_failed(struct gateway *g, struct open_request *batch, enum response_code code,
                     const char *desc)
{
    fail_members(g, batch->members, batch->member_count, code, desc);
}

void receipts_safe(struct gateway *g, struct open_request *batch)
{
    for (size_t i = 0; i < batch->member_count; i++) {
        struct open_request *r = member_at(g, batch->members, i);

        if (r)
            requests_acknowledge(g, r);
    }
}

/* ---- Reply receipts ---- */

/* The messageId of a reply receipt, as text; false when there is none that can be one. */
static bool read_message_id(struct json_span content, struct text *out)
{
    text_clear(out);
    return !json_decode(json_member(content, "correspondingMessageId", NULL), out) &&
           out->size > 0 && out->size <= ACTIVESTACK_MESSAGE_ID_MAX &&
           !memchr(out->at, '\0', out->size);
}

void receipts_take_ack(struct gateway *g, struct client *c, struct json_span content)
{
    struct receipts_batch *b = &g->receipts.batches[RECEIPTS_REPLIES];
    struct text *id = &g->receipts.ref;

    metrics_add(g->metrics, METRIC_REPLY_RECEIPTS, 1);
    if (!read_message_id(content, id)) {
        metrics_add(g->metrics, METRIC_REPLY_RECEIPTS_IGNORED, 1);
        return;
    }
    c->keeps = true;
    if (!client_is_logged_in(c))
        return; /* what needs no login is not kept */
    begin_entry(b, c, "ids");
    text_add_json(&b->body, id->at, id->size);
    end_entry(b);
    publish_if_large(g, b);
}

/* ---- Blocks of changes ---- */

void receipts_take_changed(struct gateway *g, struct client *c, int64_t number)
{
    struct receipts_batch *b = &g->receipts.batches[RECEIPTS_CHANGED];

    if (number == 0 || !client_is_logged_in(c)) {
        metrics_add(g->metrics, METRIC_RESULTS_IGNORED, 1);
        return;
    }
    metrics_add(g->metrics, METRIC_BLOCK_RECEIPTS, 1);
    begin_any(b);
    text_addf(&b->body, "[\"%s\",%lld]", c->session.client_id, (long long)number);
    publish_if_large(g, b);
}
