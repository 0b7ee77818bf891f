#include "agents/sync/reads/search.h"

#include <inttypes.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/runtime/indexes.h"
#include "agents/sync/reads/reading.h"
#include "agents/sync/refused.h"
#include "agents/sync/store/scripts.h"

void search_deinit(struct search *search)
{
    model_object_deinit(&search->example);
    text_deinit(&search->last);
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

/* By how long an index is, and how long it takes, it would tell of hidden values. */
static bool fits(const struct model_index *index, const struct model_object *example)
{
    for (size_t i = 0; i < index->field_count; i++) {
        const struct model_value *value = given(example, index->fields[i]);

        if (!value || model_hides(value->field))
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

void search_begin(struct search *search)
{
    search->index = choose_index(&search->example, NULL);
    text_clear(&search->last);
}

/* How many objects the walk may go through: as many as there are when all of them are answers. */
static int64_t most_to_walk(const struct work *work, const struct search *search)
{
    if (search->takes_all && search->index && search->index->field_count == search->example.count)
        return -1;
    return work->agent->proc.settings.sync_max_scan;
}

/* Fields by which the objects would be found if they had an index; their number. */
static size_t add_fields(const struct model_object *example, struct text *out)
{
    size_t count = 0;

    for (size_t i = 0; i < example->count; i++) {
        const struct model_field *field = example->values[i].field;

        if (model_can_index(field) && !model_hides(field))
            text_addf(out, "%s%s", count++ ? "," : "", example->values[i].field->name);
    }
    return count;
}

static enum work_step too_expensive(struct work *work, const struct search *search)
{
    const struct model_object *example = &search->example;
    const int64_t most = work->agent->proc.settings.sync_max_scan;
    _cleanup_(text_deinitp) struct text desc = {0}, fields = {0};
    const size_t count = add_fields(example, &fields);

    if (count && search->index && search->index->field_count == count)
        text_addf(&desc, "more than %" PRId64 " objects of %s have this %s", most,
                  example->class_->name, fields.at);
    else if (count)
        text_addf(&desc, "needs an index on %s(%s)", example->class_->name, fields.at);
    else
        text_addf(&desc, "%s has more than %" PRId64 " objects, so give a field that has an index",
                  example->class_->name, most);
    if (search->unbuilt)
        text_addf(&desc, "; that on %s is not built yet", search->unbuilt->name);
    return work_error(work, CODE_TOO_EXPENSIVE, desc.at);
}

/* ---- The walk ---- */

void search_call(struct work *work, const struct search *search, int64_t most)
{
    const struct model_object *example = &search->example;
    struct redis_call *call = &work->call;

    reading_begin(work, &script_read_example, example->class_);
    redis_call_arg(call, example->class_->name);
    redis_call_arg(call, search->rule);
    redis_call_arg(call, search->watches ? "1" : "0");
    indexes_add_args(call, search->index, search->index ? 1 : 0);
    redis_call_arg_i64(call, most_to_walk(work, search));
    redis_call_arg(call, example->class_->id == ID_INTEGER ? "1" : "0");
    redis_call_arg_bytes(call, text_str(&search->last), search->last.size);
    redis_call_arg_i64(call, READING_PER_CALL);
    redis_call_arg_i64(call, most);
    redis_call_arg_i64(call, (int64_t)example->count * 2);
    for (size_t i = 0; i < example->count; i++) {
        redis_call_arg(call, example->values[i].field->column);
        redis_call_arg_bytes(call, example->values[i].text, example->values[i].size);
    }
}

/* An index that is not built yet is passed over. */
static void choose_again(struct search *search)
{
    search->unbuilt = search->index;
    search->index = choose_index(&search->example, search->unbuilt);
}

static void take_place(struct search *search, const struct redis_reply *last)
{
    text_clear(&search->last);
    text_add_bytes(&search->last, redis_str(last), redis_size(last));
    search->is_over = search->last.size == 0;
}

bool search_take(struct work *work, struct search *search, enum work_step *step)
{
    const struct redis_reply *r = work->call.reply;
    const char *word = redis_str(redis_item(r, 0));

    if (refused(work, "the objects could not be read", step))
        return false;
    if (!strcmp(word, "forbidden"))
        *step = work_error(work, CODE_FORBIDDEN, "not for you");
    else if (!strcmp(word, "expensive"))
        *step = too_expensive(work, search);
    else if (!strcmp(word, "unbuilt"))
        choose_again(search);
    else
        take_place(search, redis_item(r, 3));
    return *word == 'u' || *word == 'o';
}
