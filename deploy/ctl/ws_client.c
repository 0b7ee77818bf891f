#include "deploy/ctl/ws_client.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/secret.h"

enum { OP_CONTINUE = 0, OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

enum { FIN = 0x80, MASKED = 0x80, MASK_SIZE = 4, NO_STATUS = 1005 };

#define MAX_MESSAGE (256u << 20) /* longer than any that a gateway sends */

struct ws_client {
    int fd;
    struct text in;      /* bytes read and not yet taken */
    struct text message; /* fragments of a message that is not complete */
};

/* Where to connect to, cut from a URL. */
struct address {
    char host[256];
    char port[8];
    const char *path; /* into the URL, or the default */
};

/* ---- Connecting ---- */

static bool copy_part(const char *from, size_t size, char *out, size_t room)
{
    if (size == 0 || size >= room)
        return false;
    memcpy(out, from, size);
    out[size] = '\0';
    return true;
}

static bool parse_url(const char *url, const char *path, struct address *out)
{
    static const char scheme[] = "ws://";
    const char *host = url + sizeof(scheme) - 1;
    size_t size, host_size;
    const char *colon;

    if (strncmp(url, scheme, sizeof(scheme) - 1) != 0)
        return false;
    size = strcspn(host, "/");
    out->path = host[size] ? host + size : path;
    colon = memchr(host, ':', size);
    host_size = colon ? (size_t)(colon - host) : size;
    return copy_part(host, host_size, out->host, sizeof(out->host)) &&
           copy_part(colon ? colon + 1 : "80", colon ? size - host_size - 1 : 2, out->port,
                     sizeof(out->port));
}

static int connect_to(const struct address *a)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    int fd = -1;

    if (getaddrinfo(a->host, a->port, &hints, &found) != 0)
        return -1;
    for (struct addrinfo *i = found; i && fd < 0; i = i->ai_next) {
        fd = socket(i->ai_family, i->ai_socktype | SOCK_CLOEXEC, i->ai_protocol);
        if (fd >= 0 && connect(fd, i->ai_addr, i->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

static enum err send_all(struct ws_client *c, const char *at, size_t size)
{
    while (size > 0) {
        ssize_t n = send(c->fd, at, size, MSG_NOSIGNAL);

        if (n < 0 && errno != EINTR)
            return ERR_AWAY;
        if (n > 0) {
            at += n;
            size -= (size_t)n;
        }
    }
    return ERR_OK;
}

static void random_bytes(uint8_t *out, size_t size)
{
    if (getrandom(out, size, 0) != (ssize_t)size)
        abort(); /* cannot happen for so few bytes */
}

static void take(struct text *t, size_t size)
{
    memmove(t->at, t->at + size, t->size - size + 1);
    t->size -= size;
}

/* Waits for the end of the response's head; what follows it stays in `in`. */
static enum err read_head(struct ws_client *c, struct text *why)
{
    const char *end;
    bool upgraded;

    while (!(end = strstr(text_str(&c->in), "\r\n\r\n"))) {
        if (c->in.size > 65536 || ws_client_read(c) != ERR_OK) {
            text_add(why, "the server closed the connection instead of answering");
            return ERR_REFUSED;
        }
    }
    /* The accept key is not compared: it is there against caches, and one cannot be in between. */
    upgraded = strncmp(c->in.at, "HTTP/1.1 101", 12) == 0;
    if (!upgraded)
        text_addf(why, "the server answered %.*s", (int)strcspn(c->in.at, "\r\n"), c->in.at);
    take(&c->in, (size_t)(end - c->in.at) + 4);
    return upgraded ? ERR_OK : ERR_REFUSED;
}

static enum err upgrade(struct ws_client *c, const struct address *a, struct text *why)
{
    _cleanup_(text_deinit) struct text request = {0};
    uint8_t key[16];

    random_bytes(key, sizeof(key));
    text_addf(&request,
              "GET %s HTTP/1.1\r\nHost: %s:%s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ",
              a->path, a->host, a->port);
    secret_add_base64(&request, key, sizeof(key));
    text_add(&request, "\r\n\r\n");
    if (send_all(c, request.at, request.size) != ERR_OK) {
        text_add(why, "the connection was lost");
        return ERR_AWAY;
    }
    return read_head(c, why);
}

static enum err open_connection(struct ws_client *c, const char *url, const char *path,
                                struct text *why)
{
    struct address a;

    if (!parse_url(url, path, &a)) {
        text_add(why, "not of the form ws://host:port/path");
        return ERR_MALFORMED;
    }
    c->fd = connect_to(&a);
    if (c->fd < 0) {
        text_add(why, "nobody listens there");
        return ERR_AWAY;
    }
    return upgrade(c, &a, why);
}

enum err ws_client_open(const char *url, const char *path, struct text *why, struct ws_client **out)
{
    struct ws_client *c = calloc(1, sizeof(*c));
    enum err e;

    if (!c)
        return ERR_NOMEM;
    c->fd = -1;
    e = open_connection(c, url, path, why);
    if (e)
        ws_client_destroy(c);
    else
        *out = c;
    return e;
}

void ws_client_destroy(struct ws_client *c)
{
    if (!c)
        return;
    if (c->fd >= 0)
        close(c->fd);
    text_deinit(&c->in);
    text_deinit(&c->message);
    free(c);
}

int ws_client_fd(const struct ws_client *c)
{
    return c->fd;
}

/* ---- Sending ---- */

static void add_length(struct text *frame, size_t size)
{
    int bytes = size < 126 ? 0 : size <= UINT16_MAX ? 2 : 8;

    text_add_char(frame, (char)(MASKED | (bytes == 0 ? size : bytes == 2 ? 126u : 127u)));
    while (bytes-- > 0)
        text_add_char(frame, (char)((uint64_t)size >> (8 * bytes)));
}

static enum err send_frame(struct ws_client *c, int op, const char *bytes, size_t size)
{
    _cleanup_(text_deinit) struct text frame = {0};
    uint8_t mask[MASK_SIZE];

    random_bytes(mask, sizeof(mask));
    text_reserve(&frame, size + 14);
    text_add_char(&frame, (char)(FIN | op));
    add_length(&frame, size);
    text_add_bytes(&frame, mask, sizeof(mask));
    for (size_t i = 0; i < size; i++)
        text_add_char(&frame, (char)(bytes[i] ^ mask[i % MASK_SIZE]));
    return send_all(c, frame.at, frame.size);
}

enum err ws_client_send(struct ws_client *c, const char *bytes, size_t size)
{
    return send_frame(c, OP_TEXT, bytes, size);
}

enum err ws_client_send_close(struct ws_client *c, uint16_t code)
{
    const char body[2] = {(char)(code >> 8), (char)code};

    return send_frame(c, OP_CLOSE, body, sizeof(body));
}

/* ---- Receiving ---- */

enum err ws_client_read(struct ws_client *c)
{
    char piece[16384];
    ssize_t n = recv(c->fd, piece, sizeof(piece), 0);

    if (n < 0 && errno == EINTR)
        return ERR_OK;
    if (n <= 0)
        return ERR_AWAY;
    text_add_bytes(&c->in, piece, (size_t)n);
    return ERR_OK;
}

/* One frame at the front of `in`; its payload starts at in.at + head. */
struct frame {
    bool final;
    int op;
    size_t head, size;
};

/* WS_NONE: not all there yet; WS_BROKEN; WS_TEXT: *f is filled. */
static enum ws_kind read_frame(const struct text *in, struct frame *f)
{
    const uint8_t *b = (const uint8_t *)in->at;
    size_t extra;
    uint64_t size;

    if (in->size < 2)
        return WS_NONE;
    if (b[1] & MASKED) /* servers must not */
        return WS_BROKEN;
    extra = b[1] < 126 ? 0 : b[1] == 126 ? 2 : 8;
    if (in->size < 2 + extra)
        return WS_NONE;
    size = extra ? 0 : b[1];
    for (size_t i = 0; i < extra; i++)
        size = size << 8 | b[2 + i];
    if (size > MAX_MESSAGE)
        return WS_BROKEN;
    *f = (struct frame){.final = b[0] & FIN, .op = b[0] & 0x0f, .head = 2 + extra, .size = size};
    return in->size - f->head < f->size ? WS_NONE : WS_TEXT;
}

static void take_close(const char *body, size_t size, struct ws_message *out)
{
    out->kind = WS_CLOSED;
    out->code = size < 2 ? NO_STATUS : (uint16_t)((uint8_t)body[0] << 8 | (uint8_t)body[1]);
    if (size > 2)
        text_add_bytes(&out->text, body + 2, size - 2);
}

/* A control frame, or a piece of a message; *out stays WS_NONE unless the caller gets something. */
static void take_payload(struct ws_client *c, const struct frame *f, struct ws_message *out)
{
    const char *body = c->in.at + f->head;

    if (f->op == OP_CLOSE) {
        take_close(body, f->size, out);
    } else if (f->op == OP_PING) {
        if (send_frame(c, OP_PONG, body, f->size) != ERR_OK)
            out->kind = WS_BROKEN;
    } else if (f->op == OP_TEXT || f->op == OP_BINARY || f->op == OP_CONTINUE) {
        text_add_bytes(&c->message, body, f->size);
        if (f->final) {
            out->kind = WS_TEXT;
            out->text = c->message;
            c->message = (struct text){0};
        }
    } else if (f->op != OP_PONG) {
        out->kind = WS_BROKEN;
    }
}

void ws_client_next(struct ws_client *c, struct ws_message *out)
{
    struct frame f;

    *out = (struct ws_message){.kind = WS_NONE};
    while (out->kind == WS_NONE) {
        enum ws_kind kind = read_frame(&c->in, &f);

        if (kind != WS_TEXT) {
            out->kind = kind;
            return;
        }
        take_payload(c, &f, out);
        take(&c->in, f.head + f.size);
    }
}
