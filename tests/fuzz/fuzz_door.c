#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/door/forwarded.h"
#include "gateway/door/origins.h"

/*
 * What strangers say at the front door, and what an operator has written: headers and lists are
 * read without harm. Whatever stands before what a trusted proxy has added, the client stays the
 * same; an origin that is allowed is one that is in the list.
 */

#define CLIENT "203.0.113.9"

static void expect(bool holds)
{
    if (!holds)
        abort();
}

static void check_forwarded(const char *text)
{
    _cleanup_(text_deinitp) struct text header = {0}, problem = {0};
    struct networks trusted = {0};
    struct address peer, client, found;

    expect(!networks_read("10.0.0.0/8", &trusted, &problem));
    expect(address_read("10.0.0.1", 8, &peer));
    expect(address_read(CLIENT, strlen(CLIENT), &client));
    (void)forwarded_client(&trusted, &peer, text);
    text_addf(&header, "%s, " CLIENT ", 10.7.7.7", text);
    found = forwarded_client(&trusted, &peer, header.at);
    expect(address_equals(&found, &client));
    networks_deinit(&trusted);
}

static void check_networks(const char *text)
{
    _cleanup_(text_deinitp) struct text problem = {0};
    struct networks n = {0};
    struct address a;

    expect(networks_read(text, &n, &problem) ? problem.size > 0 && n.count == 0
                                             : problem.size == 0);
    if (address_read(text, strlen(text), &a))
        expect(networks_have(&n, &a));
    networks_deinit(&n);
}

static void check_origins(const char *text)
{
    _cleanup_(text_deinitp) struct text problem = {0};
    struct origins one = {0}, o = {0};

    expect(!origins_read("https://good.org:8443", &one, &problem));
    expect(!origins_allow(&one, text, text) || strlen(text) == strlen("https://good.org:8443"));
    origins_deinit(&one);
    if (origins_read(text, &o, &problem))
        expect(problem.size > 0 && o.count == 0);
    else if (!strpbrk(text, ", *") && strcmp(text, "self") != 0 && *text)
        expect(o.count == 1 && origins_allow(&o, text, NULL));
    origins_deinit(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(text_deinitp) struct text text = {0};

    text_add_bytes(&text, data, size);
    check_forwarded(text_str(&text));
    check_networks(text_str(&text));
    check_origins(text_str(&text));
    return 0;
}
