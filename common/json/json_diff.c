#include "common/json/json_diff.h"

#include <string.h>

#include "common/json/json_diff_private.h"
#include "common/json/json_members.h"
#include "common/json/json_pointer.h"

#define REPLACE_SIZE (sizeof("{'op':'replace','path':'','value':}") - 1)

/* `value` is absent for "remove". */
bool json_diff_operation(struct json_diff *d, const char *name, struct json_span value)
{
    if (d->out->at[d->out->size - 1] != '[')
        text_add_char(d->out, ',');
    text_add(d->out, "{\"op\":\"");
    text_add(d->out, name);
    text_add(d->out, "\",\"path\":");
    text_add_json(d->out, text_str(&d->path), d->path.size);
    if (value.at) {
        text_add(d->out, ",\"value\":");
        text_add_bytes(d->out, value.at, value.size);
    }
    text_add_char(d->out, '}');
    return d->out->size <= d->end;
}

static bool diff_member(struct json_diff *d, const struct json_changes *c)
{
    const size_t above = d->path.size;
    bool fits;

    json_pointer_add_key(&d->path, c->key);
    if (!c->before.at)
        fits = json_diff_operation(d, "add", c->after);
    else if (!c->after.at)
        fits = json_diff_operation(d, "remove", c->after);
    else
        fits = json_diff_value(d, c->before, c->after);
    text_cut(&d->path, above);
    return fits;
}

static bool diff_objects(struct json_diff *d, struct json_span before, struct json_span after)
{
    _cleanup_(json_changes_deinit) struct json_changes c;
    bool fits = true;

    json_changes_init(&c, before, after);
    while (fits && json_changes_next(&c))
        fits = diff_member(d, &c);
    return fits;
}

/* Goes into two arrays or two objects, as long as that is shorter than the new value. */
static bool diff_inside(struct json_diff *d, struct json_span before, struct json_span after)
{
    const enum json_kind kind = json_kind(after);
    const size_t end = d->end, replaced = d->out->size + REPLACE_SIZE + d->path.size + after.size;
    bool fits;

    if (json_kind(before) != kind || (kind != JSON_OBJECT && kind != JSON_ARRAY))
        return false;
    d->end = replaced < end ? replaced : end;
    fits =
        kind == JSON_OBJECT ? diff_objects(d, before, after) : json_diff_arrays(d, before, after);
    d->end = end;
    return fits;
}

bool json_diff_value(struct json_diff *d, struct json_span before, struct json_span after)
{
    const size_t written = d->out->size;

    if (json_same_text(before, after) || diff_inside(d, before, after))
        return true;
    text_cut(d->out, written);
    return json_diff_operation(d, "replace", after);
}

enum err json_diff(struct json_span before, struct json_span after, size_t max, struct text *out)
{
    _cleanup_(text_deinitp) struct text old = {0}, new = {0};
    const size_t written = out->size;
    struct json_diff d = {.out = out, .end = written + (max > 0 ? max - 1 : 0)}; /* "]" follows */
    bool fits;

    json_add_canonical(&old, before);
    json_add_canonical(&new, after);
    text_add_char(out, '[');
    fits = max >= strlen("[]") && json_diff_value(&d, json_span_text(&old), json_span_text(&new));
    text_add_char(out, ']');
    text_deinit(&d.path);
    if (fits)
        return ERR_OK;
    text_cut(out, written);
    return ERR_RANGE;
}
