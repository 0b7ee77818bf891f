#include "gateway/clients/client.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/secret.h"
#include "common/protocol/close_codes.h"

#define PATIENCE_S      2  /* with a client that is being closed */
#define SLOW_PATIENCE_S 20 /* until a slow one has made room for the close frame */
#define BIT(state)      (1U << (state))

/* From which states each state may be entered. */
static const unsigned entered_from[CLIENT_STATE_COUNT] = {
    [CLIENT_CONNECTED] = BIT(CLIENT_NEW) | BIT(CLIENT_BINDING) | BIT(CLIENT_LEAVING),
    [CLIENT_BINDING] = BIT(CLIENT_CONNECTED),
    [CLIENT_READY] = BIT(CLIENT_BINDING) | BIT(CLIENT_LEAVING),
    [CLIENT_LEAVING] = BIT(CLIENT_READY),
    [CLIENT_CLOSING] = BIT(CLIENT_CLOSING) - 1, /* all before it */
};

enum err client_create(const struct dialect *dialect, const struct client_wire *wire,
                       const struct client_limits *limits, void *socket, struct client **out)
{
    struct client *c = calloc(1, sizeof(*c));

    if (!c)
        return ERR_NOMEM;
    session_init(&c->session);
    open_account_init(&c->open);
    c->dialect = dialect;
    c->wire = wire;
    c->limits = limits;
    c->socket = socket;
    *out = c;
    return ERR_OK;
}

static void drop_first(struct client *c)
{
    struct client_frame *f = c->first;

    c->first = f->next;
    if (!c->first)
        c->last = NULL;
    c->queued_bytes -= f->size;
    free(f);
}

static void drop_queue(struct client *c)
{
    while (c->first)
        drop_first(c);
}

void client_keep_token(struct client *c, char *token)
{
    secret_free(c->token);
    c->token = token;
}

void client_destroy(struct client *c)
{
    if (!c)
        return;
    drop_queue(c);
    session_deinit(&c->session);
    owed_deinit(&c->owed);
    client_keep_token(c, NULL);
    free(c->connect_response);
    free(c->return_id);
    free(c);
}

void client_set_state(struct client *c, enum client_state next)
{
    if (!(entered_from[next] & BIT(c->state)))
        abort();
    c->state = next;
}

bool client_is_logged_in(const struct client *c)
{
    return c->state == CLIENT_BINDING || c->state == CLIENT_READY;
}

bool client_is_bound(const struct client *c)
{
    return c->bound && (c->state == CLIENT_READY || c->state == CLIENT_LEAVING);
}

bool client_takes_pushes(const struct client *c)
{
    return c->state == CLIENT_BINDING || client_is_bound(c);
}

bool client_may_ask(struct client *c, int64_t now_ms)
{
    return bucket_take(&c->requests, &c->limits->requests, now_ms);
}

static void set_paused(struct client *c, bool paused)
{
    if (c->paused == paused)
        return;
    c->paused = paused;
    c->wire->pause(c->socket, paused);
}

static struct client_frame *join(const struct client_piece *pieces, size_t count)
{
    struct client_frame *f;
    size_t size = 0;
    char *at;

    for (size_t i = 0; i < count; i++)
        size += pieces[i].size;
    f = malloc(sizeof(*f) + size);
    if (!f)
        err_out_of_memory();
    f->next = NULL;
    f->size = size;
    at = f->bytes;
    for (size_t i = 0; i < count; i++) {
        memcpy(at, pieces[i].at, pieces[i].size);
        at += pieces[i].size;
    }
    return f;
}

static void append(struct client *c, struct client_frame *f)
{
    if (c->last)
        c->last->next = f;
    else
        c->first = f;
    c->last = f;
    c->queued_bytes += f->size;
    c->wire->want_write(c->socket);
    if (c->queued_bytes > c->limits->pause_bytes)
        set_paused(c, true);
}

void client_send_pieces(struct client *c, const struct client_piece *pieces, size_t count)
{
    if (c->state == CLIENT_CLOSING)
        return;
    append(c, join(pieces, count));
    /* A single frame, however large, can always be sent. */
    if (c->queued_bytes > c->limits->send_bytes && c->first != c->last)
        client_close(c, CLOSE_TOO_SLOW, "reads too slowly");
}

void client_send(struct client *c, const char *at, size_t size)
{
    const struct client_piece piece = {at, size};

    client_send_pieces(c, &piece, 1);
}

void client_close(struct client *c, int code, const char *reason)
{
    if (c->state == CLIENT_CLOSING)
        return;
    client_set_state(c, CLIENT_CLOSING);
    c->close_code = code;
    snprintf(c->close_reason, sizeof(c->close_reason), "%s", reason);
    if (code == CLOSE_TOO_SLOW)
        drop_queue(c);
    set_paused(c, false); /* what comes is thrown away, so that the close can be seen */
    c->wire->closing(c->socket, code == CLOSE_TOO_SLOW ? SLOW_PATIENCE_S : PATIENCE_S);
    c->wire->want_write(c->socket);
}

struct client_frame *client_next_frame(const struct client *c)
{
    return c->first;
}

void client_frame_written(struct client *c)
{
    drop_first(c);
    if (c->queued_bytes <= c->limits->pause_bytes / 2)
        set_paused(c, false);
}
