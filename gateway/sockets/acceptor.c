#include "gateway/sockets/acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/log.h"

#define BACKLOG 4096

static void set_option(int fd, int level, int option)
{
    const int on = 1;

    (void)setsockopt(fd, level, option, &on, sizeof(on));
}

static int listen_on(const struct addrinfo *where)
{
    int fd = socket(where->ai_family, where->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int saved;

    if (fd < 0)
        return -1;
    set_option(fd, SOL_SOCKET, SO_REUSEADDR);
    set_option(fd, SOL_SOCKET, SO_REUSEPORT);
    if (bind(fd, where->ai_addr, where->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static uint16_t port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {0};
    socklen_t size = sizeof(address);

    if (getsockname(fd, &address.any, &size) != 0)
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

enum err acceptor_open(const char *host, uint16_t port, struct acceptor *a)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found;
    char service[8];

    *a = (struct acceptor){.fd = -1, .spare_fd = -1};
    snprintf(service, sizeof(service), "%u", port);
    if (getaddrinfo(host, service, &hints, &found) != 0)
        return ERR_CONFIG;
    a->fd = listen_on(found);
    freeaddrinfo(found);
    if (a->fd < 0)
        return ERR_IO;
    a->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    a->port = port_of(a->fd);
    return ERR_OK;
}

void acceptor_close(struct acceptor *a)
{
    if (a->fd >= 0)
        close(a->fd);
    if (a->spare_fd >= 0)
        close(a->spare_fd);
    a->fd = a->spare_fd = -1;
}

static void drop_one(struct acceptor *a)
{
    int fd;

    log_warn("acceptor.no_descriptors", LOG_I64("port", a->port));
    if (a->spare_fd < 0)
        return;
    close(a->spare_fd);
    fd = accept4(a->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    a->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int acceptor_next(struct acceptor *a)
{
    int fd = accept4(a->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0)
        set_option(fd, IPPROTO_TCP, TCP_NODELAY);
    else if (errno == EMFILE || errno == ENFILE)
        drop_one(a);
    return fd;
}
