#include "common/base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALLEST_ROOM 64
#define FILE_CHUNK    16384

/* What a byte becomes inside a JSON string: itself (0), \u00XX ('u'), or a letter behind "\". */
static const char json_escapes[256] = {
    // clang-format off
    [0x00] = 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'b', 't', 'n', 'u', 'f', 'r', 'u', 'u',
    [0x10] = 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u',
    ['"'] = '"', ['\\'] = '\\',
    // clang-format on
};

void text_deinit(struct text *t)
{
    free(t->at);
    *t = (struct text){0};
}

void text_wipe(struct text *t)
{
    if (t->at)
        explicit_bzero(t->at, t->room);
    text_deinit(t);
}

void text_clear(struct text *t)
{
    text_cut(t, 0);
}

void text_cut(struct text *t, size_t size)
{
    t->size = size;
    if (t->at)
        t->at[size] = '\0';
}

static void grow(struct text *t, size_t more)
{
    size_t room = t->room ? t->room : SMALLEST_ROOM;
    char *at;

    if (more >= SIZE_MAX / 4 - t->size)
        err_out_of_memory();
    while (room <= t->size + more)
        room *= 2;
    at = realloc(t->at, room);
    if (!at)
        err_out_of_memory();
    t->at = at;
    t->room = room;
    t->at[t->size] = '\0';
}

void text_reserve(struct text *t, size_t more)
{
    if (more >= t->room - t->size) /* room is 0, or more than size: there is a NUL */
        grow(t, more);
}

void text_add_bytes(struct text *t, const void *bytes, size_t size)
{
    text_reserve(t, size);
    if (size > 0)
        memcpy(t->at + t->size, bytes, size);
    t->size += size;
    t->at[t->size] = '\0';
}

void text_add(struct text *t, const char *str)
{
    text_add_bytes(t, str, strlen(str));
}

void text_add_char(struct text *t, char c)
{
    text_reserve(t, 1);
    t->at[t->size++] = c;
    t->at[t->size] = '\0';
}

void text_add_u64(struct text *t, uint64_t value)
{
    char digits[20];
    size_t first = sizeof(digits);

    do
        digits[--first] = (char)('0' + value % 10);
    while (value /= 10);
    text_add_bytes(t, digits + first, sizeof(digits) - first);
}

void text_add_i64(struct text *t, int64_t value)
{
    if (value < 0)
        text_add_char(t, '-');
    text_add_u64(t, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

/* Writes what fits into the room behind the content; returns how much there is. */
_printf_(2, 0) static size_t print(struct text *t, const char *format, va_list args)
{
    const int size = vsnprintf(t->at + t->size, t->room - t->size, format, args);

    return size > 0 ? (size_t)size : 0;
}

void text_addf(struct text *t, const char *format, ...)
{
    va_list args;
    size_t size;

    text_reserve(t, 0);
    va_start(args, format);
    size = print(t, format, args);
    va_end(args);

    if (size >= t->room - t->size) {
        text_reserve(t, size);
        va_start(args, format);
        size = print(t, format, args);
        va_end(args);
    }
    t->size += size;
}

static void add_escape(struct text *t, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    const char escape[] = {'\\', json_escapes[c], '0', '0', hex[c >> 4], hex[c & 15]};

    text_add_bytes(t, escape, json_escapes[c] == 'u' ? sizeof(escape) : 2);
}

void text_add_json(struct text *t, const char *str, size_t size)
{
    size_t done = 0;

    text_reserve(t, size + 2);
    text_add_char(t, '"');
    for (size_t i = 0; i < size; i++) {
        if (!json_escapes[(unsigned char)str[i]])
            continue;
        text_add_bytes(t, str + done, i - done);
        add_escape(t, (unsigned char)str[i]);
        done = i + 1;
    }
    if (size > done)
        text_add_bytes(t, str + done, size - done);
    text_add_char(t, '"');
}

void text_add_json_str(struct text *t, const char *str)
{
    if (str)
        text_add_json(t, str, strlen(str));
    else
        text_add(t, "null");
}

enum err text_add_file(struct text *t, const char *path, size_t max)
{
    const size_t before = t->size;
    FILE *file = fopen(path, "re");
    enum err e = ERR_OK;
    size_t got;

    if (!file)
        return ERR_IO;
    do {
        text_reserve(t, FILE_CHUNK);
        got = fread(t->at + t->size, 1, FILE_CHUNK, file);
        t->size += got;
        if (t->size - before > max)
            e = ERR_RANGE;
    } while (!e && got > 0);
    if (ferror(file)) /* a folder, for one; errno is still that of the read */
        e = ERR_IO;
    if (e)
        t->size = before;
    t->at[t->size] = '\0';

    const int why = errno;
    (void)fclose(file);
    errno = why;
    return e;
}

const char *text_str(const struct text *t)
{
    return t->at ? t->at : "";
}

char *text_steal(struct text *t)
{
    char *at;

    text_reserve(t, 0); /* an empty text becomes "", not NULL */
    at = t->at;
    *t = (struct text){0};
    return at;
}

bool text_equals(const struct text *t, const char *str)
{
    return strlen(str) == t->size && memcmp(text_str(t), str, t->size) == 0;
}

/* RFC 3629, section 4: by the first byte, the length and the range of the second byte, which keeps
 * out overlong forms, surrogates and what lies beyond U+10FFFF. */
size_t text_utf8_size(const char *at, size_t size)
{
    const unsigned char *u = (const unsigned char *)at;
    unsigned char low = 0x80, high = 0xbf;
    size_t length;

    if (size == 0)
        return 0;
    if (u[0] < 0x80)
        return 1;
    if (u[0] < 0xc2 || u[0] > 0xf4)
        return 0;
    length = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
    if (u[0] == 0xe0)
        low = 0xa0;
    else if (u[0] == 0xed)
        high = 0x9f;
    else if (u[0] == 0xf0)
        low = 0x90;
    else if (u[0] == 0xf4)
        high = 0x8f;

    if (size < length || u[1] < low || u[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((u[i] & 0xc0) != 0x80)
            return 0;
    return length;
}
