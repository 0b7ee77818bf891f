#include "tests/support/json_oracle.h"

#include <string.h>

#include <json-c/json.h>

#include "common/json/json_scan.h"

#define DEPTH 32

static const struct json_limits limits = {.depth = DEPTH, .number_chars = 100};

static void put(struct json_object **tree)
{
    json_object_put(*tree);
}

/* Everything, not only a beginning, or false. A lone null is an accepted NULL. */
static bool parse(const char *text, size_t size, struct json_object **tree)
{
    struct json_tokener *tokener = json_tokener_new_ex(DEPTH + 1);
    bool accepted;

    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    *tree = json_tokener_parse_ex(tokener, text, (int)size + 1); /* the NUL ends a number */
    accepted = json_tokener_get_error(tokener) == json_tokener_success &&
               json_tokener_get_parse_end(tokener) == size;
    json_tokener_free(tokener);
    return accepted;
}

static bool is_in(char c, const char *set)
{
    return c != '\0' && strchr(set, c);
}

static bool is_known_laxity(const char *text, size_t size, enum err e, const struct json_fault *f)
{
    const char at = (char)(f->offset < size ? text[f->offset] : '\0');
    const char before = (char)(f->offset > 0 ? text[f->offset - 1] : '\0');

    if (e == ERR_RANGE || strcmp(f->what, "control character in a string") == 0 ||
        strcmp(f->what, "lone surrogate") == 0)
        return true;
    if (e == ERR_UTF8)
        return is_in(at, "\xc0\xc1\xe0\xed\xf0\xf4\xf5\xf6\xf7");
    if (before == '.' || (before == '0' && at >= '0' && at <= '9'))
        return true;
    return is_in(at, "'NI.");
}

static bool same(struct json_span span, struct json_object *tree);

static bool same_string(struct json_span span, struct json_object *tree)
{
    _cleanup_(text_deinitp) struct text decoded = {0};

    return json_decode(span, &decoded) == ERR_OK &&
           decoded.size == (size_t)json_object_get_string_len(tree) &&
           memcmp(text_str(&decoded), json_object_get_string(tree), decoded.size) == 0;
}

static bool same_number(struct json_span span, struct json_object *tree)
{
    int64_t value;

    if (json_kind(span) != JSON_NUMBER)
        return false;
    if (json_int64(span, &value)) /* json-c rounds or clamps what we leave as it is */
        return true;
    return json_object_is_type(tree, json_type_int) && json_object_get_int64(tree) == value;
}

static bool same_array(struct json_span span, struct json_object *tree)
{
    struct json_walk w = json_walk(span);
    size_t i = 0;

    if (json_kind(span) != JSON_ARRAY || json_count(span) != json_object_array_length(tree))
        return false;
    while (json_next(&w))
        if (!same(w.value, json_object_array_get_idx(tree, i++)))
            return false;
    return true;
}

static bool same_object(struct json_span span, struct json_object *tree)
{
    size_t members = 0, duplicates = 0;

    if (json_kind(span) != JSON_OBJECT)
        return false;
    json_object_object_foreach(tree, name, value)
    {
        size_t count = 0;

        if (!same(json_member(span, name, &count), value) || count == 0)
            return false;
        members++;
        duplicates += count - 1;
    }
    return members + duplicates == json_count(span);
}

static bool same(struct json_span span, struct json_object *tree)
{
    switch (json_object_get_type(tree)) {
    case json_type_null:
        return json_kind(span) == JSON_NULL;
    case json_type_boolean:
        return json_kind(span) == JSON_BOOLEAN &&
               json_is_true(span) == (bool)json_object_get_boolean(tree);
    case json_type_double:
    case json_type_int:
        return same_number(span, tree);
    case json_type_string:
        return same_string(span, tree);
    case json_type_array:
        return same_array(span, tree);
    default:
        return same_object(span, tree);
    }
}

static const char *compare_canonical(struct json_span value, struct json_object *tree)
{
    _cleanup_(text_deinitp) struct text canonical = {0};
    _cleanup_(text_deinitp) struct text again = {0};
    _cleanup_(put) struct json_object *parsed = NULL;

    json_add_canonical(&canonical, value);
    if (json_check(canonical.at, canonical.size, &limits, NULL))
        return "the canonical text is refused";
    if (!parse(canonical.at, canonical.size, &parsed) || !json_object_equal(parsed, tree))
        return "the canonical text has another value";
    json_add_canonical(&again, json_value(canonical.at, canonical.size));
    if (!text_equals(&again, canonical.at))
        return "the canonical text has another canonical text";
    return NULL;
}

/* json-c takes the characters of the pairs that start with \uD837, \uD877, ... \uDBF7 for lone
 * surrogates (it masks too many bits), and ends a name at a NUL. */
static bool is_misread_by_json_c(const char *text)
{
    while ((text = strstr(text, "\\u"))) {
        text += 2;
        if (strncmp(text, "0000", 4) == 0)
            return true;
        if (is_in(text[0], "dD") && is_in(text[1], "89abAB") && is_in(text[2], "37bBfF") &&
            text[3] == '7')
            return true;
    }
    return false;
}

const char *json_oracle_disagreement(const char *text, size_t size)
{
    _cleanup_(text_deinitp) struct text copy = {0}; /* with the NUL that json-c needs */
    _cleanup_(put) struct json_object *tree = NULL;
    struct json_fault fault = {0};
    const enum err e = json_check(text, size, &limits, &fault);
    bool accepted;

    text_add_bytes(&copy, text, size);
    if (memchr(text, '\0', size) || is_misread_by_json_c(copy.at))
        return NULL;
    accepted = parse(copy.at, size, &tree);
    if (!e && !accepted)
        return "accepted only by us";
    if (e && accepted)
        return is_known_laxity(text, size, e, &fault) ? NULL : "refused only by us";
    if (e)
        return NULL;
    if (!same(json_value(text, size), tree))
        return "another value";
    return compare_canonical(json_value(text, size), tree);
}
