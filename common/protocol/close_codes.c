#include "common/protocol/close_codes.h"

#include "common/base/cleanup.h"

// clang-format off
const struct close_row close_rows[] = {
    { CLOSE_NORMAL,     "the client has logged out", "as it likes", NULL },
    { CLOSE_DRAIN,      "the gateway drains; the reason is the delay in milliseconds", "after the delay, to another gateway", NULL },
    { CLOSE_BINARY,     "a binary frame: only text is understood", "once it is mended", NULL },
    { CLOSE_NOT_JSON,   "a frame that is not JSON, or not UTF-8", "once it is mended", NULL },
    { CLOSE_BAD_SHAPE,  "a frame that is not an object, or nested too deep", "once it is mended", NULL },
    { CLOSE_TOO_LARGE,  "a frame that is too large", "once it is mended", NULL },
    { CLOSE_OVERLOAD,   "too many connections, or the broker has been away for too long", "later, waiting longer each time", NULL },
    { CLOSE_TAKEN_OVER, "a newer connection has taken this session over", "no", "taken over" },
    { CLOSE_REVOKED,    "the token or the user was revoked", "log in anew", "revoked" },
    { CLOSE_TOO_SLOW,   "the client reads too slowly", "at once: nothing is lost", NULL },
    { CLOSE_NO_LOGIN,   "no login in time", "at once", NULL },
    { CLOSE_ENDED,      "the session has ended: idle for too long, or too much missed", "log in, and read everything, anew", "session ended" },
};
// clang-format on

const size_t close_row_count = ARRAY_SIZE(close_rows);

const struct close_row *close_row_of_agents(int64_t code)
{
    for (size_t i = 0; i < close_row_count; i++)
        if ((int64_t)close_rows[i].code == code && close_rows[i].reason)
            return &close_rows[i];
    return NULL;
}
