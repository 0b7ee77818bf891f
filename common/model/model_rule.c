#include "common/model/model_rule.h"

#include <inttypes.h>

#include "common/model/model_internal.h"
#include "common/model/model_watch.h"

const char *const model_rule_words[RULE_SIGNED_IN + 1] = {
    [RULE_NOBODY] = "nobody", [RULE_EVERYONE] = "everyone", [RULE_SIGNED_IN] = "signedIn"};

const struct model_rule_alternative *model_rule_has(const struct model_rule *rule,
                                                    enum rule_kind kind)
{
    for (size_t i = 0; i < rule->count; i++) {
        if (rule->alternatives[i].kind == kind)
            return &rule->alternatives[i];
    }
    return NULL;
}

bool model_rule_is_open(const struct model_rule *rule)
{
    return model_rule_has(rule, RULE_EVERYONE) != NULL;
}

bool model_hides(const struct model_field *field)
{
    return field->read && field->read->restricts;
}

/* ---- As scripts have it ---- */

static void add_column(struct text *out, size_t i, const struct model_class *c, const char *column)
{
    text_addf(out, "%s%s=%s", i ? "," : "", c->name, column);
}

static void add_path(struct text *out, const struct model_rule_alternative *path)
{
    text_add(out, "path:");
    for (size_t i = 0; i < path->step_count; i++) {
        const struct model_step *step = &path->steps[i];

        text_add_char(out, step->kind == STEP_OUT ? '>' : '<');
        for (size_t o = 0; o < step->origin_count; o++)
            add_column(out, o, step->origins[o].class_, step->origins[o].field->column);
        text_add_char(out, ';');
    }
    text_add_char(out, '=');
    for (size_t i = 0; i < path->end_count; i++)
        add_column(out, i, path->ends[i].class_, path->ends[i].column);
}

static void add_alternative(struct text *out, const struct model_rule_alternative *alternative)
{
    switch (alternative->kind) {
    case RULE_OWNER:
        text_addf(out, "owner:%s", alternative->column);
        break;
    case RULE_ROLE:
        text_addf(out, "role:%s", alternative->role);
        break;
    case RULE_PATH:
        add_path(out, alternative);
        break;
    default:
        text_add(out, model_rule_words[alternative->kind]);
    }
}

static void add_rule(struct text *out, const struct model_rule *rule)
{
    for (size_t i = 0; i < rule->count; i++) {
        if (i)
            text_add_char(out, '|');
        add_alternative(out, &rule->alternatives[i]);
    }
}

void model_complete_rule(struct model *model, struct model_rule *rule)
{
    _cleanup_(text_deinitp) struct text text = {0};

    rule->restricts = false;
    if (model_rule_is_open(rule)) {
        rule->text = model_rule_words[RULE_EVERYONE];
    } else if (model_rule_has(rule, RULE_SIGNED_IN)) {
        rule->text = model_rule_words[RULE_SIGNED_IN];
    } else {
        if (model_rule_has(rule, RULE_PATH))
            text_addf(&text, "%" PRId64 "!", model->path_most);
        add_rule(&text, rule);
        rule->text = model_keep(model, &text);
        rule->restricts = true;
    }
}
