#include "agents/sync/connectors/http_operation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "agents/sync/host/connector.h"
#include "agents/sync/processes/declared.h"
#include "common/json/json_get.h"

#define BYTES_DEFAULT     1048576
#define REDIRECTS_DEFAULT 5

static const struct http_method methods[] = {
    {"DELETE", true, false}, {"GET", false, false}, {"HEAD", false, false},
    {"PATCH", true, true},   {"POST", true, true},  {"PUT", true, true},
};

static const char *const types[] = {
    [HTTP_AS_TYPED] = "byContentType", [HTTP_AS_JSON] = "json", [HTTP_AS_TEXT] = "text"};

static void load_method(struct http_operation *operation, struct json_object *row, const char *path,
                        struct text *problems)
{
    const char *name;

    if (json_get_string(row, path, "method", true, &name, problems))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        if (strcmp(name, methods[i].name) == 0)
            operation->method = &methods[i];
    }
    if (!operation->method)
        text_addf(problems, "%s.method: expected DELETE, GET, HEAD, PATCH, POST or PUT\n", path);
}

static void load_type(struct http_operation *operation, struct json_object *row, const char *path,
                      struct text *problems)
{
    const char *type;

    if (json_get_string(row, path, "type", false, &type, problems))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (strcmp(type, types[i]) == 0) {
            operation->type = (enum http_type)i;
            return;
        }
    }
    text_addf(problems, "%s.type: expected json, text or byContentType\n", path);
}

static void load_limits(struct http_operation *operation, struct json_object *row, const char *path,
                        struct text *problems)
{
    static const struct json_int timeout = {.least = 1, .most = PROCESS_DEADLINE_MAX},
                                 bytes = {.least = 1, .most = CONNECTOR_BYTES_MAX},
                                 redirects = {.least = 0, .most = HTTP_REDIRECTS_MOST};

    if (json_get_int(row, path, "timeoutMs", &timeout, &operation->timeout_ms, problems))
        operation->timeout_ms = PROCESS_DEADLINE_MAX;
    if (json_get_int(row, path, "maxBytes", &bytes, &operation->max_bytes, problems))
        operation->max_bytes = BYTES_DEFAULT;
    if (json_get_int(row, path, "maxRedirects", &redirects, &operation->max_redirects, problems))
        operation->max_redirects = REDIRECTS_DEFAULT;
}

/* A file that cannot be read would be told at the first call only. */
static void load_trust(struct http_operation *operation, struct json_object *row, const char *path,
                       struct text *problems)
{
    if (json_get_bool(row, path, "allowPrivate", &operation->allow_private, problems))
        operation->allow_private = false;
    if (json_get_string(row, path, "caFile", false, &operation->ca_file, problems))
        operation->ca_file = NULL;
    if (operation->ca_file && access(operation->ca_file, R_OK) != 0)
        text_addf(problems, "%s.caFile: %s: %s\n", path, operation->ca_file, strerror(errno));
}

static void load_operation(struct http_operation *operation, struct json_object *row,
                           const char *path, struct text *problems)
{
    static const char *const members[] = {
        "run",          "deadlineMs",    "method",       "url",      "arguments",
        "headers",      "body",          "timeoutMs",    "maxBytes", "type",
        "allowPrivate", "redirectHosts", "maxRedirects", "caFile",   NULL};

    operation->url.arguments = operation->body.arguments = &operation->arguments;
    json_get_only(row, path, members, problems);
    http_arguments_load(row, path, &operation->arguments, problems);
    load_method(operation, row, path, problems);
    http_load_url(operation, row, path, problems);
    http_load_sent(operation, row, path, problems);
    load_type(operation, row, path, problems);
    load_limits(operation, row, path, problems);
    load_trust(operation, row, path, problems);
    http_arguments_check_used(&operation->arguments, path, problems);
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct http_operation *const *)a)->name,
                  (*(struct http_operation *const *)b)->name);
}

static struct http_operation *new_operation(struct http_operations *operations, const char *name)
{
    struct http_operation *operation = calloc(1, sizeof(*operation));

    if (!operation)
        err_out_of_memory();
    operation->name = name;
    operations->at[operations->count++] = operation;
    return operation;
}

static void load_all(struct json_object *rows, struct http_operations *out, struct text *problems)
{
    struct json_object_iter row;

    out->at = calloc((size_t)json_object_object_length(rows) + 1, sizeof(struct http_operation *));
    if (!out->at)
        err_out_of_memory();
    json_object_object_foreachC(rows, row)
    {
        _cleanup_(text_deinitp) struct text path = {0};

        if (!json_object_is_type(row.val, json_type_object))
            continue; /* declared.h tells */
        text_addf(&path, "http.operations.%s", row.key);
        load_operation(new_operation(out, row.key), row.val, path.at, problems);
    }
    qsort(out->at, out->count, sizeof(*out->at), by_name);
}

enum err http_operations_load(struct json_object *section, struct http_operations *out,
                              struct text *problems)
{
    static const char *const members[] = {"threads", "operations", NULL};
    const size_t before = problems->size;
    struct json_object *rows;

    *out = (struct http_operations){0};
    json_get_only(section, "http", members, problems);
    if (!json_get_object(section, "http", "operations", false, &rows, problems))
        load_all(rows, out, problems);
    if (problems->size == before)
        return ERR_OK;
    http_operations_deinit(out);
    return ERR_CONFIG;
}

static void destroy(struct http_operation *operation)
{
    for (size_t i = 0; i < operation->header_count; i++)
        http_template_deinit(&operation->headers[i].value);
    for (size_t i = 0; i < operation->origin_count; i++)
        http_origin_deinit(&operation->origins[i]);
    http_template_deinit(&operation->url);
    http_template_deinit(&operation->body);
    free(operation->headers);
    free(operation->origins);
    free(operation);
}

void http_operations_deinit(struct http_operations *operations)
{
    for (size_t i = 0; i < operations->count; i++)
        destroy(operations->at[i]);
    free(operations->at);
    *operations = (struct http_operations){0};
}

const struct http_operation *http_operations_find(const struct http_operations *operations,
                                                  const char *name)
{
    const struct http_operation wanted = {.name = name}, *key = &wanted;
    struct http_operation *const *found =
        operations->count
            ? bsearch(&key, operations->at, operations->count, sizeof(*operations->at), by_name)
            : NULL;

    return found ? *found : NULL;
}
