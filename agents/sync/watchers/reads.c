#include "agents/sync/watchers/reads.h"

#include <stdlib.h>
#include <string.h>

#include "agents/sync/stored.h"

#define MOST_READS     10000
#define NAME_MAX_BYTES 512

void reads_deinit(struct reads *reads)
{
    for (size_t i = 0; i < reads->count; i++) {
        free(reads->at[i].ref);
        free(reads->at[i].what);
    }
    free(reads->at);
    *reads = (struct reads){0};
}

static void add(struct reads *reads, const char *ref, const char *what)
{
    struct read read = {strdup(ref), strdup(what)};

    reads->at = reallocarray(reads->at, reads->count + 1, sizeof(*reads->at));
    if (!reads->at || !read.ref || !read.what)
        err_out_of_memory();
    reads->at[reads->count++] = read;
}

/* What of these classes refers to the object. */
static void add_referring(struct reads *reads, const char *ref, const struct model_class *c,
                          const char *inverse)
{
    for (size_t i = 0; i < c->concrete_count; i++) {
        const struct model_class *source = c->concrete[i];
        const struct model_field *field = model_field(source, inverse, strlen(inverse));
        _cleanup_(text_deinitp) struct text what = {0};

        if (!field)
            continue;
        text_addf(&what, "<%s\t%s", source->name, field->column);
        add(reads, ref, what.at);
    }
}

static void add_field(struct reads *reads, const char *ref, const struct model_field *field)
{
    if (field->type != FIELD_TO_MANY || field->listed) {
        add(reads, ref, field->column);
    } else if (field->through) {
        add_referring(reads, ref, field->through, field->inverse);
    } else {
        for (const struct model_class *const *target = field->targets; *target; target++)
            add_referring(reads, ref, *target, field->inverse);
    }
}

/* An object of this very class; of all its fields if the name is NULL. */
static void add_object(struct reads *reads, const struct model_class *c, const char *id,
                       const char *name)
{
    _cleanup_(text_deinitp) struct text ref = {0};
    const struct model_field *field = name ? model_field(c, name, strlen(name)) : NULL;

    text_addf(&ref, "%s:%s", c->name, id);
    if (!name)
        add(reads, ref.at, ".");
    else if (field)
        add_field(reads, ref.at, field);
}

/* {"className", "ID", "fieldName"}; the class may be a parent of the object's. */
static bool add_read(struct reads *reads, const struct model *model, struct json_span row)
{
    _cleanup_(freep) char *class_name = NULL, *id = NULL, *name = NULL;
    const struct model_class *c;
    const char *why;

    if (json_string(json_member(row, "className", NULL), NAME_MAX_BYTES, &class_name) ||
        json_string(json_member(row, "ID", NULL), NAME_MAX_BYTES, &id))
        return false;
    c = model_class(model, class_name, strlen(class_name));
    if (!c || model_check_id(c, id, &why) || reads->count >= MOST_READS)
        return false;
    if (json_kind(json_member(row, "fieldName", NULL)) != JSON_ABSENT &&
        (json_string(json_member(row, "fieldName", NULL), NAME_MAX_BYTES, &name) ||
         !model_field(c, name, strlen(name))))
        return false;
    for (size_t i = 0; i < c->concrete_count; i++)
        add_object(reads, c->concrete[i], id, name);
    return true;
}

bool reads_take(struct reads *reads, const struct model *model, struct json_span answer,
                struct text *value, struct text *problem)
{
    const struct json_span said = json_member(answer, "value", NULL);
    const struct json_span read = json_member(answer, "reads", NULL);
    struct json_walk rows = json_walk(read);

    if (json_kind(said) == JSON_ABSENT) {
        text_add(problem, "expected an object with a value");
        return false;
    }
    if (read.at && json_kind(read) != JSON_ARRAY && json_kind(read) != JSON_NULL) {
        text_add(problem, "reads: expected an array");
        return false;
    }
    for (size_t i = 0; json_next(&rows); i++) {
        if (!add_read(reads, model, rows.value)) {
            text_addf(problem, "reads[%zu]: expected className, ID and fieldName of the model", i);
            return false;
        }
    }
    json_add_canonical(value, said);
    return true;
}
