#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"

/*
 * config - from a table of rows to a filled struct: defaults, then the file, then the environment.
 *
 * The file has lines `key = value`; lines that start with "#" are comments. The environment name of
 * a key is ACTIVESTACK_ and the key in capitals with "_" for ".": ACTIVESTACK_AMQP_URL for
 * amqp.url. For secrets, a variable ACTIVESTACK_..._FILE, or a key with "_file" behind it, names a
 * file that holds the value, of which the line end is no part.
 *
 * Everything is checked before anything starts: unknown keys, duplicates, wrong types, values out
 * of range, settings without a default that were not given. Each mistake is one line that names
 * the key, where the value came from (file:line or the variable) and what is allowed. An unknown
 * ACTIVESTACK_ variable is a mistake too. All rows are checked, also those of other programs, since
 * one file may configure them all.
 *
 * The same rows print the documentation (--help-config) and the values in force, with secrets
 * hidden.
 */

enum config_type {
    CONFIG_STRING, /* char *, owned by the struct, never NULL; minimum and maximum bound its length,
                      but the default is always allowed */
    CONFIG_INT,    /* int64_t, with minimum and maximum */
    CONFIG_BOOL,   /* bool: true or false */
    CONFIG_CHOICE  /* int: index into `choices`, "a|b|c" */
};

struct config_row {
    const char *key;
    enum config_type type;
    unsigned used_by;     /* bit set of programs */
    unsigned optional_in; /* those of them that can do without; "" then, if there is no default */
    bool secret;          /* never printed */
    bool reloaded;        /* a new value counts from SIGHUP on; else from the next start on */
    size_t offset;        /* of the field in the struct */
    const char *initial;  /* default, as text; NULL: must be given for programs in `used_by` */
    int64_t minimum, maximum;
    const char *unit;    /* "ms", "bytes", ... or NULL */
    const char *choices; /* only CONFIG_CHOICE */
    const char *help;    /* one sentence */
};

struct config_table {
    const struct config_row *rows;
    size_t count;
};

/*
 * Fills *settings (zeroed by the caller, of the struct that the offsets belong to) for `program`
 * (one bit of used_by). `path` may be NULL: no file. `environment` is environ or a test's.
 * ERR_OK; ERR_CONFIG with all mistakes in `problems`, a line each.
 */
_must_check_ enum err config_load(const struct config_table *table, unsigned program,
                                  const char *path, char *const *environment, void *settings,
                                  struct text *problems);

/* Frees the strings, which are overwritten before. */
void config_free(const struct config_table *table, void *settings);

/* Adds the keys, with ", " between them, of what `program` uses, is not reloaded, and is not the
 * same in both. */
void config_add_waiting(const struct config_table *table, unsigned program, const void *in_force,
                        const void *read, struct text *out);

/* Adds the environment name of a row: ACTIVESTACK_AMQP_URL. */
void config_add_variable(struct text *out, const struct config_row *row);

/* Adds what a row allows: "a whole number from 1 to 65535". */
void config_add_allowed(struct text *out, const struct config_row *row);

/* Prints the rows of `program` (0: of all) as documentation: key, variable, default, range, help.
 */
void config_print_help(const struct config_table *table, unsigned program, FILE *out);

/* Prints `key = value` lines of the values in force; secrets as "(set)" or "(empty)". */
void config_print_values(const struct config_table *table, unsigned program, const void *settings,
                         FILE *out);
