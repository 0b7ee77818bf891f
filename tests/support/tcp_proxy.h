#pragma once

#include <stddef.h>

/*
 * tcp_proxy - a thread that stands between a link under test and its server, so that a test can do
 * to the connection what networks and brokers do. One connection at a time.
 *
 * Commands are carried out in their order; they do not wait until they are.
 */

struct tcp_proxy;

/* Stands before the server of `url` (scheme://[credentials@]host:port[/path]). Fails the test on
 * errors, as do the others. */
struct tcp_proxy *tcp_proxy_start(const char *url);
void tcp_proxy_stop(struct tcp_proxy *proxy);

/* The server's URL with our port. */
const char *tcp_proxy_url(const struct tcp_proxy *proxy);

void tcp_proxy_cut(struct tcp_proxy *proxy);    /* closes the connection; the next may come */
void tcp_proxy_stall(struct tcp_proxy *proxy);  /* reads nothing any more, from neither side */
void tcp_proxy_resume(struct tcp_proxy *proxy); /* after tcp_proxy_stall() */

/* Says something to the client in the server's name; at most 4,000 bytes. */
void tcp_proxy_inject(struct tcp_proxy *proxy, const void *bytes, size_t size);

/*
 * From now on whatever the client sends that has `asked` in it does not reach the server: `answer`
 * is said to the client instead, and counted. Each at most 4,000 bytes; must come in one piece.
 */
void tcp_proxy_answer(struct tcp_proxy *proxy, const void *asked, size_t asked_size,
                      const void *answer, size_t answer_size);
unsigned tcp_proxy_answered(struct tcp_proxy *proxy);
