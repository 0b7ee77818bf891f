#include "tests/support/json_patch_oracle.h"

#include <stdint.h>
#include <string.h>

#include "common/json/json_diff.h"
#include "common/json/json_equal.h"
#include "common/json/json_members.h"
#include "common/json/json_patch.h"

static const struct json_patch_limits no_limits = {
    .operations = SIZE_MAX, .depth = JSON_DEPTH_MAX, .size = SIZE_MAX, .work = SIZE_MAX};

static const struct json_patch_limits small_limits = {
    .operations = 20, .depth = 12, .size = 2000, .work = 100000};

static void add_ordered_items(struct json_span array, struct text *out)
{
    struct json_walk w = json_walk(array);

    text_add_char(out, '[');
    while (json_next(&w)) {
        json_patch_oracle_ordered(w.value, out);
        text_add_char(out, ',');
    }
    text_add_char(out, ']');
}

static void add_ordered_members(struct json_span object, struct text *out)
{
    _cleanup_(json_members_deinit) struct json_members members;

    json_members_init(&members, object);
    text_add_char(out, '{');
    for (size_t i = 0; i < members.count; i++) {
        text_add_bytes(out, members.at[i].key.at, members.at[i].key.size);
        json_patch_oracle_ordered(members.at[i].value, out);
        text_add_char(out, ',');
    }
    text_add_char(out, '}');
}

void json_patch_oracle_ordered(struct json_span value, struct text *out)
{
    _cleanup_(text_deinitp) struct text canonical = {0};

    json_add_canonical(&canonical, value);
    value = json_span_text(&canonical);
    if (json_kind(value) == JSON_ARRAY)
        add_ordered_items(value, out);
    else if (json_kind(value) == JSON_OBJECT)
        add_ordered_members(value, out);
    else
        text_add_bytes(out, value.at, value.size);
}

static bool same(struct json_span a, struct json_span b)
{
    _cleanup_(text_deinitp) struct text left = {0}, right = {0};

    json_patch_oracle_ordered(a, &left);
    json_patch_oracle_ordered(b, &right);
    return json_same_text(json_span_text(&left), json_span_text(&right));
}

static bool equal(struct json_span a, struct json_span b)
{
    _cleanup_(text_deinitp) struct text left = {0}, right = {0};
    size_t read = 0;

    json_add_canonical(&left, a);
    json_add_canonical(&right, b);
    return json_equal(json_span_text(&left), json_span_text(&right), &read);
}

const char *json_patch_oracle_diff(struct json_span before, struct json_span after)
{
    _cleanup_(text_deinitp) struct text patch = {0}, again = {0}, result = {0}, problem = {0};

    if (json_diff(before, after, SIZE_MAX, &patch))
        return "there is no patch";
    if (json_check(patch.at, patch.size, &(struct json_limits){JSON_DEPTH_MAX, SIZE_MAX}, NULL))
        return "the patch is no JSON";
    if (json_patch_apply(before, json_span_text(&patch), &no_limits, &result, &problem))
        return "the patch does not apply";
    if (!same(json_span_text(&result), after))
        return "the patch gives another value";
    if (!equal(json_span_text(&result), after))
        return "equal values are not found equal";
    if (json_diff(before, after, patch.size, &again) ||
        !json_same_text(json_span_text(&patch), json_span_text(&again)))
        return "the patch does not fit into its own size";
    text_clear(&again);
    if (json_diff(before, after, patch.size - 1, &again) != ERR_OK && again.size > 0)
        return "a patch that does not fit leaves something";
    if (again.size >= patch.size)
        return "the patch has more bytes than it may have";
    return NULL;
}

const char *json_patch_oracle_apply(struct json_span document, struct json_span patch)
{
    _cleanup_(text_deinitp) struct text canonical = {0}, result = {0}, problem = {0};
    enum err e;

    json_add_canonical(&canonical, document);
    e = json_patch_apply(document, patch, &small_limits, &result, &problem);
    if (e && (result.size > 0 || problem.size == 0))
        return "a failure leaves a result, or no problem";
    if (e)
        return NULL;
    if (problem.size > 0)
        return "a problem without a failure";
    if (json_check(result.at, result.size, &(struct json_limits){JSON_DEPTH_MAX, SIZE_MAX}, NULL))
        return "the result is no JSON";
    if (result.size > small_limits.size && result.size > canonical.size)
        return "the result is too long";
    return json_patch_oracle_diff(document, json_span_text(&result));
}
