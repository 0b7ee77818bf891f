#include "gateway/door/forwarded.h"

#include <string.h>

#define SPACES " \t"

struct span {
    const char *at;
    size_t size;
};

static struct span trimmed(const char *at, size_t size)
{
    while (size > 0 && strchr(SPACES, *at)) {
        at++;
        size--;
    }
    while (size > 0 && strchr(SPACES, at[size - 1]))
        size--;
    return (struct span){at, size};
}

/* 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1], or [2001:db8::1]:80. */
static bool read_node(struct span node, struct address *out)
{
    const char *end = node.at;

    if (address_read(node.at, node.size, out))
        return true;
    if (node.size > 0 && *node.at == '[')
        end = memchr(++node.at, ']', --node.size);
    else if (node.size > 0)
        end = memchr(node.at, ':', node.size);
    return end && address_read(node.at, (size_t)(end - node.at), out);
}

/* Takes the next element that is not empty off *value; false: there is none. */
static bool next_element(const char **value, struct span *out)
{
    do {
        const size_t size = strcspn(*value, ",");

        *out = trimmed(*value, size);
        *value += size + ((*value)[size] == ',');
    } while (out->size == 0 && **value);
    return out->size > 0;
}

struct address forwarded_client(const struct networks *trusted, const struct address *peer,
                                const char *value)
{
    struct address found = *peer, one;
    struct span element;
    bool is_open = true; /* `found` is to be whoever stands next */

    if (!value || !networks_have(trusted, peer))
        return *peer;
    while (next_element(&value, &element)) {
        if (!read_node(element, &one)) {
            is_open = true;
        } else if (is_open || !networks_have(trusted, &one)) {
            found = one;
            is_open = false;
        }
    }
    return is_open ? *peer : found;
}
