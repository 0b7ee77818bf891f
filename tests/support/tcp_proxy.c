#include "tests/support/tcp_proxy.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <check.h>

struct command {
    char kind; /* c(ut), s(tall), r(esume), i(nject), a(sked), w(hat is answered), q(uit) */
    uint16_t size;
};

struct bytes {
    char at[4096];
    size_t size;
};

struct tcp_proxy {
    char url[512];
    char host[256], port[8]; /* of the server */
    int listener;
    int commands[2]; /* a pipe */
    pthread_t thread;
    atomic_uint answered;

    /* Of the thread alone. */
    int client, server; /* -1: nobody is connected */
    bool stalled;
    struct bytes asked, answer; /* asked.size 0: nothing is answered */
};

/* ---- The thread ---- */

static void hang_up(struct tcp_proxy *p)
{
    if (p->client >= 0)
        close(p->client);
    if (p->server >= 0)
        close(p->server);
    p->client = p->server = -1;
}

static int connect_to_server(const struct tcp_proxy *p)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found = NULL;
    int fd;

    if (getaddrinfo(p->host, p->port, &hints, &found))
        return -1;
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen)) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static void take_client(struct tcp_proxy *p)
{
    int on = 1;

    hang_up(p);
    p->client = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
    p->server = connect_to_server(p);
    if (p->client < 0 || p->server < 0) {
        hang_up(p);
        return;
    }
    (void)setsockopt(p->client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(p->server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static bool send_all(int fd, const char *at, size_t size)
{
    while (size) {
        ssize_t n = send(fd, at, size, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

static bool is_answered(const struct tcp_proxy *p, const char *bytes, size_t size)
{
    return p->asked.size && memmem(bytes, size, p->asked.at, p->asked.size);
}

static void pass(struct tcp_proxy *p, int from, int to)
{
    char bytes[65536];
    ssize_t n = read(from, bytes, sizeof(bytes));

    if (n > 0 && from == p->client && is_answered(p, bytes, (size_t)n)) {
        atomic_fetch_add(&p->answered, 1);
        (void)send_all(p->client, p->answer.at, p->answer.size);
    } else if (n <= 0 || !send_all(to, bytes, (size_t)n)) {
        hang_up(p);
    }
}

/* Returns false when the thread is to end. */
static bool obey(struct tcp_proxy *p)
{
    struct command c;
    struct bytes bytes = {0};

    if (read(p->commands[0], &c, sizeof(c)) != sizeof(c))
        return false;
    bytes.size = c.size;
    if (c.size && read(p->commands[0], bytes.at, c.size) != c.size)
        return false;
    if (c.kind == 'c')
        hang_up(p);
    else if (c.kind == 's' || c.kind == 'r')
        p->stalled = c.kind == 's';
    else if (c.kind == 'i' && p->client >= 0)
        (void)send_all(p->client, bytes.at, bytes.size);
    else if (c.kind == 'a' || c.kind == 'w')
        *(c.kind == 'a' ? &p->asked : &p->answer) = bytes;
    return c.kind != 'q';
}

static void *run(void *arg)
{
    struct tcp_proxy *p = arg;

    for (;;) {
        bool reads = !p->stalled;
        struct pollfd fds[] = {{.fd = p->commands[0], .events = POLLIN},
                               {.fd = p->listener, .events = POLLIN},
                               {.fd = reads ? p->client : -1, .events = POLLIN},
                               {.fd = reads ? p->server : -1, .events = POLLIN}};

        (void)poll(fds, 4, -1);
        if (fds[0].revents) {
            if (!obey(p))
                break;
            continue; /* the connection may be another now */
        }
        if (fds[1].revents) {
            take_client(p);
            continue;
        }
        if (fds[2].revents)
            pass(p, p->client, p->server);
        if (fds[3].revents && p->client >= 0)
            pass(p, p->server, p->client);
    }
    hang_up(p);
    return NULL;
}

/* ---- The test's side ---- */

static void listen_on_free_port(struct tcp_proxy *p, struct sockaddr_in *bound)
{
    socklen_t size = sizeof(*bound);

    *bound = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(p->listener, (struct sockaddr *)bound, size), 0);
    ck_assert_int_eq(listen(p->listener, 8), 0);
    ck_assert_int_eq(getsockname(p->listener, (struct sockaddr *)bound, &size), 0);
}

struct tcp_proxy *tcp_proxy_start(const char *url)
{
    struct tcp_proxy *p = calloc(1, sizeof(*p));
    const char *scheme = strstr(url, "://"), *host, *end;
    struct sockaddr_in bound;

    ck_assert_ptr_nonnull(p);
    ck_assert_ptr_nonnull(scheme);
    host = strrchr(url, '@') ? strrchr(url, '@') + 1 : scheme + 3;
    end = host + strcspn(host, "/");
    ck_assert_int_eq(sscanf(host, "%255[^:/]:%7[0-9]", p->host, p->port), 2);

    p->client = p->server = -1;
    listen_on_free_port(p, &bound);
    (void)snprintf(p->url, sizeof(p->url), "%.*s127.0.0.1:%d%s", (int)(host - url), url,
                   ntohs(bound.sin_port), end);
    ck_assert_int_eq(pipe(p->commands), 0);
    ck_assert_int_eq(pthread_create(&p->thread, NULL, run, p), 0);
    return p;
}

static void command(struct tcp_proxy *p, char kind, const void *bytes, size_t size)
{
    char whole[sizeof(struct command) + 4000] = {0};
    struct command c = {.kind = kind, .size = (uint16_t)size};

    ck_assert_uint_le(size, 4000); /* a pipe takes it in one piece */
    memcpy(whole, &c, sizeof(c));
    if (size)
        memcpy(whole + sizeof(c), bytes, size);
    ck_assert_int_eq(write(p->commands[1], whole, sizeof(c) + size), (ssize_t)(sizeof(c) + size));
}

void tcp_proxy_stop(struct tcp_proxy *p)
{
    if (!p)
        return;
    command(p, 'q', NULL, 0);
    pthread_join(p->thread, NULL);
    close(p->listener);
    close(p->commands[0]);
    close(p->commands[1]);
    free(p);
}

const char *tcp_proxy_url(const struct tcp_proxy *p)
{
    return p->url;
}

void tcp_proxy_cut(struct tcp_proxy *p)
{
    command(p, 'c', NULL, 0);
}

void tcp_proxy_stall(struct tcp_proxy *p)
{
    command(p, 's', NULL, 0);
}

void tcp_proxy_resume(struct tcp_proxy *p)
{
    command(p, 'r', NULL, 0);
}

void tcp_proxy_inject(struct tcp_proxy *p, const void *bytes, size_t size)
{
    command(p, 'i', bytes, size);
}

void tcp_proxy_answer(struct tcp_proxy *p, const void *asked, size_t asked_size, const void *answer,
                      size_t answer_size)
{
    command(p, 'w', answer, answer_size);
    command(p, 'a', asked, asked_size);
}

unsigned tcp_proxy_answered(struct tcp_proxy *p)
{
    return atomic_load(&p->answered);
}
