#include "agents/auth/providers/provider.h"

/* Everybody may come in as one and the same user (spec 8.4), where the operator has opened this. */

static const char *anonymous_id(const struct settings *settings)
{
    (void)settings;
    return "anonymous";
}

static enum auth_status anonymous_verify(const struct provider *provider, const char *credential,
                                         const struct redis_reply *found,
                                         struct account *account_out)
{
    (void)provider;
    (void)credential;
    (void)found;
    *account_out = (struct account){.id = "ANON",
                                    .first_name = "ANON",
                                    .last_name = "ANON",
                                    .email = "anonymous@activestack.io"};
    return AUTH_SUCCESS;
}

const struct provider_kind provider_anonymous = {
    .name = "anonymous",
    .refusal = AUTH_FORBIDDEN,
    .id = anonymous_id,
    .verify = anonymous_verify,
};
