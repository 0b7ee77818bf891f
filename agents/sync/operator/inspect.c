#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/operations.h"
#include "agents/sync/reads/reading.h"
#include "agents/sync/rights.h"
#include "agents/sync/store/scripts.h"
#include "common/base/clock.h"

/* What operators ask of marks and sessions (design sections 9 and 16). */

#define BOOKS_PER_CALL     500 /* pages and sessions, or somewhat more */
#define CLIENTS_PER_ANSWER 250

/* The members of a JSON object that a script returns as a list, in this order. */
struct member {
    const char *name; /* NULL: the end */
    enum { TEXT, NUMBER, FLAG } kind;
};

static void add_members(struct text *body, const struct member *members,
                        const struct redis_reply *list)
{
    for (size_t i = 0; members[i].name; i++) {
        const struct redis_reply *value = redis_item(list, i);

        text_addf(body, "%s\"%s\":", i ? "," : "", members[i].name);
        if (members[i].kind == TEXT)
            text_add_json_str(body, redis_str(value));
        else if (members[i].kind == NUMBER)
            text_addf(body, "%" PRId64, redis_i64(value));
        else
            text_add(body, redis_i64(value) ? "true" : "false");
    }
}

/* ---- inspectBooks: every mark ever made, as it ended, beside those that there are. Each page is
 * looked at in one moment, so the sums agree, too, whatever happens meanwhile. ---- */

static const char *const sum_names[] = {"made", "acknowledged", "superseded", "ended", "counted"};

struct sums {
    int64_t values[ARRAY_SIZE(sum_names)];
};

static enum work_step read_books(struct work *work, int64_t page);

static enum work_step books_reply(struct work *work)
{
    const struct sums *sums = work->state;
    _cleanup_(text_deinitp) struct text body = {0};

    work_response_begin(work, &body, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(sum_names); i++)
        text_addf(&body, ",\"%s\":%" PRId64, sum_names[i], sums->values[i]);
    response_end(&body);
    return work_reply(work, &body, NULL);
}

static enum work_step books_read(struct work *work)
{
    const struct redis_reply *r = work->call.reply;
    struct sums *sums = work->state;
    int64_t next;

    if (redis_is_error(r))
        return work_error(work, CODE_INTERNAL, "the books could not be read");
    for (size_t i = 0; i < ARRAY_SIZE(sum_names); i++)
        sums->values[i] += redis_i64(redis_item(r, i + 1));
    next = redis_i64(redis_item(r, 0));
    return next ? read_books(work, next) : books_reply(work);
}

static enum work_step read_books(struct work *work, int64_t page)
{
    redis_call_begin(&work->call, &script_books);
    redis_call_arg_i64(&work->call, page);
    redis_call_arg_i64(&work->call, BOOKS_PER_CALL);
    return work_call(work, books_read);
}

enum work_step plan_inspect_books(struct work *work)
{
    work->state = calloc(1, sizeof(struct sums));
    if (!work->state)
        err_out_of_memory();
    work->state_destroy = free;
    return read_books(work, 0);
}

/* ---- inspectClients: the sessions, page by page; `next` of an answer is the next question's
 * `after`, null at the end ---- */

static void add_clients(struct text *body, const struct redis_reply *list)
{
    static const struct member members[] = {{"session", NUMBER},
                                            {"client", TEXT},
                                            {"user", TEXT},
                                            {"gateway", TEXT},
                                            {"address", TEXT},
                                            {"since", NUMBER},
                                            {"objects", NUMBER},
                                            {"classes", NUMBER},
                                            {"marks", NUMBER},
                                            {"openReplies", NUMBER},
                                            {NULL, 0}};

    for (size_t i = 0; i < redis_count(list); i++) {
        text_add(body, i ? ",{" : "{");
        add_members(body, members, redis_item(list, i));
        text_add_char(body, '}');
    }
}

static enum work_step clients_answer(struct work *work)
{
    const struct redis_reply *list = work->call.reply;
    size_t count = redis_count(list);
    _cleanup_(text_deinitp) struct text body = {0};

    if (redis_is_error(list))
        return work_error(work, CODE_INTERNAL, "the sessions could not be read");
    work_response_begin(work, &body, NULL);
    text_add(&body, ",\"clients\":[");
    add_clients(&body, list);
    text_add(&body, "],\"next\":");
    text_add(&body, count < CLIENTS_PER_ANSWER
                        ? "null"
                        : redis_str(redis_item(redis_item(list, count - 1), 0)));
    response_end(&body);
    return work_reply(work, &body, NULL);
}

enum work_step plan_inspect_clients(struct work *work)
{
    struct json_span after = json_member(work->request.body, "after", NULL);
    int64_t number = 0;

    if (json_kind(after) != JSON_ABSENT && json_int64(after, &number))
        return work_error(work, CODE_MALFORMED, "after: expected next of an answer");
    redis_call_begin(&work->call, &script_clients);
    redis_call_arg_i64(&work->call, number);
    redis_call_arg_i64(&work->call, CLIENTS_PER_ANSWER);
    return work_call(work, clients_answer);
}

/* ---- inspectWatch: what a client was told of an object ---- */

static void add_mark(struct text *body, const char *name, const struct redis_reply *mark)
{
    static const struct member members[] = {{"removal", FLAG},   {"version", NUMBER},
                                            {"tries", NUMBER},   {"newestSent", FLAG},
                                            {"dueInMs", NUMBER}, {NULL, 0}};

    text_addf(body, ",\"%s\":", name);
    if (!redis_count(mark)) {
        text_add(body, "null");
        return;
    }
    text_add_char(body, '{');
    add_members(body, members, mark);
    text_add_char(body, '}');
}

/* Of the classes that the session watches, those that tell of the object. */
static void add_classes(struct text *body, const struct model *model, struct stored_ref ref,
                        const struct redis_reply *watched)
{
    const char *between = "";

    text_add(body, ",\"watchesClasses\":[");
    for (size_t i = 0; i < redis_count(watched); i++) {
        const struct redis_reply *name = redis_item(watched, i);
        const struct model_class *c = model_class(model, redis_str(name), redis_size(name));

        if (!c || !model_is_a(ref.class_, c))
            continue;
        text_add(body, between);
        text_add_json_str(body, c->name);
        between = ",";
    }
    text_add_char(body, ']');
}

static void add_watch(struct text *body, const struct model *model, const struct redis_reply *r)
{
    static const struct member object_members[] = {
        {"object", TEXT}, {"version", NUMBER}, {"removed", FLAG}, {NULL, 0}};
    static const struct member session_members[] = {
        {"client", TEXT},        {"gateway", TEXT},     {"ended", TEXT},
        {"sendsReceipts", FLAG}, {"watches", FLAG},     {"watchesChildren", FLAG},
        {"mayRead", FLAG},       {"isBeingTold", FLAG}, {NULL, 0}};
    const struct redis_reply *object = redis_item(r, 1);

    text_add_char(body, ',');
    add_members(body, object_members, object);
    text_add_char(body, ',');
    add_members(body, session_members, redis_item(r, 2));
    add_classes(body, model, stored_ref(model, redis_str(redis_item(object, 0))), redis_item(r, 3));
    add_mark(body, "mark", redis_item(r, 4));
    add_mark(body, "childrenMark", redis_item(r, 5));
}

static enum work_step watch_answer(struct work *work)
{
    const struct redis_reply *r = work->call.reply;
    const char *outcome = redis_str(redis_item(r, 0));
    _cleanup_(text_deinitp) struct text body = {0};

    if (redis_is_error(r))
        return work_error(work, CODE_INTERNAL, "the session could not be read");
    if (!strcmp(outcome, "client"))
        return work_error(work, CODE_INVALID_CLIENT,
                          "no session has this client id, or it ended long ago");
    if (!strcmp(outcome, "object"))
        return work_error(work, CODE_INTERNAL,
                          "there is no such object, or it was removed long ago");
    work_response_begin(work, &body, NULL);
    add_watch(&body, work->agent->model, r);
    response_end(&body);
    return work_reply(work, &body, NULL);
}

/* theClient, theClassName, theClassId. */
enum work_step plan_inspect_watch(struct work *work)
{
    _cleanup_(text_deinitp) struct text problem = {0};
    _cleanup_(freep) char *id = NULL, *client = NULL;
    const struct model_class *c;
    enum work_step step;

    if (!reading_asked(work, &c, &id, &step))
        return step;
    if (request_string(&work->request, "theClient", 255, &client, &problem))
        return work_error(work, CODE_MALFORMED, text_str(&problem));
    redis_call_begin(&work->call, &script_why);
    redis_call_arg(&work->call, client);
    redis_call_arg_i64(&work->call, clock_wall_ms());
    redis_call_arg(&work->call, id);
    rights_add_restricted_of(&work->call, c);
    return work_call(work, watch_answer);
}
