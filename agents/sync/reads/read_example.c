#include <stdlib.h>

#include "agents/runtime/agent.h"
#include "agents/sync/operations.h"
#include "agents/sync/reads/reading.h"
#include "agents/sync/reads/search.h"
#include "agents/sync/writes/own_class.h"

/*
 * findByExample, searchByExample, findUnique (spec 3.4): the objects of a class and its descendants
 * that have all values which the example gives, in the order of their ids. The ID of an example is
 * no value: who asks by it too gets that object when nothing else was found.
 */

#define FOUND_PER_CALL 100 /* each costs Redis more than one that is only looked at */

struct read_example {
    struct reading reading; /* first: see reading.h */
    struct search search;
    bool only_one; /* the first that is found is the answer */
    bool asks_by_id;
};

static void read_example_destroy(void *state)
{
    struct read_example *read = state;

    reading_deinit(&read->reading);
    search_deinit(&read->search);
    free(read);
}

/* ---- The walk ---- */

static enum work_step reply(struct work *work, struct read_example *read)
{
    const char *objects = text_str(&read->reading.objects);
    _cleanup_(text_deinitp) struct text body = {0};

    work_response_begin(work, &body, NULL);
    if (read->only_one)
        text_addf(&body, ",\"result\":%s", read->reading.count ? objects : "null");
    else
        text_addf(&body, ",\"result\":[%s]", objects);
    response_end(&body);
    return reading_reply(work, &body);
}

static enum work_step found_by_id(struct work *work)
{
    enum work_step step;

    return reading_take(work, work->state, &step) ? reply(work, work->state) : step;
}

static enum work_step walk_answer(struct work *work);

static enum work_step walk_on(struct work *work)
{
    const struct read_example *read = work->state;

    search_call(work, &read->search, read->only_one ? 1 : FOUND_PER_CALL);
    return work_call(work, walk_answer);
}

static enum work_step walk_answer(struct work *work)
{
    struct read_example *read = work->state;
    const struct model_object *example = &read->search.example;
    enum work_step step;

    if (!search_take(work, &read->search, &step) || !reading_take(work, &read->reading, &step))
        return step;
    if (!read->search.is_over && !(read->only_one && read->reading.count))
        return walk_on(work);
    if (read->reading.count || !read->asks_by_id || !example->id)
        return reply(work, read);
    reading_begin_ids(work, example->class_, 1);
    redis_call_arg(&work->call, example->id);
    return work_call(work, found_by_id);
}

/* ---- Requests ---- */

static bool take_example(struct work *work, struct model_object *example, enum work_step *step)
{
    struct json_span object = json_member(work->request.body, "theObject", NULL);
    _cleanup_(text_deinitp) struct text problem = {0};
    enum err e = model_read_example(work->agent->model, object, example, &problem);

    if (e)
        *step = work_error(work, e == ERR_NOT_FOUND ? CODE_MISSING_CLASS : CODE_MALFORMED,
                           text_str(&problem));
    return !e;
}

static enum work_step begin(struct work *work, struct read_example *read)
{
    search_begin(&read->search);
    return walk_on(work);
}

static enum work_step looked_up(struct work *work)
{
    struct read_example *read = work->state;
    struct model_object *example = &read->search.example;
    enum work_step step;

    return own_class_take_object(work, example, false, &step) ? begin(work, read) : step;
}

static enum work_step plan(struct work *work, bool asks_by_id, bool only_one)
{
    struct read_example *read = calloc(1, sizeof(*read));
    struct model_object *example = &read->search.example;
    enum work_step step;

    if (!read)
        err_out_of_memory();
    work->state = read;
    work->state_destroy = read_example_destroy;
    read->asks_by_id = asks_by_id;
    read->only_one = only_one;
    read->search.watches = read->search.takes_all = true;
    read->search.rule = "everyone";
    if (!take_example(work, example, &step))
        return step;
    return own_class_ask_object(work, example, false) ? work_call(work, looked_up)
                                                      : begin(work, read);
}

enum work_step plan_find_by_example(struct work *work)
{
    return plan(work, true, false);
}

enum work_step plan_search_by_example(struct work *work)
{
    return plan(work, false, false);
}

/* Of several that match, the first by ID. */
enum work_step plan_find_unique(struct work *work)
{
    return plan(work, true, true);
}
