#include "common/base/one_line.h"

#include <errno.h>
#include <string.h>

#include "common/base/err.h"

bool one_line_is(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)bytes[i] < 0x20 || bytes[i] == 0x7f)
            return false;
    }
    return true;
}

static bool is_break(char c)
{
    return c == '\r' || c == '\n';
}

static const char *why_not(const char *bytes, size_t size, size_t most)
{
    if (size == 0)
        return "empty";
    if (size > most)
        return "too large";
    return one_line_is(bytes, size) ? NULL : "expected one line without control characters";
}

const char *one_line_add_file(struct text *out, const char *path, size_t most)
{
    const size_t before = out->size;
    const enum err e = text_add_file(out, path, most + sizeof("\r\n") - 1);
    const char *why;

    if (e)
        return e == ERR_IO ? strerror(errno) : "too large";
    while (out->size > before && is_break(out->at[out->size - 1]))
        text_cut(out, out->size - 1);
    why = why_not(text_str(out) + before, out->size - before, most);
    if (why)
        text_cut(out, before);
    return why;
}
