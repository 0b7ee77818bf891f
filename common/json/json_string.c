#include <stdlib.h>
#include <string.h>

#include "common/json/json_scan.h"

/* Strings of checked texts: unescaping, comparing, and the canonical form. */

static unsigned hex4(const char *at)
{
    unsigned value = 0;

    for (size_t i = 0; i < 4; i++) {
        const unsigned c = (unsigned char)at[i];

        value = value << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

static size_t utf8_encode(unsigned point, char out[4])
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xc0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xe0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (point & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (point & 0x3f));
    return 4;
}

/* Decodes the escape at *at and steps behind it; returns how many bytes it stands for. */
static size_t decode_escape(const char **at, char out[4])
{
    static const char letters[] = "bfnrt", bytes[] = "\b\f\n\r\t";
    const char c = (*at)[1];
    const char *letter = memchr(letters, c, sizeof(letters) - 1);
    unsigned point;

    if (c != 'u') {
        *at += 2;
        out[0] = (char)(letter ? bytes[letter - letters] : c);
        return 1;
    }
    point = hex4(*at + 2);
    *at += 6;
    if (point >= 0xd800 && point <= 0xdbff) {
        point = 0x10000 + ((point & 0x3ff) << 10) + (hex4(*at + 2) & 0x3ff);
        *at += 6;
    }
    return utf8_encode(point, out);
}

/* The bytes between the quotes. */
static struct json_span inside(struct json_span string)
{
    return (struct json_span){string.at + 1, string.size - 2};
}

static bool has_escapes(struct json_span raw)
{
    return memchr(raw.at, '\\', raw.size);
}

static void decode(struct json_span raw, struct text *out)
{
    const char *at = raw.at, *end = raw.at + raw.size;

    text_reserve(out, raw.size); /* no escape stands for more bytes than it has */
    while (at < end) {
        const char *escape = memchr(at, '\\', (size_t)(end - at));
        char bytes[4];

        text_add_bytes(out, at, (size_t)((escape ? escape : end) - at));
        if (!escape)
            return;
        at = escape;
        text_add_bytes(out, bytes, decode_escape(&at, bytes));
    }
}

static bool escaped_is(struct json_span raw, const char *name)
{
    _cleanup_(text_deinitp) struct text decoded = {0};

    decode(raw, &decoded);
    return text_equals(&decoded, name);
}

bool json_string_is(struct json_span string, const char *name)
{
    struct json_span raw;

    if (json_kind(string) != JSON_STRING)
        return false;
    raw = inside(string);
    if (has_escapes(raw))
        return escaped_is(raw, name);
    return strlen(name) == raw.size && memcmp(raw.at, name, raw.size) == 0;
}

enum err json_decode(struct json_span string, struct text *out)
{
    if (json_kind(string) != JSON_STRING)
        return ERR_TYPE;
    decode(inside(string), out);
    return ERR_OK;
}

enum err json_string(struct json_span string, size_t max, char **out)
{
    _cleanup_(text_deinitp) struct text decoded = {0};
    enum err e = json_decode(string, &decoded);

    if (e)
        return e;
    if (decoded.size > max || strlen(text_str(&decoded)) != decoded.size)
        return ERR_RANGE;
    *out = text_steal(&decoded);
    return ERR_OK;
}

/* ---- The canonical form ---- */

/* A string without escapes has the shortest ones already. */
static void add_string(struct text *out, struct json_span string)
{
    _cleanup_(text_deinitp) struct text decoded = {0};

    if (!has_escapes(inside(string))) {
        text_add_bytes(out, string.at, string.size);
        return;
    }
    decode(inside(string), &decoded);
    text_add_json(out, text_str(&decoded), decoded.size);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Adds everything up to the next string or space, and steps over the space. */
static const char *add_run(struct text *out, const char *at, const char *end)
{
    const char *first = at;

    while (at < end && *at != '"' && !is_space(*at))
        at++;
    text_add_bytes(out, first, (size_t)(at - first));
    while (at < end && is_space(*at))
        at++;
    return at;
}

/* Space and strings are all that can differ, so the nesting does not matter here. */
void json_add_canonical(struct text *out, struct json_span value)
{
    const char *at = value.at, *end = value.at + value.size;

    text_reserve(out, value.size);
    while (at < end) {
        if (*at == '"') {
            const struct json_span string = json_value(at, (size_t)(end - at));

            add_string(out, string);
            at += string.size;
        } else {
            at = add_run(out, at, end);
        }
    }
}
