#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/runtime/lineage.h"
#include "agents/sync/content/content.h"
#include "agents/sync/operations.h"
#include "agents/sync/rights.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/writes/complete.h"
#include "agents/sync/writes/maker.h"
#include "agents/sync/writes/making.h"
#include "agents/sync/writes/write.h"
#include "agents/sync/writes/write_object.h"
#include "common/base/secret.h"
#include "common/model/model_content.h"

/*
 * add_child: makes a document, or takes one that is there, and links it to the children of another.
 * How depends on the relation that makes them children; store/add_child.lua does it in one step.
 */

struct adding {
    struct making making; /* the child; first: see making.h */
    struct content_key parent;
    bool bare;   /* nothing but the child's key is given */
    bool chosen; /* the client may choose its id */
};

static void adding_destroy(void *state)
{
    struct adding *adding = state;

    model_object_deinit(&adding->making.object);
    content_key_deinit(&adding->parent);
    free(adding);
}

/* ---- The last step: {"key": {...}} ---- */

static enum work_step committed(struct work *work)
{
    const struct adding *adding = work->state;
    _cleanup_(text_deinitp) struct text data = {0};
    enum work_step step;
    const char *outcome;

    if (write_ended(work, &outcome, &step))
        return step;
    if (!strcmp(outcome, "ok"))
        write_start_jobs(work);
    text_add(&data, "{\"key\":");
    model_add_key(&data, adding->making.object.class_, write_said(work, outcome));
    text_add_char(&data, '}');
    return work_content_result(work, 200, &data, write_replied);
}

/* ---- The commit ---- */

static const struct model_field *relation_of(const struct adding *adding)
{
    return adding->parent.class_->children->relation;
}

static const struct model_field *field_of(const struct model_class *c, const char *name)
{
    return model_field(c, name, strlen(name));
}

/* The relation, and who may set it. */
static void add_relation(struct redis_call *call, const struct model_field *field)
{
    redis_call_arg(call, field->column);
    redis_call_arg(call, field->name);
    redis_call_arg(call, field->update ? field->update->text : "");
}

static void add_list(struct work *work, const struct adding *adding)
{
    redis_call_arg(&work->call, "list");
    add_relation(&work->call, relation_of(adding));
    redis_call_arg_i64(&work->call, work->agent->proc.settings.sync_max_listed);
}

static void add_inverse(struct work *work, const struct adding *adding)
{
    const struct model_field *inverse =
        field_of(adding->making.object.class_, relation_of(adding)->inverse);

    redis_call_arg(&work->call, "inverse");
    add_relation(&work->call, inverse);
    redis_call_arg(&work->call, inverse->type == FIELD_LIST ? "1" : "0");
}

/* A join object that refers to the parent; to the child it does when that has its id. */
static void add_through(struct work *work, const struct adding *adding)
{
    const struct model_field *relation = relation_of(adding);
    const struct model_field *here = field_of(relation->through, relation->inverse);
    _cleanup_(text_deinitp) struct text pair = {0}, id = {0};
    struct model_object join;

    model_object_init(&join, relation->through);
    model_add_pair(&pair, adding->parent.class_->name, adding->parent.id);
    model_object_set(&join, here, pair.at);
    complete_add_defaults(&join);
    (void)maker_add(&join, "", work->request.accepted_ms);
    if (relation->through->id == ID_STRING)
        secret_add_uuid(&id);
    redis_call_arg(&work->call, "through");
    lineage_add_args(&work->call, relation->through, work->agent->proc.settings.sync_history_kept);
    redis_call_arg(&work->call, text_str(&id));
    write_add_new(&work->call, &join);
    redis_call_arg(&work->call, here->column);
    redis_call_arg(&work->call, field_of(relation->through, relation->onward)->column);
    model_object_deinit(&join);
}

static void add_id(struct work *work, const struct adding *adding)
{
    _cleanup_(text_deinitp) struct text item = {0};

    if (adding->parent.class_->id == ID_STRING)
        text_add_json_str(&item, adding->parent.id);
    else
        text_add(&item, adding->parent.id);
    redis_call_arg(&work->call, "id");
    redis_call_arg(&work->call, item.at);
}

typedef void add_way_fn(struct work *work, const struct adding *adding);

static add_way_fn *way_of(const struct model_field *relation)
{
    if (relation->type == FIELD_LIST)
        return add_list;
    if (relation->through)
        return add_through;
    return strcmp(relation->inverse, "ID") != 0 ? add_inverse : add_id;
}

static enum work_step commit(struct work *work)
{
    const struct adding *adding = work->state;
    const struct model_object *child = &adding->making.object;
    const char *missing = complete_missing(child);

    write_begin(work, &script_add_child, adding->parent.class_, adding->parent.id,
                ACTION_ADD_CHILD);
    rights_add_rule(&work->call, adding->parent.class_, ACTION_READ);
    lineage_add_args(&work->call, child->class_, work->agent->proc.settings.sync_history_kept);
    redis_call_arg(&work->call, child->id ? child->id : "");
    write_add_new(&work->call, child);
    rights_add_guards_new(&work->call, child, adding->making.given);
    rights_add_rule(&work->call, child->class_, ACTION_CREATE);
    rights_add_rule(&work->call, child->class_, ACTION_READ);
    rights_add_rule(&work->call, child->class_, ACTION_UPDATE);
    redis_call_arg(&work->call, adding->bare ? "1" : "0");
    redis_call_arg(&work->call, adding->chosen ? "1" : "0");
    redis_call_arg(&work->call, missing ? missing : "");
    redis_call_arg(&work->call, adding->making.added ? "0" : "1");
    way_of(relation_of(adding))(work, adding);
    return work_call(work, committed);
}

/* ---- The request ---- */

/* False, and *step says that the child breaks the model: why, and what. */
static bool unfit(struct work *work, enum work_step *step, const char *why, const char *what)
{
    _cleanup_(text_deinitp) struct text message = {0};

    text_add(&message, why);
    text_add(&message, what);
    *step = write_refuse(work, 0, message.at);
    return false;
}

/* The child's class and, if it is given, id. */
static bool read_child_key(struct work *work, struct json_span obj, const struct model_class **c,
                           char **id, enum work_step *step)
{
    _cleanup_(text_deinitp) struct text problem = {0}, path = {0};
    size_t count;
    const struct json_span key = json_member(obj, "key", &count);
    enum err e = ERR_MALFORMED;

    if (count > 1)
        text_add(&problem, ": stands there twice");
    else
        e = model_read_new_key(work->agent->model, key, c, id, &problem);
    if (!e)
        return true;
    text_addf(&path, "data.obj.key%s", text_str(&problem));
    if (e == ERR_NOT_FOUND)
        return unfit(work, step, path.at, "");
    *step = work_error(work, CODE_MALFORMED, path.at);
    return false;
}

static bool is_child_class(const struct model_class *parent, const struct model_class *c)
{
    const struct model_class *const *member = parent->children ? parent->children->members : NULL;

    while (member && *member && *member != c)
        member++;
    return member && *member;
}

/* All members but the key. */
static void add_fields(struct text *out, struct json_span obj)
{
    text_add_char(out, '{');
    for (struct json_walk w = json_walk(obj); json_next(&w);) {
        if (json_string_is(w.key, "key"))
            continue;
        if (out->size > 1)
            text_add_char(out, ',');
        text_add_bytes(out, w.key.at, w.key.size);
        text_add_char(out, ':');
        text_add_bytes(out, w.value.at, w.value.size);
    }
    text_add_char(out, '}');
}

static bool read_fields(struct work *work, struct json_span obj, const struct model_class *c,
                        enum work_step *step)
{
    struct adding *adding = work->state;
    _cleanup_(text_deinitp) struct text fields = {0}, problem = {0};

    add_fields(&fields, obj);
    if (model_read_content(work->agent->model, c, json_span_text(&fields), &adding->making.object,
                           &problem))
        return unfit(work, step, "data.obj", text_str(&problem));
    adding->bare = adding->making.object.count == 0;
    return true;
}

/* Does the child's to-one lead to another than its parent? */
static bool contradicts(const struct model_object *child, const struct model_field *inverse,
                        const char *pair)
{
    const struct model_value *given = model_object_value(child, inverse);

    return given && inverse->type == FIELD_TO_ONE && strcmp(given->text, "null") != 0 &&
           strcmp(given->text, pair) != 0;
}

/* A new child refers to its parent. */
static bool set_inverse(struct work *work, enum work_step *step)
{
    struct adding *adding = work->state;
    struct model_object *child = &adding->making.object;
    const struct model_field *inverse = field_of(child->class_, relation_of(adding)->inverse);
    _cleanup_(text_deinitp) struct text pair = {0};

    model_add_pair(&pair, adding->parent.class_->name, adding->parent.id);
    if (contradicts(child, inverse, pair.at))
        return unfit(work, step, "another document than the parent stands in data.obj.",
                     inverse->name);
    (void)complete_add_pair(child, inverse, pair.at);
    return true;
}

/* The id is the client's, that of what is there, or made: here, or by the script. */
static bool settle_id(struct work *work, enum work_step *step)
{
    struct adding *adding = work->state;
    const enum id_kind kind = adding->making.object.class_->id;
    const bool given = adding->making.object.id != NULL;
    add_way_fn *way = way_of(relation_of(adding));

    adding->making.may_exist = given;
    adding->chosen = kind == ID_STRING;
    if (!given && kind == ID_ARRAY && way != add_id)
        return unfit(work, step, "data.obj.key: such documents are made as children of others", "");
    if (!given && kind == ID_STRING)
        making_add_id(&adding->making.object, &work->request, "");
    return way != add_inverse || set_inverse(work, step);
}

static bool read_child(struct work *work, struct json_span data, enum work_step *step)
{
    struct adding *adding = work->state;
    const struct json_span obj = json_member(data, "obj", NULL);
    const size_t most = (size_t)work->agent->proc.settings.sync_max_object_bytes;
    _cleanup_(freep) char *id = NULL;
    const struct model_class *c;

    if (json_kind(obj) != JSON_OBJECT) {
        *step = content_expected(work, "data.obj", "an object", obj);
        return false;
    }
    if (obj.size > most) {
        *step = work_error(work, CODE_TOO_EXPENSIVE, "data.obj: larger than any document may be");
        return false;
    }
    if (!read_child_key(work, obj, &c, &id, step))
        return false;
    if (!is_child_class(adding->parent.class_, c))
        return unfit(work, step, "data.obj.key.type: no child of such a document is a ", c->type);
    if (!read_fields(work, obj, c, step))
        return false;
    adding->making.object.id = id;
    id = NULL;
    return settle_id(work, step);
}

enum work_step plan_add_child(struct work *work)
{
    struct adding *adding = calloc(1, sizeof(*adding));
    struct json_span data;
    enum work_step step;

    if (!adding)
        err_out_of_memory();
    adding->making.path = "data.obj";
    adding->making.commit = commit;
    work->state = adding;
    work->state_destroy = adding_destroy;
    if (!content_data(work, &data, &step) ||
        !content_read_key(work, data, &adding->parent, &step) || !read_child(work, data, &step))
        return step;
    return making_begin(work);
}
