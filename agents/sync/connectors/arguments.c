#include "agents/sync/connectors/arguments.h"

#define SHOWN_BYTES 100 /* of a name that a caller made up */

/* ---- By position ---- */

static enum err read_array(const struct argument_names *names, struct json_span given,
                           struct json_span *values, struct text *why)
{
    const size_t count = json_count(given);
    struct json_walk w = json_walk(given);

    if (count != names->count) {
        text_addf(why, "expected %zu arguments, found %zu", names->count, count);
        return ERR_MALFORMED;
    }
    for (size_t i = 0; json_next(&w); i++)
        values[i] = w.value;
    return ERR_OK;
}

/* ---- By name ---- */

/* How much of a text is shown: SHOWN_BYTES at most, and no half character. */
static int shown_size(struct json_span text)
{
    size_t size = text.size < SHOWN_BYTES ? text.size : SHOWN_BYTES;

    while (size < text.size && ((unsigned char)text.at[size] & 0xc0) == 0x80)
        size--;
    return (int)size;
}

static bool is_known(const struct argument_names *names, struct json_span key)
{
    for (size_t i = 0; i < names->count; i++) {
        if (json_string_is(key, names->at[i]))
            return true;
    }
    return false;
}

/* Tells the first member of `given` that is none of the arguments, and which there are. */
static void tell_unknown(const struct argument_names *names, struct json_span given,
                         struct text *why)
{
    struct json_walk w = json_walk(given);

    while (json_next(&w) && is_known(names, w.key))
        ;
    text_addf(why, "argument %.*s: unknown, expected ", shown_size(w.key), w.key.at);
    for (size_t i = 0; i < names->count; i++)
        text_addf(why, "%s%s", i ? ", " : "", names->at[i]);
    text_add(why, names->count ? "" : "none");
}

static enum err read_object(const struct argument_names *names, struct json_span given,
                            struct json_span *values, struct text *why)
{
    size_t found = 0;

    for (size_t i = 0; i < names->count; i++) {
        size_t times;

        values[i] = json_member(given, names->at[i], &times);
        found += times;
        if (times == 1 || (times == 0 && names->may_miss))
            continue;
        text_addf(why, "argument %s: %s", names->at[i], times ? "stands there twice" : "missing");
        return ERR_MALFORMED;
    }
    if (json_count(given) == found)
        return ERR_OK;
    tell_unknown(names, given, why);
    return ERR_MALFORMED;
}

enum err arguments_read(const struct argument_names *names, struct json_span given,
                        struct json_span *values, struct text *why)
{
    switch (json_kind(given)) {
    case JSON_ARRAY:
        return read_array(names, given, values, why);
    case JSON_ABSENT:
    case JSON_NULL: /* as good as {} */
    case JSON_OBJECT:
        return read_object(names, given, values, why);
    default:
        text_addf(why, "arguments: expected an object or an array, found %s",
                  json_kind_name(json_kind(given)));
        return ERR_MALFORMED;
    }
}
