#include "agents/sync/pushes/push.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- What is told ---- */

void push_begin(struct push *push, enum push_kind kind, int64_t number)
{
    push->kind = kind;
    push->number = number;
    response_begin(&push->body,
                   &(struct response){.class_name = kind == PUSH_UPDATE
                                                        ? SYNC_CLASS("PushUpdateResponse")
                                                        : SYNC_CLASS("PushDeleteResponse")});
    text_add(&push->body, ",\"objectList\":[");
}

void push_add_item(struct push *push, const char *item)
{
    if (push->count++)
        text_add_char(&push->of, ',');
    text_add_char(&push->of, '[');
    text_add_json_str(&push->of, item);
    text_addf(&push->of, ",%" PRId64 "]", push->number);
}

static void add_of(struct push *push, const struct stored_ref *ref)
{
    _cleanup_(text_deinitp) struct text name = {0};

    if (push->count)
        text_add_char(&push->body, ',');
    text_addf(&name, "%s:%s", ref->class_->name, ref->id);
    push_add_item(push, name.at);
}

void push_add_update(struct push *push, const struct stored_ref *ref,
                     const struct redis_reply *fields)
{
    add_of(push, ref);
    stored_add_object(&push->body, *ref, fields);
}

void push_add_delete(struct push *push, const struct stored_ref *ref)
{
    add_of(push, ref);
    model_add_pair(&push->body, ref->class_->name, ref->id);
}

void push_end(struct push *push, const struct text *updated_fields)
{
    text_add_char(&push->body, ']');
    if (push->kind == PUSH_UPDATE)
        text_addf(&push->body, ",\"updatedFields\":%s",
                  updated_fields ? text_str(updated_fields) : "[]");
    response_end(&push->body);
}

void push_deinit(struct push *push)
{
    text_deinit(&push->body);
    text_deinit(&push->of);
}

/* ---- Messages ---- */

static void begin_group(struct text *out)
{
    text_add(out, "{\"to\":[");
}

static void end_group(struct text *out, const struct push *push)
{
    text_addf(out, "],\"kind\":\"%c\",\"of\":[", push->kind);
    text_add_bytes(out, push->of.at, push->of.size);
    text_add(out, "],\"body\":");
    text_add_bytes(out, push->body.at, push->body.size);
    text_add_char(out, '}');
}

/* What goes to whom. */
struct sending {
    const struct push *pushes;
    const struct push_to *to;
    size_t count;
    bool *done; /* recipients whose message is made */
};

/* All recipients at the gateway of to[first] who are told the same. */
static void add_group(struct text *out, const struct sending *s, size_t first)
{
    const struct push_to *to = s->to;

    begin_group(out);
    for (size_t i = first; i < s->count; i++) {
        if (s->done[i] || to[i].push != to[first].push ||
            strcmp(to[i].gateway, to[first].gateway) != 0)
            continue;
        if (i > first)
            text_add_char(out, ',');
        text_add_json_str(out, to[i].client);
        s->done[i] = true;
    }
    end_group(out, &s->pushes[to[first].push]);
}

/* The message for the gateway of to[first], and so for all recipients there. */
static void add_for_gateway(struct work *work, const struct sending *s, size_t first)
{
    _cleanup_(text_deinitp) struct text all = {0};

    text_add(&all, "{\"v\":1,\"groups\":[");
    for (size_t i = first; i < s->count; i++) {
        if (s->done[i] || strcmp(s->to[i].gateway, s->to[first].gateway) != 0)
            continue;
        if (i > first)
            text_add_char(&all, ',');
        add_group(&all, s, i);
    }
    text_add(&all, "]}");
    work_add_out(work, &(struct msg){.queue = s->to[first].gateway,
                                     .type = "push",
                                     .mandatory = true,
                                     .body = all.at,
                                     .size = all.size});
}

void push_send(struct work *work, const struct push *pushes, const struct push_to *to, size_t count)
{
    struct sending s = {.pushes = pushes, .to = to, .count = count};

    s.done = calloc(count + 1, sizeof(*s.done));
    if (!s.done)
        err_out_of_memory();
    for (size_t i = 0; i < count; i++) {
        if (!s.done[i])
            add_for_gateway(work, &s, i);
    }
    free(s.done);
}

void push_add_body(struct text *out, const struct push *pushes, size_t count, const char *client)
{
    const char *between = "";

    text_add(out, "{\"v\":1,\"groups\":[");
    for (size_t i = 0; i < count; i++) {
        if (!pushes[i].count)
            continue;
        text_add(out, between);
        begin_group(out);
        text_add_json_str(out, client);
        end_group(out, &pushes[i]);
        between = ",";
    }
    text_add(out, "]}");
}
