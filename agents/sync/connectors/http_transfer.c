#include "agents/sync/connectors/http_transfer.h"

#include <string.h>

#include <curl/curl.h>

#include "agents/runtime/http/http_address.h"

/* One request with its redirects. */
struct transfer {
    const struct http_handles *handles;
    const struct http_request *request;
    const char *method;
    bool has_body;
    struct text url;
    struct http_origin origin; /* of the URL */
    struct http_reply *reply;
};

void http_request_deinit(struct http_request *request)
{
    text_deinit(&request->url);
    text_deinit(&request->body);
    curl_slist_free_all(request->headers);
    curl_slist_free_all(request->public_headers);
}

/* ---- One request ---- */

static void fail(const struct transfer *t, enum http_outcome outcome, const char *why,
                 struct answer *answer)
{
    if (outcome == HTTP_TOO_LARGE)
        http_fail(answer, HTTP_UNPROCESSABLE, "the server's answer has more than %lld bytes",
                  (long long)t->request->operation->max_bytes);
    else if (outcome == HTTP_MET_PRIVATE)
        http_fail(answer, HTTP_UNREACHABLE,
                  "the server has a private address, which is not declared");
    else if (outcome == HTTP_NO_URL)
        http_fail(answer, HTTP_INVALID_URI, "the arguments make no URL");
    else
        http_fail(answer, HTTP_UNREACHABLE, "the server failed: %s", why);
}

static bool perform(struct transfer *t, struct answer *answer)
{
    const struct http_operation *operation = t->request->operation;
    const bool is_own = http_origin_equal(&t->origin, &operation->origins[0]);
    const struct http_exchange exchange = {
        .method = t->method,
        .url = text_str(&t->url),
        .headers = is_own ? t->request->headers : t->request->public_headers,
        .body = t->has_body ? &t->request->body : NULL,
        .ca_file = operation->ca_file,
        .allow_private = operation->allow_private,
        .max_bytes = operation->max_bytes,
        .deadline_ms = t->request->deadline_ms,
    };
    const char *why;
    const enum http_outcome outcome = http_exchange(t->handles, &exchange, t->reply, &why);

    if (outcome != HTTP_ANSWERED)
        fail(t, outcome, why, answer);
    return outcome == HTTP_ANSWERED;
}

/* ---- Redirects ---- */

static bool is_redirect(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* RFC 9110, section 15.4: what becomes of the method. */
static void choose_method(struct transfer *t)
{
    const long status = t->reply->status;
    const bool is_post = strcmp(t->method, "POST") == 0;

    if (strcmp(t->method, "HEAD") == 0 || status == 307 || status == 308)
        return;
    if (status == 303 || is_post) {
        t->method = "GET";
        t->has_body = false;
    }
}

static bool is_declared(const struct http_operation *operation, const struct http_origin *origin)
{
    for (size_t i = 0; i < operation->origin_count; i++) {
        if (http_origin_equal(&operation->origins[i], origin))
            return true;
    }
    return false;
}

/* Goes on where the server says, or tells why not. */
static const char *follow(struct transfer *t)
{
    const char *url = text_str(&t->reply->location);
    struct http_origin next;
    bool declared, downgrade;

    if (http_origin_parse(url, &next))
        return "the server redirects to nowhere";
    declared = is_declared(t->request->operation, &next);
    downgrade = t->origin.tls && !next.tls;
    http_origin_deinit(&t->origin);
    t->origin = next;
    if (!declared)
        return "the server redirects to a host that is not declared";
    if (downgrade)
        return "the server redirects from https to http";
    text_clear(&t->url);
    text_add(&t->url, url);
    choose_method(t);
    return NULL;
}

static bool run(struct transfer *t, struct answer *answer)
{
    for (int64_t left = t->request->operation->max_redirects; perform(t, answer); left--) {
        const char *why;

        if (!is_redirect(t->reply->status))
            return true;
        why = left > 0 ? follow(t) : "the server redirects too often";
        if (why) {
            http_fail(answer, HTTP_UNREACHABLE, "%s", why);
            return false;
        }
    }
    return false;
}

bool http_transfer(const struct http_handles *handles, const struct http_request *request,
                   struct http_reply *reply, struct answer *answer)
{
    const struct http_operation *operation = request->operation;
    struct transfer t = {
        .handles = handles,
        .request = request,
        .method = operation->method->name,
        .has_body = operation->method->has_length || operation->body.count > 0,
        .reply = reply,
    };
    bool answered = false;

    text_add_bytes(&t.url, text_str(&request->url), request->url.size);
    if (http_origin_parse(text_str(&t.url), &t.origin))
        http_fail(answer, HTTP_INVALID_URI, "the arguments make no URL");
    else
        answered = run(&t, answer);
    http_origin_deinit(&t.origin);
    text_deinit(&t.url);
    return answered;
}
