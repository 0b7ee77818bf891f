#include <unistd.h>

#include "common/base/clock.h"
#include "gateway/door/door.h"
#include "gateway/sockets/http.h"
#include "gateway/sockets/listener_private.h"

/* Each socket has its visitor as the library's opaque user data. */

static void take_in(struct listener *l, struct lws_vhost *vhost, int fd)
{
    const struct address peer = address_of_peer(fd);
    struct visitor *visitor = door_enter(l->config.door, &peer, clock_mono_ms());
    struct lws *wsi;

    if (!visitor) {
        close(fd);
        return;
    }
    wsi = lws_adopt_socket_vhost(vhost, fd); /* closes it when it cannot */
    if (wsi)
        lws_set_opaque_user_data(wsi, visitor);
    else
        door_leave(l->config.door, visitor, clock_mono_ms());
}

void entrance_accept(struct listener *l, struct lws_vhost *vhost)
{
    int fd;

    while ((fd = acceptor_next(&l->acceptor)) >= 0)
        take_in(l, vhost, fd);
}

int entrance_upgrade(struct listener *l, struct lws *wsi, const char *protocol)
{
    struct visitor *visitor = lws_get_opaque_user_data(wsi);
    struct http_upgrade asked;
    int status = http_read_upgrade(wsi, protocol, &asked);

    if (!status)
        status = door_upgrade(l->config.door, visitor, &asked.upgrade, clock_mono_ms());
    return status ? http_refuse(wsi, status) : 0;
}

void entrance_left(struct listener *l, struct lws *wsi)
{
    door_leave(l->config.door, lws_get_opaque_user_data(wsi), clock_mono_ms());
    lws_set_opaque_user_data(wsi, NULL);
}
