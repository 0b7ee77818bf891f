#include "agents/sync/connectors/http_arguments.h"

#include <string.h>

#include <json-c/json.h>

#include "agents/sync/connectors/arguments.h"
#include "common/json/json_get.h"

static const char *const type_names[] = {
    [HTTP_STRING] = "string",   [HTTP_NUMBER] = "number", [HTTP_INTEGER] = "integer",
    [HTTP_BOOLEAN] = "boolean", [HTTP_ANY] = "json",
};

/* ---- As declared ---- */

struct http_argument *http_arguments_find(struct http_arguments *arguments, const char *name,
                                          size_t size)
{
    for (size_t i = 0; i <= arguments->count; i++) {
        struct http_argument *a = &arguments->at[i];

        if (strlen(a->name) == size && memcmp(a->name, name, size) == 0)
            return a;
    }
    return NULL;
}

static void load_type(struct json_object *row, const char *path, struct http_argument *argument,
                      struct text *problems)
{
    const char *type;

    if (json_get_string(row, path, "type", true, &type, problems))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(type_names); i++) {
        if (strcmp(type, type_names[i]) == 0) {
            argument->type = (enum http_argument_type)i;
            return;
        }
    }
    text_addf(problems, "%s.type: expected string, number, integer, boolean or json\n", path);
}

static const struct http_argument call_key = {.name = ARGUMENTS_CALL_KEY, .type = HTTP_STRING};

static void add(struct http_arguments *out, const struct http_argument *argument)
{
    out->at[out->count++] = *argument;
    out->at[out->count] = call_key;
}

static void load_one(struct json_object *row, const char *path, struct http_arguments *out,
                     struct text *problems)
{
    static const char *const members[] = {"name", "type", NULL};
    struct http_argument argument = {.type = HTTP_ANY};

    if (!json_object_is_type(row, json_type_object)) {
        text_addf(problems, "%s: expected an object\n", path);
        return;
    }
    json_get_only(row, path, members, problems);
    load_type(row, path, &argument, problems);
    if (json_get_string(row, path, "name", true, &argument.name, problems))
        return;
    if (!*argument.name || *argument.name == '@' || strpbrk(argument.name, "{}"))
        text_addf(problems,
                  "%s.name: expected at least one character, no @ in front, and no braces\n", path);
    else if (http_arguments_find(out, argument.name, strlen(argument.name)))
        text_addf(problems, "%s.name: %s stands there twice\n", path, argument.name);
    add(out, &argument);
}

void http_arguments_load(struct json_object *row, const char *path, struct http_arguments *out,
                         struct text *problems)
{
    _cleanup_(text_deinitp) struct text item = {0};
    struct json_object *list;
    size_t count;

    out->at[0] = call_key;
    if (json_get_array(row, path, "arguments", false, &list, problems))
        return;
    count = json_object_array_length(list);
    if (count > HTTP_ARGUMENTS_MAX) {
        text_addf(problems, "%s.arguments: more than %d\n", path, HTTP_ARGUMENTS_MAX);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        text_clear(&item);
        text_addf(&item, "%s.arguments[%zu]", path, i);
        load_one(json_object_array_get_idx(list, i), item.at, out, problems);
    }
}

void http_arguments_check_used(const struct http_arguments *arguments, const char *path,
                               struct text *problems)
{
    for (size_t i = 0; i < arguments->count; i++) {
        if (!arguments->at[i].used)
            text_addf(problems, "%s.arguments: nothing has %s in it\n", path,
                      arguments->at[i].name);
    }
}

/* ---- As called ---- */

static bool is_of_type(struct json_span value, enum http_argument_type type)
{
    switch (type) {
    case HTTP_STRING:
        return json_kind(value) == JSON_STRING;
    case HTTP_NUMBER:
        return json_kind(value) == JSON_NUMBER;
    case HTTP_INTEGER:
        return json_is_integer(value);
    case HTTP_BOOLEAN:
        return json_kind(value) == JSON_BOOLEAN;
    case HTTP_ANY:
        break;
    }
    return true;
}

static enum err check_types(const struct http_arguments *arguments, const struct json_span *values,
                            struct text *why)
{
    for (size_t i = 0; i < arguments->count; i++) {
        const struct http_argument *a = &arguments->at[i];

        if (is_of_type(values[i], a->type))
            continue;
        text_addf(why, "argument %s: expected %s, found %s", a->name, type_names[a->type],
                  json_kind_name(json_kind(values[i])));
        return ERR_TYPE;
    }
    return ERR_OK;
}

static struct argument_names names_of(const struct http_arguments *arguments)
{
    struct argument_names names = {.count = arguments->count};

    for (size_t i = 0; i < arguments->count; i++)
        names.at[i] = arguments->at[i].name;
    return names;
}

enum err http_arguments_read(const struct http_arguments *arguments, struct json_span given,
                             struct json_span key, struct json_span *values, struct text *why)
{
    const struct argument_names names = names_of(arguments);
    const enum err e = arguments_read(&names, given, values, why);

    values[arguments->count] = key;
    return e ? e : check_types(arguments, values, why);
}
