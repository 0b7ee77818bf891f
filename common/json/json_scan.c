#include "common/json/json_scan.h"

#include <stdlib.h>
#include <string.h>

/*
 * The walk over texts that json_check.c has accepted. Nothing here asks whether the syntax is
 * right; `end` is only needed where a number may be the last thing in a text.
 */

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && is_space(*at))
        at++;
    return at;
}

/* A quote ends its string unless an odd number of backslashes stands before it. */
static bool is_escaped(const char *quote)
{
    const char *at = quote;

    while (at[-1] == '\\')
        at--;
    return (quote - at) % 2 == 1;
}

/* From a string's first quote to behind its last one. */
static const char *skip_string(const char *at, const char *end)
{
    do
        at = memchr(at + 1, '"', (size_t)(end - at - 1));
    while (is_escaped(at));
    return at + 1;
}

/* From an opening bracket to behind its closing one. */
static const char *skip_container(const char *at, const char *end)
{
    size_t depth = 0;

    do {
        switch (*at) {
        case '"':
            at = skip_string(at, end);
            continue;
        case '{':
        case '[':
            depth++;
            break;
        case '}':
        case ']':
            depth--;
            break;
        default:
            break;
        }
        at++;
    } while (depth > 0);
    return at;
}

/* A number or a literal ends where something stands that belongs to neither. */
static const char *skip_scalar(const char *at, const char *end)
{
    while (at < end && *at != ',' && *at != ']' && *at != '}' && !is_space(*at))
        at++;
    return at;
}

static struct json_span take_value(const char *at, const char *end)
{
    const char *behind;

    if (*at == '"')
        behind = skip_string(at, end);
    else if (*at == '{' || *at == '[')
        behind = skip_container(at, end);
    else
        behind = skip_scalar(at, end);
    return (struct json_span){at, (size_t)(behind - at)};
}

struct json_span json_value(const char *text, size_t size)
{
    const char *end = text + size;
    const char *at = skip_space(text, end);

    return at < end ? take_value(at, end) : (struct json_span){0};
}

struct json_span json_span_text(const struct text *t)
{
    return (struct json_span){text_str(t), t->size};
}

struct json_span json_span_of(const char *text)
{
    return json_value(text, strlen(text));
}

enum json_kind json_kind(struct json_span value)
{
    if (!value.at)
        return JSON_ABSENT;
    switch (*value.at) {
    case 'n':
        return JSON_NULL;
    case 't':
    case 'f':
        return JSON_BOOLEAN;
    case '"':
        return JSON_STRING;
    case '[':
        return JSON_ARRAY;
    case '{':
        return JSON_OBJECT;
    default:
        return JSON_NUMBER;
    }
}

const char *json_kind_name(enum json_kind kind)
{
    static const char *const names[] = {
        [JSON_ABSENT] = "absent", [JSON_NULL] = "null",     [JSON_BOOLEAN] = "boolean",
        [JSON_NUMBER] = "number", [JSON_STRING] = "string", [JSON_ARRAY] = "array",
        [JSON_OBJECT] = "object",
    };

    return names[kind];
}

struct json_walk json_walk(struct json_span value)
{
    struct json_walk w = {{0}, {0}, NULL, NULL};

    if (json_kind(value) == JSON_OBJECT || json_kind(value) == JSON_ARRAY) {
        w.at = value.at + 1;
        w.end = value.at + value.size - 1; /* the closing bracket */
    }
    return w;
}

bool json_next(struct json_walk *w)
{
    w->key = (struct json_span){0};
    w->value = (struct json_span){0};
    w->at = skip_space(w->at, w->end);
    if (w->at == w->end)
        return false;
    if (*w->at == ',')
        w->at = skip_space(w->at + 1, w->end);

    w->value = take_value(w->at, w->end);
    w->at = skip_space(w->value.at + w->value.size, w->end);
    if (w->at < w->end && *w->at == ':') { /* what was read is a key */
        w->key = w->value;
        w->value = take_value(skip_space(w->at + 1, w->end), w->end);
        w->at = w->value.at + w->value.size;
    }
    return true;
}

struct json_span json_member(struct json_span object, const char *name, size_t *count)
{
    struct json_walk w = {{0}, {0}, NULL, NULL};
    struct json_span found = {0};
    size_t times = 0;

    if (json_kind(object) == JSON_OBJECT)
        w = json_walk(object);
    while (json_next(&w)) {
        if (!json_string_is(w.key, name))
            continue;
        found = w.value;
        times++;
    }
    if (count)
        *count = times;
    return found;
}

size_t json_count(struct json_span array)
{
    struct json_walk w = json_walk(array);
    size_t count = 0;

    while (json_next(&w))
        count++;
    return count;
}

bool json_is_true(struct json_span value)
{
    return value.at && *value.at == 't';
}

enum err json_int64(struct json_span number, int64_t *out)
{
    const char *at = number.at, *end = number.at + number.size;
    const bool negative = json_kind(number) == JSON_NUMBER && *at == '-';
    const uint64_t most = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
    uint64_t value = 0;

    if (json_kind(number) != JSON_NUMBER)
        return ERR_TYPE;
    for (const char *c = at; c < end; c++)
        if (*c == '.' || *c == 'e' || *c == 'E')
            return ERR_TYPE;

    for (at += negative; at < end; at++) {
        const unsigned digit = (unsigned)(*at - '0');

        if (value > (most - digit) / 10)
            return ERR_RANGE;
        value = value * 10 + digit;
    }
    *out = (int64_t)(negative ? 0 - value : value);
    return ERR_OK;
}

bool json_is_integer(struct json_span value)
{
    int64_t number;

    return json_int64(value, &number) != ERR_TYPE;
}
