#include "agents/sync/connectors/http_transfer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "common/base/clock.h"

/* Connections to private addresses are kept apart, so that an operation that may not have them
 * cannot meet one. */
struct http_handles {
    CURL *public, *private;
};

/* One request with its redirects. */
struct transfer {
    CURL *curl;
    const struct http_request *request;
    const char *method;
    bool has_body;
    struct text url;
    struct http_origin origin; /* of the URL */
    struct http_reply *reply;
    bool met_private, too_large;
    bool has_head; /* all of the answer's headers have come */
};

/* ---- Handles ---- */

static CURL *new_handle(void)
{
    CURL *curl = curl_easy_init();

    if (!curl)
        err_out_of_memory();
    return curl;
}

struct http_handles *http_handles_create(void)
{
    struct http_handles *handles = calloc(1, sizeof(*handles));

    if (!handles)
        err_out_of_memory();
    handles->public = new_handle();
    handles->private = new_handle();
    return handles;
}

void http_handles_destroy(struct http_handles *handles)
{
    if (!handles)
        return;
    curl_easy_cleanup(handles->public);
    curl_easy_cleanup(handles->private);
    free(handles);
}

void http_request_deinit(struct http_request *request)
{
    text_deinit(&request->url);
    text_deinit(&request->body);
    curl_slist_free_all(request->headers);
    curl_slist_free_all(request->public_headers);
}

/* ---- What libcurl asks ---- */

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *t = arg;

    (void)purpose;
    if (!t->request->operation->allow_private && http_address_is_private(&address->addr)) {
        t->met_private = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* A line of an answer's head. One that ends in the middle would pass for an empty answer. */
static size_t take_head(char *line, size_t one, size_t size, void *arg)
{
    struct transfer *t = arg;

    (void)one;
    if (size > 5 && memcmp(line, "HTTP/", 5) == 0)
        t->has_head = false; /* what came before was preliminary, as "100 Continue" */
    else if (line[0] == '\r' || line[0] == '\n')
        t->has_head = true; /* what comes now are trailers */
    return size;
}

static size_t take_body(char *bytes, size_t one, size_t size, void *arg)
{
    struct transfer *t = arg;

    (void)one;
    t->too_large = size > (size_t)t->request->operation->max_bytes - t->reply->body.size;
    if (t->too_large)
        return 0;
    text_add_bytes(&t->reply->body, bytes, size);
    return size;
}

/* ---- One request ---- */

static void set_request(const struct transfer *t)
{
    const struct http_operation *operation = t->request->operation;
    CURL *curl = t->curl;

    curl_easy_setopt(curl, CURLOPT_URL, text_str(&t->url));
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER,
                     http_origin_equal(&t->origin, &operation->origins[0])
                         ? t->request->headers
                         : t->request->public_headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "ActiveStack/" ACTIVESTACK_VERSION);
    if (t->has_body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->request->body.size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text_str(&t->request->body));
    }
    if (strcmp(t->method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, t->method);
    if (operation->ca_file)
        curl_easy_setopt(curl, CURLOPT_CAINFO, operation->ca_file);
}

static void set_bounds(struct transfer *t, int64_t left_ms)
{
    CURL *curl = t->curl;

    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)left_ms);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L); /* a hanging name server is not waited for */
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, t);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_head);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
}

static void fail(const struct transfer *t, CURLcode code, struct answer *answer)
{
    if (t->too_large)
        http_fail(answer, HTTP_UNPROCESSABLE, "the server's answer has more than %lld bytes",
                  (long long)t->request->operation->max_bytes);
    else if (t->met_private)
        http_fail(answer, HTTP_UNREACHABLE,
                  "the server has a private address, which is not declared");
    else if (code == CURLE_URL_MALFORMAT)
        http_fail(answer, HTTP_INVALID_URI, "the arguments make no URL");
    else
        http_fail(answer, HTTP_UNREACHABLE, "the server failed: %s", curl_easy_strerror(code));
}

static void keep_header(CURL *curl, const char *name, struct text *out)
{
    struct curl_header *header;

    text_clear(out);
    if (curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK)
        text_add(out, header->value);
}

static bool perform(struct transfer *t, struct answer *answer)
{
    const int64_t left_ms = t->request->deadline_ms - clock_mono_ms();
    CURLcode code = CURLE_OPERATION_TIMEDOUT;

    text_clear(&t->reply->body);
    t->met_private = t->too_large = t->has_head = false;
    if (left_ms > 0) {
        curl_easy_reset(t->curl); /* connections stay */
        set_request(t);
        set_bounds(t, left_ms);
        code = curl_easy_perform(t->curl);
        if (code == CURLE_OK && !t->has_head)
            code = CURLE_PARTIAL_FILE;
    }
    if (code) {
        fail(t, code, answer);
        return false;
    }
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &t->reply->status);
    keep_header(t->curl, "Content-Type", &t->reply->type);
    keep_header(t->curl, "Content-Encoding", &t->reply->coding);
    return true;
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
    struct http_origin next;
    char *url = NULL;
    bool declared, downgrade;

    curl_easy_getinfo(t->curl, CURLINFO_REDIRECT_URL, &url);
    if (!url || http_origin_parse(url, &next))
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
        .curl = operation->allow_private ? handles->private : handles->public,
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
    curl_easy_reset(t.curl); /* it forgets what is ours */
    http_origin_deinit(&t.origin);
    text_deinit(&t.url);
    return answered;
}
