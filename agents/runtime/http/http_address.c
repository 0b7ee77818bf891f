#include "agents/runtime/http/http_address.h"

#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

/* ---- Addresses ---- */

struct block {
    uint8_t start[16];
    unsigned bits;
};

static bool is_in(const uint8_t *address, const struct block *block)
{
    const unsigned bytes = block->bits / 8, rest = block->bits % 8;

    return memcmp(address, block->start, bytes) == 0 &&
           (rest == 0 || (address[bytes] ^ block->start[bytes]) >> (8 - rest) == 0);
}

/* The special-purpose registry of IANA for IPv4, and multicast. */
static bool is_private_4(const uint8_t address[4])
{
    static const struct block blocks[] = {
        {{0}, 8},             /* this network */
        {{10}, 8},            /* private */
        {{100, 64}, 10},      /* shared between a provider and its customers */
        {{127}, 8},           /* loopback */
        {{169, 254}, 16},     /* link-local; metadata of clouds */
        {{172, 16}, 12},      /* private */
        {{192, 0, 0}, 24},    /* of protocols */
        {{192, 0, 2}, 24},    /* examples */
        {{192, 88, 99}, 24},  /* former relays of 6to4 */
        {{192, 168}, 16},     /* private */
        {{198, 18}, 15},      /* measurements */
        {{198, 51, 100}, 24}, /* examples */
        {{203, 0, 113}, 24},  /* examples */
        {{224}, 3},           /* multicast, reserved, broadcast */
    };

    for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
        if (is_in(address, &blocks[i]))
            return true;
    }
    return false;
}

/* Of IPv6 only 2000::/3 is given out; what in it is not, and what stands for an address of IPv4. */
static bool is_private_6(const uint8_t address[16])
{
    static const struct {
        struct block block;
        unsigned at; /* of the address of IPv4 */
    } embedding[] = {
        {{{[10] = 0xff, 0xff}, 96}, 12},      /* ::ffff:a.b.c.d */
        {{{0x00, 0x64, 0xff, 0x9b}, 96}, 12}, /* translated by NAT64 */
        {{{0x20, 0x02}, 16}, 2},              /* 6to4 */
    };
    static const struct block given_out = {{0x20}, 3};
    static const struct block reserved[] = {
        {{0x20, 0x01, 0x00}, 23},       /* of protocols, Teredo */
        {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* examples */
        {{0x3f, 0xff, 0x00}, 20},       /* examples */
    };

    for (size_t i = 0; i < ARRAY_SIZE(embedding); i++) {
        if (is_in(address, &embedding[i].block))
            return is_private_4(address + embedding[i].at);
    }
    for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
        if (is_in(address, &reserved[i]))
            return true;
    }
    return !is_in(address, &given_out);
}

bool http_address_is_private(const struct sockaddr *address)
{
    uint8_t bytes[16];

    switch (address->sa_family) {
    case AF_INET:
        memcpy(bytes, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
        return is_private_4(bytes);
    case AF_INET6:
        memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
        return is_private_6(bytes);
    default:
        return true;
    }
}

/* ---- Origins ---- */

void http_origin_deinit(struct http_origin *origin)
{
    curl_free(origin->host);
    curl_free(origin->port);
    *origin = (struct http_origin){0};
}

static bool has_no_user(CURLU *url)
{
    char *user = NULL;
    const CURLUcode found = curl_url_get(url, CURLUPART_USER, &user, 0);

    curl_free(user);
    return found == CURLUE_NO_USER;
}

/* The scheme is checked here, because curl knows many others. */
static bool read_parts(CURLU *url, struct http_origin *out)
{
    char *scheme = NULL;
    bool is_http;

    if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0))
        return false;
    out->tls = strcmp(scheme, "https") == 0;
    is_http = out->tls || strcmp(scheme, "http") == 0;
    curl_free(scheme);
    if (!is_http || curl_url_get(url, CURLUPART_HOST, &out->host, 0) || !has_no_user(url))
        return false;
    if (curl_url_get(url, CURLUPART_PORT, &out->port, CURLU_NO_DEFAULT_PORT))
        out->port = NULL;
    return true;
}

enum err http_origin_parse(const char *url, struct http_origin *out)
{
    CURLU *parsed = curl_url();
    bool good;

    *out = (struct http_origin){0};
    if (!parsed)
        err_out_of_memory();
    good = !curl_url_set(parsed, CURLUPART_URL, url, 0) && read_parts(parsed, out);
    curl_url_cleanup(parsed);
    if (good)
        return ERR_OK;
    http_origin_deinit(out);
    return ERR_MALFORMED;
}

bool http_origin_equal(const struct http_origin *a, const struct http_origin *b)
{
    if (strcasecmp(a->host, b->host) != 0 || !a->port != !b->port)
        return false;
    return !a->port || strcmp(a->port, b->port) == 0;
}
