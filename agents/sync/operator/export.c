#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/operations.h"
#include "agents/sync/refused.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/stored.h"

/*
 * exportObjects, for activestack-ctl export: the objects of the classes `classNames` and of their
 * descendants (absent: of all), class by class in the order of the model, page by page. `next` of
 * an answer is given back as `next` of the following request; null at the end.
 *
 * An object is as clients see it, without what is derived from others, and with "@version",
 * "@created" and, where it belongs to a user, "@user".
 */

#define PAGE_OBJECTS 250    /* so that no step holds Redis for long */
#define PAGE_BYTES   262144 /* beyond these a page takes no further object */

static struct json_span names_of(const struct work *work)
{
    return json_member(work->request.body, "classNames", NULL);
}

static const struct model_class *class_named(const struct work *work, struct json_span name)
{
    _cleanup_(text_deinitp) struct text decoded = {0};

    if (json_decode(name, &decoded))
        return NULL;
    return model_class(work->agent->model, text_str(&decoded), decoded.size);
}

static bool is_asked_for(const struct work *work, const struct model_class *c)
{
    struct json_walk names = json_walk(names_of(work));

    if (c->abstract)
        return false;
    while (json_next(&names)) {
        if (model_is_a(c, class_named(work, names.value)))
            return true;
    }
    return json_kind(names_of(work)) == JSON_ABSENT;
}

/* The first of the classes that are asked for, behind `last` unless that is NULL; NULL: none. */
static const struct model_class *class_behind(const struct work *work,
                                              const struct model_class *last)
{
    const struct model *model = work->agent->model;

    for (size_t i = 0; i < model_class_count(model); i++) {
        const struct model_class *c = model_class_at(model, i);

        if (!last && is_asked_for(work, c))
            return c;
        if (c == last)
            last = NULL;
    }
    return NULL;
}

/* The class of which this request asks for a page; NULL: of none. */
static const struct model_class *class_of_page(const struct work *work)
{
    struct json_span next = json_member(work->request.body, "next", NULL);

    if (json_kind(next) == JSON_OBJECT)
        return class_named(work, json_member(next, "className", NULL));
    return class_behind(work, NULL);
}

static void add_next(struct text *out, const struct model_class *c, const char *after)
{
    text_add(out, ",\"next\":");
    if (c) {
        text_add(out, "{\"className\":");
        text_add_json_str(out, c->name);
        text_add(out, ",\"after\":");
        text_add_json_str(out, after);
        text_add_char(out, '}');
    } else {
        text_add(out, "null");
    }
}

static enum work_step answer(struct work *work)
{
    const struct model_class *c = class_of_page(work);
    const struct redis_reply *found = redis_item(work->call.reply, 0);
    const char *after = redis_str(redis_item(work->call.reply, 1));
    _cleanup_(text_deinitp) struct text body = {0};
    enum work_step step;

    if (refused(work, "the objects could not be read", &step))
        return step;
    work_response_begin(work, &body, NULL);
    text_add(&body, ",\"objects\":[");
    for (size_t i = 0; i + 1 < redis_count(found); i += 2) {
        if (i)
            text_add_char(&body, ',');
        stored_add_exported(&body, (struct stored_ref){c, redis_str(redis_item(found, i))},
                            redis_item(found, i + 1));
    }
    text_add_char(&body, ']');
    add_next(&body, *after ? c : class_behind(work, c), after);
    response_end(&body);
    return work_reply(work, &body, NULL);
}

static enum work_step read_page(struct work *work, const struct model_class *c,
                                const struct text *after)
{
    redis_call_begin(&work->call, &script_export);
    redis_call_arg(&work->call, c->name);
    redis_call_arg(&work->call, c->id == ID_INTEGER ? "1" : "0");
    redis_call_arg(&work->call, text_str(after));
    redis_call_arg_i64(&work->call, PAGE_OBJECTS);
    redis_call_arg_i64(&work->call, PAGE_BYTES);
    return work_call(work, answer);
}

/* Are all names those of classes? If not, *step is the answer. */
static bool check_names(struct work *work, enum work_step *step)
{
    _cleanup_(text_deinitp) struct text problem = {0};
    struct json_walk names = json_walk(names_of(work));

    if (json_kind(names_of(work)) != JSON_ABSENT && json_kind(names_of(work)) != JSON_ARRAY) {
        *step = work_error(work, CODE_MALFORMED, "classNames: expected an array of strings");
        return false;
    }
    while (json_next(&names)) {
        if (class_named(work, names.value))
            continue;
        text_add(&problem, "classNames: the model has no class ");
        text_add_bytes(&problem, names.value.at, names.value.size);
        *step = work_error(work, CODE_MISSING_CLASS, problem.at);
        return false;
    }
    return true;
}

enum work_step plan_export_objects(struct work *work)
{
    _cleanup_(text_deinitp) struct text after = {0};
    struct json_span next = json_member(work->request.body, "next", NULL);
    const struct model_class *c;
    enum work_step step;

    if (!check_names(work, &step))
        return step;
    c = class_of_page(work);
    if (!c)
        return work_error(work, CODE_MISSING_CLASS, "none of these classes can have objects");
    if (json_kind(next) == JSON_OBJECT && json_decode(json_member(next, "after", NULL), &after))
        return work_error(work, CODE_MALFORMED, "next: expected that of an answer");
    return read_page(work, c, &after);
}
