#include <stdlib.h>

#include <curl/curl.h>

#include "agents/sync/connectors/http_answer.h"
#include "agents/sync/connectors/http_operation.h"
#include "agents/sync/connectors/http_transfer.h"
#include "agents/sync/host/connector.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/protocol/response.h"

/* The connector HTTP: a call becomes the request that its operation declares (spec 3.8). */

static enum err load(const struct declared *declared, struct json_object *section, void **own,
                     struct text *problems)
{
    struct http_operations *operations = calloc(1, sizeof(*operations));
    enum err e;

    (void)declared;
    if (!operations || curl_global_init(CURL_GLOBAL_DEFAULT))
        err_out_of_memory();
    e = http_operations_load(section, operations, problems);
    if (e) {
        curl_global_cleanup();
        free(operations);
        return e;
    }
    *own = operations;
    return ERR_OK;
}

static void unload(void *own)
{
    http_operations_deinit(own);
    free(own);
    curl_global_cleanup();
}

static void *open_thread(void *own)
{
    (void)own;
    return http_handles_create();
}

static void close_thread(void *thread)
{
    http_handles_destroy(thread);
}

/* ---- A request ---- */

static void add_line(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    if (!longer)
        err_out_of_memory();
    *list = longer;
}

/* Both lists begin with what libcurl would say of itself, and shall not. */
static void begin_headers(struct http_request *request)
{
    static const char *const silent[] = {"Expect:", "Content-Type:"};

    for (size_t i = 0; i < ARRAY_SIZE(silent); i++) {
        add_line(&request->headers, silent[i]);
        add_line(&request->public_headers, silent[i]);
    }
}

static enum err add_header(struct http_request *request, const struct http_header *header,
                           const struct json_span *values, struct text *why)
{
    _cleanup_(text_deinitp) struct text value = {0}, line = {0};
    enum err e = http_template_fill(&header->value, values, &value, why);

    if (e)
        return e;
    if (value.size)
        text_addf(&line, "%s: %s", header->name, value.at);
    else
        text_addf(&line, "%s;", header->name); /* libcurl's way to send an empty one */
    add_line(&request->headers, line.at);
    if (!header->is_secret)
        add_line(&request->public_headers, line.at);
    return ERR_OK;
}

/* ERR_TYPE, ERR_MALFORMED, ERR_RANGE: `why` has words for the caller. */
static enum err fill_request(const struct call *call, struct http_request *request,
                             struct text *why)
{
    const struct http_operation *operation = request->operation;
    struct json_span values[HTTP_ARGUMENTS_MAX + 1];
    _cleanup_(text_deinitp) struct text key = {0};
    enum err e;

    text_add_json_str(&key, call->key);
    e = http_arguments_read(&operation->arguments, call->arguments, json_span_of(key.at), values,
                            why);
    e = e ? e : http_template_fill(&operation->url, values, &request->url, why);
    e = e ? e : http_template_fill(&operation->body, values, &request->body, why);
    begin_headers(request);
    for (size_t i = 0; !e && i < operation->header_count; i++)
        e = add_header(request, &operation->headers[i], values, why);
    return e;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void ask(const struct http_handles *handles, const struct http_request *request,
                struct answer *answer)
{
    struct http_reply reply = {0};

    if (http_url_has_dots(text_str(&request->url)))
        http_fail(answer, HTTP_INVALID_URI, "the arguments make a segment . or .. of the path");
    else if (http_transfer(handles, request, &reply, answer))
        http_answer(request->operation, &reply, answer);
    http_reply_deinit(&reply);
    if (answer->failed && answer->code != HTTP_INVALID_URI) /* that was the caller */
        log_warn("http.failed", LOG_STR("operation", request->operation->name),
                 LOG_I64("code", answer->code), LOG_STR("why", answer->body.at));
}

static void refuse(struct answer *answer, const struct text *why)
{
    answer->failed = true;
    answer->code = CODE_MALFORMED;
    answer->name = response_code_name(CODE_MALFORMED);
    text_add(&answer->body, text_str(why));
}

static void run(void *own, void *thread, const struct call *call, struct answer *answer)
{
    struct http_request request = {.operation = http_operations_find(own, call->operation)};
    _cleanup_(text_deinitp) struct text why = {0};

    if (!request.operation) {
        answer->failed = true;
        text_add(&answer->body, "there is no such operation");
        return;
    }
    request.deadline_ms =
        earlier(call->deadline_ms, clock_mono_ms() + request.operation->timeout_ms);
    if (fill_request(call, &request, &why))
        refuse(answer, &why);
    else
        ask(thread, &request, answer);
    http_request_deinit(&request);
}

const struct connector connector_http = {
    .prefix = "HTTP",
    .section = "http",
    .load = load,
    .unload = unload,
    .open = open_thread,
    .run = run,
    .close = close_thread,
};
