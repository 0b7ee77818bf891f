#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/err.h"

/*
 * log - one event per line on standard error, with typed fields.
 *
 *   log_info("client.closed", LOG_STR("client", id), LOG_I64("code", 1009));
 *
 * prints, as text or as JSON (setting log.format),
 *
 *   2026-01-31T12:00:00.000Z info client.closed client=4f... code=1009
 *
 * The event's name is a constant that can be searched for; data go into fields and are escaped, so
 * a client cannot forge a line. There is no field kind for secrets: passwords, tokens and bodies
 * have no business here.
 *
 * Levels:  error - someone must act; warn - someone should look; info - the process's life cycle;
 *          debug - may be noisy, costs one comparison when off.
 * Threads: every function may be called from any thread; a line is written in one piece.
 * Repeats: a warn or error event that comes more than 20 times within 10 s is counted instead of
 *          printed; the next line that passes carries "suppressed".
 */

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum log_kind { LOG_KIND_END, LOG_KIND_STR, LOG_KIND_I64 };

struct log_field {
    enum log_kind kind;
    const char *key; /* a constant */
    const char *str; /* NULL prints as null */
    int64_t i64;
};

#define LOG_STR(k, v) ((struct log_field){LOG_KIND_STR, (k), (v), 0})
#define LOG_I64(k, v) ((struct log_field){LOG_KIND_I64, (k), NULL, (int64_t)(v)})
#define LOG_ERR(e)    LOG_STR("error", err_text(e))

#define log_event(level, ...)                                                                  \
    do {                                                                                       \
        if (log_enabled(level))                                                                \
            log_line(level, LOG_ARGS(__VA_ARGS__, (struct log_field){LOG_KIND_END, 0, 0, 0})); \
    } while (0)
#define LOG_ARGS(name, ...)          \
    name, (const struct log_field[]) \
    {                                \
        __VA_ARGS__                  \
    }

#define log_error(...) log_event(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_event(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_event(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_event(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* Before the first thread starts. `program` is borrowed for ever. */
void log_init(const char *program, enum log_level level, bool json);

/* Any thread, at any time: other lines are written from now on. */
void log_set_level(enum log_level level);

/* Where lines go instead of standard error; for tests. */
void log_redirect(FILE *stream);

bool log_enabled(enum log_level level);

/* One event; `fields` end with LOG_KIND_END. Use the macros. */
void log_line(enum log_level level, const char *event, const struct log_field *fields);
