#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/amqp/amqp_link.h"
#include "common/base/err.h"
#include "common/base/text.h"
#include "common/json/json_scan.h"

/*
 * connector - what answers calls of processes inside the sync agent, in threads of its own: HTTP:
 * and SQL_PROC:, one struct connector each, and the plug-ins.
 *
 * A connector's declarations are read once, before any thread runs, and are then shared by all of
 * its threads, which only read them. What a thread needs for itself (a handle of curl, a connection
 * of a database) is made by open() in that thread and lives as long as it.
 *
 * Calls come at least once: a call whose agent died runs again, with the same key.
 */

/* What may be declared at most for the bytes of an answer: with room for what is around it. */
#define CONNECTOR_BYTES_MAX (AMQP_BODY_LIMIT / 2)

struct declared;
struct json_object;

/* Borrowed for the run. */
struct call {
    const char *operation;      /* behind the prefix, as it is declared; of a plug-in the process */
    struct json_span arguments; /* checked JSON; null if the client gave none */
    const char *client;  /* a client id with the caller's rights; "" unless the process acts */
    const char *user;    /* who asks; "" for nobody */
    const char *key;     /* of the call, a UUID: the same whenever it runs, and when the client asks
                            again; by it an outside server knows what it has done already */
    int64_t deadline_ms; /* of clock_mono_ms() */
};

/* Zeroed before the run. */
struct answer {
    bool failed;
    int code;         /* of a failure, among the protocol's; 0: -101 */
    const char *name; /* of a failure, a constant; NULL: "Error Running Process" */
    struct text body; /* JSON, or a failure's words for the client; empty without one: null */
};

struct connector {
    const char *prefix;  /* "HTTP": its queue is process.HTTP */
    const char *section; /* of the file of processes: "http" */
    /* Reads `section`, which is there; adds each mistake to `problems` as a line with its path,
     * and then returns ERR_CONFIG. `declared` and `section` live as long as *own. */
    enum err (*load)(const struct declared *declared, struct json_object *section, void **own,
                     struct text *problems);
    void (*unload)(void *own);
    /* What one thread needs, in that thread; NULL: nothing. It may connect later, in run(). */
    void *(*open)(void *own);
    /* Answers one call. It blocks, and comes back by call->deadline_ms at the latest. */
    void (*run)(void *own, void *thread, const struct call *call, struct answer *answer);
    void (*close)(void *thread); /* in that thread; NULL: nothing */
};

/* agents/sync/connectors/ */
extern const struct connector connector_http;
extern const struct connector connector_sql;
