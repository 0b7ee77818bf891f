#include "agents/auth/oauth/oauth.h"

#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "agents/auth/providers/provider.h"
#include "common/json/json_get.h"

/*
 * Servers elsewhere, which say who somebody is (oauth/oauth.h): a JSON array with an entry for each
 * (oauth/declared.h), each a provider of its own. One with the id GOOGLE is also known as
 * GOOGLEOAUTH, which is what `authenticate` has always called it (spec 8.4).
 */

#define SETTING      "auth.oauth_file"
#define ALIAS_SUFFIX "oauth"

static struct oauth_limits limits_of(const struct settings *settings)
{
    return (struct oauth_limits){
        .timeout_ms = settings->auth_oauth_timeout_ms,
        .max_bytes = settings->auth_oauth_max_bytes,
        .keys_ms = settings->auth_oauth_keys_s * 1000,
        .pause_ms = settings->auth_oauth_keys_pause_s * 1000,
        .leeway_s = settings->auth_oauth_leeway_s,
    };
}

static enum err open_entry(struct providers *providers, struct json_object *entry, size_t i,
                           const struct oauth_limits *limits, struct text *problems)
{
    _cleanup_(text_deinitp) struct text alias = {0};
    struct oauth_declared declared;
    struct provider *provider;
    char path[64];

    snprintf(path, sizeof(path), SETTING "[%zu]", i);
    if (oauth_declared_read(entry, path, &declared, problems))
        return ERR_CONFIG;
    text_addf(&alias, "%s" ALIAS_SUFFIX, declared.id);
    provider = providers_add(providers, &provider_oauth, declared.id, alias.at, problems);
    if (!provider) {
        oauth_declared_deinit(&declared);
        return ERR_CONFIG;
    }
    provider->own = oauth_create(&declared, limits);
    return ERR_OK;
}

static enum err open_entries(struct providers *providers, struct json_object *file,
                             const struct oauth_limits *limits, struct text *problems)
{
    enum err first = ERR_OK;

    if (!json_object_is_type(file, json_type_array) || !json_object_array_length(file)) {
        text_add(problems, SETTING ": expected an array of providers\n");
        return ERR_CONFIG;
    }
    for (size_t i = 0; i < json_object_array_length(file); i++) {
        enum err e = open_entry(providers, json_object_array_get_idx(file, i), i, limits, problems);

        first = first ? first : e;
    }
    return first;
}

static enum err oauth_open_each(struct providers *providers, const struct settings *settings,
                                struct text *problems)
{
    const struct oauth_limits limits = limits_of(settings);
    struct json_object *file;
    enum err e;

    if (!*settings->auth_oauth_file) {
        text_add(problems, SETTING ": is needed by the provider \"oauth\"\n");
        return ERR_CONFIG;
    }
    e = json_get_file(settings->auth_oauth_file, &file, problems);
    if (e)
        return e;
    e = open_entries(providers, file, &limits, problems);
    json_object_put(file);
    return e;
}

static void oauth_close(struct provider *provider)
{
    oauth_destroy(provider->own);
}

const struct provider_kind provider_oauth = {
    .name = "oauth",
    .needs_credential = true,
    .refusal = AUTH_FORBIDDEN,
    .is_outside = true,
    .open_each = oauth_open_each,
    .close = oauth_close,
};
