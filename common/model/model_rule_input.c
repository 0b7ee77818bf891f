#include <stdlib.h>
#include <string.h>

#include "common/model/model_internal.h"
#include "common/model/model_watch.h"

/* What paths of rules for reads look at: each column of a class, once. */

struct inputs {
    struct model *model;
    const char **items;
    size_t count;
};

static void add_input(struct inputs *inputs, const char *mark, const struct model_class *c,
                      const char *column)
{
    _cleanup_(text_deinitp) struct text input = {0};

    text_addf(&input, "%s%s\n%s", mark, c->name, column);
    for (size_t i = 0; i < inputs->count; i++) {
        if (!strcmp(inputs->items[i], input.at))
            return;
    }
    inputs->items = reallocarray((void *)inputs->items, inputs->count + 1, sizeof(*inputs->items));
    if (!inputs->items)
        err_out_of_memory();
    inputs->items[inputs->count++] = model_keep(inputs->model, &input);
}

/* The object's own columns, by which the first step leaves it, are no inputs. */
static void add_path(struct inputs *inputs, const struct model_rule_alternative *path)
{
    for (size_t i = 0; i < path->step_count; i++) {
        const struct model_step *step = &path->steps[i];

        for (size_t o = 0; o < step->origin_count && (i > 0 || step->kind == STEP_IN); o++)
            add_input(inputs, step->kind == STEP_IN ? "<" : "", step->origins[o].class_,
                      step->origins[o].field->column);
    }
    for (size_t i = 0; i < path->end_count; i++)
        add_input(inputs, "", path->ends[i].class_, path->ends[i].column);
}

static void add_rule(struct inputs *inputs, const struct model_rule *rule)
{
    for (size_t i = 0; rule && rule->restricts && i < rule->count; i++) {
        if (rule->alternatives[i].kind == RULE_PATH)
            add_path(inputs, &rule->alternatives[i]);
    }
}

void model_note_inputs(struct model *model)
{
    struct inputs inputs = {.model = model};

    for (size_t i = 0; i < model->count; i++) {
        const struct model_class *c = &model->classes[i];

        if (c->abstract)
            continue;
        add_rule(&inputs, &c->rules[ACTION_READ]);
        for (size_t f = 0; f < c->field_count; f++)
            add_rule(&inputs, c->fields[f].read);
    }
    if (inputs.count) {
        model->rule_inputs = model_alloc(model, inputs.count, sizeof(*model->rule_inputs));
        memcpy((void *)model->rule_inputs, (void *)inputs.items,
               inputs.count * sizeof(*inputs.items));
    }
    model->rule_input_count = inputs.count;
    free((void *)inputs.items);
}

const char *const *model_rule_inputs(const struct model *model, size_t *count)
{
    *count = model->rule_input_count;
    return model->rule_inputs;
}
