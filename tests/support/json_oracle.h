#pragma once

#include <stddef.h>

/*
 * json_oracle - holds the scanner against json-c, for the fuzzer and the mutation test.
 *
 * Returns NULL if both agree about `size` bytes of `text`, else what they disagree about:
 *
 * - What json_check() accepts, json-c accepts too (JSON_TOKENER_STRICT and VALIDATE_UTF8), and both
 *   read the same values.
 * - What only json-c accepts is one of the things in which it is known to be lax: single quotes,
 *   NaN and Infinity, no digit before or behind a point, leading zeros of fractions, control
 *   characters in strings, lone surrogates, overlong UTF-8, code points beyond the last one, and
 *   our limits.
 * - The canonical text is accepted, has the same value, and is its own canonical text.
 *
 * Texts with NULs and those that json-c misreads (see the source) are not compared.
 */
const char *json_oracle_disagreement(const char *text, size_t size);
