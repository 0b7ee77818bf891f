#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"

struct curl_slist;

/*
 * http_exchange - one HTTP request and its reply, through libcurl: the only one to send anything.
 *
 * No redirect is followed, which is left to whoever asks; addresses are looked at when a socket is
 * made for them, so that no name can lead to a private one. No proxy of the environment is used, no
 * cookie kept, no compression asked for. What stands around a body is bounded like the body.
 *
 * A request whose kept connection turns out to be closed is sent again on a new one, by libcurl.
 */

/* All is borrowed for the exchange. */
struct http_exchange {
    const char *method, *url;
    const struct curl_slist *headers; /* "Name: value" each */
    const struct text *body;          /* NULL: none */
    const char *ca_file;              /* NULL: the system's certificates */
    bool tls_only;                    /* nothing but https */
    bool allow_private;
    int64_t max_bytes;   /* of the reply's body */
    int64_t deadline_ms; /* of clock_mono_ms() */
};

/* What a server answered. A zeroed struct is empty. */
struct http_reply {
    long status;
    struct text type;     /* Content-Type, "" if there is none */
    struct text coding;   /* Content-Encoding, "" if there is none */
    struct text location; /* where a redirect leads to, an absolute URL; "": nowhere */
    struct text body;
};

void http_reply_deinit(struct http_reply *reply);

enum http_outcome {
    HTTP_ANSWERED,
    HTTP_NO_URL,      /* the URL is none */
    HTTP_TOO_LARGE,   /* the reply's body */
    HTTP_MET_PRIVATE, /* the address is private */
    HTTP_FAILED,      /* nobody there, no time left, no trust, ... */
};

/* A thread's own handles, which keep connections open between exchanges. */
struct http_handles;
struct http_handles *http_handles_create(void);
void http_handles_destroy(struct http_handles *handles);

/* Fills *reply, by the deadline at the latest. `why`: a constant, for HTTP_FAILED. curl was
 * initialised. */
enum http_outcome http_exchange(const struct http_handles *handles,
                                const struct http_exchange *exchange, struct http_reply *reply,
                                const char **why);
