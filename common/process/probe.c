#include "common/process/probe.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/text.h"

#define TIMEOUT_S   3
#define ANSWER_MOST 65536
#define CHUNK       4096

static const char request[] = "GET /readyz HTTP/1.0\r\n\r\n";

static enum probe_result silent(const char *host, uint16_t port, const char *reason)
{
    fprintf(stderr, "the status port at %s:%u does not answer: %s\n", host, port, reason);
    return PROBE_SILENT;
}

/* A socket that is connected, or -1 with errno. The time limit to send holds for connecting, too.
 */
static int connect_to(const struct addrinfo *at)
{
    const struct timeval limit = {.tv_sec = TIMEOUT_S};
    const int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
        connect(fd, at->ai_addr, at->ai_addrlen) == 0)
        return fd;

    const int why = errno;
    close(fd);
    errno = why;
    return -1;
}

/* Adds everything that comes before the other end closes. */
static bool exchange(int fd, struct text *answer)
{
    char chunk[CHUNK];
    ssize_t got = 0;

    if (send(fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request))
        return false;
    do {
        text_add_bytes(answer, chunk, (size_t)got);
        got = recv(fd, chunk, sizeof(chunk), 0);
    } while (got > 0 && answer->size < ANSWER_MOST);
    return got == 0;
}

static enum probe_result read_answer(const struct text *answer)
{
    const char *at = text_str(answer), *body = strstr(at, "\r\n\r\n");
    const char *code = strchr(at, ' ');

    if (strncmp(at, "HTTP/", strlen("HTTP/")) != 0 || !code || !body)
        return PROBE_SILENT;
    fputs(body + strlen("\r\n\r\n"), stdout);
    return strtol(code, NULL, 10) == 200 ? PROBE_READY : PROBE_NOT_READY;
}

enum probe_result probe_run(const char *host, uint16_t port)
{
    _cleanup_(text_deinitp) struct text answer = {0};
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *at = NULL;
    enum probe_result result;
    char service[8];
    int failed, fd;

    if (!port) {
        fputs("there is no status port: status.port is 0\n", stderr);
        return PROBE_SILENT;
    }
    snprintf(service, sizeof(service), "%u", port);
    failed = getaddrinfo(host, service, &hints, &at);
    if (failed)
        return silent(host, port, gai_strerror(failed));
    fd = connect_to(at);
    freeaddrinfo(at);
    if (fd < 0)
        return silent(host, port, strerror(errno));
    result = exchange(fd, &answer) ? read_answer(&answer) : PROBE_SILENT;
    if (result == PROBE_SILENT)
        (void)silent(host, port, "no answer of ours");
    close(fd);
    return result;
}
