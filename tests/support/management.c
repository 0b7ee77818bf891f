#include "tests/support/management.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <check.h>

#include "common/base/secret.h"
#include "common/base/text.h"

/* The virtual host as it stands in the URL is percent-encoded already, as the path wants it. */
static const char *vhost(void)
{
    const char *url = getenv("AMQP_URL"), *at = url ? strstr(url, "://") : NULL;

    at = at ? strchr(at + 3, '/') : NULL;
    return at && at[1] ? at + 1 : "%2F";
}

static int connect_to(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found = NULL;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(getaddrinfo(host, port, &hints, &found), 0);
    ck_assert_int_eq(connect(fd, found->ai_addr, found->ai_addrlen), 0);
    freeaddrinfo(found);
    return fd;
}

static void write_request(struct text *out, const char *method, const char *path, const char *body,
                          const char *credentials)
{
    const char *variable = strstr(path, "{vhost}");

    text_addf(out, "%s /api", method);
    text_add_bytes(out, path, variable ? (size_t)(variable - path) : strlen(path));
    if (variable)
        text_addf(out, "%s%s", vhost(), variable + strlen("{vhost}"));
    text_add(out, " HTTP/1.0\r\nAuthorization: Basic ");
    secret_add_base64(out, credentials, strlen(credentials));
    text_addf(out, "\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
              body ? strlen(body) : 0);
    if (body)
        text_add(out, body);
}

static int exchange(int fd, const struct text *request)
{
    char answer[65536];
    size_t sent = 0;
    int status = 0;

    while (sent < request->size) {
        ssize_t n = send(fd, request->at + sent, request->size - sent, MSG_NOSIGNAL);

        ck_assert_int_gt(n, 0);
        sent += (size_t)n;
    }
    for (size_t got = 0; got < sizeof(answer) - 1;) {
        ssize_t n = read(fd, answer + got, sizeof(answer) - 1 - got);

        if (n <= 0)
            break;
        got += (size_t)n;
        answer[got] = '\0';
        (void)sscanf(answer, "HTTP/%*s %d", &status);
    }
    return status;
}

int management_call(const char *method, const char *path, const char *body)
{
    _cleanup_(text_deinitp) struct text request = {0};
    char credentials[256] = "", host[256] = "", port[8] = "";
    const char *url = getenv("MANAGEMENT_URL");
    int fd, status;

    ck_assert_ptr_nonnull(url);
    ck_assert_int_eq(sscanf(url, "http://%255[^@]@%255[^:]:%7[0-9]", credentials, host, port), 3);
    write_request(&request, method, path, body, credentials);
    fd = connect_to(host, port);
    status = exchange(fd, &request);
    close(fd);
    return status;
}
