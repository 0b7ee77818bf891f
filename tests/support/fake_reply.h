#pragma once

#include "common/redis/redis_link.h"

/*
 * fake_reply - a reply of Redis without Redis: parsed from the text of its protocol, so that a
 * handler's answer can be tested with what a script would have returned.
 *
 *     fake_reply(&work.call, "*2\r\n$2\r\nok\r\n$1\r\n7\r\n");
 */

/* Gives the call this reply in place of the one it has; the call owns it. */
void fake_reply(struct redis_call *call, const char *protocol);

/* The same for a flat array of strings, NULL-terminated: what most scripts return. */
void fake_reply_strings(struct redis_call *call, const char *const *strings);
