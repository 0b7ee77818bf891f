#include "agents/sync/watchers/walk.h"

#include <stdlib.h>
#include <string.h>

#include "agents/sync/stored.h"
#include "agents/sync/watchers/reached.h"
#include "common/model/model_watch_value.h"

#define PER_CALL 100 /* reads at most; the script reads less when there is much behind them */

/* What is read next: the place, and of a STEP_IN the class that refers to it, behind `after`. */
struct cursor {
    size_t place, origin;
};

/* One watcher, from one or many objects at once. */
struct leg {
    struct leg *outer; /* waits for the values of this one */
    const struct model_watcher *watcher;
    size_t root_count;
    struct places at;   /* where the steps have led so far */
    struct places next; /* where the one that is being read leads */
    size_t step;
    struct cursor cursor;
    struct text after;
    struct founds found; /* what is left when the conditions are looked at */
    bool is_ranked;
};

struct walk {
    const struct model *model;
    bool is_personal;
    struct walk_limits limits;
    size_t come_to;
    struct leg *leg; /* the innermost */
    struct text value;
};

/* Makes it the innermost one. */
static struct leg *leg_begin(struct walk *walk, const struct model_watcher *watcher,
                             const struct model_args *args)
{
    struct leg *leg = calloc(1, sizeof(*leg));

    if (!leg)
        err_out_of_memory();
    leg->outer = walk->leg;
    leg->watcher = watcher;
    leg->found = (struct founds){.model = walk->model, .watcher = watcher, .args = args};
    walk->leg = leg;
    return leg;
}

static void leg_destroy(struct leg *leg)
{
    places_deinit(&leg->at);
    places_deinit(&leg->next);
    founds_deinit(&leg->found);
    text_deinit(&leg->after);
    free(leg);
}

struct walk *walk_create(const struct model *model, const struct watched *watched,
                         const struct walk_limits *limits)
{
    struct walk *walk = calloc(1, sizeof(*walk));

    if (!walk)
        err_out_of_memory();
    walk->model = model;
    walk->is_personal = watched->sid.size > 0;
    walk->limits = *limits;
    (void)leg_begin(walk, watched->watcher, &watched->args);
    places_add(&walk->leg->at, 0, text_str(&watched->ref));
    walk->leg->root_count = 1;
    return walk;
}

void walk_destroy(struct walk *walk)
{
    struct leg *outer;

    if (!walk)
        return;
    for (struct leg *leg = walk->leg; leg; leg = outer) {
        outer = leg->outer;
        leg_destroy(leg);
    }
    text_deinit(&walk->value);
    free(walk);
}

const char *walk_value(const struct walk *walk)
{
    return text_str(&walk->value);
}

/* ---- Steps ---- */

static const struct model_step *step_of(const struct leg *leg)
{
    return leg->step < leg->watcher->step_count ? &leg->watcher->steps[leg->step] : NULL;
}

static const struct model_origin *origin_of(const struct model_step *step,
                                            const struct model_class *c)
{
    for (size_t i = 0; i < step->origin_count; i++) {
        if (step->origins[i].class_ == c)
            return &step->origins[i];
    }
    return NULL;
}

static const struct model_class *class_of(const struct walk *walk, const char *ref)
{
    return stored_ref(walk->model, ref).class_;
}

/* Moves the cursor to what can be read, from where it is on. False: that was all. */
static bool find_read(const struct walk *walk, const struct model_step *step, struct cursor *cursor)
{
    const struct places *at = &walk->leg->at;

    if (step && step->kind == STEP_IN && cursor->origin == step->origin_count)
        *cursor = (struct cursor){.place = cursor->place + 1};
    while (cursor->place < at->count) {
        const struct model_class *c = class_of(walk, at->at[cursor->place].ref);

        if (c && (!step || step->kind == STEP_IN || origin_of(step, c)))
            return true;
        cursor->place++;
    }
    return false;
}

static void move_on(const struct model_step *step, struct cursor *cursor)
{
    if (step && step->kind == STEP_IN)
        cursor->origin++;
    else
        cursor->place++;
}

static void add_in(struct redis_call *call, const struct model_origin *origin, const char *ref,
                   const char *after)
{
    redis_call_arg(call, "in");
    redis_call_arg(call, ref);
    redis_call_arg(call, origin->class_->name);
    redis_call_arg(call, origin->field->column);
    redis_call_arg(call, after);
}

static void add_out(struct redis_call *call, const struct model_origin *origin, const char *ref)
{
    redis_call_arg(call, "out");
    redis_call_arg(call, ref);
    redis_call_arg(call, origin->field->column);
}

static void add_see(struct redis_call *call, const struct model_watcher *watcher,
                    const struct model_class *c, const char *ref)
{
    const char **columns = calloc(model_watcher_columns_max(watcher) + 1, sizeof(*columns));
    size_t count;

    if (!columns)
        err_out_of_memory();
    count = model_watcher_columns(watcher, c, columns);
    redis_call_arg(call, "see");
    redis_call_arg(call, ref);
    redis_call_arg_i64(call, (int64_t)count);
    for (size_t i = 0; i < count; i++)
        redis_call_arg(call, columns[i]);
    free(columns);
}

static void add_read(struct walk *walk, const struct model_step *step, const struct cursor *cursor,
                     struct redis_call *call)
{
    const struct leg *leg = walk->leg;
    const char *ref = leg->at.at[cursor->place].ref;
    const bool is_first = !memcmp(cursor, &leg->cursor, sizeof(*cursor));

    if (!step)
        add_see(call, leg->watcher, class_of(walk, ref), ref);
    else if (step->kind == STEP_IN)
        add_in(call, &step->origins[cursor->origin], ref, is_first ? text_str(&leg->after) : "");
    else
        add_out(call, origin_of(step, class_of(walk, ref)), ref);
}

/* Adds the next reads of the step, or, behind the last one, of what was reached. False: none is
 * left. */
static bool add_reads(struct walk *walk, struct redis_call *call)
{
    const struct model_step *step = step_of(walk->leg);
    struct cursor cursor;
    size_t count = 0;

    if (!find_read(walk, step, &walk->leg->cursor))
        return false;
    for (cursor = walk->leg->cursor; count < PER_CALL && find_read(walk, step, &cursor); count++) {
        add_read(walk, step, &cursor, call);
        move_on(step, &cursor);
    }
    return true;
}

/* ---- What was read ---- */

/* Objects of this class are what the step leads to. */
static bool is_reached(const struct model_step *step, const struct model_class *c)
{
    const struct model_class *const *reached = step->reached;

    while (*reached && *reached != c)
        reached++;
    return *reached != NULL;
}

static void reach(struct walk *walk, const struct model_step *step, const char *ref)
{
    struct leg *leg = walk->leg;

    walk->come_to++;
    if (is_reached(step, class_of(walk, ref)))
        places_add(&leg->next, leg->at.at[leg->cursor.place].root, ref);
}

static void take_out(struct walk *walk, const struct model_step *step, const char *refs)
{
    while (*refs) {
        _cleanup_(text_deinitp) struct text ref = {0};
        size_t size = strcspn(refs, "\n");

        text_add_bytes(&ref, refs, size);
        reach(walk, step, ref.at);
        refs += size + (refs[size] == '\n');
    }
}

/* True: there may be more of these. */
static bool take_in(struct walk *walk, const struct model_step *step, const struct redis_reply *r)
{
    const struct redis_reply *refs = redis_item(r, 0);

    for (size_t i = 0; i < redis_count(refs); i++)
        reach(walk, step, redis_str(redis_item(refs, i)));
    text_clear(&walk->leg->after);
    text_add(&walk->leg->after, redis_str(redis_item(r, 1)));
    return walk->leg->after.size > 0;
}

static void take_seen(struct leg *leg, const struct redis_reply *texts)
{
    if (!redis_is_nil(texts))
        founds_take(&leg->found, &leg->at.at[leg->cursor.place], texts);
}

void walk_take(struct walk *walk, const struct redis_reply *reply)
{
    struct leg *leg = walk->leg;
    const struct model_step *step = step_of(leg);

    for (size_t i = 1; i < redis_count(reply) && find_read(walk, step, &leg->cursor); i++) {
        const struct redis_reply *r = redis_item(reply, i);

        if (!step)
            take_seen(leg, r);
        else if (step->kind == STEP_OUT)
            take_out(walk, step, redis_str(r));
        else if (take_in(walk, step, r))
            return;
        move_on(step, &leg->cursor);
    }
}

/* ---- From step to step ---- */

static bool must_see(const struct walk *walk)
{
    const struct model_watcher *watcher = walk->leg->watcher;

    return walk->is_personal || watcher->where_count || watcher->order_count || watcher->field.name;
}

static void take_unseen(struct leg *leg)
{
    for (; leg->cursor.place < leg->at.count; leg->cursor.place++)
        founds_take(&leg->found, &leg->at.at[leg->cursor.place], NULL);
}

static void step_on(struct leg *leg)
{
    places_deinit(&leg->at);
    leg->at = leg->next;
    leg->next = (struct places){0};
    places_unite(&leg->at);
    leg->cursor = (struct cursor){0};
    leg->step++;
}

/* A leg from all that was found with a value that this watcher makes. */
static void set_out(struct walk *walk, const struct model_watcher *watcher)
{
    static const struct model_args no_args;
    struct leg *leg = leg_begin(walk, watcher, &no_args);
    const struct founds *found = &leg->outer->found;

    for (size_t i = 0; i < found->count; i++) {
        if (found->at[i].inner == watcher)
            places_add(&leg->at, leg->root_count++, found->at[i].ref);
    }
}

/* The values are told to what has waited for them: the outer leg, or in the end the caller. */
static void come_back(struct walk *walk)
{
    struct leg *leg = walk->leg, *outer = leg->outer;
    size_t root = 0;

    if (!outer) {
        founds_add_value(&walk->value, &leg->found, 0);
        return;
    }
    for (size_t i = 0; i < outer->found.count; i++) {
        struct text value = {0};

        if (outer->found.at[i].inner != leg->watcher)
            continue;
        founds_add_value(&value, &leg->found, root++);
        found_set(&outer->found, &outer->found.at[i], text_str(&value));
        text_deinit(&value);
    }
    leg_destroy(leg);
    walk->leg = outer;
}

/* Everything is read that the leg needs itself. True: nothing is left at all. */
static bool conclude(struct walk *walk)
{
    struct leg *leg = walk->leg;
    const struct model_watcher *inner;
    const bool is_last = !leg->outer;

    if (!leg->is_ranked)
        founds_rank(&leg->found);
    leg->is_ranked = true;
    inner = founds_inner(&leg->found);
    if (inner) {
        set_out(walk, inner);
        return false;
    }
    come_back(walk);
    return is_last;
}

static bool is_too_much(const struct walk *walk)
{
    size_t bytes = 0;

    for (const struct leg *leg = walk->leg; leg; leg = leg->outer)
        bytes += leg->found.bytes;
    return walk->come_to > walk->limits.objects || bytes > walk->limits.bytes;
}

enum walk_next walk_next(struct walk *walk, struct redis_call *call)
{
    for (;;) {
        if (is_too_much(walk))
            return WALK_TOO_MANY;
        if (!step_of(walk->leg) && !must_see(walk))
            take_unseen(walk->leg);
        if (add_reads(walk, call))
            return WALK_READ;
        if (step_of(walk->leg))
            step_on(walk->leg);
        else if (conclude(walk))
            return walk->value.size > walk->limits.bytes ? WALK_TOO_MANY : WALK_DONE;
    }
}
