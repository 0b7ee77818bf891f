#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/protocol/content.h"
#include "gateway/dialect/content.h"

/*
 * Any frame of the content protocol: it is read without harm; what is taken for a request can be
 * sent on, and what is refused is answered with an error frame that is JSON and echoes the id.
 */

static const struct json_limits limits = {.depth = 16, .number_chars = 32};

static void expect(bool holds)
{
    if (!holds)
        abort();
}

static void check_request(const struct content_frame *f)
{
    const bool notifies = strcmp(f->operation->request_class, "notify") == 0;

    expect(json_kind(f->whole) == JSON_OBJECT && content_cls(f->operation));
    expect(notifies ? !f->id : *f->id && strlen(f->id) <= CONTENT_ID_MAX);
}

static void check_refusal(const struct content_frame *f)
{
    const struct json_limits any = {4, SIZE_MAX};
    _cleanup_(text_deinitp) struct text t = {0};
    struct json_span error, id;

    expect(f->problem.size > 0);
    content_add_error(&t, f->id, f->cls, content_code_of(f->operation, CODE_MALFORMED),
                      text_str(&f->problem));
    expect(!json_check(t.at, t.size, &any, NULL));
    error = json_value(t.at, t.size);
    id = json_member(error, "id", NULL);
    expect(f->id ? json_string_is(id, f->id) : !id.at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(content_frame_deinitp) struct content_frame f;

    content_read((const char *)data, size, &limits, &f);
    if (f.kind == CONTENT_REQUEST)
        check_request(&f);
    if (f.kind == CONTENT_REFUSED || f.kind == CONTENT_HOPELESS)
        check_refusal(&f);
    expect((f.kind == CONTENT_HOPELESS) == (f.close_code != 0));
    expect(f.number >= 0 && (f.number == 0 || f.kind == CONTENT_ANSWER));
    return 0;
}
