#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/operations.h"
#include "agents/sync/pushes/overtaken.h"
#include "agents/sync/reads/reading.h"
#include "agents/sync/refused.h"
#include "agents/sync/rights.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/stored.h"

/* ---- getAccessor (spec 3.4): what the session's user may do with an object ---- */

/* As the script writes them. */
static const enum action actions[] = {ACTION_READ, ACTION_CREATE, ACTION_UPDATE, ACTION_REMOVE};

static void add_accessor(struct text *out, const char *rights)
{
    /* The members in the order of the spec, and the script's digit of each. */
    static const struct {
        const char *name;
        size_t digit;
    } members[] = {{"canCreate", 1}, {"canDelete", 3}, {"canRead", 0}, {"canUpdate", 2}};

    text_add(out, "{\"cn\":\"com.percero.framework.accessor.Accessor\",\"ID\":\"null\"");
    for (size_t i = 0; i < ARRAY_SIZE(members); i++)
        text_addf(out, ",\"%s\":%s", members[i].name,
                  rights[members[i].digit] == '1' ? "true" : "false");
    text_add_char(out, '}');
}

static enum work_step accessor_answer(struct work *work)
{
    const struct redis_reply *r = work->call.reply, *fields = redis_item(r, 4);
    const char *rights = redis_str(redis_item(r, 2)), *ref = redis_str(redis_item(r, 3));
    _cleanup_(text_deinitp) struct text body = {0};
    enum work_step step;

    if (refused(work, "the object could not be read", &step))
        return step;
    if (strlen(rights) != ARRAY_SIZE(actions))
        return work_error(work, CODE_INTERNAL, "the object could not be read");
    work_response_begin(work, &body, NULL);
    text_add(&body, ",\"resultObject\":");
    if (fields)
        stored_add_object(&body, stored_ref(work->agent->model, ref), fields);
    else
        text_add(&body, "null");
    text_add(&body, ",\"accessor\":");
    add_accessor(&body, rights);
    response_end(&body);
    if (!fields)
        return work_reply(work, &body, NULL);
    return overtaken_reply(work, &body, ref, stored_version(fields), redis_str(redis_item(r, 1)));
}

static void add_rules(struct redis_call *call, const struct model_class *c)
{
    redis_call_arg(call, c->name);
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
        rights_add_rule(call, c, actions[i]);
}

enum work_step plan_get_accessor(struct work *work)
{
    const struct request *rq = &work->request;
    struct json_span returns = json_member(rq->body, "returnObject", NULL);
    const enum json_kind kind = json_kind(returns);
    _cleanup_(freep) char *id = NULL;
    const struct model_class *c;
    enum work_step step;

    if (!reading_asked(work, &c, &id, &step))
        return step;
    if (kind != JSON_ABSENT && kind != JSON_NULL && kind != JSON_BOOLEAN)
        return work_error(work, CODE_MALFORMED, "returnObject: expected a boolean, or null");
    redis_call_begin(&work->call, &script_accessor);
    redis_call_arg(&work->call, rq->client);
    redis_call_arg_i64(&work->call, rq->accepted_ms);
    redis_call_arg(&work->call, id);
    redis_call_arg(&work->call, json_is_true(returns) ? "1" : "0");
    redis_call_arg(&work->call, c->abstract ? "nobody" : c->rules[ACTION_CREATE].text);
    redis_call_arg_i64(&work->call, (int64_t)(c->concrete_count * (1 + ARRAY_SIZE(actions))));
    for (size_t i = 0; i < c->concrete_count; i++)
        add_rules(&work->call, c->concrete[i]);
    rights_add_restricted_of(&work->call, c);
    return work_call(work, accessor_answer);
}
