#include "gateway/clients/owed.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/base/err.h"

/* Shared by the runs of one value. */
struct name {
    size_t runs, size;
    char at[];
};

/* Sends of one thing, without one of another thing of the same object in between. */
struct run {
    TAILQ_ENTRY(run) next;
    uint64_t thing;    /* its key; 0: forgotten */
    size_t sends;      /* at least one */
    struct name *name; /* of a value; else NULL */
};

TAILQ_HEAD(run_list, run);

/* What receipts that name one object stand for, the oldest first. It is there while there may be
 * values among it: else the sends alone know all. */
struct line {
    uint64_t object; /* its key */
    size_t count;    /* of the runs */
    size_t others;   /* of these, what are not updates of the object */
    struct run_list runs;
};

/* ---- Things ---- */

struct owed_thing owed_object(enum sends_kind kind, const char *ref, size_t size)
{
    const uint64_t key = sends_key(kind, ref, size);

    return (struct owed_thing){.key = key, .object = kind == SENDS_UPDATE ? key : 0};
}

bool owed_value(struct text *item, struct owed_thing *out)
{
    const char *tab = item->size > 0 ? memchr(item->at, '\t', item->size) : NULL;

    if (!tab || item->at[0] != '~')
        return false;
    *out = (struct owed_thing){
        .key = sends_key(SENDS_UPDATE, item->at, item->size),
        .object = sends_key(SENDS_UPDATE, item->at + 1, (size_t)(tab - item->at - 1)),
        .item = *item,
    };
    *item = (struct text){0};
    return true;
}

static bool is_value(const struct owed_thing *thing)
{
    return thing->item.size > 0;
}

/* ---- Names ---- */

/* That of an earlier run of the same value, or a new one. */
static struct name *name_of(const struct line *line, const struct owed_thing *thing)
{
    struct name *name;
    const struct run *run;

    if (!is_value(thing))
        return NULL;
    TAILQ_FOREACH(run, &line->runs, next)
        if (run->thing == thing->key)
            return run->name;
    name = malloc(sizeof(*name) + thing->item.size);
    if (!name)
        err_out_of_memory();
    name->runs = 0;
    name->size = thing->item.size;
    memcpy(name->at, thing->item.at, name->size);
    return name;
}

static void release_name(struct run *run)
{
    if (run->name && --run->name->runs == 0)
        free(run->name);
    run->name = NULL;
}

/* ---- Runs ---- */

static void add_run(struct line *line, uint64_t thing, size_t sends, struct name *name)
{
    struct run *run = malloc(sizeof(*run));

    if (!run)
        err_out_of_memory();
    *run = (struct run){.thing = thing, .sends = sends, .name = name};
    if (name)
        name->runs++;
    TAILQ_INSERT_TAIL(&line->runs, run, next);
    line->count++;
    line->others += thing != line->object;
}

static void remove_first(struct line *line)
{
    struct run *run = TAILQ_FIRST(&line->runs);

    TAILQ_REMOVE(&line->runs, run, next);
    line->count--;
    line->others -= run->thing != line->object;
    release_name(run);
    free(run);
}

static void forget(struct owed *o, struct line *line, struct run *run)
{
    int64_t unproved;

    for (size_t i = 0; run->thing && i < run->sends; i++)
        (void)sends_take(&o->sends, run->thing, &unproved);
    line->others += run->thing == line->object;
    run->thing = 0;
    release_name(run);
}

/* The two oldest runs become one. */
static void shorten(struct owed *o, struct line *line)
{
    struct run *first = TAILQ_FIRST(&line->runs), *second = TAILQ_NEXT(first, next);

    forget(o, line, first);
    forget(o, line, second);
    second->sends += first->sends;
    remove_first(line);
}

static void append(struct owed *o, struct line *line, const struct owed_thing *thing)
{
    struct run *last = TAILQ_LAST(&line->runs, run_list);

    if (last && last->thing == thing->key) {
        last->sends++;
        return;
    }
    add_run(line, thing->key, 1, name_of(line, thing));
    if (line->count > OWED_RUNS)
        shorten(o, line);
}

/* ---- Lines ---- */

static int compare(const void *a, const void *b)
{
    const uint64_t one = ((const struct line *)a)->object, other = ((const struct line *)b)->object;

    return (one > other) - (one < other);
}

static struct line *find(const struct owed *o, uint64_t object)
{
    struct line **at = tfind(&(struct line){.object = object}, &o->lines, compare);

    return at ? *at : NULL;
}

/* What was sent of the object before its first value comes first. */
static struct line *begin(struct owed *o, uint64_t object)
{
    const size_t updates = sends_unanswered(o->sends, object);
    struct line *line = calloc(1, sizeof(*line));

    if (!line)
        err_out_of_memory();
    line->object = object;
    TAILQ_INIT(&line->runs);
    if (updates > 0)
        add_run(line, object, updates, NULL);
    if (!tsearch(line, &o->lines, compare))
        err_out_of_memory();
    return line;
}

static void destroy(void *arg)
{
    struct line *line = arg;

    while (line->count > 0)
        remove_first(line);
    free(line);
}

static void end(struct owed *o, struct line *line)
{
    (void)tdelete(line, &o->lines, compare);
    destroy(line);
}

/* ---- Sent and answered ---- */

void owed_add(struct owed *o, const struct owed_thing *thing)
{
    struct line *line = thing->object ? find(o, thing->object) : NULL;

    if (!line && is_value(thing))
        line = begin(o, thing->object);
    sends_add(&o->sends, thing->key, thing->number);
    if (line)
        append(o, line, thing);
}

static bool take_first(struct owed *o, struct line *line, struct text *name, int64_t *number)
{
    struct run *run = TAILQ_FIRST(&line->runs);
    const bool known = run->thing && sends_take(&o->sends, run->thing, number);

    if (run->name) {
        text_clear(name);
        text_add_bytes(name, run->name->at, run->name->size);
    }
    if (--run->sends == 0)
        remove_first(line);
    if (line->others == 0)
        end(o, line);
    return known;
}

bool owed_take(struct owed *o, enum sends_kind kind, struct text *name, int64_t *number)
{
    const uint64_t key = sends_key(kind, name->at, name->size);
    struct line *line = find(o, key);

    return line ? take_first(o, line, name, number) : sends_take(&o->sends, key, number);
}

size_t owed_count_with(const struct owed *o, const struct owed_thing *things, size_t count)
{
    size_t all = sends_count(o->sends);

    for (size_t i = 0; i < count; i++)
        all += sends_unanswered(o->sends, things[i].key) == 0;
    return all;
}

void owed_deinit(struct owed *o)
{
    tdestroy(o->lines, destroy);
    sends_destroy(o->sends);
    *o = (struct owed){0};
}
