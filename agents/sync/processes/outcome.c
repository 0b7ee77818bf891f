#include "agents/sync/processes/outcome.h"

#include <ctype.h>
#include <string.h>

#include "common/json/json_scan.h"
#include "common/protocol/operations.h"

#define CODE_CHARS 16  /* of a worker's own code */
#define NAME_BYTES 255 /* of a worker's own name of an error; a longer one is none */

static const struct json_limits limits = {.depth = 256, .number_chars = 100000};

void outcome_deinit(struct outcome *outcome)
{
    text_deinit(&outcome->code);
    text_deinit(&outcome->name);
    text_deinit(&outcome->body);
}

static void begin(struct outcome *outcome, enum outcome_kind kind)
{
    outcome->kind = kind;
    text_clear(&outcome->code);
    text_clear(&outcome->name);
    text_clear(&outcome->body);
}

void outcome_fail(struct outcome *outcome, enum response_code code, const char *reason)
{
    begin(outcome, OUTCOME_ERROR);
    text_add_i64(&outcome->code, code);
    text_add(&outcome->name, response_code_name(code));
    text_add(&outcome->body, reason);
}

/* ---- What workers reply ---- */

bool outcome_is_json(const struct msg *reply, struct text *problem)
{
    struct json_fault fault;

    if (!json_check(reply->body, reply->size, &limits, &fault))
        return true;
    text_addf(problem, "not JSON at byte %zu: %s", fault.offset, fault.what);
    return false;
}

/* A string, or a whole number: "-1000", -1000. */
static bool read_code(struct json_span given, struct text *code)
{
    size_t i;

    text_clear(code);
    if (json_kind(given) == JSON_NUMBER)
        text_add_bytes(code, given.at, given.size);
    else if (json_decode(given, code))
        return false;
    i = text_str(code)[0] == '-';
    if (code->size <= i || code->size > CODE_CHARS)
        return false;
    while (i < code->size && isdigit((unsigned char)code->at[i]))
        i++;
    return i == code->size;
}

/* Takes what the worker says in place of ours. Does it differ? */
static bool replace(struct text *ours, const struct text *own)
{
    const bool differs = !text_equals(own, text_str(ours));

    text_clear(ours);
    text_add_bytes(ours, text_str(own), own->size);
    return differs;
}

/* {"message": text, "code": ..., "name": text}, or just the text. */
static void read_error(struct outcome *outcome, struct json_span given)
{
    const bool is_object = json_kind(given) == JSON_OBJECT;
    const struct json_span message = is_object ? json_member(given, "message", NULL) : given;
    _cleanup_(text_deinitp) struct text code = {0}, name = {0};
    bool is_own = false;

    outcome_fail(outcome, CODE_PROCESS_FAILED, "");
    if (json_decode(message, &outcome->body))
        text_add(&outcome->body, "its worker has failed, and does not say why");
    if (is_object && read_code(json_member(given, "code", NULL), &code))
        is_own = replace(&outcome->code, &code);
    if (is_object && !json_decode(json_member(given, "name", NULL), &name) && name.size &&
        name.size <= NAME_BYTES)
        is_own = replace(&outcome->name, &name) || is_own;
    if (is_own)
        outcome->kind = OUTCOME_OWN;
}

static void read_result(struct outcome *outcome, struct json_span given)
{
    begin(outcome, OUTCOME_RESULT);
    text_add_bytes(&outcome->body, given.at, given.size);
}

static void fail_as_too_large(struct outcome *outcome, size_t most)
{
    _cleanup_(text_deinitp) struct text reason = {0};

    text_addf(&reason, "its answer has more than %zu bytes", most);
    outcome_fail(outcome, CODE_PROCESS_FAILED, reason.at);
}

static void fail_of(struct outcome *outcome, const struct text *problem)
{
    _cleanup_(text_deinitp) struct text reason = {0};

    text_addf(&reason, "its worker's answer is %s", text_str(problem));
    outcome_fail(outcome, CODE_PROCESS_FAILED, reason.at);
}

void outcome_read(struct outcome *outcome, const struct msg *reply, size_t most)
{
    const char *type = reply->type ? reply->type : "reply";
    _cleanup_(text_deinitp) struct text problem = {0};
    struct json_span given;

    if (reply->oversized) {
        outcome_fail(outcome, CODE_PROCESS_FAILED, "its worker's answer is too large");
        return;
    }
    if (!outcome_is_json(reply, &problem)) {
        fail_of(outcome, &problem);
        return;
    }
    given = json_value(reply->body, reply->size);
    if (given.size > most)
        fail_as_too_large(outcome, most);
    else if (strcmp(type, "reply") == 0)
        read_result(outcome, given);
    else if (strcmp(type, "error") == 0)
        read_error(outcome, given);
    else
        outcome_fail(outcome, CODE_PROCESS_FAILED, "its worker's answer is of an unknown type");
}

/* ---- What clients read ---- */

static void add_error(struct text *out, const struct outcome *outcome, const char *process,
                      const struct response *head)
{
    _cleanup_(text_deinitp) struct text desc = {0};

    if (outcome->kind != OUTCOME_OWN)
        text_addf(&desc, "Unable to run process %s:\n", process);
    text_add_bytes(&desc, text_str(&outcome->body), outcome->body.size);
    response_fault(out, head->client, head->message_id,
                   &(struct response_fault){.name = text_str(&outcome->name),
                                            .code = text_str(&outcome->code),
                                            .desc = &desc});
}

void outcome_add_response(struct text *out, const struct outcome *outcome, const char *process,
                          const struct response *head)
{
    struct response h = *head;

    if (outcome->kind != OUTCOME_RESULT) {
        add_error(out, outcome, process, head);
        return;
    }
    h.class_name = SYNC_CLASS("RunProcessResponse");
    response_begin(out, &h);
    text_add(out, ",\"result\":");
    text_add_bytes(out, text_str(&outcome->body), outcome->body.size);
    response_end(out);
}
