#include "agents/sync/content/enter.h"

#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/runtime/children.h"
#include "agents/runtime/lineage.h"
#include "agents/runtime/listings.h"
#include "agents/runtime/touches.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/writes/complete.h"
#include "agents/sync/writes/maker.h"
#include "agents/sync/writes/write_object.h"
#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/secret.h"
#include "common/model/model_content.h"
#include "common/protocol/content.h"

/* ---- What the script needs of each entry point, by its kind ---- */

/* Who enters, and the call that is being built. */
struct entering {
    struct redis_call *call;
    const struct agent *agent;
    const char *user, *pair; /* the user's id, and the pair of what stands for the user */
    int64_t now_ms;
};

/* An object, "" asks for an id, that is to be made if it is missing. */
static void add_object(const struct entering *e, struct model_object *object, const char *id)
{
    complete_add_defaults(object);
    maker_add(object, e->pair, e->now_ms);
    lineage_add_args(e->call, object->class_, e->agent->proc.settings.sync_history_kept);
    redis_call_arg(e->call, id);
    write_add_new(e->call, object);
}

static void add_self(const struct entering *e, const struct model_entry *entry)
{
    (void)entry;
    redis_call_arg(e->call, "self");
}

static void add_field(const struct entering *e, const struct model_entry *entry)
{
    redis_call_arg(e->call, "field");
    redis_call_arg(e->call, entry->field->column);
}

/* Whoever knows the user's own object then knows this one. */
static void add_user_id(struct text *out, const struct entering *e)
{
    const size_t size = out->size;

    if (!*e->pair || json_decode(json_member(json_span_of(e->pair), "ID", NULL), out))
        text_cut(out, size);
}

static void add_own(const struct entering *e, const struct model_entry *entry)
{
    const struct model_class *anchor = model_anchor(e->agent->model);
    struct model_object object;
    _cleanup_(text_deinitp) struct text id = {0};

    if (entry->class_->id == ID_STRING)
        secret_add_uuid(&id);
    else if (anchor && anchor->id == ID_INTEGER)
        add_user_id(&id, e);
    model_object_init(&object, entry->class_);
    redis_call_arg(e->call, "own");
    add_object(e, &object, text_str(&id));
    model_object_deinit(&object);
}

/* One for each user, however often they enter. */
static void add_join(const struct entering *e, const struct model_entry *entry)
{
    _cleanup_(text_deinitp) struct text seed = {0}, id = {0}, here = {0};
    struct model_object object;

    text_addf(&seed, "%s\n%s\n%s\n%s", entry->join->name, entry->class_->name, entry->id, e->user);
    secret_add_derived_uuid(&id, seed.at, seed.size);
    model_add_pair(&here, entry->class_->name, entry->id);
    model_object_init(&object, entry->join);
    model_object_set(&object, entry->here, here.at);
    model_object_set(&object, entry->person, e->pair);
    add_object(e, &object, id.at);
    model_object_deinit(&object);
}

/* The model's text was checked when it was loaded; what could not be read would be made empty. */
static void read_fixed(const struct entering *e, const struct model_entry *entry,
                       struct model_object *out)
{
    _cleanup_(text_deinitp) struct text problem = {0};

    if (!entry->object ||
        model_read_exported(e->agent->model, json_span_of(entry->object), out, &problem))
        model_object_init(out, entry->class_);
}

static void add_fixed(const struct entering *e, const struct model_entry *entry)
{
    const bool joins = entry->join && *e->pair;
    struct model_object object;

    read_fixed(e, entry, &object);
    redis_call_arg(e->call, "fixed");
    add_object(e, &object, entry->id);
    redis_call_arg(e->call, entry->object ? "1" : "0");
    redis_call_arg(e->call, joins ? "1" : "0");
    if (joins)
        add_join(e, entry);
    model_object_deinit(&object);
}

typedef void add_fn(const struct entering *e, const struct model_entry *entry);

static add_fn *const add_by_kind[] = {
    [ENTRY_SELF] = add_self,
    [ENTRY_FIELD] = add_field,
    [ENTRY_OWN] = add_own,
    [ENTRY_FIXED] = add_fixed,
};

/* ---- The answer ---- */

static void add_entry(struct text *out, const struct work *work, const char *name, size_t i)
{
    const struct redis_reply *found = redis_item(work->call.reply, 0);
    const char *class_name = redis_str(redis_item(found, 2 * i));
    const struct model_class *c = model_class(work->agent->model, class_name, strlen(class_name));

    if (!c || !c->type)
        return;
    text_add_char(out, ',');
    text_add_json_str(out, name);
    text_add_char(out, ':');
    model_add_key(out, c, redis_str(redis_item(found, 2 * i + 1)));
}

/* The token; the gateway, which knows it, puts it in where all that has been said is its hash. */
static void add_session(struct text *out, struct json_span token)
{
    if (secret_is_token_hash(token.at + 1, token.size - 2))
        text_add(out, "null");
    else
        text_add_bytes(out, token.at, token.size);
}

static enum work_step answer(struct work *work)
{
    const struct request *rq = &work->request;
    _cleanup_(text_deinitp) struct text data = {0}, body = {0};
    const struct model_entry *entries;
    size_t count;

    entries = model_entries(work->agent->model, &count);
    text_add(&data, "{\"session\":");
    add_session(&data, json_member(rq->body, "token", NULL));
    for (size_t i = 0; i < count; i++)
        if (!entries[i].unnamed)
            add_entry(&data, work, entries[i].name, i);
    text_addf(&data, ",\"config\":%s}", model_client_config(work->agent->model));
    content_add_result(&body, rq->message_id, content_cls(rq->operation), 200, data.at);
    return work_reply_with(work, &body, &(struct msg){.user = rq->user}, NULL);
}

static enum work_step found(struct work *work)
{
    const struct redis_reply *r = work->call.reply;

    if (redis_is_error(r))
        return work_error(work, CODE_INTERNAL, "the entry points could not be found");
    fault_point("after-entry-points");
    jobs_start(work, redis_item(r, 1), redis_item(r, 2));
    return answer(work);
}

enum work_step enter(struct work *work, const char *pair)
{
    const struct settings *settings = &work->agent->proc.settings;
    struct redis_call call = {0};
    const struct entering e = {.call = &call,
                               .agent = work->agent,
                               .user = work->request.user,
                               .pair = pair,
                               .now_ms = clock_wall_ms()};
    const struct model_entry *entries;
    size_t count;

    entries = model_entries(work->agent->model, &count);
    redis_call_begin(&call, &script_entry_points);
    listings_add_all(&call, work->agent->model, settings);
    children_add_args(&call, work->agent->children, NULL);
    touches_add_args(&call, work->agent->model);
    redis_call_arg(&call, e.user);
    redis_call_arg_i64(&call, e.now_ms);
    redis_call_arg_i64(&call, e.now_ms + settings->sync_job_lease_ms);
    for (size_t i = 0; i < count; i++)
        add_by_kind[entries[i].kind](&e, &entries[i]);
    redis_call_deinit(&work->call);
    work->call = call;
    return work_call(work, found);
}
