#include "agents/auth/credentials.h"

#include <stdlib.h>

#include "common/base/secret.h"

enum err credentials_read_secret(const struct request *request, const char *name, size_t max,
                                 char **out, struct text *problem)
{
    struct json_span member = json_member(request->body, name, NULL);
    enum json_kind kind = json_kind(member);
    enum err e;

    *out = NULL;
    if (kind == JSON_ABSENT || kind == JSON_NULL)
        return ERR_OK;
    e = json_string(member, max, out);
    if (e == ERR_TYPE)
        text_addf(problem, "%s: expected a string, found %s", name, json_kind_name(kind));
    else if (e)
        text_addf(problem, "%s: expected at most %zu bytes without NUL", name, max);
    return e ? ERR_MALFORMED : ERR_OK;
}

enum err credentials_need_secret(const struct request *request, const char *name, size_t max,
                                 char **out, struct text *problem)
{
    enum err e = credentials_read_secret(request, name, max, out, problem);

    if (!e && *out && **out)
        return ERR_OK;
    if (!e)
        text_addf(problem, "%s: expected a string of 1 to %zu bytes", name, max);
    secret_free(*out);
    *out = NULL;
    return ERR_MALFORMED;
}

enum err credentials_read(const struct request *request, struct credentials *out,
                          struct text *problem)
{
    enum err e;

    *out = (struct credentials){0};
    e = request_string(request, "authProvider", CREDENTIALS_MAX, &out->provider, problem);
    if (!e)
        e = credentials_read_secret(request, "credential", CREDENTIALS_MAX, &out->credential,
                                    problem);
    if (e)
        credentials_deinit(out);
    return e;
}

void credentials_add_request_name(struct redis_call *call, const struct request *request)
{
    _cleanup_(text_deinitp) struct text name = {0};
    const struct msg *m = request->msg;

    if (m->reply_to && m->correlation_id)
        text_addf(&name, "%s %s", m->reply_to, m->correlation_id);
    redis_call_arg(call, text_str(&name));
}

void credentials_deinit(struct credentials *credentials)
{
    secret_free(credentials->credential);
    free(credentials->provider);
    *credentials = (struct credentials){0};
}
