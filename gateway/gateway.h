#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"
#include "common/json/json_scan.h"
#include "common/process/proc.h"
#include "gateway/broker/bridge.h"
#include "gateway/clients/client.h"
#include "gateway/clients/clients.h"
#include "gateway/clients/open_requests.h"
#include "gateway/clients/session.h"
#include "gateway/conversation/announcements.h"
#include "gateway/conversation/receipts.h"
#include "gateway/metrics.h"

/*
 * gateway - the process: its threads, and the world in which the socket thread lives.
 *
 *   sockets ── listener ── incoming ─▶ requests ─▶ bridge ─▶ publisher ─▶ broker
 *                 ▲                                  │
 *                 └─────── answers, pushes ◀─────────┴─────◀ consumer ◀── broker
 *
 * Threads: struct gateway belongs to the socket thread, but for its atomics. The functions at the
 * end belong to the thread that created it.
 */

struct gateway {
    const struct settings *settings;
    struct session_keys keys;
    struct seal *seal; /* of what the auth agents are asked, and answer */
    struct json_limits json_limits;
    struct client_limits client_limits;
    int64_t login_timeout_ms; /* login_set_timeout() */
    struct metrics *metrics;
    struct bridge *bridge;
    struct clients *clients;
    struct open_requests *requests;
    struct open_account open; /* what the gateway asks in its own name */
    struct announcements announcements;
    struct receipts receipts;
    struct client_list to_log_in; /* login.c: not logged in, the oldest first */
    struct client_list to_renew;  /* login.c: logged in, the oldest signed session first */
    struct client_list waiting;   /* slow.c: have something to be written, the longest first */
    struct text scratch;          /* for what is just being put together */
    atomic_bool draining;
    atomic_int_least64_t turned_ms; /* when the socket thread was seen last; clock_mono_ms() */
};

#define GATEWAY_APP_ID "activestack-gateway"

struct gateway_process;
struct service;

/* Opens the socket and starts the threads; they are at work when this returns. Errors are logged.
 * `proc` is borrowed. */
_must_check_ enum err gateway_start(struct proc *proc, struct gateway_process **out);

/* Sends the clients away and finishes their open requests; then calls proc_request_stop(). */
void gateway_drain(struct gateway_process *p);

/* Takes over what is reloaded of these settings, and reads the certificates again, for the sockets
 * that come from now on. ERR_CONFIG: mistakes in the settings are in `problems`; nothing changes.
 */
_must_check_ enum err gateway_reload(struct gateway_process *p, const struct settings *s,
                                     struct text *problems);

/* Who is told of reloads; NULL: nobody. Borrowed. */
struct service *gateway_service(const struct gateway_process *p);

/* Has everybody left? */
bool gateway_is_drained(const struct gateway_process *p);

/* Ends the threads and frees everything. What has been ordered is still published if the gateway
 * is drained. NULL is allowed. */
void gateway_stop(struct gateway_process *p);

DEFINE_CLEANUP(struct gateway_process *, gateway_stop)
