#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/runtime/indexes.h"
#include "agents/sync/operations.h"
#include "agents/sync/reads/reading.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/writes/own_class.h"

/*
 * findByExample, searchByExample, findUnique (spec 3.4): the objects of a class and its descendants
 * that have all values which the example gives, in the order of their ids. The ID of an example is
 * no value: who asks by it too gets that object when nothing else was found.
 */

#define FOUND_PER_CALL 100 /* each costs Redis more than one that is only looked at */

struct search {
    struct reading reading; /* first: see reading.h */
    struct model_object example;
    const struct model_index *index;   /* that is walked; NULL: all objects of the class are */
    const struct model_index *unbuilt; /* that would be walked if it could be used; or NULL */
    bool only_one;                     /* the first that is found is the answer */
    bool asks_by_id;
    struct text last; /* what the walk goes on behind; empty: it has not begun */
};

static void search_destroy(void *state)
{
    struct search *search = state;

    reading_deinit(&search->reading);
    model_object_deinit(&search->example);
    text_deinit(&search->last);
    free(search);
}

/* ---- Which index? ---- */

static const struct model_value *given(const struct model_object *example, const char *field)
{
    for (size_t i = 0; i < example->count; i++) {
        if (!strcmp(example->values[i].field->name, field))
            return &example->values[i];
    }
    return NULL;
}

static bool fits(const struct model_index *index, const struct model_object *example)
{
    for (size_t i = 0; i < index->field_count; i++) {
        if (!given(example, index->fields[i]))
            return false;
    }
    return true;
}

/* The more fields the better; indexes of as many fields are in the order of the class. */
static bool is_better(const struct model_index *a, const struct model_index *b)
{
    return a->field_count != b->field_count ? a->field_count > b->field_count : a < b;
}

/* The best one whose fields are all given, `than` being out of the question, and what is better
 * (NULL: nothing is); NULL: none fits. */
static const struct model_index *choose_index(const struct model_object *example,
                                              const struct model_index *than)
{
    const struct model_class *c = example->class_;
    const struct model_index *best = NULL;

    for (size_t i = 0; i < c->index_count; i++) {
        const struct model_index *index = &c->indexes[i];

        if (fits(index, example) && (!than || is_better(than, index)) &&
            (!best || is_better(index, best)))
            best = index;
    }
    return best;
}

/* How many objects the walk may go through: as many as there are when all of them are answers. */
static int64_t most_to_walk(const struct work *work, const struct search *search)
{
    if (search->index && search->index->field_count == search->example.count)
        return -1;
    return work->agent->proc.settings.sync_max_scan;
}

static enum work_step too_expensive(struct work *work, const struct search *search)
{
    const struct model_object *example = &search->example;
    _cleanup_(text_deinitp) struct text desc = {0};
    size_t count = 0;

    text_addf(&desc, "needs an index on %s(", example->class_->name);
    for (size_t i = 0; i < example->count; i++) {
        if (model_can_index(example->values[i].field))
            text_addf(&desc, "%s%s", count++ ? "," : "", example->values[i].field->name);
    }
    text_add_char(&desc, ')');
    if (!count) {
        text_clear(&desc);
        text_addf(&desc, "%s has more than %" PRId64 " objects, so give a field that has an index",
                  example->class_->name, work->agent->proc.settings.sync_max_scan);
    }
    if (search->unbuilt)
        text_addf(&desc, "; that on %s is not built yet", search->unbuilt->name);
    return work_error(work, CODE_TOO_EXPENSIVE, desc.at);
}

/* ---- The walk ---- */

static enum work_step reply(struct work *work, struct search *search)
{
    const char *objects = text_str(&search->reading.objects);
    _cleanup_(text_deinitp) struct text body = {0};

    work_response_begin(work, &body, NULL);
    if (search->only_one)
        text_addf(&body, ",\"result\":%s", search->reading.count ? objects : "null");
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
    const struct search *search = work->state;
    const struct model_object *example = &search->example;
    struct redis_call *call = &work->call;

    reading_begin(work, &script_read_example, example->class_);
    redis_call_arg(call, example->class_->name);
    indexes_add_args(call, search->index, search->index ? 1 : 0);
    redis_call_arg_i64(call, most_to_walk(work, search));
    redis_call_arg(call, example->class_->id == ID_INTEGER ? "1" : "0");
    redis_call_arg_bytes(call, text_str(&search->last), search->last.size);
    redis_call_arg_i64(call, READING_PER_CALL);
    redis_call_arg_i64(call, search->only_one ? 1 : FOUND_PER_CALL);
    redis_call_arg_i64(call, (int64_t)example->count * 2);
    for (size_t i = 0; i < example->count; i++) {
        redis_call_arg(call, example->values[i].field->column);
        redis_call_arg_bytes(call, example->values[i].text, example->values[i].size);
    }
    return work_call(work, walk_answer);
}

static enum work_step walk_answer(struct work *work)
{
    const struct redis_reply *r = work->call.reply, *last = redis_item(r, 3);
    struct search *search = work->state;
    enum work_step step;

    if (redis_str(redis_item(r, 0))[0] == 'e')
        return too_expensive(work, search);
    if (redis_str(redis_item(r, 0))[0] == 'u') {
        search->unbuilt = search->index;
        search->index = choose_index(&search->example, search->unbuilt);
        return walk_on(work);
    }
    if (!reading_take(work, &search->reading, &step))
        return step;
    if (redis_size(last) && !(search->only_one && search->reading.count)) {
        text_clear(&search->last);
        text_add_bytes(&search->last, redis_str(last), redis_size(last));
        return walk_on(work);
    }
    if (search->reading.count || !search->asks_by_id || !search->example.id)
        return reply(work, search);
    reading_begin_ids(work, search->example.class_, 1);
    redis_call_arg(&work->call, search->example.id);
    return work_call(work, found_by_id);
}

/* ---- Requests ---- */

static bool read_example(struct work *work, struct model_object *example, enum work_step *step)
{
    struct json_span object = json_member(work->request.body, "theObject", NULL);
    _cleanup_(text_deinitp) struct text problem = {0};
    enum err e = model_read_example(work->agent->model, object, example, &problem);

    if (e)
        *step = work_error(work, e == ERR_NOT_FOUND ? CODE_MISSING_CLASS : CODE_MALFORMED,
                           text_str(&problem));
    return !e;
}

static enum work_step begin(struct work *work, struct search *search)
{
    search->index = choose_index(&search->example, NULL);
    return walk_on(work);
}

static enum work_step looked_up(struct work *work)
{
    struct search *search = work->state;
    enum work_step step;

    return own_class_take_object(work, &search->example, false, &step) ? begin(work, search) : step;
}

static enum work_step plan(struct work *work, bool asks_by_id, bool only_one)
{
    struct search *search = calloc(1, sizeof(*search));
    enum work_step step;

    if (!search)
        err_out_of_memory();
    work->state = search;
    work->state_destroy = search_destroy;
    search->asks_by_id = asks_by_id;
    search->only_one = only_one;
    if (!read_example(work, &search->example, &step))
        return step;
    return own_class_ask_object(work, &search->example, false) ? work_call(work, looked_up)
                                                               : begin(work, search);
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
