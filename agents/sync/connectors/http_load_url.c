#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "agents/sync/connectors/http_operation.h"
#include "common/json/json_get.h"

/* Where a declared operation goes: its URL, and where that may redirect to. */

/* How many bytes the scheme and the host have; what follows is the path. */
static size_t origin_size(const char *url)
{
    const char *host = strstr(url, "://");

    return host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/?#") : 0;
}

/* RFC 3986, section 2: what else stands in a URL is percent-encoded. */
static const char *wrong_character(const char *url)
{
    for (const char *at = url; *at; at++) {
        if (*at <= ' ' || *at > '~' || strchr("\"#<>\\^`|", *at))
            return at;
    }
    return NULL;
}

bool http_url_has_dots(const char *url)
{
    const char *at = url + origin_size(url);

    while (*at == '/') {
        const size_t size = strcspn(++at, "/?");

        if ((size == 1 && at[0] == '.') || (size == 2 && at[0] == '.' && at[1] == '.'))
            return true;
        at += size;
    }
    return false;
}

static struct http_origin *new_origin(struct http_operation *operation)
{
    struct http_origin *grown =
        realloc(operation->origins, (operation->origin_count + 1) * sizeof(*grown));

    if (!grown)
        err_out_of_memory();
    operation->origins = grown;
    return &grown[operation->origin_count++];
}

/* An argument in front of the path would choose the host. */
static const char *why_no_url(struct http_operation *operation, const char *url)
{
    const size_t size = origin_size(url);
    _cleanup_(text_deinitp) struct text origin = {0};

    text_add_bytes(&origin, url, size);
    if (strpbrk(text_str(&origin), "{}"))
        return "only behind the host there are arguments";
    if (http_origin_parse(text_str(&origin), new_origin(operation)))
        return "expected http:// or https://, a host, and no user";
    if (wrong_character(url + size))
        return "expected what is not a letter of URLs percent-encoded, and no #";
    if (http_url_has_dots(url))
        return "a segment . or .. of the path is not sent";
    return NULL;
}

static void load_template(struct http_operation *operation, const char *url, const char *path,
                          struct text *problems)
{
    const size_t query = strcspn(url, "?");
    _cleanup_(text_deinitp) struct text why = {0};

    if (http_template_add(&operation->url, url, query, HTTP_IN_PATH, &why) ||
        http_template_add(&operation->url, url + query, strlen(url + query), HTTP_IN_QUERY, &why))
        text_addf(problems, "%s.url: %s\n", path, text_str(&why));
}

static void load_redirect_host(struct http_operation *operation, struct json_object *item,
                               const char *path, struct text *problems)
{
    const char *host =
        json_object_is_type(item, json_type_string) ? json_object_get_string(item) : "";
    _cleanup_(text_deinitp) struct text url = {0};

    text_addf(&url, "https://%s", host);
    if (strpbrk(host, "/?#@{}") || http_origin_parse(url.at, new_origin(operation)))
        text_addf(problems, "%s: expected a host, or a host:port\n", path);
}

static void load_redirect_hosts(struct http_operation *operation, struct json_object *row,
                                const char *path, struct text *problems)
{
    _cleanup_(text_deinitp) struct text item = {0};
    struct json_object *hosts;

    if (json_get_array(row, path, "redirectHosts", false, &hosts, problems))
        return;
    for (size_t i = 0; i < json_object_array_length(hosts); i++) {
        text_clear(&item);
        text_addf(&item, "%s.redirectHosts[%zu]", path, i);
        load_redirect_host(operation, json_object_array_get_idx(hosts, i), item.at, problems);
    }
}

void http_load_url(struct http_operation *operation, struct json_object *row, const char *path,
                   struct text *problems)
{
    const char *url, *why;

    if (json_get_string(row, path, "url", true, &url, problems))
        return;
    why = why_no_url(operation, url);
    if (why)
        text_addf(problems, "%s.url: %s\n", path, why);
    else
        load_template(operation, url, path, problems);
    load_redirect_hosts(operation, row, path, problems);
}
