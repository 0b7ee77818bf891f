#include "agents/sync/writes/write.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agents/runtime/children.h"
#include "agents/runtime/lineage.h"
#include "agents/runtime/listings.h"
#include "agents/runtime/touches.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/pushes/overtaken.h"
#include "agents/sync/refused.h"
#include "agents/sync/rights.h"
#include "agents/sync/writes/transaction.h"
#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/secret.h"

/* Is this member of the body part of what is asked, rather than of who asks? Identity changes when
 * a client returns; the request does not. */
static bool is_content(struct json_span key)
{
    static const char *const identity[] = {"clientId", "userId", "token", "deviceId"};

    for (size_t i = 0; i < ARRAY_SIZE(identity); i++) {
        if (json_string_is(key, identity[i]))
            return false;
    }
    return true;
}

/* Ids of the content protocol begin anew with each connection, so there the client id goes before
 * them. */
void write_add_result_name(struct text *out, const struct request *rq)
{
    _cleanup_(text_deinitp) struct text content = {0};
    char hash[SECRET_HASH_CHARS + 1];
    struct json_walk w = json_walk(rq->body);

    if (!rq->message_id)
        return;
    while (json_next(&w)) {
        if (is_content(w.key)) {
            text_add_bytes(&content, w.key.at, w.key.size);
            text_add_bytes(&content, w.value.at, w.value.size);
        }
    }
    secret_hash(text_str(&content), content.size, hash);
    text_addf(out, "%s:", rq->operation->name);
    if (request_is_content(rq))
        text_addf(out, "%s/", rq->client);
    text_addf(out, "%s:%s", rq->message_id, hash);
}

/* Does it change objects of other classes too? */
static bool is_about_others(enum action action)
{
    return action == ACTION_REMOVE || action == ACTION_ADD_CHILD;
}

void write_begin_many(struct work *work, const struct redis_script *script,
                      const struct model_class *only)
{
    const struct settings *settings = &work->agent->proc.settings;
    const struct request *rq = &work->request;
    _cleanup_(text_deinitp) struct text name = {0};

    write_add_result_name(&name, rq);
    redis_call_begin(&work->call, script);
    if (only)
        listings_add_args(&work->call, only, settings);
    else
        listings_add_all(&work->call, work->agent->model, settings);
    children_add_args(&work->call, work->agent->children, only);
    touches_add_args(&work->call, work->agent->model);
    redis_call_arg(&work->call, rq->client);
    redis_call_arg_i64(&work->call, rq->accepted_ms);
    redis_call_arg_i64(&work->call, clock_wall_ms() + settings->sync_job_lease_ms);
    redis_call_arg(&work->call, text_str(&name));
    redis_call_arg_i64(&work->call, settings->sync_results_kept);
    redis_call_arg_i64(&work->call, settings->sync_results_s);
    rights_add_restricted(&work->call, work->agent->model);
}

void write_begin(struct work *work, const struct redis_script *script,
                 const struct model_class *class_, const char *id, enum action action)
{
    write_begin_many(work, script, is_about_others(action) ? NULL : class_);
    lineage_add_args(&work->call, class_, work->agent->proc.settings.sync_history_kept);
    redis_call_arg(&work->call, id);
    rights_add_rule(&work->call, class_, action);
}

static void add_nothing(const struct work *work, struct text *out)
{
    (void)work;
    (void)out;
}

/* The request's object. */
static void add_echo(const struct work *work, struct text *out)
{
    struct json_span given = json_member(work->request.body, "theObject", NULL);

    text_add(out, ",\"theObject\":");
    text_add_bytes(out, given.at, given.size);
}

static void add_nothing_done(const struct work *work, struct text *out)
{
    (void)work;
    text_add(out, ",\"objectsSaved\":[],\"objectsRemoved\":[]");
}

/* What differs between them when they refuse. */
static const struct write_kind {
    const char *operation;
    enum response_code code; /* of a refusal that has none of its own */
    bool is_of_many;         /* the script first says which of them, on a line of its own */
    /* What stands before the response's result, and behind it. */
    void (*add_before)(const struct work *work, struct text *out);
    void (*add_behind)(const struct work *work, struct text *out);
} kinds[] = {
    // clang-format off
    {"add_child",          CODE_CREATE_FAILED, false, add_nothing,     add_nothing},
    {"createObject",       CODE_CREATE_FAILED, false, add_echo,        add_nothing},
    {"patch_content",      CODE_UPDATE_FAILED, false, add_nothing,     add_nothing},
    {"processTransaction", CODE_UPDATE_FAILED, true,  transaction_add, add_nothing_done},
    {"putObject",          CODE_UPDATE_FAILED, false, add_nothing,     add_nothing},
    {"removeObject",       CODE_REMOVE_FAILED, false, add_nothing,     add_nothing},
    // clang-format on
};

static const struct write_kind *kind_of(const struct work *work)
{
    const struct write_kind *kind = kinds;

    while (strcmp(kind->operation, work->request.operation->name) != 0)
        kind++;
    return kind;
}

enum work_step write_refuse(struct work *work, enum response_code code, const char *message)
{
    _cleanup_(text_deinitp) struct text body = {0}, data = {0};
    const struct write_kind *kind = kind_of(work);

    if (request_is_content(&work->request))
        return work_error(work, code ? code : kind->code, message);
    response_data_error(&data, code ? code : kind->code, message);
    work_response_begin(work, &body, data.at);
    kind->add_before(work, &body);
    text_add(&body, ",\"result\":false");
    kind->add_behind(work, &body);
    response_end(&body);
    return work_reply(work, &body, NULL);
}

/* What a script says beside the outcome. */
enum says { SAYS_NOTHING, SAYS_WHAT /* a class, or fields, "a+b" */, SAYS_WHY };

/* Refusals of the commit scripts; the last ones are found by the agent and kept by patch.lua. */
static const struct refusal {
    const char *outcome;
    const char *message;
    enum response_code code; /* 0: the operation's own */
    enum says says;
} refusals[] = {
    // clang-format off
    {"forbidden", "you may not do this to this object", CODE_FORBIDDEN, SAYS_NOTHING},
    {"guarded", "you may not set ", CODE_FORBIDDEN, SAYS_WHAT},
    {"missing", "there is no such object", 0, SAYS_NOTHING},
    {"removed", "an object of this ID was removed", 0, SAYS_NOTHING},
    {"reference", "a reference leads to an object that does not exist", 0, SAYS_NOTHING},
    {"stale", "a newer put has set these fields", 0, SAYS_NOTHING},
    {"taken", "another object of the same family has this ID, of class ", 0, SAYS_WHAT},
    {"unique", "another object has the same ", 0, SAYS_WHAT},
    {"full", "what is referred to has as many as it may list already in ", 0, SAYS_WHAT},
    {"exists", "there is such a document; it is linked if nothing but its key is given", 0,
     SAYS_NOTHING},
    {"unknown", "there is no such document, and its id is made by the server", 0, SAYS_NOTHING},
    {"elsewhere", "by its id it is the child of another document", 0, SAYS_NOTHING},
    {"unmade", "", CODE_CREATE_FAILED, SAYS_WHY},
    {"lacking", "Missing required field ", CODE_MISSING_FIELD, SAYS_WHAT},
    {"incomplete", "a new one lacks the required field ", CODE_MISSING_FIELD, SAYS_WHAT},
    {"malformed", "", CODE_MALFORMED, SAYS_WHY},
    {"unfit", "", 0, SAYS_WHY},
    {"large", "", CODE_TOO_EXPENSIVE, SAYS_WHY},
    // clang-format on
};

static bool is_word(const char *outcome, const char *word)
{
    size_t size = strlen(word);

    return !strncmp(outcome, word, size) && (outcome[size] == '\0' || outcome[size] == ' ');
}

static void add_what(struct text *out, const char *what)
{
    for (; *what; what++) {
        if (*what == '+')
            text_add(out, " and ");
        else
            text_add_char(out, *what);
    }
}

/* To the content protocol an object that is not there has a code of its own. */
static enum response_code code_of(const struct work *work, const struct refusal *refusal)
{
    if (request_is_content(&work->request) && !strcmp(refusal->outcome, "missing"))
        return CODE_MISSING_CLASS;
    return refusal->code;
}

/* `said` is what the script said beside the outcome. */
static enum work_step refuse(struct work *work, const struct refusal *refusal, const char *said)
{
    _cleanup_(text_deinitp) struct text message = {0};

    if (kind_of(work)->is_of_many) {
        const char *place_end = strchr(said, '\n');

        text_add_bytes(&message, said, (size_t)(place_end - said));
        text_add(&message, ": ");
        said = place_end + 1;
    }
    text_add(&message, refusal->message);
    if (refusal->says == SAYS_WHAT)
        add_what(&message, said);
    else if (refusal->says == SAYS_WHY)
        text_add(&message, said);
    return write_refuse(work, code_of(work, refusal), text_str(&message));
}

const char *write_said(const struct work *work, const char *outcome)
{
    const char *space = strchr(outcome, ' ');

    return space ? space + 1 : redis_str(redis_item(work->call.reply, 2));
}

bool write_ended(struct work *work, const char **outcome, enum work_step *step)
{
    const struct redis_reply *r = work->call.reply;
    const char *word = redis_str(redis_item(r, 0));

    if (refused(work, "the write failed; nothing was changed", step))
        return true;
    fault_point("after-commit");
    if (is_word(word, "again"))
        word = redis_str(redis_item(r, 2));
    for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
        if (is_word(word, refusals[i].outcome)) {
            *step = refuse(work, &refusals[i], write_said(work, word));
            return true;
        }
    }
    *outcome = word;
    return false;
}

enum work_step write_replied(struct work *work)
{
    (void)work;
    fault_point("after-reply");
    return WORK_DONE;
}

void write_start_jobs(const struct work *work)
{
    jobs_start(work, redis_item(work->call.reply, 3), redis_item(work->call.reply, 4));
}

enum work_step write_answer(struct work *work, const char *put)
{
    _cleanup_(text_deinitp) struct text body = {0};
    enum work_step step;
    const char *outcome;
    int64_t version;

    if (write_ended(work, &outcome, &step))
        return step;
    if (!strcmp(outcome, "ok"))
        write_start_jobs(work);
    work_response_begin(work, &body, NULL);
    text_add(&body, ",\"result\":true");
    response_end(&body);
    if (!put)
        return work_reply(work, &body, write_replied);
    version = strtoll(write_said(work, outcome), NULL, 10);
    return overtaken_reply_to_put(work, &body, put, version,
                                  redis_str(redis_item(work->call.reply, 1)));
}
