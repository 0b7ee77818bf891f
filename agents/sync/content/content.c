#include "agents/sync/content/content.h"

#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/sync/refused.h"
#include "common/model/model_content.h"

void content_key_deinit(struct content_key *key)
{
    free(key->id);
    *key = (struct content_key){0};
}

static enum work_step refuse(struct work *work, enum response_code code, const char *path,
                             const char *problem)
{
    _cleanup_(text_deinitp) struct text desc = {0};

    text_addf(&desc, "%s%s", path, problem);
    return work_error(work, code, text_str(&desc));
}

enum work_step content_expected(struct work *work, const char *path, const char *expected,
                                struct json_span found)
{
    _cleanup_(text_deinitp) struct text problem = {0};

    text_addf(&problem, ": expected %s, found %s", expected, json_kind_name(json_kind(found)));
    return refuse(work, CODE_MALFORMED, path, text_str(&problem));
}

bool content_data(struct work *work, struct json_span *data, enum work_step *step)
{
    *data = request_data(&work->request);
    if (json_kind(*data) == JSON_OBJECT)
        return true;
    *step = content_expected(work, "data", "an object", *data);
    return false;
}

bool content_read_key(struct work *work, struct json_span data, struct content_key *key,
                      enum work_step *step)
{
    _cleanup_(text_deinitp) struct text problem = {0};
    enum err e = model_read_key(work->agent->model, json_member(data, "key", NULL), &key->class_,
                                &key->id, &problem);

    if (e)
        *step = refuse(work, e == ERR_NOT_FOUND ? CODE_MISSING_CLASS : CODE_MALFORMED, "data.key",
                       text_str(&problem));
    return !e;
}

bool content_read_flag(struct work *work, struct json_span data, const char *name, bool *out,
                       enum work_step *step)
{
    _cleanup_(text_deinitp) struct text path = {0};
    struct json_span given = json_member(data, name, NULL);

    if (json_kind(given) == JSON_ABSENT)
        return true;
    if (json_kind(given) == JSON_BOOLEAN) {
        *out = json_is_true(given);
        return true;
    }
    text_addf(&path, "data.%s", name);
    *step = content_expected(work, text_str(&path), "true or false", given);
    return false;
}

bool content_found(struct work *work, enum work_step *step)
{
    const char *outcome = redis_str(redis_item(work->call.reply, 0));

    if (refused(work, "the document could not be read", step))
        return false;
    if (!strcmp(outcome, "missing"))
        *step = work_error(work, CODE_MISSING_CLASS, "there is no such document");
    else if (!strcmp(outcome, "forbidden"))
        *step = work_error(work, CODE_FORBIDDEN, "you may not read this document");
    else if (!strcmp(outcome, "full"))
        *step = work_error(work, CODE_TOO_MANY, "no more subscriptions are kept for a session");
    else
        return true;
    return false;
}
