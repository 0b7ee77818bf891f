#include "common/json/json_get.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <json-c/json.h>

#include "common/json/json_scan.h"

#define FILE_MAX_BYTES ((size_t)64 * 1024 * 1024)
#define DEPTH          64

static const struct json_limits limits = {.depth = DEPTH, .number_chars = 1000};

/* ---- Files ---- */

/* A file under examination. */
struct source {
    const char *path;
    const char *text;
    struct text *problems;
};

static void tell_at(const struct source *s, size_t offset, const char *what)
{
    size_t line = 1, column = 1;

    for (size_t i = 0; i < offset; i++) {
        column = s->text[i] == '\n' ? 1 : column + 1;
        line += s->text[i] == '\n';
    }
    text_addf(s->problems, "%s:%zu:%zu: %s\n", s->path, line, column, what);
}

/* json-c would take the last of equal names in silence. */
static void check_names(const struct source *s, struct json_span value)
{
    struct json_object *seen = json_object_new_object();
    struct json_walk w = json_walk(value);

    while (json_next(&w)) {
        _cleanup_(text_deinitp) struct text name = {0};

        check_names(s, w.value); /* no deeper than DEPTH */
        if (json_decode(w.key, &name))
            continue; /* an item of an array */
        if (json_object_object_get_ex(seen, text_str(&name), NULL))
            tell_at(s, (size_t)(w.key.at - s->text), "the same name a second time");
        json_object_object_add(seen, text_str(&name), NULL);
    }
    json_object_put(seen);
}

/* Our own check goes first, because json-c is not strict enough (NaN, single quotes). */
static enum err parse(const struct source *s, size_t size, struct json_object **out)
{
    const size_t problems_before = s->problems->size;
    struct json_tokener *tokener;
    struct json_fault fault;

    if (json_check(s->text, size, &limits, &fault)) {
        tell_at(s, fault.offset, fault.what);
        return ERR_CONFIG;
    }
    check_names(s, json_value(s->text, size));
    if (s->problems->size > problems_before)
        return ERR_CONFIG;

    tokener = json_tokener_new_ex(DEPTH + 1);
    *out = json_tokener_parse_ex(tokener, s->text, (int)size + 1); /* the NUL ends a lone number */
    json_tokener_free(tokener);
    return ERR_OK;
}

enum err json_get_text(const char *name, const struct text *content, struct json_object **out,
                       struct text *problems)
{
    const struct source s = {name, text_str(content), problems};

    *out = NULL;
    return parse(&s, content->size, out);
}

enum err json_get_file(const char *path, struct json_object **out, struct text *problems)
{
    _cleanup_(text_deinitp) struct text content = {0};
    enum err e = text_add_file(&content, path, FILE_MAX_BYTES);

    *out = NULL;
    if (e == ERR_IO)
        text_addf(problems, "%s: %s\n", path, strerror(errno));
    if (e == ERR_RANGE) {
        text_addf(problems, "%s: larger than %zu bytes\n", path, FILE_MAX_BYTES);
        e = ERR_CONFIG;
    }
    return e ? e : json_get_text(path, &content, out, problems);
}

/* ---- Members ---- */

static const char *const type_names[] = {
    [json_type_null] = "null",        [json_type_boolean] = "a boolean",
    [json_type_double] = "a number",  [json_type_int] = "a number",
    [json_type_object] = "an object", [json_type_array] = "an array",
    [json_type_string] = "a string",
};

static const char *expected_name(enum json_type type)
{
    return type == json_type_int ? "a whole number" : type_names[type];
}

/* The member that somebody asks for. */
struct wanted {
    const char *path, *name;
    enum json_type type;
    bool required;
};

static void add_path(struct text *problems, const char *path, const char *name)
{
    text_add(problems, path);
    if (*path)
        text_add_char(problems, '.');
    text_add(problems, name);
    text_add(problems, ": ");
}

static enum err get(struct json_object *object, const struct wanted *w, struct json_object **out,
                    struct text *problems)
{
    struct json_object *value = NULL;

    *out = NULL;
    if (!json_object_object_get_ex(object, w->name, &value)) {
        if (w->required) {
            add_path(problems, w->path, w->name);
            text_addf(problems, "missing, expected %s\n", expected_name(w->type));
        }
        return ERR_NOT_FOUND;
    }
    if (json_object_get_type(value) != w->type) {
        add_path(problems, w->path, w->name);
        text_addf(problems, "expected %s, found %s\n", expected_name(w->type),
                  type_names[json_object_get_type(value)]);
        return ERR_TYPE;
    }
    *out = value;
    return ERR_OK;
}

enum err json_get_string(struct json_object *object, const char *path, const char *name,
                         bool required, const char **out, struct text *problems)
{
    const struct wanted wanted = {path, name, json_type_string, required};
    struct json_object *value;
    enum err e = get(object, &wanted, &value, problems);

    *out = NULL;
    if (e)
        return e;
    if (strlen(json_object_get_string(value)) != (size_t)json_object_get_string_len(value)) {
        add_path(problems, path, name);
        text_add(problems, "expected a string without NUL characters\n");
        return ERR_TYPE;
    }
    *out = json_object_get_string(value);
    return ERR_OK;
}

enum err json_get_bool(struct json_object *object, const char *path, const char *name, bool *out,
                       struct text *problems)
{
    const struct wanted wanted = {path, name, json_type_boolean, false};
    struct json_object *value;
    enum err e = get(object, &wanted, &value, problems);

    if (!e)
        *out = json_object_get_boolean(value);
    return e;
}

enum err json_get_int(struct json_object *object, const char *path, const char *name,
                      const struct json_int *wanted, int64_t *out, struct text *problems)
{
    const struct wanted member = {path, name, json_type_int, wanted->required};
    struct json_object *value;
    enum err e = get(object, &member, &value, problems);
    int64_t number;

    if (e)
        return e;
    number = json_object_get_int64(value);
    if (number < wanted->least || number > wanted->most) {
        add_path(problems, path, name);
        text_addf(problems, "expected %" PRId64 " to %" PRId64 "\n", wanted->least, wanted->most);
        return ERR_RANGE;
    }
    *out = number;
    return ERR_OK;
}

enum err json_get_object(struct json_object *object, const char *path, const char *name,
                         bool required, struct json_object **out, struct text *problems)
{
    return get(object, &(struct wanted){path, name, json_type_object, required}, out, problems);
}

enum err json_get_array(struct json_object *object, const char *path, const char *name,
                        bool required, struct json_object **out, struct text *problems)
{
    return get(object, &(struct wanted){path, name, json_type_array, required}, out, problems);
}

static bool is_listed(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

void json_get_only(struct json_object *object, const char *path, const char *const *names,
                   struct text *problems)
{
    struct json_object_iterator at, end;

    if (!json_object_is_type(object, json_type_object))
        return;
    at = json_object_iter_begin(object);
    end = json_object_iter_end(object);
    for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
        const char *name = json_object_iter_peek_name(&at);

        if (is_listed(names, name))
            continue;
        add_path(problems, path, name);
        text_add(problems, "unknown\n");
    }
}
