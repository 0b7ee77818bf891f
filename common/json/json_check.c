#include <string.h>

#include "common/json/json_scan.h"

/*
 * The strict grammar of RFC 8259, each byte looked at once. There is no recursion: which kinds of
 * brackets are open is one bit per level.
 */

struct scan {
    const char *at, *end;
    const struct json_limits *limits;
    const char *what; /* why it is refused */
    size_t depth;
    bool in_object;
    uint8_t objects[JSON_DEPTH_MAX / 8]; /* a bit per open level: an object or an array */
};

static enum err refuse(struct scan *s, enum err e, const char *what)
{
    s->what = what;
    return e;
}

static enum err refuse_character(struct scan *s)
{
    if (s->at == s->end)
        return refuse(s, ERR_MALFORMED, "unexpected end");
    return refuse(s, ERR_MALFORMED, "unexpected character");
}

static void skip_space(struct scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
        s->at++;
}

static bool take(struct scan *s, char c)
{
    if (s->at == s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

/* ---- Strings ---- */

/* None of eight bytes is a quote, a backslash, a control character or beyond ASCII. A subtraction
 * sets a byte's highest bit if it had been smaller (and may then disturb only bytes above it). */
static bool all_plain(uint64_t bytes)
{
    const uint64_t ones = 0x0101010101010101, highest = 0x8080808080808080;
    const uint64_t quotes = (bytes ^ ones * '"') - ones;
    const uint64_t backslashes = (bytes ^ ones * '\\') - ones;
    const uint64_t controls = bytes - ones * 0x20;

    return ((bytes | quotes | backslashes | controls) & highest) == 0;
}

static bool is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

static void skip_plain(struct scan *s)
{
    uint64_t bytes;

    for (; s->end - s->at >= 8; s->at += 8) {
        memcpy(&bytes, s->at, 8);
        if (!all_plain(bytes))
            break;
    }
    while (s->at < s->end && is_plain(*s->at))
        s->at++;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* \uXXXX */
static bool is_unicode_escape(const char *at, const char *end)
{
    return end - at >= 6 && at[0] == '\\' && at[1] == 'u' && is_hex(at[2]) && is_hex(at[3]) &&
           is_hex(at[4]) && is_hex(at[5]);
}

/* A surrogate is known by its two highest digits: D8 to DB in front, DC to DF behind. */
static bool is_surrogate(const char *escape, const char *seconds)
{
    return (escape[2] == 'D' || escape[2] == 'd') && strchr(seconds, escape[3]);
}

static enum err scan_unicode_escape(struct scan *s)
{
    const char *next = s->at + 6;

    if (!is_unicode_escape(s->at, s->end))
        return refuse(s, ERR_MALFORMED, "bad escape");
    if (is_surrogate(s->at, "CDEFcdef"))
        return refuse(s, ERR_UTF8, "lone surrogate");
    if (is_surrogate(s->at, "89ABab")) {
        if (!is_unicode_escape(next, s->end) || !is_surrogate(next, "CDEFcdef"))
            return refuse(s, ERR_UTF8, "lone surrogate");
        next += 6;
    }
    s->at = next;
    return ERR_OK;
}

static enum err scan_escape(struct scan *s)
{
    static const char letters[] = "\"\\/bfnrt";

    if (s->end - s->at < 2)
        return refuse(s, ERR_MALFORMED, "unexpected end");
    if (s->at[1] == 'u')
        return scan_unicode_escape(s);
    if (!memchr(letters, s->at[1], sizeof(letters) - 1))
        return refuse(s, ERR_MALFORMED, "bad escape");
    s->at += 2;
    return ERR_OK;
}

/* What is not plain: an escape, or a character beyond ASCII. */
static enum err scan_special(struct scan *s)
{
    size_t size;

    if (s->at == s->end)
        return refuse(s, ERR_MALFORMED, "unexpected end");
    if (*s->at == '\\')
        return scan_escape(s);
    if ((unsigned char)*s->at < 0x20)
        return refuse(s, ERR_MALFORMED, "control character in a string");
    size = text_utf8_size(s->at, (size_t)(s->end - s->at));
    if (size == 0)
        return refuse(s, ERR_UTF8, "not UTF-8");
    s->at += size;
    return ERR_OK;
}

static enum err scan_string(struct scan *s)
{
    if (!take(s, '"'))
        return refuse_character(s);
    skip_plain(s);
    while (!take(s, '"')) {
        enum err e = scan_special(s);

        if (e)
            return e;
        skip_plain(s);
    }
    return ERR_OK;
}

/* ---- Numbers and literals ---- */

static enum err scan_digits(struct scan *s)
{
    const char *first = s->at;

    while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
        s->at++;
    return s->at > first ? ERR_OK : refuse_character(s);
}

static enum err scan_number(struct scan *s)
{
    const char *first = s->at;
    enum err e = ERR_OK;

    (void)take(s, '-');
    if (!take(s, '0')) /* nothing may follow a leading zero */
        e = scan_digits(s);
    if (!e && take(s, '.'))
        e = scan_digits(s);
    if (!e && (take(s, 'e') || take(s, 'E'))) {
        (void)(take(s, '+') || take(s, '-'));
        e = scan_digits(s);
    }
    if (!e && (size_t)(s->at - first) > s->limits->number_chars) {
        s->at = first;
        e = refuse(s, ERR_RANGE, "number too long");
    }
    return e;
}

static enum err scan_literal(struct scan *s, const char *literal)
{
    for (; *literal; literal++)
        if (!take(s, *literal))
            return refuse_character(s);
    return ERR_OK;
}

/* ---- Arrays and objects ---- */

static enum err open_container(struct scan *s)
{
    if (s->depth >= s->limits->depth || s->depth >= JSON_DEPTH_MAX)
        return refuse(s, ERR_RANGE, "nested too deep");
    s->in_object = *s->at++ == '{';
    if (s->in_object)
        s->objects[s->depth / 8] |= (uint8_t)(1U << s->depth % 8);
    else
        s->objects[s->depth / 8] &= (uint8_t) ~(1U << s->depth % 8);
    s->depth++;
    return ERR_OK;
}

/* Takes the bracket that closes the innermost container, if it is there. */
static bool close_container(struct scan *s)
{
    if (!take(s, s->in_object ? '}' : ']'))
        return false;
    s->depth--;
    if (s->depth > 0)
        s->in_object = s->objects[(s->depth - 1) / 8] >> (s->depth - 1) % 8 & 1;
    return true;
}

static enum err scan_key(struct scan *s)
{
    enum err e;

    skip_space(s);
    e = scan_string(s);
    if (e)
        return e;
    skip_space(s);
    return take(s, ':') ? ERR_OK : refuse_character(s);
}

/* Scans a value, of a container that is not empty only the opening bracket: *open. */
static enum err scan_value(struct scan *s, bool *open)
{
    enum err e;

    *open = false;
    skip_space(s);
    if (s->at == s->end)
        return refuse_character(s);
    switch (*s->at) {
    case '"':
        return scan_string(s);
    case '{':
    case '[':
        e = open_container(s);
        if (e)
            return e;
        skip_space(s);
        *open = !close_container(s);
        return ERR_OK;
    case 't':
        return scan_literal(s, "true");
    case 'f':
        return scan_literal(s, "false");
    case 'n':
        return scan_literal(s, "null");
    default:
        return scan_number(s);
    }
}

/* Behind a value: closes what ends here. *more: a comma was there, another member follows. */
static enum err scan_behind_value(struct scan *s, bool *more)
{
    *more = false;
    while (s->depth > 0 && !*more) {
        skip_space(s);
        if (take(s, ','))
            *more = true;
        else if (!close_container(s))
            return refuse_character(s);
    }
    return ERR_OK;
}

static enum err scan_text(struct scan *s)
{
    bool more = true;
    enum err e = ERR_OK;

    while (more) {
        bool open;

        if (s->depth > 0 && s->in_object)
            e = scan_key(s);
        if (!e)
            e = scan_value(s, &open);
        if (!e && !open)
            e = scan_behind_value(s, &more);
        if (e)
            return e;
    }
    skip_space(s);
    return s->at == s->end ? ERR_OK : refuse(s, ERR_MALFORMED, "text behind the value");
}

enum err json_check(const char *text, size_t size, const struct json_limits *limits,
                    struct json_fault *fault)
{
    struct scan s = {.at = text, .end = text + size, .limits = limits};
    const enum err e = scan_text(&s);

    if (e && fault)
        *fault = (struct json_fault){(size_t)(s.at - text), s.what};
    return e;
}
