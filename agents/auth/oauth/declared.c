#include "agents/auth/oauth/declared.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <json-c/json.h>

#include "agents/runtime/http/http_address.h"
#include "common/base/one_line.h"
#include "common/base/plain_name.h"
#include "common/json/json_get.h"

/* What is being read. */
struct entry {
    struct json_object *object;
    const char *path;
    struct text *problems;
};

/* ---- Members ---- */

static const char *read_string(const struct entry *entry, const char *name, bool required)
{
    const char *value = NULL;

    if (json_get_string(entry->object, entry->path, name, required, &value, entry->problems))
        return NULL; /* told, or not there */
    if (*value && one_line_is(value, strlen(value)))
        return value;
    text_addf(entry->problems, "%s.%s: expected a text of one line\n", entry->path, name);
    return NULL;
}

static void read_flag(const struct entry *entry, const char *name, bool *out)
{
    (void)!json_get_bool(entry->object, entry->path, name, out,
                         entry->problems); /* told, or not there */
}

bool oauth_is_url(const char *url)
{
    struct http_origin origin;
    bool good;

    if (http_origin_parse(url, &origin))
        return false;
    good = origin.tls;
    http_origin_deinit(&origin);
    return good && !strchr(url, '#');
}

static const char *read_url(const struct entry *entry, const char *name, bool required)
{
    const char *url = read_string(entry, name, required);

    if (!url || oauth_is_url(url))
        return url;
    text_addf(entry->problems, "%s.%s: expected a URL of https, without user and fragment\n",
              entry->path, name);
    return NULL;
}

static void add_name(struct oauth_names *names, const char *name)
{
    names->at[names->count++] = name;
}

static void read_names(const struct entry *entry, const char *name, bool required,
                       struct oauth_names *out)
{
    struct json_object *list;
    size_t count;

    if (json_get_array(entry->object, entry->path, name, required, &list, entry->problems))
        return; /* told, or not there */
    count = json_object_array_length(list);
    if (out->count + count > OAUTH_URIS_MAX)
        text_addf(entry->problems, "%s.%s: expected at most %d\n", entry->path, name,
                  OAUTH_URIS_MAX - 1);
    for (size_t i = 0; i < count && out->count < OAUTH_URIS_MAX; i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        const char *text = json_object_get_string(item);

        if (json_object_is_type(item, json_type_string) && *text &&
            one_line_is(text, (size_t)json_object_get_string_len(item)))
            add_name(out, text);
        else
            text_addf(entry->problems, "%s.%s[%zu]: expected a text of one line\n", entry->path,
                      name, i);
    }
}

bool oauth_names_have(const struct oauth_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->at[i], name) == 0)
            return true;
    }
    return false;
}

/* ---- Parts of an entry ---- */

/* The first is that of the login of developers, the second that of users who have not signed in;
 * behind the third, a subject could read as an account of the provider basic,
 * "activestack:basic:ada". */
static void check_id(const struct entry *entry, const char *id)
{
    static const char *const taken[] = {"dev", "anonymous", "activestack"};
    bool good = id && is_plain_name(id);

    for (size_t i = 0; good && i < ARRAY_SIZE(taken); i++)
        good = strcasecmp(id, taken[i]) != 0;
    if (id && !good)
        text_addf(entry->problems,
                  "%s.id: " PLAIN_NAME_EXPECTED ", but not dev, anonymous or activestack\n",
                  entry->path);
}

static void read_endpoints(const struct entry *entry, struct oauth_endpoints *out)
{
    static const char *const members[] = {"token",         "userinfo",  "jwks",
                                          "introspection", "tokenInfo", NULL};
    struct json_object *object;
    char path[128];
    struct entry endpoints = {.path = path, .problems = entry->problems};

    if (json_get_object(entry->object, entry->path, "endpoints", false, &object, entry->problems))
        return; /* told, or not there */
    snprintf(path, sizeof(path), "%s.endpoints", entry->path);
    endpoints.object = object;
    json_get_only(object, path, members, entry->problems);
    *out = (struct oauth_endpoints){
        .token = read_url(&endpoints, "token", false),
        .userinfo = read_url(&endpoints, "userinfo", false),
        .jwks = read_url(&endpoints, "jwks", false),
        .introspection = read_url(&endpoints, "introspection", false),
        .token_info = read_url(&endpoints, "tokenInfo", false),
    };
}

/* Without an issuer there is no discovery, and no ID token that could say who it is. */
static void check_endpoints(const struct entry *entry, const struct oauth_declared *declared)
{
    const struct oauth_endpoints *e = &declared->endpoints;

    if (declared->issuer)
        return;
    if (!e->token || !e->userinfo || e->jwks)
        text_addf(entry->problems,
                  "%s.issuer: is missing, so endpoints must have token and userinfo, and no jwks\n",
                  entry->path);
}

static void read_secret(const struct entry *entry, struct oauth_declared *out)
{
    static const char *const ways[] = {"basic", "post"};
    const char *file = read_string(entry, "clientSecretFile", false);
    const char *way = read_string(entry, "clientAuth", false);
    const char *why = file ? one_line_add_file(&out->secret, file, OAUTH_SECRET_MAX) : NULL;

    if (why)
        text_addf(entry->problems, "%s.clientSecretFile: %s: %s\n", entry->path, file, why);
    if (way && strcmp(way, ways[0]) != 0 && strcmp(way, ways[1]) != 0)
        text_addf(entry->problems, "%s.clientAuth: expected \"basic\" or \"post\"\n", entry->path);
    out->secret_in_body = way && strcmp(way, ways[1]) == 0;
}

static void read_trust(const struct entry *entry, struct oauth_declared *out)
{
    read_flag(entry, "allowPrivate", &out->allow_private);
    out->ca_file = read_string(entry, "caFile", false);
    if (out->ca_file && access(out->ca_file, R_OK) != 0)
        text_addf(entry->problems, "%s.caFile: %s cannot be read\n", entry->path, out->ca_file);
}

static void read_lists(const struct entry *entry, struct oauth_declared *out)
{
    if (out->client_id)
        add_name(&out->audiences, out->client_id);
    read_names(entry, "audiences", false, &out->audiences);
    read_names(entry, "redirectUris", true, &out->redirect_uris);
    if (out->issuer)
        add_name(&out->issuers, out->issuer);
    read_names(entry, "issuerNames", false, &out->issuers);
}

static void read_all(const struct entry *entry, struct oauth_declared *out)
{
    static const char *const members[] = {
        "id",           "issuer",    "issuerNames",  "clientId", "clientSecretFile", "clientAuth",
        "redirectUris", "audiences", "requirePkce",  "domain",   "subjectClaim",     "rolesClaim",
        "endpoints",    "caFile",    "allowPrivate", NULL};

    json_get_only(entry->object, entry->path, members, entry->problems);
    out->id = read_string(entry, "id", true);
    check_id(entry, out->id);
    out->issuer = read_url(entry, "issuer", false);
    out->client_id = read_string(entry, "clientId", true);
    read_secret(entry, out);
    read_lists(entry, out);
    read_flag(entry, "requirePkce", &out->require_pkce);
    out->domain = read_string(entry, "domain", false);
    out->subject_claim = read_string(entry, "subjectClaim", false);
    if (!out->subject_claim)
        out->subject_claim = "sub";
    out->roles_claim = read_string(entry, "rolesClaim", false);
    read_endpoints(entry, &out->endpoints);
    check_endpoints(entry, out);
    read_trust(entry, out);
}

enum err oauth_declared_read(struct json_object *object, const char *path,
                             struct oauth_declared *out, struct text *problems)
{
    const struct entry entry = {object, path, problems};
    const size_t before = problems->size;

    *out = (struct oauth_declared){0};
    if (!json_object_is_type(object, json_type_object)) {
        text_addf(problems, "%s: expected an object\n", path);
        return ERR_CONFIG;
    }
    out->tree = json_object_get(object);
    read_all(&entry, out);
    if (problems->size == before)
        return ERR_OK;
    oauth_declared_deinit(out);
    return ERR_CONFIG;
}

void oauth_declared_deinit(struct oauth_declared *declared)
{
    text_wipe(&declared->secret);
    json_object_put(declared->tree);
    *declared = (struct oauth_declared){0};
}

bool oauth_declared_is_whole(const struct oauth_declared *declared)
{
    const struct oauth_endpoints *e = &declared->endpoints;

    return e->token && e->userinfo && (!declared->issuer || e->jwks);
}
