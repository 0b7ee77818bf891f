#pragma once

#include <stdbool.h>

/*
 * plain_name - names that people choose and that become part of others (queues, words of rules):
 * processes, service groups, plug-ins, roles.
 */

#define PLAIN_NAME_MAX      100
#define PLAIN_NAME_EXPECTED "expected 1 to 100 letters, digits, _, . and -"

/* 1 to PLAIN_NAME_MAX bytes of [A-Za-z0-9_.-]? */
bool is_plain_name(const char *name);
