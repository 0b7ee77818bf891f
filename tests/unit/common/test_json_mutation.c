#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/json/json_scan.h"
#include "tests/support/json_oracle.h"
#include "tests/support/unit.h"

/* Frames as clients send them, damaged at random in a way that can be repeated, judged by json-c.
 * The fuzzer (tests/fuzz) goes on where this ends. */

#define ROUNDS   100000
#define MAX_SIZE 400

static const char *const frames[] = {
    "{\"cn\":\"com.percero.agents.sync.vo.PutRequest\",\"messageId\":\"m1\",\"theObject\":"
    "{\"cn\":\"com.app.mo.Task\",\"ID\":\"1\",\"done\":false,\"priority\":9007199254740993,"
    "\"estimate\":1.10,\"due\":null,\"owner\":{\"className\":\"com.app.mo.Person\",\"ID\":\"7\"}}}",
    "[\"findById\",{\"theClassName\":\"com.app.mo.Item\",\"theClassId\":\"\\u00fc\\ud83d\\ude00\"}"
    "]",
    "{\"connect\":{}, \"ack\" : [ ], \"hibernate\":null, "
    "\"n\":[-0,1e3,-1.5E-7,0.0,123456789012345678901]}",
    "\"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80 \\\"\\\\\\/\\b\\f\\n\\r\\t\\u001f\"",
    "[[[{\"a\":[{\"a\":1,\"a\":2,\"\\u0061\":3}]}]],true,false,null,\"]}\",\"\\\\\"]",
};

static const char *const tokens[] = {
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "null",
    "true",
    "false",
    "0",
    "-",
    ".",
    "e",
    "E+",
    "1e99",
    "\"a\":",
    "\\u",
    "\\ud83d",
    "\\ude00",
    "\\u0041",
    " ",
    "\n",
    "\t",
    "\x01",
    "\x7f",
    "\x80",
    "\xc3",
    "\xbc",
    "\xed\xa0\x80",
    "\xf0\x9f\x98\x80",
    "\xff",
    "'",
    "NaN",
    "/",
    "//",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "11111111111111111111",
};

/* xorshift64: the same on every machine. */
static uint64_t state = 88172645463325252;

static size_t draw(size_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % below;
}

static void replace(struct text *t, size_t at, size_t size, const char *with, size_t with_size)
{
    struct text result = {0};

    text_add_bytes(&result, t->at, at);
    text_add_bytes(&result, with, with_size);
    text_add_bytes(&result, t->at + at + size, t->size - at - size);
    text_deinit(t);
    *t = result;
}

static void mutate(struct text *t)
{
    const size_t at = draw(t->size + 1);
    const size_t rest = t->size - at;
    const size_t size = rest > 0 ? draw(rest > 20 ? 20 : rest) + 1 : 0;
    const char *token = tokens[draw(ARRAY_SIZE(tokens))];
    const char byte = (char)draw(256);
    char piece[20];

    switch (draw(5)) {
    case 0: /* another byte */
        replace(t, at, rest > 0, &byte, 1);
        break;
    case 1: /* cut something out */
        replace(t, at, size, "", 0);
        break;
    case 2: /* say it twice */
        memcpy(piece, t->at + at, size);
        replace(t, at, 0, piece, size);
        break;
    case 3:
        replace(t, at, 0, token, strlen(token));
        break;
    default:
        replace(t, at, size, token, strlen(token));
    }
}

START_TEST(damaged_frames_are_judged_as_json_c_does)
{
    size_t accepted = 0;

    for (int round = 0; round < ROUNDS; round++) {
        _cleanup_(text_deinitp) struct text t = {0};
        const char *disagreement;

        text_add(&t, frames[draw(ARRAY_SIZE(frames))]);
        for (size_t i = draw(4); i > 0 && t.size < MAX_SIZE; i--)
            mutate(&t);
        disagreement = json_oracle_disagreement(text_str(&t), t.size);
        ck_assert_msg(!disagreement, "round %d: %s: %s", round, disagreement, text_str(&t));
        accepted += json_check(t.at, t.size, &(struct json_limits){32, 100}, NULL) == ERR_OK;
    }
    /* The test would be worth little if nothing, or everything, got through. */
    ck_assert_uint_gt(accepted, ROUNDS / 20);
    ck_assert_uint_lt(accepted, ROUNDS / 2);
}
END_TEST

UNIT_SUITE("json_mutation", damaged_frames_are_judged_as_json_c_does)
