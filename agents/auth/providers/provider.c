#include "agents/auth/providers/provider.h"

#include <ctype.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct provider_kind *const kinds[] = {&provider_anonymous, &provider_basic,
                                                    &provider_file, &provider_oauth};

struct providers {
    atomic_size_t references;
    struct provider **at; /* each stays where it is */
    size_t count;
};

static const struct provider_kind *kind_by_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (!strcmp(kinds[i]->name, name))
            return kinds[i];
    return NULL;
}

const struct provider *providers_find(const struct providers *providers, const char *id)
{
    for (size_t i = 0; i < providers->count; i++) {
        const struct provider *provider = providers->at[i];

        if (!strcasecmp(provider->id, id) || (provider->alias && !strcasecmp(provider->alias, id)))
            return provider;
    }
    return NULL;
}

bool providers_are_outside(const struct providers *providers)
{
    for (size_t i = 0; i < providers->count; i++)
        if (providers->at[i]->kind->is_outside)
            return true;
    return false;
}

void providers_add_ids(const struct providers *providers, struct text *out)
{
    for (size_t i = 0; i < providers->count; i++) {
        text_add_char(out, i ? ',' : '[');
        text_add_json_str(out, providers->at[i]->id);
    }
    text_add_char(out, ']');
}

static char *lower_case(const char *str)
{
    char *copy = strdup(str);

    if (!copy)
        err_out_of_memory();
    for (char *c = copy; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return copy;
}

struct provider *providers_add(struct providers *providers, const struct provider_kind *kind,
                               const char *id, const char *alias, struct text *problems)
{
    struct provider **grown, *provider;

    if (providers_find(providers, id) || (alias && providers_find(providers, alias))) {
        text_addf(problems, "auth.providers: the id \"%s\" is there twice\n", id);
        return NULL;
    }
    grown = realloc(providers->at, (providers->count + 1) * sizeof(struct provider *));
    provider = calloc(1, sizeof(*provider));
    if (!grown || !provider)
        err_out_of_memory();
    provider->kind = kind;
    provider->id = lower_case(id);
    provider->alias = alias ? lower_case(alias) : NULL;
    providers->at = grown;
    providers->at[providers->count++] = provider;
    return provider;
}

static enum err open_one(struct providers *providers, const char *name,
                         const struct settings *settings, struct text *problems)
{
    const struct provider_kind *kind = kind_by_name(name);
    struct provider *provider;

    if (!kind) {
        text_addf(problems, "auth.providers: there is no \"%s\", only", name);
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
            text_addf(problems, "%s %s", i ? "," : "", kinds[i]->name);
        text_add_char(problems, '\n');
        return ERR_CONFIG;
    }
    if (kind->open_each)
        return kind->open_each(providers, settings, problems);
    provider = providers_add(providers, kind, kind->id(settings), NULL, problems);
    if (!provider)
        return ERR_CONFIG;
    return kind->open ? kind->open(provider, settings, problems) : ERR_OK;
}

static enum err open_all(struct providers *providers, const struct settings *settings,
                         struct text *problems)
{
    char *list = strdup(settings->auth_providers), *rest;
    enum err first = ERR_OK;

    if (!list)
        err_out_of_memory();
    for (char *name = strtok_r(list, ", ", &rest); name; name = strtok_r(NULL, ", ", &rest)) {
        enum err e = open_one(providers, name, settings, problems);

        first = first ? first : e;
    }
    free(list);
    if (!first && !providers->count) {
        text_add(problems, "auth.providers: is empty, so nobody could log in\n");
        first = ERR_CONFIG;
    }
    return first;
}

enum err providers_open(const struct settings *settings, struct providers **out,
                        struct text *problems)
{
    struct providers *providers = calloc(1, sizeof(*providers));
    enum err e;

    *out = NULL;
    if (!providers)
        return ERR_NOMEM;
    atomic_store(&providers->references, 1);
    e = open_all(providers, settings, problems);
    if (e)
        providers_unref(providers);
    else
        *out = providers;
    return e;
}

struct providers *providers_ref(struct providers *providers)
{
    atomic_fetch_add(&providers->references, 1);
    return providers;
}

void providers_unref(struct providers *providers)
{
    if (!providers || atomic_fetch_sub(&providers->references, 1) > 1)
        return;
    for (size_t i = 0; i < providers->count; i++) {
        struct provider *provider = providers->at[i];

        if (provider->kind->close)
            provider->kind->close(provider);
        free(provider->id);
        free(provider->alias);
        free(provider);
    }
    free(providers->at);
    free(providers);
}
