#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/dialect/activestack.h"

/*
 * Any frame: it is read without harm, and the body of what is taken for a request is JSON again,
 * has no member of the identity twice, and says who the session is.
 */

static const struct json_limits limits = {.depth = 16, .number_chars = 32};

static const char *const identity[] = {"clientId", "userId", "token", "deviceId"};

static void expect(bool holds)
{
    if (!holds)
        abort();
}

static void check_body(const struct frame *f)
{
    struct session s = {.client_id = "0123456789abcdef0123456789abcdef"};
    _cleanup_(text_deinitp) struct text body = {0};
    struct json_span object;
    size_t count;

    session_login(&s, "user", "token", NULL);
    activestack_add_body(f, &s, &body);
    expect(!json_check(body.at, body.size, &limits, NULL));
    object = json_value(body.at, body.size);
    for (size_t i = 0; i < ARRAY_SIZE(identity); i++) {
        (void)json_member(object, identity[i], &count);
        expect(count <= 1);
    }
    expect(json_string_is(json_member(object, "clientId", NULL), s.client_id));
    if (f->operation->needs_login)
        expect(json_string_is(json_member(object, "userId", NULL), "user") &&
               !json_member(object, "token", NULL).at);
    session_deinit(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(frame_deinitp) struct frame f;
    struct json_walk w;
    enum special special;

    activestack_read((const char *)data, size, &limits, &f);
    if (f.kind == FRAME_REQUEST)
        check_body(&f);
    if (f.kind == FRAME_SPECIAL)
        for (w = json_walk(f.object); activestack_next_special(&w, &special);)
            expect(special <= SPECIAL_UNKNOWN);
    if (f.kind == FRAME_ERROR)
        expect(f.problem.size > 0);
    return 0;
}
