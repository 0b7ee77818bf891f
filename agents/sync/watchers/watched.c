#include "agents/sync/watchers/watched.h"

#include <string.h>

#include "agents/sync/stored.h"

/* Cuts the next part off, up to a tab. */
static void take_part(struct text *out, const char **at)
{
    size_t size = strcspn(*at, "\t");

    text_add_bytes(out, *at, size);
    *at += size + ((*at)[size] == '\t');
}

bool watched_read(struct watched *out, const struct model *model, const char *item)
{
    _cleanup_(text_deinitp) struct text problem = {0};
    const char *at = *item == '~' ? item + 1 : item;

    *out = (struct watched){0};
    text_add(&out->item, item);
    take_part(&out->ref, &at);
    take_part(&out->name, &at);
    take_part(&out->params, &at);
    take_part(&out->sid, &at);
    out->class_ = stored_ref(model, text_str(&out->ref)).class_;
    if (out->class_)
        out->watcher = model_watcher(out->class_, text_str(&out->name), out->name.size);
    if (!out->watcher || (out->watcher->personal && !out->sid.size))
        return false;
    return !model_read_args(model, &out->watcher->params,
                            (struct json_span){out->params.at, out->params.size}, &out->args,
                            &problem);
}

void watched_deinit(struct watched *watched)
{
    text_deinit(&watched->item);
    text_deinit(&watched->ref);
    text_deinit(&watched->name);
    text_deinit(&watched->params);
    text_deinit(&watched->sid);
    model_args_deinit(&watched->args);
}

void watched_add_members(struct text *out, const struct watched *watched, struct json_span params,
                         const char *value)
{
    const char *none =
        strcmp(text_str(&watched->params), "[]") ? text_str(&watched->params) : "null";

    text_add(out, ",\"classIdPair\":");
    model_add_pair(out, watched->class_->name, strchr(text_str(&watched->ref), ':') + 1);
    text_add(out, ",\"fieldName\":");
    text_add_json_str(out, text_str(&watched->name));
    text_add(out, ",\"params\":");
    if (params.at)
        text_add_bytes(out, params.at, params.size);
    else
        text_add(out, none);
    text_addf(out, ",\"value\":%s", value);
}

void watched_push(struct push *push, const struct model *model, const char *item, const char *value,
                  int64_t number)
{
    struct watched watched;

    *push = (struct push){.kind = PUSH_VALUE, .number = number};
    if (watched_read(&watched, model, item)) {
        push_add_item(push, item);
        response_begin(&push->body,
                       &(struct response){.class_name = SYNC_CLASS("PushCWUpdateResponse")});
        watched_add_members(&push->body, &watched, (struct json_span){0}, value);
        response_end(&push->body);
    }
    watched_deinit(&watched);
}
