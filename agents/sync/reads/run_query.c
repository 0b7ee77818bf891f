#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/operations.h"
#include "agents/sync/reads/rows.h"
#include "agents/sync/reads/search.h"
#include "agents/sync/stored.h"
#include "agents/sync/writes/own_class.h"
#include "common/model/model_watch_value.h"

/*
 * runQuery (spec 3.4): the objects of a class for which all conditions of a declared query hold.
 *
 * What must be equal to something is the example of a search, which so may use an index; all
 * conditions are looked at again here, with what only we know how to compare. Nothing is watched,
 * and nothing is read that the session may not read.
 */

#define FOUND_PER_CALL 100
#define NAME_MAX_BYTES 512

struct run_query {
    struct search search;
    const struct model_query *query;
    struct model_args args;
    struct rows rows;
};

static void run_query_destroy(void *state)
{
    struct run_query *run = state;

    search_deinit(&run->search);
    model_args_deinit(&run->args);
    rows_deinit(&run->rows);
    free(run);
}

/* ---- The walk ---- */

static const char *text_of(const void *arg, const char *column)
{
    return stored_column(arg, column);
}

static void take_object(const struct work *work, struct run_query *run, const char *ref,
                        const struct redis_reply *fields)
{
    const struct model *model = work->agent->model;
    const struct stored_ref stored = stored_ref(model, ref);
    const struct model_seen seen = {stored.class_, text_of, fields};

    if (stored.class_ &&
        model_conditions_hold(model, run->query->where, run->query->where_count, &run->args, &seen))
        rows_add(&run->rows, stored, fields);
}

static enum work_step reply(struct work *work, struct run_query *run)
{
    _cleanup_(text_deinitp) struct text body = {0};

    rows_end(&run->rows);
    if (run->rows.bytes > (size_t)work->agent->proc.settings.sync_max_answer_bytes)
        return work_error(work, CODE_TOO_EXPENSIVE, "the answer is too large");
    work_response_begin(work, &body, NULL);
    text_add(&body, ",\"result\":[");
    rows_add_all(&body, &run->rows);
    text_add_char(&body, ']');
    response_end(&body);
    return work_reply(work, &body, NULL);
}

static enum work_step walk_answer(struct work *work);

static enum work_step walk_on(struct work *work)
{
    const struct run_query *run = work->state;

    search_call(work, &run->search, FOUND_PER_CALL);
    return work_call(work, walk_answer);
}

static enum work_step walk_answer(struct work *work)
{
    const struct redis_reply *list = redis_item(work->call.reply, 2);
    struct run_query *run = work->state;
    enum work_step step;

    if (!search_take(work, &run->search, &step))
        return step;
    for (size_t i = 0; i + 1 < redis_count(list) && !run->rows.are_complete; i += 2)
        take_object(work, run, redis_str(redis_item(list, i)), redis_item(list, i + 1));
    return run->search.is_over || run->rows.are_complete ? reply(work, run) : walk_on(work);
}

static enum work_step begin(struct work *work, struct run_query *run)
{
    search_begin(&run->search);
    return walk_on(work);
}

static enum work_step looked_up(struct work *work)
{
    struct run_query *run = work->state;
    enum work_step step;

    return own_class_take_object(work, &run->search.example, false, &step) ? begin(work, run)
                                                                           : step;
}

/* ---- The example ---- */

/* Puts what the condition asks for into the example. False: it says more than an example can, which
 * compares stored texts. */
static bool take_condition(struct run_query *run, const struct model_condition *condition)
{
    const struct model_object *example = &run->search.example;
    const struct model_field *field =
        model_field(example->class_, condition->term.name, strlen(condition->term.name));
    const char *text = condition->text ? condition->text : run->args.texts[condition->param];

    if (condition->is != IS_EQUAL || !strcmp(text, "null") || !field ||
        field->type == FIELD_DOUBLE || field->server == SERVER_CONNECTED)
        return false;
    if (model_object_value(example, field))
        return !strcmp(model_object_value(example, field)->text, text);
    model_object_set(&run->search.example, field, text);
    return true;
}

static enum work_step begin_search(struct work *work, struct run_query *run,
                                   const struct model_class *c)
{
    const struct model_query *query = run->query;

    model_object_init(&run->search.example, c);
    run->search.rule = query->run.text;
    run->search.takes_all = query->order_count == 0;
    for (size_t i = 0; i < query->where_count; i++) {
        if (!take_condition(run, &query->where[i]))
            run->search.takes_all = false;
    }
    rows_begin(&run->rows, work->agent->model, query,
               (size_t)work->agent->proc.settings.sync_max_answer_bytes);
    return own_class_ask_object(work, &run->search.example, false) ? work_call(work, looked_up)
                                                                   : begin(work, run);
}

/* ---- Requests ---- */

static enum work_step unsupported(struct work *work, const struct model_class *c, const char *name)
{
    _cleanup_(text_deinitp) struct text desc = {0};

    text_addf(&desc, "queryName: %s declares no query ", c->name);
    text_add_json_str(&desc, name);
    return work_error(work, CODE_UNSUPPORTED, desc.at);
}

static bool take_arguments(struct work *work, struct run_query *run, enum work_step *step)
{
    struct json_span given = json_member(work->request.body, "queryArguments", NULL);
    _cleanup_(text_deinitp) struct text problem = {0}, desc = {0};

    if (!model_read_args(work->agent->model, &run->query->params, given, &run->args, &problem))
        return true;
    text_addf(&desc, "queryArguments%s", problem.at);
    *step = work_error(work, CODE_MALFORMED, desc.at);
    return false;
}

/* The class and the query that are asked for. False: *step is the answer. */
static bool take_names(struct work *work, struct run_query *run, const struct model_class **c,
                       enum work_step *step)
{
    _cleanup_(freep) char *class_name = NULL, *query_name = NULL;
    _cleanup_(text_deinitp) struct text problem = {0};

    *c = NULL;
    if (request_string(&work->request, "theClassName", NAME_MAX_BYTES, &class_name, &problem) ||
        request_string(&work->request, "queryName", NAME_MAX_BYTES, &query_name, &problem))
        *step = work_error(work, CODE_MALFORMED, text_str(&problem));
    else if (!(*c = model_class(work->agent->model, class_name, strlen(class_name))))
        *step = work_error(work, CODE_MISSING_CLASS, "theClassName: the model has no such class");
    else if (!(run->query = model_query(*c, query_name, strlen(query_name))))
        *step = unsupported(work, *c, query_name);
    return run->query != NULL;
}

enum work_step plan_run_query(struct work *work)
{
    struct run_query *run = calloc(1, sizeof(*run));
    const struct model_class *c;
    enum work_step step;

    if (!run)
        err_out_of_memory();
    work->state = run;
    work->state_destroy = run_query_destroy;
    if (!take_names(work, run, &c, &step) || !take_arguments(work, run, &step))
        return step;
    return begin_search(work, run, c);
}
