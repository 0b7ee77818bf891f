#include "common/json/json_equal.h"

#include <stdint.h>
#include <string.h>

#include "common/base/text.h"
#include "common/json/json_members.h"

/* ---- Numbers: equal if their normal forms are ---- */

#define SMALL_EXPONENT 17 /* digits, so that sums stay far within int64_t */

/* A number taken apart: digits with a point somewhere, and an exponent. */
struct number {
    struct json_span whole, fraction, exponent; /* digits only */
    bool negative, negative_exponent;
};

static struct json_span take_digits(const char **at, const char *end)
{
    const char *first = *at;

    while (*at < end && **at >= '0' && **at <= '9')
        ++*at;
    return (struct json_span){first, (size_t)(*at - first)};
}

static struct number take_apart(struct json_span text)
{
    const char *at = text.at, *end = text.at + text.size;
    struct number n = {.negative = *at == '-'};

    at += n.negative;
    n.whole = take_digits(&at, end);
    if (at < end && *at == '.') {
        at++;
        n.fraction = take_digits(&at, end);
    }
    if (at < end) { /* behind "e" or "E" */
        at++;
        n.negative_exponent = *at == '-';
        at += *at == '-' || *at == '+';
        n.exponent = take_digits(&at, end);
    }
    while (n.exponent.size > 0 && *n.exponent.at == '0') {
        n.exponent.at++;
        n.exponent.size--;
    }
    return n;
}

/* Adds the decimal digits of `digits` + `shift`, where the sum is above 0: from the last digit to
 * the first, `shift` is what is still to be added. */
static void add_long_sum(struct text *out, struct json_span digits, int64_t shift)
{
    _cleanup_(text_deinitp) struct text sum = {0};
    size_t zeros;

    text_add_bytes(&sum, digits.at, digits.size);
    for (size_t i = sum.size; i > 0; i--) {
        const int64_t value = sum.at[i - 1] - '0' + shift;
        const int64_t digit = (value % 10 + 10) % 10;

        sum.at[i - 1] = (char)('0' + digit);
        shift = (value - digit) / 10;
    }
    if (shift > 0)
        text_add_i64(out, shift);
    zeros = shift > 0 ? 0 : strspn(sum.at, "0");
    text_add_bytes(out, sum.at + zeros, sum.size - zeros);
}

/* Adds exponent + shift. A long exponent is greater than any shift, so the sum keeps its sign. */
static void add_exponent(struct text *out, const struct number *n, int64_t shift)
{
    int64_t value = 0;

    text_add_char(out, 'e');
    if (n->exponent.size > SMALL_EXPONENT) {
        text_add(out, n->negative_exponent ? "-" : "");
        add_long_sum(out, n->exponent, n->negative_exponent ? -shift : shift);
        return;
    }
    for (size_t i = 0; i < n->exponent.size; i++)
        value = value * 10 + n->exponent.at[i] - '0';
    text_add_i64(out, (n->negative_exponent ? -value : value) + shift);
}

/* The normal form: 0.<digits without zeros at either end>e<exponent>; of zero, nothing. */
static void add_normal(struct text *out, struct json_span text)
{
    const struct number n = take_apart(text);
    _cleanup_(text_deinitp) struct text digits = {0};
    size_t zeros;

    text_add_bytes(&digits, n.whole.at, n.whole.size);
    text_add_bytes(&digits, n.fraction.at, n.fraction.size);
    zeros = strspn(digits.at, "0");
    while (digits.size > zeros && digits.at[digits.size - 1] == '0')
        digits.size--;
    if (digits.size == zeros)
        return;
    text_add(out, n.negative ? "-0." : "0.");
    text_add_bytes(out, digits.at + zeros, digits.size - zeros);
    add_exponent(out, &n, (int64_t)n.whole.size - (int64_t)zeros);
}

static bool equal_numbers(struct json_span a, struct json_span b)
{
    _cleanup_(text_deinitp) struct text left = {0}, right = {0};

    add_normal(&left, a);
    add_normal(&right, b);
    return left.size == right.size && memcmp(text_str(&left), text_str(&right), left.size) == 0;
}

/* ---- Arrays and objects ---- */

static bool equal_arrays(struct json_span a, struct json_span b, size_t *read)
{
    struct json_walk left = json_walk(a), right = json_walk(b);

    for (;;) {
        const bool more = json_next(&left);

        if (json_next(&right) != more)
            return false;
        if (!more)
            return true;
        if (!json_equal(left.value, right.value, read))
            return false;
    }
}

static bool equal_objects(struct json_span a, struct json_span b, size_t *read)
{
    _cleanup_(json_members_deinit) struct json_members left, right;
    bool equal;

    json_members_init(&left, a);
    json_members_init(&right, b);
    equal = left.count == right.count;
    for (size_t i = 0; i < left.count && equal; i++)
        equal = json_same_text(left.at[i].key, right.at[i].key) &&
                json_equal(left.at[i].value, right.at[i].value, read);
    return equal;
}

bool json_equal(struct json_span a, struct json_span b, size_t *read)
{
    const enum json_kind kind = json_kind(a);

    if (json_kind(b) != kind)
        return false;
    *read += a.size + b.size;
    if (json_same_text(a, b))
        return true;
    if (kind == JSON_NUMBER)
        return equal_numbers(a, b);
    if (kind == JSON_ARRAY)
        return equal_arrays(a, b, read);
    return kind == JSON_OBJECT && equal_objects(a, b, read);
}
