#include "common/json/json_pointer.h"

#include <stdint.h>
#include <string.h>

static bool is_escape(const char *tilde, const char *end)
{
    return end - tilde > 1 && (tilde[1] == '0' || tilde[1] == '1');
}

const char *json_pointer_fault(struct json_span pointer)
{
    if (pointer.size > 0 && pointer.at[0] != '/')
        return "a pointer is empty or begins with \"/\"";
    for (const char *at = pointer.at, *end = at + pointer.size; at < end; at++)
        if (*at == '~' && !is_escape(at, end))
            return "\"~\" stands only in \"~0\" and \"~1\"";
    return NULL;
}

/* Where the next "/" stands, or the end. */
static const char *token_end(const char *at, const char *end)
{
    const char *slash = at < end ? memchr(at, '/', (size_t)(end - at)) : NULL;

    return slash ? slash : end;
}

static void add_unescaped(struct text *out, const char *at, const char *end)
{
    for (; at < end; at++) {
        if (*at != '~')
            text_add_char(out, *at);
        else
            text_add_char(out, *++at == '0' ? '~' : '/');
    }
}

bool json_pointer_next(struct json_span *rest, struct text *key)
{
    _cleanup_(text_deinitp) struct text name = {0};
    const char *first = rest->at + 1, *end = rest->at + rest->size;
    const char *behind;

    if (rest->size == 0)
        return false;
    behind = token_end(first, end);
    add_unescaped(&name, first, behind);
    text_clear(key);
    text_add_json(key, text_str(&name), name.size);
    *rest = (struct json_span){behind, (size_t)(end - behind)};
    return true;
}

size_t json_pointer_depth(struct json_span pointer)
{
    size_t depth = 0;

    for (size_t i = 0; i < pointer.size; i++)
        depth += pointer.at[i] == '/';
    return depth;
}

struct json_span json_pointer_parent(struct json_span pointer)
{
    const char *slash = memrchr(pointer.at, '/', pointer.size);

    return (struct json_span){pointer.at, (size_t)(slash - pointer.at)};
}

/* Each token can be written in one way only, so bytes are enough. */
bool json_pointer_is_inside(struct json_span inner, struct json_span outer)
{
    return inner.size > outer.size && inner.at[outer.size] == '/' &&
           memcmp(inner.at, outer.at, outer.size) == 0;
}

enum err json_pointer_index(struct json_span key, size_t *out)
{
    const char *at = key.at + 1, *end = key.at + key.size - 1; /* between the quotes */
    size_t index = 0;

    if (at == end || (*at == '0' && end - at > 1))
        return ERR_MALFORMED;
    for (; at < end; at++) {
        const size_t digit = (size_t)(*at - '0');

        if (*at < '0' || *at > '9')
            return ERR_MALFORMED;
        index = index > (SIZE_MAX - digit) / 10 ? SIZE_MAX : index * 10 + digit;
    }
    *out = index;
    return ERR_OK;
}

void json_pointer_add_key(struct text *pointer, struct json_span key)
{
    _cleanup_(text_deinitp) struct text name = {0};

    if (json_decode(key, &name))
        return; /* no string: not a key */
    text_add_char(pointer, '/');
    for (size_t i = 0; i < name.size; i++) {
        if (name.at[i] == '~' || name.at[i] == '/')
            text_add(pointer, name.at[i] == '~' ? "~0" : "~1");
        else
            text_add_char(pointer, name.at[i]);
    }
}

void json_pointer_add_index(struct text *pointer, size_t index)
{
    text_add_char(pointer, '/');
    text_add_u64(pointer, index);
}
