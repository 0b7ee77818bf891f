#include "common/model/model_load_watch.h"

/* Who may see all that a watcher reads? */

static void heed_rule(struct model_watcher *watcher, const struct model_rule *rule)
{
    watcher->personal = watcher->personal || (rule && rule->restricts);
    watcher->open = watcher->open && (!rule || model_rule_is_open(rule));
}

static void heed_origins(struct model_watcher *watcher, const struct model_origin *origins,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct model_watcher *other = origins[i].watcher;

        heed_rule(watcher, origins[i].field ? origins[i].field->read : NULL);
        watcher->personal = watcher->personal || (other && other->personal);
        watcher->open = watcher->open && (!other || other->open);
    }
}

static void heed_term(struct model_watcher *watcher, const struct model_term *term)
{
    heed_origins(watcher, term->origins, term->origin_count);
}

void model_find_readers(struct model_watcher *watcher)
{
    for (size_t i = 0; i < watcher->step_count; i++) {
        const struct model_step *step = &watcher->steps[i];

        heed_origins(watcher, step->origins, step->origin_count);
        for (const struct model_class *const *c = step->reached; *c; c++)
            heed_rule(watcher, &(*c)->rules[ACTION_READ]);
    }
    for (size_t i = 0; i < watcher->where_count; i++)
        heed_term(watcher, &watcher->where[i].term);
    for (size_t i = 0; i < watcher->order_count; i++)
        heed_term(watcher, &watcher->order[i].term);
    heed_term(watcher, &watcher->field);
}
