#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"

struct json_object;

/*
 * declared - the processes that clients may run, from the file of processes (setting process.file;
 * design section 13, spec 3.8). What is not declared does not run, and each declaration names who
 * may run it. deploy/example/processes.md has the file's grammar.
 *
 *   {"processes":     {"greet": {"run": "signedIn", "deadlineMs": 5000}},
 *    "serviceGroups": {"reports": {"run": {"role": "editor"}}},
 *    "http":          {"threads": 4, "operations": {"weather": {"run": "everyone", ...}}},
 *    "sql":           {"threads": 4, "procedures": {"add": {"run": "signedIn", ...}}}}
 *
 * A call of a plain name waits in the queue process.<name>, where workers in any language take it,
 * or a plug-in; that of "HTTP:weather" in process.HTTP, of "SQL_PROC:add" in process.SQL_PROC; what
 * goes to a service group in process.<group>.
 *
 * Of an operation or a procedure only `run` and `deadlineMs` are looked at here, of their sections
 * only `threads`; the rest is the connectors'.
 *
 * Ownership: all that is returned is the struct's own. Immutable, so of all threads.
 */

#define PROCESS_DEADLINE_MAX 86400000 /* ms */
#define PROCESS_THREADS_MAX  64

struct process {
    const char *name;    /* as it is declared: "greet", "HTTP:weather" */
    const char *queue;   /* "process.greet", "process.HTTP" */
    const char *run;     /* who may: "nobody", "everyone", "signedIn", "role:<name>" (rights.lua) */
    int64_t deadline_ms; /* from the request to the answer; 0: a service group, which gives none */
    bool acts;           /* it may send requests in the caller's name, with the caller's rights */
    const char *plugin;  /* the plug-in that runs it, or NULL */
    unsigned threads;    /* that run it at once, here; of a prefix all operations share them;
                            0: workers elsewhere do */
};

struct declared;

/* Reads the file; "" declares nothing. ERR_IO, ERR_CONFIG: all mistakes are in `problems`, a line
 * each, with their paths. The caller owns *out. */
_must_check_ enum err declared_load(const char *path, struct declared **out, struct text *problems);
void declared_destroy(struct declared *declared);

/* By the name that a client gives, in which the case of a prefix does not matter. NULL: undeclared.
 */
const struct process *declared_process(const struct declared *declared, const char *name);

/* A service group, or NULL. */
const struct process *declared_group(const struct declared *declared, const char *name);

/* All but the groups, by name. */
size_t declared_count(const struct declared *declared);
const struct process *declared_at(const struct declared *declared, size_t i);

/* Every queue that is named above, once, the groups' too. */
size_t declared_queue_count(const struct declared *declared);
const char *declared_queue_at(const struct declared *declared, size_t i);

/* "http" or "sql", as the file has it, for the connector; NULL: absent. */
struct json_object *declared_section(const struct declared *declared, const char *name);

DEFINE_CLEANUP(struct declared *, declared_destroy)
