#include "gateway/sockets/ws_frame.h"

#include <string.h>

#define FINAL_FRAGMENT 0x80

/* The length is in the second byte, or that says how many bytes of it follow. */
#define SHORT_MAX  125
#define MEDIUM     126
#define MEDIUM_MAX UINT16_MAX
#define LONG       127

enum opcode { OPCODE_TEXT = 1, OPCODE_CLOSE = 8 };

static void add_number(struct text *out, uint64_t number, unsigned bytes)
{
    while (bytes-- > 0) {
        const uint8_t byte = (uint8_t)(number >> 8 * bytes);

        text_add_bytes(out, &byte, 1);
    }
}

static void add_header(struct text *out, enum opcode opcode, size_t size)
{
    add_number(out, FINAL_FRAGMENT | opcode, 1);
    if (size <= SHORT_MAX) {
        add_number(out, size, 1);
    } else if (size <= MEDIUM_MAX) {
        add_number(out, MEDIUM, 1);
        add_number(out, size, 2);
    } else {
        add_number(out, LONG, 1);
        add_number(out, size, 8);
    }
}

void ws_frame_add_text(struct text *out, const char *at, size_t size)
{
    add_header(out, OPCODE_TEXT, size);
    text_add_bytes(out, at, size);
}

void ws_frame_add_close(struct text *out, int code, const char *reason)
{
    const size_t size = strlen(reason);

    add_header(out, OPCODE_CLOSE, 2 + size);
    add_number(out, (uint64_t)code, 2);
    text_add_bytes(out, reason, size);
}
