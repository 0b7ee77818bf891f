#include "common/base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define V4_AT   12 /* where the bytes of an IPv4 address stand */
#define V4_BITS 96 /* before them */

#define SEPARATORS ", "

_Static_assert(ADDRESS_CHARS >= INET6_ADDRSTRLEN, "room for every address");

struct network {
    struct address address;
    unsigned bits;
};

static const unsigned char v4_prefix[V4_AT] = {[10] = 0xff, [11] = 0xff};

static struct address of_v4(const void *bytes)
{
    struct address a;

    memcpy(a.bytes, v4_prefix, V4_AT);
    memcpy(a.bytes + V4_AT, bytes, sizeof(a.bytes) - V4_AT);
    return a;
}

static bool is_v4(const struct address *a)
{
    return memcmp(a->bytes, v4_prefix, V4_AT) == 0;
}

struct address address_of_peer(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } peer = {0};
    socklen_t size = sizeof(peer);
    struct address a = {{0}};

    if (getpeername(fd, &peer.any, &size) != 0)
        return a;
    if (peer.any.sa_family == AF_INET)
        a = of_v4(&peer.v4.sin_addr);
    else if (peer.any.sa_family == AF_INET6)
        memcpy(a.bytes, &peer.v6.sin6_addr, sizeof(a.bytes));
    return a;
}

bool address_read(const char *at, size_t size, struct address *out)
{
    char text[ADDRESS_CHARS];
    struct in_addr v4;

    if (size >= sizeof(text) || memchr(at, '\0', size))
        return false;
    memcpy(text, at, size);
    text[size] = '\0';
    if (inet_pton(AF_INET, text, &v4) != 1)
        return inet_pton(AF_INET6, text, out->bytes) == 1;
    *out = of_v4(&v4);
    return true;
}

void address_print(const struct address *a, char out[ADDRESS_CHARS])
{
    static const struct address unknown;

    out[0] = '\0';
    if (is_v4(a))
        (void)inet_ntop(AF_INET, a->bytes + V4_AT, out, ADDRESS_CHARS);
    else if (!address_equals(a, &unknown))
        (void)inet_ntop(AF_INET6, a->bytes, out, ADDRESS_CHARS);
}

struct address address_holder(const struct address *a)
{
    struct address holder = *a;

    if (!is_v4(a))
        memset(holder.bytes + sizeof(holder.bytes) / 2, 0, sizeof(holder.bytes) / 2);
    return holder;
}

bool address_equals(const struct address *a, const struct address *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* ---- Networks ---- */

static bool has_bit(const struct address *a, unsigned bit)
{
    return a->bytes[bit / 8] & (0x80U >> (bit % 8));
}

static bool network_has(const struct network *n, const struct address *a)
{
    for (unsigned bit = 0; bit < n->bits; bit++)
        if (has_bit(a, bit) != has_bit(&n->address, bit))
            return false;
    return true;
}

/* One or more digits, at most three. */
static bool read_bits(const char *at, size_t size, unsigned max, unsigned *out)
{
    *out = 0;
    if (size == 0 || size > 3)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (at[i] < '0' || at[i] > '9')
            return false;
        *out = *out * 10 + (unsigned)(at[i] - '0');
    }
    return *out <= max;
}

/* Bits behind the network's own would say that somebody has mistaken it. */
static bool is_whole(const struct network *n)
{
    for (unsigned bit = n->bits; bit < sizeof(n->address.bytes) * 8; bit++)
        if (has_bit(&n->address, bit))
            return false;
    return true;
}

static bool read_network(const char *at, size_t size, struct network *out)
{
    const char *slash = memchr(at, '/', size);
    const size_t address_size = slash ? (size_t)(slash - at) : size;
    unsigned before;

    if (!address_read(at, address_size, &out->address))
        return false;
    out->bits = sizeof(out->address.bytes) * 8;
    if (!slash)
        return true;
    before = memchr(at, ':', address_size) ? 0 : V4_BITS;
    if (!read_bits(slash + 1, size - address_size - 1, out->bits - before, &out->bits))
        return false;
    out->bits += before;
    return is_whole(out);
}

static void add_network(struct networks *n, const struct network *one)
{
    struct network *at = realloc(n->at, (n->count + 1) * sizeof(*at));

    if (!at)
        err_out_of_memory();
    at[n->count++] = *one;
    n->at = at;
}

enum err networks_read(const char *list, struct networks *out, struct text *problem)
{
    struct network one;

    for (const char *at = list + strspn(list, SEPARATORS); *at; at += strspn(at, SEPARATORS)) {
        const size_t size = strcspn(at, SEPARATORS);

        if (!read_network(at, size, &one)) {
            text_addf(problem, "%.*s: expected an address, or a network as 10.0.0.0/8", (int)size,
                      at);
            networks_deinit(out);
            return ERR_CONFIG;
        }
        add_network(out, &one);
        at += size;
    }
    return ERR_OK;
}

void networks_deinit(struct networks *n)
{
    free(n->at);
    *n = (struct networks){0};
}

bool networks_have(const struct networks *n, const struct address *a)
{
    for (size_t i = 0; i < n->count; i++)
        if (network_has(&n->at[i], a))
            return true;
    return false;
}
