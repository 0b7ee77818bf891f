#include "gateway/door/origins.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define SEPARATORS ", "

static bool ends_with(const struct text *t, const char *end)
{
    const size_t size = strlen(end);

    return t->size > size && strcmp(t->at + t->size - size, end) == 0;
}

static bool begins_with(const struct text *t, const char *start)
{
    return strncmp(text_str(t), start, strlen(start)) == 0;
}

/* As it is compared. */
static void add_normal(struct text *out, const char *at, size_t size)
{
    static const struct {
        const char *scheme, *port;
    } defaults[] = {{"http://", ":80"}, {"https://", ":443"}};

    for (size_t i = 0; i < size; i++)
        text_add_char(out, (char)tolower((unsigned char)at[i]));
    for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
        if (begins_with(out, defaults[i].scheme) && ends_with(out, defaults[i].port))
            text_cut(out, out->size - strlen(defaults[i].port));
}

/* ---- Reading ---- */

static size_t span_of(const char *at, const char *others)
{
    size_t size = 0;

    while (isalnum((unsigned char)at[size]) || (at[size] && strchr(others, at[size])))
        size++;
    return size;
}

/* Digits behind a colon, or nothing at all. */
static bool is_port(const char *at)
{
    return *at == '\0' ||
           (*at == ':' && at[1] != '\0' && strspn(at + 1, "0123456789") == strlen(at + 1));
}

/* [2001:db8::1] or a name. */
static size_t host_size(const char *at)
{
    const char *end = *at == '[' ? strchr(at, ']') : NULL;

    if (*at != '[')
        return span_of(at, "-._");
    return end && span_of(at + 1, ":.") == (size_t)(end - at - 1) ? (size_t)(end + 1 - at) : 0;
}

static bool is_origin(const char *at)
{
    const size_t scheme = span_of(at, "+-.");
    size_t host;

    if (scheme == 0 || strncmp(at + scheme, "://", 3) != 0)
        return false;
    at += scheme + 3;
    host = host_size(at);
    return host > 0 && is_port(at + host);
}

static void add(struct origins *o, struct text *normal)
{
    char **at = realloc(o->at, (o->count + 1) * sizeof(*at));

    if (!at)
        err_out_of_memory();
    at[o->count++] = text_steal(normal);
    o->at = at;
}

static bool read_one(const char *at, size_t size, struct origins *out)
{
    _cleanup_(text_deinitp) struct text word = {0}, normal = {0};

    text_add_bytes(&word, at, size);
    out->any |= text_equals(&word, "*");
    out->self |= text_equals(&word, "self");
    if (text_equals(&word, "*") || text_equals(&word, "self"))
        return true;
    if (!is_origin(word.at))
        return false;
    add_normal(&normal, word.at, word.size);
    add(out, &normal);
    return true;
}

enum err origins_read(const char *list, struct origins *out, struct text *problem)
{
    for (const char *at = list + strspn(list, SEPARATORS); *at; at += strspn(at, SEPARATORS)) {
        const size_t size = strcspn(at, SEPARATORS);

        if (!read_one(at, size, out)) {
            text_addf(problem, "%.*s: expected scheme://host or scheme://host:port, self, or *",
                      (int)size, at);
            origins_deinit(out);
            return ERR_CONFIG;
        }
        at += size;
    }
    return ERR_OK;
}

void origins_deinit(struct origins *o)
{
    for (size_t i = 0; i < o->count; i++)
        free(o->at[i]);
    free(o->at);
    *o = (struct origins){0};
}

/* ---- Asking ---- */

static bool is_of_host(const char *scheme, const char *host, const struct text *origin)
{
    _cleanup_(text_deinitp) struct text whole = {0}, normal = {0};

    text_addf(&whole, "%s://%s", scheme, host);
    add_normal(&normal, whole.at, whole.size);
    return text_equals(&normal, text_str(origin));
}

bool origins_allow(const struct origins *o, const char *origin, const char *host)
{
    _cleanup_(text_deinitp) struct text normal = {0};

    if (o->any)
        return true;
    add_normal(&normal, origin, strlen(origin));
    for (size_t i = 0; i < o->count; i++)
        if (text_equals(&normal, o->at[i]))
            return true;
    return o->self && host && *host &&
           (is_of_host("https", host, &normal) || is_of_host("http", host, &normal));
}
