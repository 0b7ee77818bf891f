#include "agents/runtime/listings.h"

#include <string.h>

#include "agents/runtime/lineage.h"

static int64_t count_of(const struct model_class *const *classes)
{
    int64_t count = 0;

    while (classes[count])
        count++;
    return count;
}

static const char *column_of(const struct model_class *c, const char *field)
{
    return model_field(c, field, strlen(field))->column;
}

static void add_sources(struct redis_call *call, const struct model_listing *listing)
{
    redis_call_arg_i64(call, count_of(listing->sources));
    for (const struct model_class *const *source = listing->sources; *source; source++) {
        redis_call_arg(call, (*source)->name);
        redis_call_arg(call, column_of(*source, listing->field->inverse));
    }
}

static void add_names(struct redis_call *call, const struct model_class *const *classes)
{
    redis_call_arg_i64(call, count_of(classes));
    for (; *classes; classes++)
        redis_call_arg(call, (*classes)->name);
}

static void add_owners(struct redis_call *call, const struct model_class *owner,
                       const struct settings *settings)
{
    redis_call_arg_i64(call, (int64_t)owner->concrete_count);
    for (size_t i = 0; i < owner->concrete_count; i++)
        lineage_add_args(call, owner->concrete[i], settings->sync_history_kept);
}

static void add_listings(struct redis_call *call, const struct model_listing *const *listings,
                         size_t count, const struct settings *settings)
{
    redis_call_arg_i64(call, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        const struct model_field *field = listings[i]->field;

        redis_call_arg(call, field->column);
        redis_call_arg(call, field->name);
        redis_call_arg(call, field->through ? column_of(field->through, field->onward) : "");
        add_owners(call, listings[i]->owner, settings);
        add_sources(call, listings[i]);
        add_names(call, listings[i]->members);
    }
    if (count)
        redis_call_arg_i64(call, settings->sync_max_listed);
}

void listings_add_args(struct redis_call *call, const struct model_class *c,
                       const struct settings *settings)
{
    add_listings(call, c->listings, c->listing_count, settings);
}

void listings_add_all(struct redis_call *call, const struct model *model,
                      const struct settings *settings)
{
    size_t count;
    const struct model_listing *const *listings = model_listings(model, &count);

    add_listings(call, listings, count, settings);
}
