#include "agents/sync/operator/survey.h"

#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/runtime/presence.h"
#include "agents/sync/store/scripts.h"
#include "common/base/clock.h"
#include "common/base/log.h"

void survey_deinit(struct survey *survey)
{
    model_destroy(survey->before);
    text_deinit(&survey->built);
    text_deinit(&survey->agents);
    free(survey->counts);
}

int64_t survey_silent_since(const struct work *work)
{
    return clock_wall_ms() - presence_patience_ms(work->agent);
}

/* ---- Facts ---- */

static size_t number_in(const struct model *model, const struct model_class *c)
{
    return (size_t)(c - model_class_at(model, 0));
}

/* Objects of exactly this class: the store counts them together with its descendants'. */
static int64_t own_count(const struct model *model, const struct model_class *c,
                         const int64_t *counts)
{
    int64_t count = counts[number_in(model, c)];

    for (size_t i = 0; i < model_class_count(model); i++) {
        if (model_class_at(model, i)->parent == c)
            count -= counts[i];
    }
    return count;
}

/* Objects are listed under the parents that their class had when they were written. */
static bool has_objects(const void *arg, const char *class_name)
{
    const struct survey *survey = arg;
    const struct model_class *c = model_class(survey->before, class_name, strlen(class_name));

    if (c)
        return own_count(survey->before, c, survey->counts) > 0;
    c = model_class(survey->after, class_name, strlen(class_name));
    return c && own_count(survey->after, c, survey->counts + model_class_count(survey->before)) > 0;
}

static bool is_built(const void *arg, const struct model_index *index)
{
    const struct survey *survey = arg;
    _cleanup_(text_deinitp) struct text line = {0};

    text_addf(&line, "\n%s:%s\n", index->owner->name, index->columns);
    return strstr(text_str(&survey->built), line.at) != NULL;
}

int64_t survey_count(const struct survey *survey, const struct model_class *c)
{
    return survey->counts[model_class_count(survey->before) + number_in(survey->after, c)];
}

/* ---- Asking ---- */

static void add_classes(struct redis_call *call, const struct model *model)
{
    for (size_t i = 0; model && i < model_class_count(model); i++)
        redis_call_arg(call, model_class_at(model, i)->name);
}

static size_t class_count(const struct survey *survey)
{
    return survey->before ? model_class_count(survey->before) + model_class_count(survey->after)
                          : 0;
}

/* Which classes there are is known only when the applied model is; so it is asked twice. */
static enum work_step ask(struct work *work, work_fn *then)
{
    const struct survey *survey = work->state;

    redis_call_begin(&work->call, &script_survey);
    redis_call_arg(&work->call, model_digest(survey->after));
    redis_call_arg_i64(&work->call, survey_silent_since(work));
    redis_call_arg_i64(&work->call, (int64_t)class_count(survey));
    if (survey->before) {
        add_classes(&work->call, survey->before);
        add_classes(&work->call, survey->after);
    }
    return work_call(work, then);
}

static void add_lines(struct text *out, const struct redis_reply *list)
{
    for (size_t i = 0; i < redis_count(list); i++)
        text_addf(out, "%s\n", redis_str(redis_item(list, i)));
}

static enum work_step counted(struct work *work)
{
    const struct redis_reply *r = work->call.reply, *counts = redis_item(r, 3);
    struct survey *survey = work->state;
    const size_t count = class_count(survey);

    survey->counts = calloc(count + 1, sizeof(*survey->counts));
    if (!survey->counts)
        err_out_of_memory();
    for (size_t i = 0; i < count; i++)
        survey->counts[i] = redis_i64(redis_item(counts, i));
    text_add_char(&survey->built, '\n');
    add_lines(&survey->built, redis_item(r, 1));
    add_lines(&survey->agents, redis_item(r, 2));
    survey->facts = (struct model_facts){has_objects, is_built, survey};
    if (redis_is_error(r)) {
        model_destroy(survey->before);
        survey->before = NULL;
    }
    return survey->then(work);
}

static enum work_step found(struct work *work)
{
    const struct redis_reply *applied = redis_item(work->call.reply, 0);
    _cleanup_(text_deinitp) struct text content = {0}, problems = {0};
    struct survey *survey = work->state;

    text_add_bytes(&content, redis_str(applied), redis_size(applied));
    if (model_parse("the applied model", &content, &survey->before, &problems)) {
        log_error("model.unreadable", LOG_STR("problem", text_str(&problems)));
        survey->before = NULL;
        return survey->then(work);
    }
    return ask(work, counted);
}

enum work_step survey_begin(struct work *work, const struct model *after, work_fn *then)
{
    struct survey *survey = work->state;

    survey->after = after;
    survey->then = then;
    return ask(work, found);
}
