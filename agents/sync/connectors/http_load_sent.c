#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <json-c/json.h>

#include "agents/sync/connectors/http_operation.h"
#include "common/base/one_line.h"
#include "common/json/json_get.h"

/* What a declared operation sends: its headers and its body. */

#define SECRET_MAX_BYTES 16384 /* of a file with a header's value */

/* ---- Headers ---- */

static bool is_among(const char *name, const char *const *names)
{
    while (*names && strcasecmp(name, *names) != 0)
        names++;
    return *names;
}

/* RFC 9110, section 5.6.2. */
static bool is_token(const char *name)
{
    const char *at = name;

    while (isalnum((unsigned char)*at) || (*at && strchr("!#$%&'*+-.^_`|~", *at)))
        at++;
    return at > name && !*at;
}

/* How a message is framed, whom it is for and which answers we understand is not the file's. */
static const char *why_no_header(const struct http_operation *operation, const char *name)
{
    static const char *const ours[] = {"Accept-Encoding",
                                       "Connection",
                                       "Content-Length",
                                       "Expect",
                                       "Host",
                                       "Keep-Alive",
                                       "TE",
                                       "Trailer",
                                       "Transfer-Encoding",
                                       "Upgrade",
                                       NULL};

    if (!is_token(name))
        return "no name of a header";
    if (is_among(name, ours))
        return "not for a file to say";
    for (size_t i = 0; i < operation->header_count; i++) {
        if (strcasecmp(operation->headers[i].name, name) == 0)
            return "stands there twice";
    }
    return NULL;
}

static struct http_header *new_header(struct http_operation *operation, const char *name)
{
    static const char *const secret[] = {"Authorization", "Cookie", NULL};
    struct http_header *grown =
        realloc(operation->headers, (operation->header_count + 1) * sizeof(*grown));

    if (!grown)
        err_out_of_memory();
    operation->headers = grown;
    grown += operation->header_count++;
    *grown = (struct http_header){.name = name, .is_secret = is_among(name, secret)};
    grown->value.arguments = &operation->arguments;
    return grown;
}

/* {"file": "/etc/...", "prefix": "Bearer "}: the value is the one line of a file. */
static void load_file(struct http_header *header, struct json_object *row, const char *path,
                      struct text *problems)
{
    static const char *const members[] = {"file", "prefix", NULL};
    _cleanup_(text_deinitp) struct text value = {0};
    const char *file, *prefix, *why;

    json_get_only(row, path, members, problems);
    if (json_get_string(row, path, "file", true, &file, problems))
        return;
    if (!json_get_string(row, path, "prefix", false, &prefix, problems))
        text_add(&value, prefix);
    if (!one_line_is(text_str(&value), value.size))
        text_addf(problems, "%s.prefix: expected one line without control characters\n", path);
    why = one_line_add_file(&value, file, SECRET_MAX_BYTES);
    if (why)
        text_addf(problems, "%s.file: %s: %s\n", path, file, why);
    header->is_secret = true;
    http_template_add_bytes(&header->value, text_str(&value), value.size);
}

static void load_text(struct http_header *header, const char *value, const char *path,
                      struct text *problems)
{
    _cleanup_(text_deinitp) struct text why = {0};

    if (!one_line_is(value, strlen(value)))
        text_addf(problems, "%s: expected one line without control characters\n", path);
    else if (http_template_add(&header->value, value, strlen(value), HTTP_IN_HEADER, &why))
        text_addf(problems, "%s: %s\n", path, text_str(&why));
}

static void load_header(struct http_operation *operation, const struct json_object_iter *row,
                        const char *path, struct text *problems)
{
    const char *why = why_no_header(operation, row->key);
    struct http_header *header;

    if (why) {
        text_addf(problems, "%s: %s\n", path, why);
        return;
    }
    header = new_header(operation, row->key);
    if (json_object_is_type(row->val, json_type_object))
        load_file(header, row->val, path, problems);
    else if (json_object_is_type(row->val, json_type_string))
        load_text(header, json_object_get_string(row->val), path, problems);
    else
        text_addf(problems, "%s: expected a string or {\"file\": path}\n", path);
}

static void load_headers(struct http_operation *operation, struct json_object *row,
                         const char *path, struct text *problems)
{
    struct json_object *headers;
    struct json_object_iter header;

    if (json_get_object(row, path, "headers", false, &headers, problems))
        return;
    json_object_object_foreachC(headers, header)
    {
        _cleanup_(text_deinitp) struct text header_path = {0};

        text_addf(&header_path, "%s.headers.%s", path, header.key);
        load_header(operation, &header, header_path.at, problems);
    }
}

/* ---- Bodies ---- */

typedef enum err load_body_fn(struct http_template *body, struct json_object *value,
                              struct text *why);

static enum err load_string(struct http_template *body, struct json_object *value,
                            enum http_place place, struct text *why)
{
    if (json_object_is_type(value, json_type_string))
        return http_template_add(body, json_object_get_string(value),
                                 (size_t)json_object_get_string_len(value), place, why);
    text_add(why, "expected a string");
    return ERR_TYPE;
}

static enum err load_text_body(struct http_template *body, struct json_object *value,
                               struct text *why)
{
    return load_string(body, value, HTTP_IN_TEXT, why);
}

static enum err load_xml_body(struct http_template *body, struct json_object *value,
                              struct text *why)
{
    return load_string(body, value, HTTP_IN_XML, why);
}

static enum err load_form_body(struct http_template *body, struct json_object *value,
                               struct text *why)
{
    struct json_object_iter field;

    if (!json_object_is_type(value, json_type_object)) {
        text_add(why, "expected an object of strings");
        return ERR_TYPE;
    }
    json_object_object_foreachC(value, field)
    {
        enum err e;

        http_template_add_bytes(body, "&", body->count > 0);
        e = http_template_add(body, field.key, strlen(field.key), HTTP_IN_FORM, why);
        http_template_add_bytes(body, "=", 1);
        e = e ? e : load_string(body, field.val, HTTP_IN_FORM, why);
        if (e)
            return e;
    }
    return ERR_OK;
}

/* The kinds of bodies; one of them is the only member of the object. */
static const struct body_kind {
    const char *name;
    load_body_fn *load;
    const char *type; /* Content-Type, unless the headers have it */
} body_kinds[] = {
    {"json", http_template_add_json, "application/json"},
    {"form", load_form_body, "application/x-www-form-urlencoded"},
    {"text", load_text_body, "text/plain; charset=utf-8"},
    {"xml", load_xml_body, "application/xml; charset=utf-8"},
};

static void add_type(struct http_operation *operation, const char *type)
{
    static const char name[] = "Content-Type";

    for (size_t i = 0; i < operation->header_count; i++) {
        if (strcasecmp(operation->headers[i].name, name) == 0)
            return;
    }
    http_template_add_bytes(&new_header(operation, name)->value, type, strlen(type));
}

/* "arguments" is short for a JSON object of all of them: {"city": "{city}", ...}. */
static struct json_object *all_arguments(const struct http_arguments *arguments)
{
    struct json_object *all = json_object_new_object();

    for (size_t i = 0; i < arguments->count; i++) {
        _cleanup_(text_deinitp) struct text value = {0};

        text_addf(&value, "{%s}", arguments->at[i].name);
        json_object_object_add(all, arguments->at[i].name, json_object_new_string(value.at));
    }
    return all;
}

static void load_body_of(struct http_operation *operation, const struct body_kind *kind,
                         struct json_object *value, const char *path, struct text *problems)
{
    _cleanup_(text_deinitp) struct text why = {0};

    if (kind->load(&operation->body, value, &why))
        text_addf(problems, "%s.body.%s: %s\n", path, kind->name, text_str(&why));
    add_type(operation, kind->type);
}

static void load_body(struct http_operation *operation, struct json_object *body, const char *path,
                      struct text *problems)
{
    struct json_object *value;

    if (json_object_is_type(body, json_type_string) &&
        strcmp(json_object_get_string(body), "arguments") == 0) {
        value = all_arguments(&operation->arguments);
        load_body_of(operation, &body_kinds[0], value, path, problems);
        json_object_put(value);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(body_kinds); i++) {
        if (json_object_is_type(body, json_type_object) && json_object_object_length(body) == 1 &&
            json_object_object_get_ex(body, body_kinds[i].name, &value)) {
            load_body_of(operation, &body_kinds[i], value, path, problems);
            return;
        }
    }
    text_addf(problems,
              "%s.body: expected \"arguments\", or an object with one of json, form, "
              "text and xml\n",
              path);
}

void http_load_sent(struct http_operation *operation, struct json_object *row, const char *path,
                    struct text *problems)
{
    struct json_object *body;

    load_headers(operation, row, path, problems);
    if (!json_object_object_get_ex(row, "body", &body))
        return;
    if (operation->method && !operation->method->may_have_body)
        text_addf(problems, "%s.body: a %s has none\n", path, operation->method->name);
    else
        load_body(operation, body, path, problems);
}
