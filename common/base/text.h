#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"

/*
 * text - a growing byte buffer that is always NUL-terminated; how every message body, log line and
 * response is put together.
 *
 * A zeroed struct text is empty and valid. Running out of memory ends the process (there is no
 * sensible answer to it in the middle of a response), so adding cannot fail.
 *
 * Ownership: the struct owns its bytes; text_deinit() frees them and leaves it empty.
 */

struct text {
    char *at;    /* NULL while nothing was ever added; use text_str() where NULL would hurt */
    size_t size; /* bytes in use, without the NUL */
    size_t room; /* bytes allocated */
};

void text_deinit(struct text *t);

/* The same, of a text that held a secret: its bytes are overwritten first. Those that it had before
 * it grew, and moved, are not: reserve them at once. */
void text_wipe(struct text *t);

/* Forgets the content and keeps the memory. */
void text_clear(struct text *t);

/* Forgets what stands behind the first `size` bytes, which are there. */
void text_cut(struct text *t, size_t size);

/* Makes sure that `more` bytes can be added without moving. */
void text_reserve(struct text *t, size_t more);

void text_add(struct text *t, const char *str);
void text_add_bytes(struct text *t, const void *bytes, size_t size);
void text_add_char(struct text *t, char c);
void text_add_i64(struct text *t, int64_t value);
void text_add_u64(struct text *t, uint64_t value);
void text_addf(struct text *t, const char *format, ...) _printf_(2, 3);

/* Adds `size` bytes as a JSON string: quotes around, the shortest escapes inside, "/" as it is. */
void text_add_json(struct text *t, const char *str, size_t size);

/* The same for a NUL-terminated string; NULL becomes null. */
void text_add_json_str(struct text *t, const char *str);

/* Adds a whole file. ERR_IO: errno says why; ERR_RANGE: it has more than `max` bytes. On failure
 * the text is as before. */
_must_check_ enum err text_add_file(struct text *t, const char *path, size_t max);

/* The content as a C string, "" when empty. Borrowed until the next change. */
const char *text_str(const struct text *t);

/* The bytes, now the caller's to free(); the text is empty afterwards. */
char *text_steal(struct text *t);

bool text_equals(const struct text *t, const char *str);

/* The length of the UTF-8 character (1 to 4) that starts at `at`, of which `size` bytes are there;
 * 0 if it is cut off or none: too long, a surrogate, beyond U+10FFFF. */
size_t text_utf8_size(const char *at, size_t size);

/* For _cleanup_(): text_deinit() takes a pointer already. */
static inline void text_deinitp(struct text *t)
{
    text_deinit(t);
}

static inline void text_wipep(struct text *t)
{
    text_wipe(t);
}
