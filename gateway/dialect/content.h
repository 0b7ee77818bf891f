#pragma once

#include <stdint.h>

#include "common/base/text.h"
#include "common/json/json_scan.h"
#include "common/protocol/operations.h"

/*
 * content - the content protocol as text (content protocol, "Envelope"): what a frame of a client
 * asks for. The frames of the other direction are in common/protocol/content.h.
 *
 * Everything here is a function of its arguments: no socket, no clock, no state.
 *
 * A frame is one JSON object; a single newline keeps the connection alive. `type`, `id`, `cls` and
 * `data` may each stand there once; what else stands there is ignored. What a class expects of its
 * `data` is not looked at here.
 */

/* What a frame asks for. */
enum content_kind {
    CONTENT_NOTHING,  /* a keep-alive */
    CONTENT_REQUEST,  /* `operation`; with an `id`, unless it is a notification */
    CONTENT_ANSWER,   /* a result or an error: of the block `number`, or of nothing */
    CONTENT_REFUSED,  /* is answered with 400 and `problem`; the socket stays */
    CONTENT_HOPELESS, /* the same, tied to nothing, and the socket ends with `close_code` */
    CONTENT_KIND_COUNT
};

struct content_frame {
    enum content_kind kind;
    const struct operation *operation; /* also when it is refused; NULL: no such class */
    char *id;                          /* owned; NULL: none */
    char *cls;                         /* as the client wrote it; owned; NULL: none to echo */
    struct json_span whole, data;      /* borrowed from the frame's text; `data` may be absent */
    int64_t number;                    /* 1 or more: the block that was received well */
    int close_code;
    struct text problem; /* which member, what was expected */
};

/* Reads a frame's text, which must outlive *out. Release *out with content_frame_deinit(). */
void content_read(const char *text, size_t size, const struct json_limits *limits,
                  struct content_frame *out);
void content_frame_deinit(struct content_frame *f);

static inline void content_frame_deinitp(struct content_frame *f)
{
    content_frame_deinit(f);
}
