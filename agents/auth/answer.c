#include "agents/auth/answer.h"

#include <string.h>

#include "common/base/log.h"
#include "common/protocol/operations.h"

static const struct {
    enum auth_status status;
    const char *message;
} messages[] = {
    // clang-format off
    { AUTH_SUCCESS,      "Success"                  },
    { AUTH_UNAUTHORIZED, "Unauthorized"             },
    { AUTH_FORBIDDEN,    "Forbidden"                },
    { AUTH_FAILURE,      "Failure"                  },
    { AUTH_DUPLICATE,    "Duplicate User Name"      },
    { AUTH_TOO_MANY,     "Too many failed attempts" },
    { AUTH_BAD_PASSWORD, "Bad username or password" },
    // clang-format on
};

const char *auth_status_message(enum auth_status status)
{
    for (size_t i = 0; i < ARRAY_SIZE(messages); i++)
        if (messages[i].status == status)
            return messages[i].message;
    return "Failure";
}

static void add_member(struct text *out, const char *name, const char *value)
{
    text_addf(out, ",\"%s\":", name);
    text_add_json_str(out, value);
}

/* `more` is JSON text: the members of the response that only this operation has. */
struct outcome {
    enum auth_status status;
    const char *result, *more, *reason; /* NULL: no `more`, no `reason` */
};

static enum work_step reply(struct work *work, const struct outcome *outcome)
{
    const struct request *rq = &work->request;
    _cleanup_(text_wipep) struct text body = {0};

    text_add(&body, "{\"cn\":");
    text_add_json_str(&body, rq->operation->response_class);
    add_member(&body, "clientId", rq->client);
    add_member(&body, "deviceId", rq->device);
    add_member(&body, "correspondingMessageId", rq->message_id);
    add_member(&body, "message", auth_status_message(outcome->status));
    text_addf(&body, ",\"statusCode\":%d,\"result\":%s%s}", outcome->status, outcome->result,
              outcome->more ? outcome->more : "");
    return work_reply_with(work, &body, &(struct msg){.reason = outcome->reason}, NULL);
}

enum work_step answer(struct work *work, enum auth_status status, const char *result)
{
    return reply(work, &(struct outcome){status, result});
}

enum work_step answer_with(struct work *work, enum auth_status status, const char *result,
                           const char *more)
{
    return reply(work, &(struct outcome){status, result, more});
}

enum work_step answer_refused(struct work *work, enum auth_status status)
{
    return answer(work, status, "null");
}

enum work_step answer_unknown_user(struct work *work, enum auth_status status)
{
    return reply(work, &(struct outcome){status, "null", NULL, MSG_REASON_UNKNOWN_USER});
}

enum work_step answer_too_many(struct work *work)
{
    return reply(work, &(struct outcome){AUTH_TOO_MANY, "null", NULL, MSG_REASON_TOO_MANY});
}

enum work_step answer_failed(struct work *work)
{
    log_error("auth.script_failed", LOG_STR("script", work->call.script->name),
              LOG_STR("error", redis_str(work->call.reply)));
    return work_error(work, CODE_INTERNAL, "the logins cannot be read or written");
}

/* The members of a row, in the order in which scripts return them. */
enum { ROW_USER = 1, ROW_ID, ROW_CREATED, ROW_MODIFIED, ROW_LOGIN, ROW_CLIENT, ROW_DEVICE };

static void add_user_token(struct text *out, const struct redis_reply *row, const char *token)
{
    static const struct {
        const char *name;
        size_t item;
    } times[] = {
        {"dateCreated", ROW_CREATED}, {"dateModified", ROW_MODIFIED}, {"lastLogin", ROW_LOGIN}};

    text_add(out, "{\"cn\":\"" AUTH_CLASS("UserToken") "\"");
    add_member(out, "ID", redis_str(redis_item(row, ROW_ID)));
    add_member(out, "id", redis_str(redis_item(row, ROW_ID)));
    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        text_addf(out, ",\"%s\":", times[i].name);
        text_add_i64(out, redis_i64(redis_item(row, times[i].item)));
    }
    text_add(out, ",\"user\":{\"className\":\"" AUTH_CLASS("User") "\",\"properties\":null");
    add_member(out, "ID", redis_str(redis_item(row, ROW_USER)));
    text_add_char(out, '}');
    add_member(out, "clientId", redis_str(redis_item(row, ROW_CLIENT)));
    add_member(out, "deviceId", redis_str(redis_item(row, ROW_DEVICE)));
    add_member(out, "token", token);
    text_add_char(out, '}');
}

bool answer_grants(const struct work *work)
{
    return !redis_is_error(work->call.reply) &&
           strcmp(redis_str(redis_item(work->call.reply, 0)), "ok") == 0;
}

enum work_step answer_token(struct work *work, const char *token, enum auth_status refusal,
                            const char *more)
{
    const struct redis_reply *r = work->call.reply;
    _cleanup_(text_wipep) struct text result = {0};

    if (redis_is_error(r))
        return answer_failed(work);
    if (strcmp(redis_str(redis_item(r, 0)), "ambiguous") == 0)
        log_warn("auth.ambiguous", LOG_STR("client", work->request.client),
                 LOG_STR("see", "the account's identifiers are those of several users"));
    if (!answer_grants(work))
        return answer_with(work, refusal, "null", more);
    add_user_token(&result, r, token);
    return answer_with(work, AUTH_SUCCESS, text_str(&result), more);
}

enum work_step answer_flag(struct work *work)
{
    const struct redis_reply *r = work->call.reply;

    if (redis_is_error(r))
        return answer_failed(work);
    return answer(work, AUTH_SUCCESS, redis_i64(r) ? "true" : "false");
}
