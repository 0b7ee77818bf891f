#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/operations.h"
#include "agents/sync/reading.h"
#include "agents/sync/refused.h"
#include "agents/sync/store/scripts.h"
#include "common/clock.h"

/* What operators ask of marks and sessions (design sections 9 and 16). */

#define CLIENTS_PER_ANSWER 250

static void add_members(struct text *body, const char *const *names,
                        const struct redis_reply *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        text_addf(body, ",\"%s\":%" PRId64, names[i], redis_i64(redis_item(values, i)));
}

/* ---- inspectBooks: every mark ever made, as it ended, beside those that there are ---- */

static enum work_step books_answer(struct work *work)
{
    static const char *const names[] = {"made", "acknowledged", "superseded", "ended", "counted"};
    _cleanup_(text_deinitp) struct text body = {0};
    enum work_step step;

    if (refused(work, "the books could not be read", &step))
        return step;
    work_response_begin(work, &body, NULL);
    add_members(&body, names, work->call.reply, ARRAY_SIZE(names));
    response_end(&body);
    return work_reply(work, &body, NULL);
}

enum work_step plan_inspect_books(struct work *work)
{
    redis_call_begin(&work->call, &script_books);
    return work_call(work, books_answer);
}

/* ---- inspectClients: the sessions, page by page; `next` of an answer is the next question's
 * `after`, null at the end ---- */

static void add_client(struct text *body, const struct redis_reply *session)
{
    static const char *const texts[] = {"session", "client", "user", "device", "gateway"};
    static const char *const numbers[] = {"seen", "watched", "marks", "openReplies"};

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        text_addf(body, "%c\"%s\":", i ? ',' : '{', texts[i]);
        text_add_json_str(body, redis_str(redis_item(session, i)));
    }
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        text_addf(body, ",\"%s\":%" PRId64, numbers[i],
                  redis_i64(redis_item(session, ARRAY_SIZE(texts) + i)));
    text_add_char(body, '}');
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
    for (size_t i = 0; i < count; i++) {
        if (i)
            text_add_char(&body, ',');
        add_client(&body, redis_item(list, i));
    }
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

static void add_mark(struct text *body, const struct redis_reply *mark, const char *due)
{
    static const char *const names[] = {"version", "tries"};

    text_add(body, ",\"mark\":");
    if (!redis_count(mark)) {
        text_add(body, "null");
        return;
    }
    text_add(body, "{\"kind\":");
    text_add_json_str(body, redis_str(redis_item(mark, 0)));
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        text_addf(body, ",\"%s\":%" PRId64, names[i], redis_i64(redis_item(mark, i + 1)));
    text_addf(body, ",\"newestSent\":%s", redis_i64(redis_item(mark, 3)) ? "true" : "false");
    text_addf(body, ",\"dueInMs\":%" PRId64 "}",
              *due ? (int64_t)strtoll(due, NULL, 10) - clock_wall_ms() : (int64_t)0);
}

static void add_through(struct text *body, const struct model *model, struct stored_ref ref,
                        const struct redis_reply *classes)
{
    const char *between = "";

    text_add(body, ",\"watchesClasses\":[");
    for (size_t i = 0; i < redis_count(classes); i++) {
        const struct redis_reply *name = redis_item(classes, i);
        const struct model_class *c = model_class(model, redis_str(name), redis_size(name));

        if (!c || !ref.class_ || !model_is_a(ref.class_, c))
            continue;
        text_add(body, between);
        text_add_json_str(body, c->name);
        between = ",";
    }
    text_add_char(body, ']');
}

static void add_watch(struct text *body, const struct work *work, const struct redis_reply *r)
{
    static const struct {
        const char *name;
        size_t at;
    } texts[] = {{"object", 1}, {"client", 4}, {"gateway", 5}, {"ended", 6}};
    const struct stored_ref ref = stored_ref(work->agent->model, redis_str(redis_item(r, 1)));

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        text_addf(body, ",\"%s\":", texts[i].name);
        text_add_json_str(body, redis_str(redis_item(r, texts[i].at)));
    }
    text_addf(body, ",\"version\":%" PRId64 ",\"removed\":%s,\"watches\":%s,\"mayRead\":%s",
              redis_i64(redis_item(r, 3)), redis_str(redis_item(r, 2))[0] == 'd' ? "true" : "false",
              redis_i64(redis_item(r, 7)) ? "true" : "false",
              redis_i64(redis_item(r, 9)) ? "true" : "false");
    add_through(body, work->agent->model, ref, redis_item(r, 8));
    add_mark(body, redis_item(r, 10), redis_str(redis_item(r, 11)));
}

static enum work_step watch_answer(struct work *work)
{
    const struct redis_reply *r = work->call.reply;
    _cleanup_(text_deinitp) struct text body = {0};
    enum work_step step;

    if (refused(work, "the session could not be read", &step))
        return step;
    if (redis_str(redis_item(r, 0))[0] != 'o' || !strcmp(redis_str(redis_item(r, 0)), "object"))
        return work_error(work, CODE_INTERNAL, "no such object is known, nor that there was one");
    work_response_begin(work, &body, NULL);
    add_watch(&body, work, r);
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
    redis_call_arg(&work->call, id);
    redis_call_arg_i64(&work->call, (int64_t)c->concrete_count * 3);
    for (size_t i = 0; i < c->concrete_count; i++) {
        redis_call_arg(&work->call, c->concrete[i]->name);
        redis_call_arg(&work->call, stored_rule(c->concrete[i], ACTION_READ));
        redis_call_arg(&work->call, stored_rule_field(c->concrete[i], ACTION_READ));
    }
    return work_call(work, watch_answer);
}
