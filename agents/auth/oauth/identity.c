#include "agents/auth/oauth/identity.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/one_line.h"
#include "common/base/plain_name.h"

#define TEXT_MAX  255 /* bytes of a subject, name or address */
#define ROLES_MAX 100

void identity_deinit(struct oauth_identity *identity)
{
    free(identity->id);
    free(identity->first_name);
    free(identity->last_name);
    free(identity->email);
    text_deinit(&identity->roles);
    *identity = (struct oauth_identity){0};
}

static struct json_span claim(const struct claims *claims, const char *name)
{
    struct json_span found = json_member(claims->token, name, NULL);

    return json_kind(found) == JSON_ABSENT ? json_member(claims->userinfo, name, NULL) : found;
}

bool identity_is_partial(const struct oauth_declared *provider, const struct claims *claims)
{
    const char *const wanted[] = {provider->subject_claim, "email",
                                  "email_verified",        "given_name",
                                  "family_name",           provider->roles_claim};

    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        if (wanted[i] && json_kind(claim(claims, wanted[i])) == JSON_ABSENT)
            return true;
    }
    return false;
}

/* ---- Who ---- */

/* A string, or a number as some providers have it. */
bool identity_add_subject(const struct oauth_declared *provider, struct json_span source,
                          struct text *out)
{
    struct json_span subject = json_member(source, provider->subject_claim, NULL);
    const size_t before = out->size;

    if (json_is_integer(subject))
        text_add_bytes(out, subject.at, subject.size);
    else if (json_decode(subject, out))
        return false;
    return out->size > before && out->size - before <= TEXT_MAX &&
           one_line_is(out->at + before, out->size - before);
}

/* All sources that there are name the same one. */
static const char *read_subject(const struct oauth_declared *provider, const struct claims *claims,
                                char **out)
{
    _cleanup_(text_deinitp) struct text id = {0}, other = {0};
    const bool both = claims->token.at && claims->userinfo.at;

    if (!identity_add_subject(provider, claims->token.at ? claims->token : claims->userinfo, &id))
        return "the claims name no subject";
    if (both &&
        (!identity_add_subject(provider, claims->userinfo, &other) || strcmp(id.at, other.at) != 0))
        return "ID token and userinfo are of different subjects";
    *out = text_steal(&id);
    return NULL;
}

/* NULL: there is none, or it is none. */
static char *read_text(const struct claims *claims, const char *name)
{
    char *value = NULL;

    if (json_string(claim(claims, name), TEXT_MAX, &value))
        return NULL;
    if (one_line_is(value, strlen(value)))
        return value;
    free(value);
    return NULL;
}

static void read_names(const struct claims *claims, struct oauth_identity *out)
{
    out->first_name = read_text(claims, "given_name");
    out->last_name = read_text(claims, "family_name");
    if (!out->first_name && !out->last_name)
        out->first_name = read_text(claims, "name");
}

/* ---- E-mail ---- */

/* Is this address verified? Some providers have "true". */
static bool says_verified(struct json_span source, const char *email)
{
    struct json_span verified = json_member(source, "email_verified", NULL);

    if (!json_string_is(json_member(source, "email", NULL), email))
        return false;
    return json_kind(verified) == JSON_STRING ? json_string_is(verified, "true")
                                              : json_is_true(verified);
}

static bool is_of_domain(const char *email, const char *domain)
{
    const char *at = strrchr(email, '@');

    return at && strcasecmp(at + 1, domain) == 0;
}

/* ---- Roles ---- */

static void add_role(struct text *roles, const char *name)
{
    if (is_plain_name(name))
        text_addf(roles, "%s%s,", roles->size ? "" : ",", name);
}

static void add_words(struct text *roles, char *words)
{
    size_t count = 0;
    char *rest;

    for (char *word = strtok_r(words, " ,", &rest); word && count < ROLES_MAX;
         word = strtok_r(NULL, " ,", &rest), count++)
        add_role(roles, word);
}

/* An array of names, or a string with names in it. Those that cannot be roles are left out. */
static void read_roles(struct json_span given, struct text *roles)
{
    struct json_walk w = json_walk(given);
    char *text = NULL;

    if (json_kind(given) == JSON_STRING && !json_string(given, SIZE_MAX, &text))
        add_words(roles, text);
    free(text);
    for (size_t i = 0; json_kind(given) == JSON_ARRAY && i < ROLES_MAX && json_next(&w); i++) {
        char *name = NULL;

        if (!json_string(w.value, PLAIN_NAME_MAX, &name))
            add_role(roles, name);
        free(name);
    }
}

const char *identity_read(const struct oauth_declared *provider, const struct claims *claims,
                          struct oauth_identity *out)
{
    const char *why = read_subject(provider, claims, &out->id);

    if (why)
        return why;
    read_names(claims, out);
    out->email = read_text(claims, "email");
    out->email_verified =
        out->email && *out->email &&
        (says_verified(claims->token, out->email) || says_verified(claims->userinfo, out->email));
    if (provider->domain && !(out->email_verified && is_of_domain(out->email, provider->domain)))
        return "there is no verified e-mail address of the domain";
    if (provider->roles_claim)
        read_roles(claim(claims, provider->roles_claim), &out->roles);
    return NULL;
}
