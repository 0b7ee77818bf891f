#include "tests/bench/ws.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/protocol/operations.h"
#include "tests/bench/measure.h"

enum { OP_TEXT = 1, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10, FIN = 0x80, MASKED = 0x80 };

#define LOGIN                                                                \
    "{\"cn\":\"" AUTH_CLASS(                                                 \
        "AuthenticateOAuthAccessTokenRequest") "\",\"messageId\":\"login\"," \
                                               "\"authProvider\":\"DEV\",\"accessToken\":\"DEV\"}"
#define LOGGED_IN "\"" SYNC_CLASS("ConnectResponse") "\""

/* ---- Bytes ---- */

void ws_flush(struct ws *ws)
{
    size_t sent = 0;

    while (sent < ws->out.size) {
        ssize_t n = send(ws->fd, ws->out.at + sent, ws->out.size - sent, MSG_NOSIGNAL);

        if (n < 0)
            measure_die("cannot send", strerror(errno));
        sent += (size_t)n;
    }
    text_clear(&ws->out);
}

static void drop_taken(struct ws *ws)
{
    ws->in.size -= ws->at;
    if (ws->in.at && ws->in.size)
        memmove(ws->in.at, ws->in.at + ws->at, ws->in.size);
    ws->at = 0;
}

static void receive(struct ws *ws, int flags)
{
    static char buffer[65536];
    ssize_t n = recv(ws->fd, buffer, sizeof(buffer), flags);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        measure_die("the connection is lost", n ? strerror(errno) : "closed");
    drop_taken(ws);
    text_add_bytes(&ws->in, buffer, (size_t)n);
}

void ws_read(struct ws *ws)
{
    receive(ws, MSG_DONTWAIT);
}

/* ---- Frames ---- */

static void add_frame(struct ws *ws, int opcode, const char *bytes, size_t size)
{
    const unsigned char mask[4] = {0};

    text_add_char(&ws->out, (char)(FIN | opcode));
    if (size < 126) {
        text_add_char(&ws->out, (char)(MASKED | size));
    } else {
        uint16_t length = htons((uint16_t)size);

        if (size > UINT16_MAX)
            measure_die("too large a request", bytes);
        text_add_char(&ws->out, (char)(MASKED | 126));
        text_add_bytes(&ws->out, &length, sizeof(length));
    }
    text_add_bytes(&ws->out, mask, sizeof(mask));
    text_add_bytes(&ws->out, bytes, size);
}

void ws_add(struct ws *ws, const char *text, size_t size)
{
    add_frame(ws, OP_TEXT, text, size);
}

struct frame {
    int opcode;
    const char *payload;
    size_t size;
};

static uint64_t big_endian(const unsigned char *at, size_t bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

/* Takes a whole frame, if there is one; the server does not mask. */
static bool take_frame(struct ws *ws, struct frame *frame)
{
    const char *start = text_str(&ws->in) + ws->at;
    const unsigned char *head = (const unsigned char *)start;
    size_t there = ws->in.size - ws->at, header = 2;
    uint64_t size;

    if (there < header)
        return false;
    size = head[1];
    if (size >= 126)
        header += size == 126 ? 2 : 8;
    if (there < header)
        return false;
    if (size >= 126)
        size = big_endian(head + 2, header - 2);
    if (there - header < size)
        return false;
    if (!(head[0] & FIN))
        measure_die("a frame in pieces", start + header);
    *frame = (struct frame){head[0] & 0x0f, start + header, size};
    ws->at += header + size;
    return true;
}

const char *ws_next(struct ws *ws, size_t *size)
{
    struct frame frame;

    while (take_frame(ws, &frame)) {
        if (frame.opcode == OP_TEXT) {
            *size = frame.size;
            return frame.payload;
        }
        if (frame.opcode == OP_CLOSE)
            measure_die("closed by the server", frame.size > 2 ? frame.payload + 2 : "");
        if (frame.opcode == OP_PING) {
            add_frame(ws, OP_PONG, frame.payload, frame.size);
            ws_flush(ws);
        }
    }
    return NULL;
}

const char *ws_find(const char *frame, size_t size, const char *text)
{
    const char *at = memmem(frame, size, text, strlen(text));

    return at ? at + strlen(text) : NULL;
}

/* ---- Beginning and end ---- */

void ws_dial(struct ws *ws, unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;

    memset(ws, 0, sizeof(*ws));
    ws->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (ws->fd < 0 || connect(ws->fd, (struct sockaddr *)&address, sizeof(address)))
        measure_die("cannot connect", strerror(errno));
    (void)setsockopt(ws->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    text_addf(&ws->out,
              "GET /activestack HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: Upgrade\r\n"
              "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
              port);
    ws_flush(ws);
}

bool ws_is_open(struct ws *ws)
{
    const char *end;

    if (ws->open)
        return true;
    end = strstr(text_str(&ws->in), "\r\n\r\n");
    if (!end)
        return false;
    if (strncmp(ws->in.at, "HTTP/1.1 101", 12) != 0)
        measure_die("no WebSocket", ws->in.at);
    ws->at = (size_t)(end + 4 - ws->in.at);
    ws->open = true;
    return true;
}

void ws_open(struct ws *ws, unsigned port)
{
    ws_dial(ws, port);
    while (!ws_is_open(ws))
        receive(ws, 0);
}

void ws_close(struct ws *ws)
{
    (void)close(ws->fd);
    text_deinit(&ws->in);
    text_deinit(&ws->out);
}

void ws_login(struct ws *ws, struct text *session)
{
    const char *frame;
    size_t size;

    ws_add(ws, LOGIN, sizeof(LOGIN) - 1);
    ws_flush(ws);
    do {
        while (!(frame = ws_next(ws, &size)))
            receive(ws, 0);
        if (ws_find(frame, size, "ErrorResponse"))
            measure_die("no login", frame);
        if (session)
            ws_take_session(frame, size, session);
    } while (!ws_find(frame, size, LOGGED_IN));
}

bool ws_take_session(const char *frame, size_t size, struct text *session)
{
    const char *at = ws_find(frame, size, "{\"gatewayConnectAck\":");

    if (!at)
        return false;
    text_clear(session);
    text_add_bytes(session, at, size - (size_t)(at - frame) - 1);
    return true;
}
