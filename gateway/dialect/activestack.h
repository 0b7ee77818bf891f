#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/text.h"
#include "common/json/json_scan.h"
#include "common/protocol/operations.h"
#include "common/protocol/response.h"
#include "gateway/clients/session.h"

/*
 * activestack - ActiveStack over plain WebSocket, as text (contract, "ActiveStack over plain
 * WebSocket"): what a frame asks for, and how a request's body leaves for the broker.
 *
 * Everything here is a function of its arguments: no socket, no clock, no state.
 *
 * A frame is one JSON object, or an array [event, object]. An object with `cn` is a request whose
 * class names the operation; one without holds special messages. The event `message` adds nothing
 * to the object that comes with it.
 */

#define ACTIVESTACK_MESSAGE_ID_MAX 255 /* bytes: what AMQP's message-id can carry */

/* What a frame asks for. */
enum frame_kind {
    FRAME_REQUEST, /* `operation`, with `object` as its body */
    FRAME_SPECIAL, /* special messages: activestack_next_special() over `object` */
    FRAME_CONNECT, /* a ConnectRequest: asks for the last ConnectResponse once more */
    FRAME_RETURN,  /* a ReconnectRequest: asks for an earlier session */
    FRAME_ERROR,   /* is answered with `error` and `problem`; the socket stays */
    FRAME_CLOSE    /* ends the socket with `close_code` and `problem` */
};

/* The members that say who sends: ours to set, whatever the client wrote. */
enum identity { IDENTITY_CLIENT, IDENTITY_USER, IDENTITY_TOKEN, IDENTITY_DEVICE, IDENTITY_COUNT };

struct frame {
    enum frame_kind kind;
    const struct operation *operation; /* as named by the client: may be an alias */
    struct json_span object;           /* borrowed from the frame's text */
    bool has_message_id;               /* also with an error, where it could be read */
    char message_id[ACTIVESTACK_MESSAGE_ID_MAX + 1];
    bool wants_ack;                       /* sendAck is truthy */
    struct json_span device;              /* value of deviceId; absent when it is not there */
    struct json_span cut[IDENTITY_COUNT]; /* member, key to value, absent when it is not there */
    enum response_code error;
    int close_code;
    struct text problem; /* which member, what was expected; or the reason of the close */
};

/* Reads a frame's text, which must outlive *out. Release *out with frame_deinit(). */
void activestack_read(const char *text, size_t size, const struct json_limits *limits,
                      struct frame *out);
void frame_deinit(struct frame *f);

/*
 * Adds the request's body for the broker: the client's object with the members of its identity
 * taken out and those of the session put in. An operation that needs no login keeps the client's
 * userId, token and deviceId: that is what it is about.
 */
void activestack_add_body(const struct frame *f, const struct session *s, struct text *out);

/* The name under which an operation is served: its own, or that of which it is an alias. */
const char *activestack_served_name(const struct operation *operation);

enum special {
    SPECIAL_CONNECT,
    SPECIAL_RECONNECT,
    SPECIAL_ACK,
    SPECIAL_HIBERNATE,
    SPECIAL_UNKNOWN /* to be ignored and counted */
};

/* The next special message of an object; its content is walk->value. False at the end. */
bool activestack_next_special(struct json_walk *walk, enum special *out);

/* {"gatewayConnectAck": "<signed session>"} and {"ack": "<messageId>"}. */
void activestack_add_session(struct text *out, const char *signed_session);
void activestack_add_ack(struct text *out, const char *message_id);

static inline void frame_deinitp(struct frame *f)
{
    frame_deinit(f);
}
