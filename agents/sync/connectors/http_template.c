#include "agents/sync/connectors/http_template.h"

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/base/one_line.h"

/* ---- Places ---- */

/* Adds `from` as its place has it. Returns NULL, or why it cannot stand there. */
typedef const char *encode_fn(const struct text *from, struct text *out);

/* RFC 3986, section 2.3: all but the unreserved characters. */
static const char *encode_query(const struct text *from, struct text *out)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-._~";

    for (size_t i = 0; i < from->size; i++) {
        const unsigned char c = (unsigned char)from->at[i];

        if (c && strchr(unreserved, c))
            text_add_char(out, (char)c);
        else
            text_addf(out, "%%%02X", c);
    }
    return NULL;
}

/* An empty one would make another path: "/tasks/" instead of "/tasks/7". */
static const char *encode_path(const struct text *from, struct text *out)
{
    return from->size ? encode_query(from, out) : "must not be empty in a path";
}

static const char *encode_header(const struct text *from, struct text *out)
{
    if (!one_line_is(text_str(from), from->size))
        return "must not hold control characters in a header";
    text_add_bytes(out, text_str(from), from->size);
    return NULL;
}

static const char *encode_text(const struct text *from, struct text *out)
{
    text_add_bytes(out, text_str(from), from->size);
    return NULL;
}

/* XML 1.0, section 2.2: of the control characters there are three. */
static const char *encode_xml(const struct text *from, struct text *out)
{
    static const char special[] = "&<>\"'";
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"};

    for (size_t i = 0; i < from->size; i++) {
        const unsigned char c = (unsigned char)from->at[i];
        const char *found = c ? strchr(special, c) : NULL;

        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
            return "holds a control character, which XML cannot";
        if (found)
            text_add(out, entities[found - special]);
        else
            text_add_char(out, (char)c);
    }
    return NULL;
}

/* The bytes between the quotes. */
static const char *encode_json_string(const struct text *from, struct text *out)
{
    _cleanup_(text_deinitp) struct text quoted = {0};

    text_add_json(&quoted, text_str(from), from->size);
    text_add_bytes(out, quoted.at + 1, quoted.size - 2);
    return NULL;
}

static const struct {
    encode_fn *encode; /* NULL: the JSON goes in */
    bool around;       /* what stands around arguments is encoded too; nothing is refused */
} places[] = {
    [HTTP_IN_PATH] = {encode_path, false},
    [HTTP_IN_QUERY] = {encode_query, false},
    [HTTP_IN_FORM] = {encode_query, true},
    [HTTP_IN_HEADER] = {encode_header, false},
    [HTTP_IN_TEXT] = {encode_text, false},
    [HTTP_IN_XML] = {encode_xml, false},
    [HTTP_IN_JSON_STRING] = {encode_json_string, true},
    [HTTP_IN_JSON] = {NULL, false},
};

/* ---- Making one ---- */

void http_template_deinit(struct http_template *t)
{
    text_deinit(&t->bytes);
    free(t->parts);
    *t = (struct http_template){0};
}

static void add_part(struct http_template *t, const struct http_part *part)
{
    struct http_part *grown = realloc(t->parts, (t->count + 1) * sizeof(*grown));

    if (!grown)
        err_out_of_memory();
    grown[t->count++] = *part;
    t->parts = grown;
}

void http_template_add_bytes(struct http_template *t, const char *bytes, size_t size)
{
    struct http_part *last = t->count ? &t->parts[t->count - 1] : NULL;

    if (last && !last->argument)
        last->size += size;
    else
        add_part(t, &(struct http_part){.from = t->bytes.size, .size = size});
    text_add_bytes(&t->bytes, bytes, size);
}

enum err http_template_add_argument(struct http_template *t, struct http_argument *argument,
                                    enum http_place place, struct text *why)
{
    if (argument->type == HTTP_ANY && place != HTTP_IN_JSON) {
        text_addf(why, "%s is json, which only a member or item of a JSON body can be",
                  argument->name);
        return ERR_TYPE;
    }
    argument->used = true;
    add_part(t, &(struct http_part){.argument = argument, .place = place});
    return ERR_OK;
}

/* Adds what stands around arguments, and forgets it. */
static void add_around(struct http_template *t, struct text *bytes, enum http_place place)
{
    _cleanup_(text_deinitp) struct text encoded = {0};

    (places[place].around ? places[place].encode : encode_text)(bytes, &encoded);
    http_template_add_bytes(t, text_str(&encoded), encoded.size);
    text_clear(bytes);
}

/* The argument whose braces open at `at`. Steps behind them. */
static enum err add_named(struct http_template *t, const char **at, const char *end,
                          enum http_place place, struct text *why)
{
    const char *name = *at + 1, *close = memchr(name, '}', (size_t)(end - name));
    struct http_argument *argument;

    if (!close) {
        text_add(why, "a { without its }; a brace itself is {{");
        return ERR_MALFORMED;
    }
    argument = http_arguments_find(t->arguments, name, (size_t)(close - name));
    if (!argument) {
        text_addf(why, "there is no argument %.*s", (int)(close - name), name);
        return ERR_NOT_FOUND;
    }
    *at = close + 1;
    return http_template_add_argument(t, argument, place, why);
}

enum err http_template_add(struct http_template *t, const char *source, size_t size,
                           enum http_place place, struct text *why)
{
    const char *at = source, *end = source + size;
    _cleanup_(text_deinitp) struct text around = {0};
    enum err e = ERR_OK;

    while (!e && at < end) {
        const bool brace = *at == '{' || *at == '}';

        if (!brace || (at + 1 < end && at[1] == *at)) {
            text_add_char(&around, *at);
            at += brace ? 2 : 1;
        } else if (*at == '{') {
            add_around(t, &around, place);
            e = add_named(t, &at, end, place, why);
        } else {
            text_add(why, "a } without its {; a brace itself is }}");
            e = ERR_MALFORMED;
        }
    }
    add_around(t, &around, place);
    return e;
}

/* ---- JSON ---- */

/* The argument that the string is, with nothing around it; or NULL. */
static struct http_argument *whole(const struct http_template *t, const char *string, size_t size)
{
    if (size < 2 || string[0] != '{' || string[size - 1] != '}')
        return NULL;
    return http_arguments_find(t->arguments, string + 1, size - 2);
}

static enum err add_string(struct http_template *t, struct json_object *value, struct text *why)
{
    const char *string = json_object_get_string(value);
    const size_t size = (size_t)json_object_get_string_len(value);
    struct http_argument *argument = whole(t, string, size);
    enum err e;

    if (argument)
        return http_template_add_argument(t, argument, HTTP_IN_JSON, why);
    http_template_add_bytes(t, "\"", 1);
    e = http_template_add(t, string, size, HTTP_IN_JSON_STRING, why);
    http_template_add_bytes(t, "\"", 1);
    return e;
}

static enum err add_array(struct http_template *t, struct json_object *value, struct text *why)
{
    enum err e = ERR_OK;

    http_template_add_bytes(t, "[", 1);
    for (size_t i = 0; !e && i < json_object_array_length(value); i++) {
        http_template_add_bytes(t, ",", i > 0);
        e = http_template_add_json(t, json_object_array_get_idx(value, i), why);
    }
    http_template_add_bytes(t, "]", 1);
    return e;
}

static void add_key(struct http_template *t, const char *key)
{
    _cleanup_(text_deinitp) struct text quoted = {0};

    text_add_json_str(&quoted, key);
    text_add_char(&quoted, ':');
    http_template_add_bytes(t, quoted.at, quoted.size);
}

static enum err add_object(struct http_template *t, struct json_object *value, struct text *why)
{
    struct json_object_iterator at = json_object_iter_begin(value);
    const struct json_object_iterator end = json_object_iter_end(value);
    enum err e = ERR_OK;

    http_template_add_bytes(t, "{", 1);
    for (bool first = true; !e && !json_object_iter_equal(&at, &end); first = false) {
        http_template_add_bytes(t, ",", !first);
        add_key(t, json_object_iter_peek_name(&at));
        e = http_template_add_json(t, json_object_iter_peek_value(&at), why);
        json_object_iter_next(&at);
    }
    http_template_add_bytes(t, "}", 1);
    return e;
}

enum err http_template_add_json(struct http_template *t, struct json_object *value,
                                struct text *why)
{
    const char *plain;

    switch (json_object_get_type(value)) {
    case json_type_object:
        return add_object(t, value, why);
    case json_type_array:
        return add_array(t, value, why);
    case json_type_string:
        return add_string(t, value, why);
    default:
        plain = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN);
        http_template_add_bytes(t, plain, strlen(plain));
        return ERR_OK;
    }
}

/* ---- Filling one ---- */

static const char *fill(enum http_place place, struct json_span value, struct text *out)
{
    _cleanup_(text_deinitp) struct text plain = {0};

    if (!places[place].encode) {
        json_add_canonical(out, value);
        return NULL;
    }
    if (json_decode(value, &plain)) /* no string */
        text_add_bytes(&plain, value.at, value.size);
    return places[place].encode(&plain, out);
}

enum err http_template_fill(const struct http_template *t, const struct json_span *values,
                            struct text *out, struct text *why)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct http_part *part = &t->parts[i];
        const char *refused;

        text_add_bytes(out, text_str(&t->bytes) + part->from, part->size);
        if (!part->argument)
            continue;
        refused = fill(part->place, values[part->argument - t->arguments->at], out);
        if (refused) {
            text_addf(why, "argument %s: %s", part->argument->name, refused);
            return ERR_RANGE;
        }
    }
    return ERR_OK;
}
