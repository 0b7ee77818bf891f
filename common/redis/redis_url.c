#include <stdlib.h>
#include <string.h>

#include "common/redis/redis_private.h"

#define DEFAULT_PORT 6379

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c | ('A' <= c && c <= 'F' ? 0x20 : 0)) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* Decodes %XX in place, which only becomes shorter. */
static bool percent_decode(char *str)
{
    char *to = str;

    for (const char *from = str; *from; from++) {
        int high, low;

        if (*from != '%') {
            *to++ = *from;
            continue;
        }
        high = hex_digit(from[1]);
        low = high < 0 ? -1 : hex_digit(from[2]);
        if (low < 0 || !(high | low))
            return false;
        *to++ = (char)(high * 16 + low);
        from += 2;
    }
    *to = '\0';
    return true;
}

/* Cuts `str` at the first or last `c`; returns what is behind it, or NULL if there is none. */
static char *cut_at(char *str, char c, bool last)
{
    char *at = last ? strrchr(str, c) : strchr(str, c);

    if (!at)
        return NULL;
    *at = '\0';
    return at + 1;
}

bool redis_is_number(const char *str, long max)
{
    char *end;
    long value = strtol(str, &end, 10);

    return *str >= '0' && *str <= '9' && !*end && value <= max;
}

static bool parse_credentials(char *str, struct redis_address *out)
{
    char *password = cut_at(str, ':', false);

    if (!password || !percent_decode(str) || !percent_decode(password))
        return false;
    out->user = *str ? str : NULL;
    out->password = password;
    return true;
}

/* host[:port], where an address of IPv6 stands in brackets */
static bool parse_place(char *str, struct redis_address *out)
{
    const bool in_brackets = *str == '[';
    char *behind = in_brackets ? cut_at(str, ']', true) : str;
    char *port;

    if (!behind || (in_brackets && *behind && *behind != ':'))
        return false;
    port = cut_at(behind, ':', true);
    out->host = in_brackets ? str + 1 : str;
    out->port = port ? atoi(port) : DEFAULT_PORT;
    return *out->host && (!port || redis_is_number(port, 65535));
}

/* [[user]:password@]host[:port][/database] */
static bool parse_server(char *str, struct redis_address *out)
{
    char *host = cut_at(str, '@', true);
    char *database;

    if (host && !parse_credentials(str, out))
        return false;
    if (!host)
        host = str;
    database = cut_at(host, '/', false);
    if (database && *database && !redis_is_number(database, 1000000))
        return false;
    out->database = database && *database ? database : NULL;
    return parse_place(host, out);
}

static bool skip_scheme(const char *scheme, char **str)
{
    size_t size = strlen(scheme);

    if (strncmp(*str, scheme, size) != 0)
        return false;
    *str += size;
    return true;
}

enum err redis_address_parse(const char *url, struct redis_address *out)
{
    char *at;

    memset(out, 0, sizeof(*out));
    out->url = at = strdup(url);
    if (!at)
        return ERR_NOMEM;
    out->size = strlen(url);
    if (skip_scheme("unix://", &at)) {
        out->path = at;
        return *at == '/' ? ERR_OK : ERR_CONFIG;
    }
    return skip_scheme("redis://", &at) && parse_server(at, out) ? ERR_OK : ERR_CONFIG;
}

void redis_address_deinit(struct redis_address *address)
{
    if (address->url)
        explicit_bzero(address->url, address->size);
    free(address->url);
    memset(address, 0, sizeof(*address));
}
