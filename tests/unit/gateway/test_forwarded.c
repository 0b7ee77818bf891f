#include <string.h>

#include "gateway/door/forwarded.h"
#include "tests/support/unit.h"

#define PROXIES "10.0.0.0/8, 2001:db8::/32"

static const struct {
    const char *peer, *header, *client;
} rows[] = {
    // clang-format off
    /* Nobody but a trusted proxy is believed. */
    { "192.0.2.1",   "203.0.113.9",                       "192.0.2.1"   },
    { "10.0.0.1",    "203.0.113.9",                       "203.0.113.9" },
    { "2001:db8::7", "203.0.113.9",                       "203.0.113.9" },
    /* The rightmost that is no proxy counts, whatever was there before. */
    { "10.0.0.1",    "203.0.113.9, 192.0.2.1",            "192.0.2.1"   },
    { "10.0.0.1",    "203.0.113.9,192.0.2.1, 10.1.2.3",   "192.0.2.1"   },
    { "10.0.0.1",    "10.9.9.9, 192.0.2.1,10.1.2.3",      "192.0.2.1"   },
    { "10.0.0.1",    "garbage, 192.0.2.1",                "192.0.2.1"   },
    { "10.0.0.1",    "\"a, 192.0.2.1",                    "192.0.2.1"   },
    { "10.0.0.1",    ", ,192.0.2.1, ,",                   "192.0.2.1"   },
    /* A client beside the proxies. */
    { "10.0.0.1",    "10.3.3.3",                          "10.3.3.3"    },
    { "10.0.0.1",    "10.3.3.3, 10.2.2.2",                "10.3.3.3"    },
    /* What a proxy cannot tell is that proxy. */
    { "10.0.0.1",    NULL,                                "10.0.0.1"    },
    { "10.0.0.1",    "",                                  "10.0.0.1"    },
    { "10.0.0.1",    " , ",                               "10.0.0.1"    },
    { "10.0.0.1",    "unknown",                           "10.0.0.1"    },
    { "10.0.0.1",    "192.0.2.1, unknown",                "10.0.0.1"    },
    { "10.0.0.1",    "192.0.2.1, unknown, 10.2.2.2",      "10.2.2.2"    },
    { "10.0.0.1",    "unknown, 192.0.2.1",                "192.0.2.1"   },
    /* How some write them. */
    { "10.0.0.1",    "192.0.2.1:4711",                    "192.0.2.1"   },
    { "10.0.0.1",    "2001:dead::1",                      "2001:dead::1" },
    { "10.0.0.1",    "[2001:dead::1]",                    "2001:dead::1" },
    { "10.0.0.1",    "[2001:dead::1]:4711",               "2001:dead::1" },
    { "10.0.0.1",    "::ffff:192.0.2.1",                  "192.0.2.1"   },
    { "10.0.0.1",    "\t192.0.2.1\t",                     "192.0.2.1"   },
    { "10.0.0.1",    "[2001:dead::1",                     "10.0.0.1"    },
    { "10.0.0.1",    "[",                                 "10.0.0.1"    },
    { "10.0.0.1",    ":80",                               "10.0.0.1"    },
    // clang-format on
};

START_TEST(the_rightmost_address_that_is_no_proxy_counts)
{
    _cleanup_(text_deinitp) struct text problem = {0};
    struct networks trusted = {0};
    char printed[ADDRESS_CHARS];
    struct address peer, client;

    assert_ok(networks_read(PROXIES, &trusted, &problem));
    ck_assert(address_read(rows[_i].peer, strlen(rows[_i].peer), &peer));
    client = forwarded_client(&trusted, &peer, rows[_i].header);
    address_print(&client, printed);
    ck_assert_msg(strcmp(printed, rows[_i].client) == 0, "%s from %s: %s", rows[_i].header,
                  rows[_i].peer, printed);
    networks_deinit(&trusted);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("gateway_forwarded");

    tcase_add_loop_test(tcase, the_rightmost_address_that_is_no_proxy_counts, 0, ARRAY_SIZE(rows));
    return unit_run_case("gateway_forwarded", tcase);
}
