#include <stdlib.h>
#include <string.h>

#include "agents/plugins/asked.h"
#include "common/base/clock.h"

/*
 * clone_object - a plug-in: a copy of an object, and of what belongs to it.
 *
 *   {"className": "com.app.mo.Group", "ID": "1", "set": {"name": "A copy"},
 *    "with": [{"className": "com.app.mo.Membership", "by": "group"}]}
 *
 * The object is read and its copy created with the rights of whoever asks. `set` (of the first
 * object alone): fields that differ in the copy. `with`: all objects of the class that refer by
 * this field to the object are copied too, and theirs, if they have a `with` in turn. The copies
 * refer to copies; to what is not copied they refer as the originals do.
 *
 * The result: {"className", "ID", "copies": [{"className", "from", "to"}, ...]}, in the order in
 * which they were made. If one cannot be made, or a third of the time is over, those before it are
 * removed again, which takes about as long as making them did.
 */

#define MOST_COPIES      1000
#define MOST_COPIES_TEXT "1000"

struct copy {
    char *class_name, *from, *to; /* class_name as a JSON string, the ids too */
};

struct cloning {
    const struct activestack_call *call;
    struct copy copies[MOST_COPIES];
    size_t count;
    int64_t last_ms; /* until then copies are made */
};

static char *dup_span(struct json_span span)
{
    struct text t = {0};

    asked_add(&t, span);
    return text_steal(&t);
}

/* ---- The members of a copy ---- */

/* The copy of what a reference refers to; NULL: not copied. */
static const struct copy *copy_of(const struct cloning *c, struct json_span reference)
{
    _cleanup_(text_deinitp) struct text class_name = {0}, id = {0};

    if (json_kind(reference) != JSON_OBJECT)
        return NULL;
    json_add_canonical(&class_name, json_member(reference, "className", NULL));
    json_add_canonical(&id, json_member(reference, "ID", NULL));
    for (size_t i = 0; i < c->count; i++) {
        if (text_equals(&class_name, c->copies[i].class_name) &&
            text_equals(&id, c->copies[i].from))
            return &c->copies[i];
    }
    return NULL;
}

static void add_pair(struct text *out, const char *class_name, const char *id)
{
    text_addf(out, "{\"className\":%s,\"ID\":%s}", class_name, id);
}

static void add_member(const struct cloning *c, struct text *out, struct json_span key,
                       struct json_span value)
{
    const struct copy *copy = copy_of(c, value);

    text_add_char(out, ',');
    asked_add(out, key);
    text_add_char(out, ':');
    if (copy)
        add_pair(out, copy->class_name, copy->to);
    else
        asked_add(out, value);
}

static bool is_set(struct json_span set, struct json_span key)
{
    _cleanup_(text_deinitp) struct text name = {0};

    return !json_decode(key, &name) && json_member(set, text_str(&name), NULL).at;
}

static void add_request(const struct cloning *c, struct text *out, struct json_span object,
                        struct json_span set)
{
    struct json_walk w = json_walk(object);

    text_add(out, "{\"theObject\":{\"cn\":");
    asked_add(out, json_member(object, "cn", NULL));
    while (json_next(&w)) {
        if (!json_string_is(w.key, "cn") && !json_string_is(w.key, "ID") && !is_set(set, w.key))
            add_member(c, out, w.key, w.value);
    }
    w = json_walk(set);
    while (json_next(&w))
        add_member(c, out, w.key, w.value);
    text_add(out, "}}");
}

/* ---- Making them ---- */

static bool make(struct cloning *c, struct json_span object, struct json_span set)
{
    _cleanup_(text_deinitp) struct text request = {0}, progress = {0};
    struct copy *copy = &c->copies[c->count];
    struct json_span answer;

    if (c->count == MOST_COPIES)
        return asked_fail(c->call, "more than " MOST_COPIES_TEXT " objects would be copied");
    if (clock_wall_ms() > c->last_ms)
        return asked_fail(c->call, "there are too many objects for the time that a call has");
    add_request(c, &request, object, set);
    if (!asked(c->call, "createObject", &request, &answer))
        return false;
    copy->class_name = dup_span(json_member(object, "cn", NULL));
    copy->from = dup_span(json_member(object, "ID", NULL));
    copy->to = dup_span(json_member(json_member(answer, "theObject", NULL), "ID", NULL));
    c->count++;
    text_addf(&progress, "{\"copied\":%zu}", c->count);
    (void)c->call->progress(c->call, text_str(&progress));
    return true;
}

static bool make_all(struct cloning *c, struct json_span with, const struct copy *original);

/* All that refer to one that was copied, of one class. */
static bool make_referring(struct cloning *c, struct json_span row, const struct copy *original)
{
    _cleanup_(text_deinitp) struct text request = {0}, found = {0};
    struct json_span class_name = json_member(row, "className", NULL), answer;
    struct json_span by = json_member(row, "by", NULL);
    struct json_walk w;

    if (json_kind(class_name) != JSON_STRING || json_kind(by) != JSON_STRING)
        return asked_fail(c->call, "with: expected objects with className and by");
    text_add(&request, "{\"theObject\":{\"cn\":");
    asked_add(&request, class_name);
    text_add_char(&request, ',');
    asked_add(&request, by);
    text_add_char(&request, ':');
    add_pair(&request, original->class_name, original->from);
    text_add(&request, "}}");
    if (!asked(c->call, "findByExample", &request, &answer))
        return false;
    asked_add(&found, json_member(answer, "result", NULL));
    w = json_walk(json_span_text(&found));
    while (json_next(&w)) {
        if (!make(c, w.value, (struct json_span){0}) ||
            !make_all(c, json_member(row, "with", NULL), &c->copies[c->count - 1]))
            return false;
    }
    return true;
}

static bool make_all(struct cloning *c, struct json_span with, const struct copy *original)
{
    struct json_walk w = json_walk(with);

    if (with.at && json_kind(with) != JSON_ARRAY && json_kind(with) != JSON_NULL)
        return asked_fail(c->call, "with: expected an array");
    while (json_next(&w)) {
        if (!make_referring(c, w.value, original))
            return false;
    }
    return true;
}

static bool make_first(struct cloning *c, struct json_span arguments)
{
    _cleanup_(text_deinitp) struct text request = {0}, found = {0};
    struct json_span class_name = json_member(arguments, "className", NULL), answer, set;
    struct json_span id = json_member(arguments, "ID", NULL);

    if (json_kind(class_name) != JSON_STRING || json_kind(id) != JSON_STRING)
        return asked_fail(c->call, "className and ID: expected strings");
    set = json_member(arguments, "set", NULL);
    if (set.at && json_kind(set) != JSON_OBJECT && json_kind(set) != JSON_NULL)
        return asked_fail(c->call, "set: expected an object");
    text_add(&request, "{\"theClassName\":");
    asked_add(&request, class_name);
    text_add(&request, ",\"theClassId\":");
    asked_add(&request, id);
    text_add_char(&request, '}');
    if (!asked(c->call, "findById", &request, &answer))
        return false;
    asked_add(&found, json_member(answer, "result", NULL));
    if (json_kind(json_span_text(&found)) != JSON_OBJECT)
        return asked_fail(c->call, "there is no such object, or it may not be read");
    return make(c, json_span_text(&found), set);
}

/* ---- The plug-in ---- */

/* What was made of a clone that could not be finished. The reason was said already. */
static void take_back(const struct cloning *c)
{
    for (size_t i = c->count; i > 0; i--) {
        _cleanup_(text_deinitp) struct text request = {0};

        text_add(&request, "{\"removePair\":");
        add_pair(&request, c->copies[i - 1].class_name, c->copies[i - 1].to);
        text_add_char(&request, '}');
        (void)c->call->ask(c->call, "removeObject", text_str(&request));
    }
}

static void add_result(const struct cloning *c, struct text *out)
{
    text_addf(out, "{\"className\":%s,\"ID\":%s,\"copies\":[", c->copies[0].class_name,
              c->copies[0].to);
    for (size_t i = 0; i < c->count; i++)
        text_addf(out, "%s{\"className\":%s,\"from\":%s,\"to\":%s}", i ? "," : "",
                  c->copies[i].class_name, c->copies[i].from, c->copies[i].to);
    text_add(out, "]}");
}

static void cloning_destroy(struct cloning *c)
{
    for (size_t i = 0; i < c->count; i++) {
        free(c->copies[i].class_name);
        free(c->copies[i].from);
        free(c->copies[i].to);
    }
    free(c);
}

static char *run(const struct activestack_call *call)
{
    struct cloning *c = calloc(1, sizeof(*c));
    struct text result = {0};
    struct json_span arguments;

    if (!c)
        return NULL;
    c->call = call;
    c->last_ms = clock_wall_ms() + (call->deadline_ms - clock_wall_ms()) / 3;
    if (asked_arguments(call, &arguments)) {
        if (make_first(c, arguments) &&
            make_all(c, json_member(arguments, "with", NULL), &c->copies[0]))
            add_result(c, &result);
        else
            take_back(c);
    }
    cloning_destroy(c);
    return result.size ? text_steal(&result) : NULL;
}

const struct activestack_plugin *activestack_plugin(void)
{
    static const struct activestack_plugin plugin = {ACTIVESTACK_PLUGIN_API, run};

    return &plugin;
}
