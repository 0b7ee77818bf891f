#include "agents/sync/push.h"

#include <stdlib.h>
#include <string.h>

static void begin(struct text *body, const char *class_name)
{
    response_begin(body, &(struct response){.class_name = class_name});
    text_add(body, ",\"objectList\":[");
}

void push_update_begin(struct text *body)
{
    begin(body, SYNC_CLASS("PushUpdateResponse"));
}

void push_update_end(struct text *body, const struct text *updated_fields)
{
    text_addf(body, "],\"updatedFields\":%s", text_str(updated_fields));
    response_end(body);
}

void push_delete_begin(struct text *body)
{
    begin(body, SYNC_CLASS("PushDeleteResponse"));
}

void push_delete_end(struct text *body)
{
    text_add_char(body, ']');
    response_end(body);
}

/* The message for the gateway of to[first]; takes out those that it serves by marking them done. */
static void add_for_gateway(struct work *work, const struct text *body, const struct push_to *to,
                            size_t count, size_t first, bool *done)
{
    _cleanup_(text_deinitp) struct text all = {0};
    const char *between = "";

    text_add(&all, "{\"v\":1,\"groups\":[{\"to\":[");
    for (size_t i = first; i < count; i++) {
        if (done[i] || strcmp(to[i].gateway, to[first].gateway) != 0)
            continue;
        text_addf(&all, "%s[\"%s\",%s]", between, to[i].client, to[i].epoch);
        between = ",";
        done[i] = true;
    }
    text_add(&all, "],\"body\":");
    text_add_bytes(&all, body->at, body->size);
    text_add(&all, "}]}");
    work_add_out(work, &(struct msg){.queue = to[first].gateway,
                                     .type = "push",
                                     .mandatory = true,
                                     .body = all.at,
                                     .size = all.size});
}

void push_add(struct work *work, const struct text *body, const struct push_to *to, size_t count)
{
    bool *done = calloc(count + 1, sizeof(*done));

    if (!done)
        err_out_of_memory();
    for (size_t i = 0; i < count; i++) {
        if (!done[i])
            add_for_gateway(work, body, to, count, i, done);
    }
    free(done);
}
