#include "agents/auth/oauth/asking.h"

#include <string.h>

#include <curl/curl.h>

#include "common/base/log.h"
#include "common/base/one_line.h"
#include "common/base/secret.h"

static const struct json_limits limits = {.depth = 32, .number_chars = 100};

void answered_deinit(struct answered *answered)
{
    text_wipe(&answered->body);
    *answered = (struct answered){0};
}

void asking_log_fault(const struct asking *asking, const char *what, const char *why)
{
    log_warn("oauth.failed", LOG_STR("provider", asking->provider->id), LOG_STR("asked", what),
             LOG_STR("why", why));
}

/* ---- Headers and forms ---- */

static void add_encoded(struct text *out, const char *value)
{
    char *encoded = curl_easy_escape(NULL, value, 0);

    if (!encoded)
        err_out_of_memory();
    text_add(out, *value ? encoded : "");
    explicit_bzero(encoded, strlen(encoded));
    curl_free(encoded);
}

void asking_add_field(struct text *form, const char *name, const char *value)
{
    if (form->size)
        text_add_char(form, '&');
    text_addf(form, "%s=", name);
    add_encoded(form, value);
}

static void add_line(struct curl_slist **headers, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*headers, line);

    if (!longer)
        err_out_of_memory();
    *headers = longer;
}

/* RFC 6749, section 2.3.1: encoded as in a form, then as ever. */
static void add_basic(struct curl_slist **headers, const struct oauth_declared *provider)
{
    struct text pair = {0}, line = {0};

    add_encoded(&pair, provider->client_id);
    text_add_char(&pair, ':');
    add_encoded(&pair, text_str(&provider->secret));
    text_add(&line, "Authorization: Basic ");
    secret_add_base64(&line, pair.at, pair.size);
    add_line(headers, line.at);
    text_wipe(&pair);
    text_wipe(&line);
}

static void free_headers(struct curl_slist *headers)
{
    for (struct curl_slist *h = headers; h; h = h->next)
        explicit_bzero(h->data, strlen(h->data));
    curl_slist_free_all(headers);
}

/* ---- Exchanges ---- */

static const char *fault_of(enum http_outcome outcome, const char *why)
{
    static const char *const faults[] = {
        [HTTP_NO_URL] = "its URL is none",
        [HTTP_TOO_LARGE] = "its answer is too large",
        [HTTP_MET_PRIVATE] = "its address is private, and allowPrivate is not set",
    };

    return outcome == HTTP_FAILED ? why : faults[outcome];
}

static struct json_span object_of(const struct http_reply *reply)
{
    if (json_check(text_str(&reply->body), reply->body.size, &limits, NULL))
        return (struct json_span){0};
    return json_value(reply->body.at, reply->body.size);
}

/* What clients show may be wrong at any time; who we are is the operator's to mend (RFC 6749,
 * section 5.2). */
static void log_refusal(const struct asking *asking, const char *what,
                        const struct http_reply *reply)
{
    struct json_span error = json_member(object_of(reply), "error", NULL);

    if (json_kind(error) == JSON_STRING && json_string_is(error, "invalid_client"))
        asking_log_fault(asking, what, "it does not take us for its client");
    else
        log_debug("oauth.refused", LOG_STR("provider", asking->provider->id),
                  LOG_STR("asked", what), LOG_I64("status", reply->status));
}

static enum err read_reply(const struct asking *asking, const char *what,
                           const struct http_reply *reply, struct answered *out)
{
    const long status = reply->status;

    if (status == 400 || status == 401 || status == 403 || status == 404) {
        log_refusal(asking, what, reply);
        return ERR_REFUSED;
    }
    if (status < 200 || status > 299) {
        log_warn("oauth.failed", LOG_STR("provider", asking->provider->id), LOG_STR("asked", what),
                 LOG_I64("status", status));
        return ERR_AWAY;
    }
    out->object = object_of(reply);
    if (json_kind(out->object) == JSON_OBJECT)
        return ERR_OK;
    asking_log_fault(asking, what, "its answer is no JSON object");
    return ERR_AWAY;
}

static enum err run(const struct asking *asking, const char *what, struct http_exchange *exchange,
                    struct answered *out)
{
    struct http_reply reply = {0};
    const char *why;
    enum http_outcome outcome;
    enum err e;

    exchange->ca_file = asking->provider->ca_file;
    exchange->tls_only = true;
    exchange->allow_private = asking->provider->allow_private;
    exchange->max_bytes = asking->max_bytes;
    exchange->deadline_ms = asking->deadline_ms;
    outcome = http_exchange(asking->handles, exchange, &reply, &why);
    if (outcome == HTTP_ANSWERED) {
        e = read_reply(asking, what, &reply, out);
        out->body = reply.body; /* the object is in it */
        reply.body = (struct text){0};
    } else {
        asking_log_fault(asking, what, fault_of(outcome, why));
        e = ERR_AWAY;
    }
    text_wipe(&reply.body);
    http_reply_deinit(&reply);
    if (e)
        answered_deinit(out);
    return e;
}

enum err asking_get(const struct asking *asking, const char *what, const char *url,
                    const char *bearer, struct answered *out)
{
    struct curl_slist *headers = NULL;
    struct text line = {0};
    enum err e;

    *out = (struct answered){0};
    if (bearer && !one_line_is(bearer, strlen(bearer)))
        return ERR_REFUSED; /* it would be more than one header */
    add_line(&headers, "Accept: application/json");
    if (bearer) {
        text_addf(&line, "Authorization: Bearer %s", bearer);
        add_line(&headers, line.at);
    }
    e = run(asking, what, &(struct http_exchange){.method = "GET", .url = url, .headers = headers},
            out);
    text_wipe(&line);
    free_headers(headers);
    return e;
}

/* A form that is to be sent. */
struct form {
    struct curl_slist *headers;
    struct text body;
};

static void form_begin(struct form *form, const struct text *fields)
{
    *form = (struct form){0};
    add_line(&form->headers, "Accept: application/json");
    add_line(&form->headers, "Content-Type: application/x-www-form-urlencoded");
    add_line(&form->headers, "Expect:"); /* libcurl would wait for a word of the server */
    text_add_bytes(&form->body, text_str(fields), fields->size);
}

static void form_add_client(struct form *form, const struct oauth_declared *provider)
{
    if (provider->secret.size && !provider->secret_in_body) {
        add_basic(&form->headers, provider);
        return;
    }
    asking_add_field(&form->body, "client_id", provider->client_id);
    if (provider->secret.size)
        asking_add_field(&form->body, "client_secret", provider->secret.at);
}

static enum err form_send(struct form *form, const struct asking *asking, const char *what,
                          const char *url, struct answered *out)
{
    enum err e;

    *out = (struct answered){0};
    e = run(asking, what,
            &(struct http_exchange){
                .method = "POST", .url = url, .headers = form->headers, .body = &form->body},
            out);
    text_wipe(&form->body);
    free_headers(form->headers);
    return e;
}

enum err asking_post(const struct asking *asking, const char *what, const char *url,
                     const struct text *fields, struct answered *out)
{
    struct form form;

    form_begin(&form, fields);
    return form_send(&form, asking, what, url, out);
}

enum err asking_post_as_client(const struct asking *asking, const char *what, const char *url,
                               const struct text *fields, struct answered *out)
{
    struct form form;

    form_begin(&form, fields);
    form_add_client(&form, asking->provider);
    return form_send(&form, asking, what, url, out);
}
