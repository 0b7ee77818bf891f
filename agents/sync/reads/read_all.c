#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/jobs/jobs.h"
#include "agents/sync/operations.h"
#include "agents/sync/reads/reading.h"
#include "agents/sync/rights.h"
#include "agents/sync/store/scripts.h"

/*
 * getAllByName, countAllByName (spec 3.4): the objects of a class and its descendants, in the order
 * of their ids. A page holds only what may be read, and totals count only that; so where a rule
 * leaves some out, everything before the page is looked at, and for a total everything behind it.
 */

#define NAME_MAX_BYTES 512

/* A walk through one class. */
struct all {
    struct reading reading; /* first: see reading.h */
    const struct model_class *class_;
    bool is_open; /* this session may read every object of the class */
    bool watches;
    bool wants_total;
    int64_t rank;     /* of the first object to look at */
    struct text last; /* what was looked at last; empty: nothing yet */
    int64_t pass;     /* readable ones to pass over before the page */
    int64_t wanted;   /* still to be returned */
    int64_t total;    /* readable, as far as we know */
    bool done;
    /* getAllByName */
    struct json_span page_size, page_number; /* to be echoed */
    /* countAllByName */
    struct json_walk names; /* classes that were not counted yet */
    struct text counts;
};

static void all_destroy(void *state)
{
    struct all *all = state;

    reading_deinit(&all->reading);
    text_deinit(&all->last);
    text_deinit(&all->counts);
    free(all);
}

static struct all *all_create(struct work *work)
{
    struct all *all = calloc(1, sizeof(*all));

    if (!all)
        err_out_of_memory();
    work->state = all;
    work->state_destroy = all_destroy;
    return all;
}

/* Can everybody who signed in read every object of the class? */
static bool is_open(const struct model_class *c)
{
    for (size_t i = 0; i < c->concrete_count; i++) {
        if (c->concrete[i]->rules[ACTION_READ].restricts)
            return false;
    }
    return true;
}

/* And those who have not? */
static bool is_for_everyone(const struct model_class *c)
{
    for (size_t i = 0; i < c->concrete_count; i++) {
        if (!model_rule_has(&c->concrete[i]->rules[ACTION_READ], RULE_EVERYONE))
            return false;
    }
    return true;
}

static enum work_step look_on(struct work *work, work_fn *answer)
{
    const struct all *all = work->state;
    int64_t most = READING_PER_CALL;

    if (all->is_open && all->wanted < most)
        most = all->wanted;
    redis_call_begin(&work->call, &script_read_all);
    redis_call_arg(&work->call, work->request.client);
    redis_call_arg_i64(&work->call, work->request.accepted_ms);
    redis_call_arg(&work->call, all->class_->name);
    redis_call_arg(&work->call, all->watches ? "1" : "0");
    redis_call_arg(&work->call, all->is_open && !is_for_everyone(all->class_) ? "1" : "0");
    redis_call_arg(&work->call, all->class_->id == ID_INTEGER ? "1" : "0");
    redis_call_arg_bytes(&work->call, text_str(&all->last), all->last.size);
    redis_call_arg_i64(&work->call, all->rank);
    redis_call_arg_i64(&work->call, most);
    redis_call_arg_i64(&work->call, all->pass);
    redis_call_arg_i64(&work->call, all->wanted);
    rights_add_restricted(&work->call, work->agent->model);
    return work_call(work, answer);
}

/* An anonymous user, who may not read what is for all who sign in: it looks at each object. */
static bool is_shut_out(const struct work *work, struct all *all)
{
    if (strcmp(redis_str(redis_item(work->call.reply, 0)), "anonymous") != 0)
        return false;
    all->is_open = false;
    all->pass = all->rank;
    all->rank = 0;
    return true;
}

/* Takes what a step has found, and says whether it was the last. */
static bool take_step(struct work *work, struct all *all, enum work_step *step)
{
    const struct redis_reply *r = work->call.reply;
    int64_t found = (int64_t)redis_count(redis_item(r, 2)) / 2;
    int64_t listed = redis_i64(redis_item(r, 3)), readable = redis_i64(redis_item(r, 4));

    if (is_shut_out(work, all))
        return true;
    if (!reading_take(work, &all->reading, step))
        return false;
    all->watches = false;
    text_clear(&all->last);
    text_add(&all->last, redis_str(redis_item(r, 5)));
    all->wanted -= found;
    all->pass -= readable < all->pass ? readable : all->pass;
    all->total += readable;
    all->done = !all->last.size;
    if (all->is_open) {
        all->total = listed;
        all->done = all->done || !all->wanted;
    } else if (!all->wanted && !all->wants_total) {
        all->done = true;
    }
    return true;
}

/* ---- getAllByName ---- */

static enum work_step get_all_step(struct work *work)
{
    struct all *all = work->state;
    _cleanup_(text_deinitp) struct text body = {0};
    enum work_step step;

    if (!take_step(work, all, &step))
        return step;
    if (!all->done)
        return look_on(work, get_all_step);
    work_response_begin(work, &body, NULL);
    text_addf(&body, ",\"result\":[%s],\"pageSize\":", text_str(&all->reading.objects));
    text_add_bytes(&body, all->page_size.at, all->page_size.size);
    text_add(&body, ",\"pageNumber\":");
    text_add_bytes(&body, all->page_number.at, all->page_number.size);
    text_addf(&body, ",\"totalCount\":%" PRId64, all->wants_total ? all->total : 0);
    response_end(&body);
    return reading_reply(work, &body);
}

/* An integer member, or null as given. */
static bool read_number(struct work *work, const char *name, struct json_span *text, int64_t *out,
                        enum work_step *step)
{
    _cleanup_(text_deinitp) struct text problem = {0};

    *out = -1;
    *text = json_member(work->request.body, name, NULL);
    if (json_kind(*text) == JSON_ABSENT)
        *text = json_span_of("null");
    if (json_kind(*text) == JSON_NULL || !json_int64(*text, out))
        return true;
    text_addf(&problem, "%s: expected an integer or null", name);
    *step = work_error(work, CODE_MALFORMED, problem.at);
    return false;
}

/* Without a size, or without a number, everything is asked for. A page that no number can reach is
 * past the end. */
static bool read_page(struct work *work, struct all *all, enum work_step *step)
{
    int64_t size, number, first;

    if (!read_number(work, "pageSize", &all->page_size, &size, step) ||
        !read_number(work, "pageNumber", &all->page_number, &number, step))
        return false;
    if (json_kind(all->page_number) == JSON_NUMBER && number < 0) {
        *step = work_error(work, CODE_MALFORMED, "pageNumber: expected 0 or more");
        return false;
    }
    if (size <= 0 || number < 0) {
        all->wanted = INT32_MAX;
        return true;
    }
    if (__builtin_mul_overflow(size, number, &first) || first > INT32_MAX)
        first = INT32_MAX;
    all->wanted = size < INT32_MAX ? size : INT32_MAX;
    *(all->is_open ? &all->rank : &all->pass) = first;
    return true;
}

static bool read_total(struct work *work, struct all *all, enum work_step *step)
{
    struct json_span given = json_member(work->request.body, "returnTotal", NULL);
    const enum json_kind kind = json_kind(given);

    all->wants_total = json_is_true(given);
    if (kind == JSON_BOOLEAN || kind == JSON_NULL || kind == JSON_ABSENT)
        return true;
    *step = work_error(work, CODE_MALFORMED, "returnTotal: expected a boolean, or null");
    return false;
}

enum work_step plan_get_all_by_name(struct work *work)
{
    _cleanup_(text_deinitp) struct text problem = {0};
    _cleanup_(freep) char *name = NULL;
    struct all *all = all_create(work);
    enum work_step step;

    if (request_string(&work->request, "theClassName", NAME_MAX_BYTES, &name, &problem))
        return work_error(work, CODE_MALFORMED, text_str(&problem));
    all->class_ = model_class(work->agent->model, name, strlen(name));
    if (!all->class_)
        return work_error(work, CODE_MISSING_CLASS, "theClassName: the model has no such class");
    all->is_open = is_open(all->class_);
    all->watches = true;
    if (!read_total(work, all, &step) || !read_page(work, all, &step))
        return step;
    return look_on(work, get_all_step);
}

/* ---- countAllByName: an array with an object of one member for each class ---- */

static enum work_step count_step(struct work *work);

static enum work_step count_next(struct work *work)
{
    struct all *all = work->state;
    _cleanup_(text_deinitp) struct text body = {0}, name = {0};

    if (!json_next(&all->names)) {
        work_response_begin(work, &body, NULL);
        text_addf(&body, ",\"result\":[%s]", text_str(&all->counts));
        response_end(&body);
        return work_reply(work, &body, NULL);
    }
    if (json_decode(all->names.value, &name))
        return work_error(work, CODE_MALFORMED, "classNames: expected strings");
    all->class_ = model_class(work->agent->model, text_str(&name), name.size);
    if (!all->class_)
        return work_error(work, CODE_MISSING_CLASS, "classNames: the model has no such class");
    text_clear(&all->last);
    all->is_open = is_open(all->class_);
    all->total = 0;
    return look_on(work, count_step);
}

static enum work_step count_step(struct work *work)
{
    struct all *all = work->state;
    enum work_step step;

    if (!take_step(work, all, &step))
        return step;
    if (!all->done)
        return look_on(work, count_step);
    text_addf(&all->counts, "%s{\"%s\":%" PRId64 "}", all->counts.size ? "," : "",
              all->class_->name, all->total);
    return count_next(work);
}

enum work_step plan_count_all_by_name(struct work *work)
{
    struct json_span names = json_member(work->request.body, "classNames", NULL);
    struct all *all = all_create(work);

    if (json_kind(names) != JSON_ARRAY)
        return work_error(work, CODE_MALFORMED, "classNames: expected an array of strings");
    all->names = json_walk(names);
    all->wants_total = true;
    return count_next(work);
}
