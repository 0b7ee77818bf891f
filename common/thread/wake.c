#include "common/thread/wake.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct wake {
    int fd;
};

enum err wake_create(struct wake **out)
{
    struct wake *w = malloc(sizeof(*w));

    if (!w)
        return ERR_NOMEM;
    w->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (w->fd < 0) {
        free(w);
        return ERR_IO;
    }
    *out = w;
    return ERR_OK;
}

void wake_destroy(struct wake *w)
{
    if (!w)
        return;
    close(w->fd);
    free(w);
}

int wake_fd(const struct wake *w)
{
    return w->fd;
}

void wake_signal(struct wake *w)
{
    const uint64_t one = 1;
    const int saved = errno; /* a signal handler must not disturb it */

    while (write(w->fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ; /* EAGAIN means that the counter is full: the other thread is woken anyway */
    errno = saved;
}

void wake_drain(struct wake *w)
{
    uint64_t count;

    while (read(w->fd, &count, sizeof(count)) < 0 && errno == EINTR)
        ; /* EAGAIN: nobody had signalled */
}
