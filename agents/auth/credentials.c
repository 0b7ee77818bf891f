#include "agents/auth/credentials.h"

#include <stdlib.h>
#include <string.h>

/* Unlike request_string(): absent and null are none, and an empty string is one. */
static enum err read_credential(const struct request *request, char **out, struct text *problem)
{
    struct json_span member = json_member(request->body, "credential", NULL);
    enum json_kind kind = json_kind(member);
    enum err e;

    if (kind == JSON_ABSENT || kind == JSON_NULL)
        return ERR_OK;
    e = json_string(member, CREDENTIALS_MAX, out);
    if (e == ERR_TYPE)
        text_addf(problem, "credential: expected a string, found %s", json_kind_name(kind));
    else if (e)
        text_addf(problem, "credential: expected at most %d bytes without NUL", CREDENTIALS_MAX);
    return e ? ERR_MALFORMED : ERR_OK;
}

enum err credentials_read(const struct request *request, struct credentials *out,
                          struct text *problem)
{
    enum err e;

    *out = (struct credentials){0};
    e = request_string(request, "authProvider", CREDENTIALS_MAX, &out->provider, problem);
    if (!e)
        e = read_credential(request, &out->credential, problem);
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
    if (credentials->credential)
        explicit_bzero(credentials->credential, strlen(credentials->credential));
    free(credentials->credential);
    free(credentials->provider);
    *credentials = (struct credentials){0};
}
