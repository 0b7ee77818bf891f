#include "agents/runtime/http/http_exchange.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <curl/curl.h>

#include "agents/runtime/http/http_address.h"
#include "common/base/clock.h"

#define HEAD_BYTES_MAX 262144 /* of all headers and trailers of a reply, which libcurl keeps */

/* Connections to private addresses are kept apart, so that an exchange that may not have them
 * cannot meet one. */
struct http_handles {
    CURL *public, *private;
};

/* An exchange that is under way. */
struct transfer {
    CURL *curl;
    const struct http_exchange *exchange;
    struct http_reply *reply;
    bool met_private, too_large;
    bool has_head;     /* all of the reply's headers have come */
    size_t head_bytes; /* of what came before and behind its body */
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

void http_reply_deinit(struct http_reply *reply)
{
    text_deinit(&reply->type);
    text_deinit(&reply->coding);
    text_deinit(&reply->location);
    text_deinit(&reply->body);
}

/* ---- What libcurl asks ---- */

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *t = arg;

    (void)purpose;
    if (!t->exchange->allow_private && http_address_is_private(&address->addr)) {
        t->met_private = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* A line of a reply's head. One that ends in the middle would pass for an empty reply. */
static size_t take_head(char *line, size_t one, size_t size, void *arg)
{
    struct transfer *t = arg;

    (void)one;
    if (size > 5 && memcmp(line, "HTTP/", 5) == 0)
        t->has_head = false; /* what came before was preliminary, as "100 Continue" */
    else if (line[0] == '\r' || line[0] == '\n')
        t->has_head = true; /* what comes now are trailers */
    t->head_bytes += size;
    return t->head_bytes > HEAD_BYTES_MAX ? 0 : size;
}

static size_t take_body(char *bytes, size_t one, size_t size, void *arg)
{
    struct transfer *t = arg;

    (void)one;
    t->too_large = size > (size_t)t->exchange->max_bytes - t->reply->body.size;
    if (t->too_large)
        return 0;
    text_add_bytes(&t->reply->body, bytes, size);
    return size;
}

/* ---- One exchange ---- */

static void set_request(const struct transfer *t)
{
    const struct http_exchange *exchange = t->exchange;
    CURL *curl = t->curl;

    curl_easy_setopt(curl, CURLOPT_URL, exchange->url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, exchange->headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "ActiveStack/" ACTIVESTACK_VERSION);
    if (exchange->body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)exchange->body->size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text_str(exchange->body));
    }
    if (strcmp(exchange->method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, exchange->method);
    if (exchange->ca_file)
        curl_easy_setopt(curl, CURLOPT_CAINFO, exchange->ca_file);
}

static void set_bounds(struct transfer *t, int64_t left_ms)
{
    CURL *curl = t->curl;

    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)left_ms);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L); /* a hanging name server is not waited for */
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, t->exchange->tls_only ? "https" : "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, t);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_head);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
}

static void keep_header(CURL *curl, const char *name, struct text *out)
{
    struct curl_header *header;

    text_clear(out);
    if (curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK)
        text_add(out, header->value);
}

static void keep_reply(const struct transfer *t)
{
    char *location = NULL;

    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &t->reply->status);
    keep_header(t->curl, "Content-Type", &t->reply->type);
    keep_header(t->curl, "Content-Encoding", &t->reply->coding);
    curl_easy_getinfo(t->curl, CURLINFO_REDIRECT_URL, &location);
    text_clear(&t->reply->location);
    text_add(&t->reply->location, location ? location : "");
}

static enum http_outcome outcome_of(const struct transfer *t, CURLcode code)
{
    if (code == CURLE_OK)
        return HTTP_ANSWERED;
    if (t->too_large)
        return HTTP_TOO_LARGE;
    if (t->met_private)
        return HTTP_MET_PRIVATE;
    return code == CURLE_URL_MALFORMAT ? HTTP_NO_URL : HTTP_FAILED;
}

enum http_outcome http_exchange(const struct http_handles *handles,
                                const struct http_exchange *exchange, struct http_reply *reply,
                                const char **why)
{
    const int64_t left_ms = exchange->deadline_ms - clock_mono_ms();
    CURLcode code = CURLE_OPERATION_TIMEDOUT;
    struct transfer t = {
        .curl = exchange->allow_private ? handles->private : handles->public,
        .exchange = exchange,
        .reply = reply,
    };

    text_clear(&reply->body);
    if (left_ms > 0) {
        set_request(&t);
        set_bounds(&t, left_ms);
        code = curl_easy_perform(t.curl);
        if (code == CURLE_OK && !t.has_head)
            code = CURLE_PARTIAL_FILE;
    }
    if (code == CURLE_OK)
        keep_reply(&t);
    curl_easy_reset(t.curl); /* connections stay, and it forgets what is ours */
    *why = t.head_bytes > HEAD_BYTES_MAX ? "its headers are too large" : curl_easy_strerror(code);
    return outcome_of(&t, code);
}
