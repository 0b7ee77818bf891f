#include "common/process/settings.h"

#define GATEWAY PROGRAM_GATEWAY
#define SYNC    PROGRAM_SYNC
#define AUTH    PROGRAM_AUTH
#define CTL     PROGRAM_CTL
#define AGENTS  PROGRAM_AGENTS
#define SERVERS (GATEWAY | AGENTS)
#define ALL     PROGRAM_ALL

#define KIB 1024LL
#define MIB (1024 * KIB)
#define DAY 86400LL

#define AT(field) offsetof(struct settings, field)

/* Rows of each type: key, field, default, limits, unit, programs, help, and what else is to be
 * said. */
#define TEXT(k, f, init, min, max, who, ...)                                                     \
    {                                                                                            \
        .key = (k), .type = CONFIG_STRING, .offset = AT(f), .initial = (init), .minimum = (min), \
        .maximum = (max), .used_by = (who), .help = __VA_ARGS__                                  \
    }
#define SECRET(k, f, init, min, max, who, optional, h)                                             \
    {                                                                                              \
        .key = (k), .type = CONFIG_STRING, .offset = AT(f), .initial = (init), .minimum = (min),   \
        .maximum = (max), .secret = true, .used_by = (who), .optional_in = (optional), .help = (h) \
    }
#define INT(k, f, init, min, max, u, who, ...)                                                \
    {                                                                                         \
        .key = (k), .type = CONFIG_INT, .offset = AT(f), .initial = (init), .minimum = (min), \
        .maximum = (max), .unit = (u), .used_by = (who), .help = __VA_ARGS__                  \
    }
#define BOOL(k, f, init, who, ...)                                                             \
    {                                                                                          \
        .key = (k), .type = CONFIG_BOOL, .offset = AT(f), .initial = (init), .used_by = (who), \
        .help = __VA_ARGS__                                                                    \
    }
#define CHOICE(k, f, init, c, who, ...)                                                        \
    {                                                                                          \
        .key = (k), .type = CONFIG_CHOICE, .offset = AT(f), .initial = (init), .choices = (c), \
        .used_by = (who), .help = __VA_ARGS__                                                  \
    }
#define RELOADED .reloaded = true

// clang-format off
static const struct config_row rows[] = {
    CHOICE("log.level", log_level, "info", "error|warn|info|debug", ALL,
        "The least important events that are logged.", RELOADED),
    CHOICE("log.format", log_format, "text", "text|json", ALL,
        "How a line of the log is written."),
    TEXT("status.host", status_host, "127.0.0.1", 1, 255, SERVERS,
        "The address of the port for monitoring and health checks."),
    INT("status.port", status_port, "0", 0, 65535, NULL, SERVERS,
        "Where /healthz, /readyz and /metrics are to be had over plain HTTP; 0: nowhere."),
    INT("status.store_ms", status_store_ms, "5000", 100, 3600000, "ms", SYNC,
        "How often a sync agent with such a port reads the books, and what is due, for its metrics."),
    SECRET("amqp.url", amqp_url, NULL, 1, 1024, ALL, CTL,
        "The broker, as amqp://user:password@host:port/vhost, or amqps:// with TLS."),
    TEXT("amqp.ca_file", amqp_ca_file, "", 1, 4096, ALL,
        "With amqps://: who may have signed the broker's certificate, a PEM file; empty takes the system's."),
    TEXT("amqp.client_certificate", amqp_client_certificate, "", 1, 4096, ALL,
        "Our certificate, where the broker asks for one, and those in between, a PEM file; empty for none."),
    TEXT("amqp.client_key", amqp_client_key, "", 1, 4096, ALL,
        "The key of that certificate, a PEM file without a password."),
    INT("amqp.heartbeat_s", amqp_heartbeat_s, "20", 0, 3600, "s", ALL,
        "A broker connection that is silent for twice as long counts as lost; 0 never notices."),
    SECRET("redis.url", redis_url, NULL, 1, 1024, AGENTS | CTL, CTL,
        "The store, as redis://:password@host:port/db or unix:///path."),
    INT("redis.timeout_ms", redis_timeout_ms, "5000", 10, 600000, "ms", AGENTS | CTL,
        "How long an answer of Redis is waited for before its connection counts as lost."),
    TEXT("redis.sentinels", redis_sentinels, "", 0, 4096, AGENTS | CTL,
        "Sentinels that know where the primary is, a comma list of host:port; redis.url then gives user, password and database alone. Empty for none."),
    TEXT("redis.sentinel_name", redis_sentinel_name, "", 0, 256, AGENTS | CTL,
        "What the sentinels call the primary."),
    SECRET("redis.sentinel_password", redis_sentinel_password, "", 1, 1024, AGENTS | CTL, 0,
        "The sentinels' own password; empty for none."),
    INT("redis.wait_replicas", redis_wait_replicas, "0", 0, 16, "replicas", AGENTS | CTL,
        "What was written counts, and is answered, when so many replicas of Redis have it too."),
    INT("redis.wait_ms", redis_wait_ms, "1000", 1, 60000, "ms", AGENTS | CTL,
        "How long they have for that; what they do not have by then is carried out again, and not answered meanwhile."),
    BOOL("redis.allow_weak", redis_allow_weak, "false", AGENTS | CTL,
        "Accept a Redis that may lose or evict data: fit for trials only."),
    TEXT("model.file", model_file, NULL, 1, 4096, AGENTS,
        "The domain model, a JSON file."),

    TEXT("gateway.name", gateway_name, "", 0, 128, GATEWAY,
        "The gateway's name in connection names and in the log; empty takes the machine's."),
    TEXT("gateway.host", gateway_host, "127.0.0.1", 1, 255, GATEWAY,
        "The address to listen on."),
    INT("gateway.port", gateway_port, "8080", 0, 65535, NULL, GATEWAY,
        "The port to listen on; with 0 the system chooses one, which the log tells."),
    SECRET("gateway.session_secret", gateway_session_secret, NULL, 32, 1024, GATEWAY, 0,
        "The key that signs sessions, the same for all gateways."),
    SECRET("gateway.session_secret_previous", gateway_session_secret_previous, "", 32, 1024, GATEWAY, 0,
        "The key before the present one, still accepted; empty for none."),
    INT("gateway.session_max_age_s", gateway_session_max_age_s, "1209600", 60, 365 * DAY, "s", GATEWAY,
        "How long a signed session is accepted."),
    INT("gateway.max_connections", gateway_max_connections, "20000", 1, 1000000, NULL, GATEWAY,
        "How many sockets may be open at once."),
    INT("gateway.max_connections_per_address", gateway_max_connections_per_address, "1000", 0, 1000000, NULL, GATEWAY,
        "WebSockets that one address (of IPv6: one /64) may have open; the next upgrade gets 429. 0 for any number.", RELOADED),
    INT("gateway.max_upgrades_per_s_per_address", gateway_max_upgrades_per_s_per_address, "100", 0, 1000000, "per s", GATEWAY,
        "Upgrades that one address may ask for in a second; others get 429. 0 for any number.", RELOADED),
    INT("gateway.max_upgrades_per_s", gateway_max_upgrades_per_s, "5000", 0, 1000000, "per s", GATEWAY,
        "The same for all addresses together; others get 503. 0 for any number.", RELOADED),
    INT("gateway.handshake_timeout_s", gateway_handshake_timeout_s, "10", 1, 3600, "s", GATEWAY,
        "A socket over which TLS, or the head of a request, is not complete by then is closed."),
    TEXT("gateway.tls_certificate", gateway_tls_certificate, "", 0, 4096, GATEWAY,
        "The certificate for wss://, a PEM file with its chain behind it; read again on SIGHUP. Empty for plain ws://."),
    TEXT("gateway.tls_key", gateway_tls_key, "", 0, 4096, GATEWAY,
        "Its key, a PEM file without a password; read again on SIGHUP."),
    CHOICE("gateway.tls_clients", gateway_tls_clients, "none", "none|accept|require", GATEWAY,
        "Whether clients may, or have to, show a certificate of their own; who shows a bad one is turned away."),
    TEXT("gateway.tls_client_ca", gateway_tls_client_ca, "", 0, 4096, GATEWAY,
        "Who signs clients' certificates, a PEM file; read again on SIGHUP."),
    TEXT("gateway.origins", gateway_origins, "self", 0, 65536, GATEWAY,
        "Whose pages may open WebSockets, a comma list of scheme://host[:port], self (the host and port that is asked), or *; others get 403.", RELOADED),
    BOOL("gateway.require_origin", gateway_require_origin, "false", GATEWAY,
        "Refuse with 403 also who says no origin, as all that is no browser does.", RELOADED),
    TEXT("gateway.trusted_proxies", gateway_trusted_proxies, "", 0, 65536, GATEWAY,
        "Proxies before the gateway, a comma list of addresses and networks (10.0.0.0/8): they say by X-Forwarded-For who the client is, and are not limited themselves.", RELOADED),
    INT("gateway.max_frame_bytes", gateway_max_frame_bytes, "1048576", KIB, 64 * MIB, "bytes", GATEWAY,
        "The largest frame of a client; a larger one closes the socket with 1009.", RELOADED),
    INT("gateway.max_depth", gateway_max_depth, "64", 4, 1024, NULL, GATEWAY | SYNC,
        "How deep arrays and objects of a frame may be nested; deeper ones close the socket with 1008."),
    INT("gateway.max_number_chars", gateway_max_number_chars, "1000", 20, MIB, "characters", GATEWAY,
        "The longest number in a frame."),
    TEXT("gateway.content_provider", gateway_content_provider, "file", 1, 64, GATEWAY,
        "The provider with which clients of the content protocol log in: username:password."),
    INT("gateway.login_timeout_ms", gateway_login_timeout_ms, "300000", 100, 86400000, "ms", GATEWAY,
        "A client that has not logged in by then is closed with 4004.", RELOADED),
    INT("gateway.request_timeout_ms", gateway_request_timeout_ms, "30000", 10, 3600000, "ms", GATEWAY,
        "After this a request without an answer is answered with -116."),
    INT("gateway.process_timeout_ms", gateway_process_timeout_ms, "900000", 10, 86400000, "ms", GATEWAY,
        "The same for runProcess and getChangeWatcher, whose processes have deadlines of their own."),
    INT("gateway.max_requests_per_s", gateway_max_requests_per_s, "5000", 0, 1000000, "per s", GATEWAY,
        "Requests that one client may send in a second, in the long run; others are answered with -118. 0 for any number.", RELOADED),
    INT("gateway.max_request_burst", gateway_max_request_burst, "10000", 1, 10000000, NULL, GATEWAY,
        "Requests that it may send at once, after a pause.", RELOADED),
    INT("gateway.max_open_requests", gateway_max_open_requests, "256", 1, 65536, NULL, GATEWAY,
        "Unanswered requests that one client may have; the next is answered with -118."),
    INT("gateway.max_open_bytes", gateway_max_open_bytes, "4194304", KIB, KIB * MIB, "bytes", GATEWAY,
        "The bytes that one client's unanswered requests may hold; the next is answered with -118."),
    INT("gateway.queue_length", gateway_queue_length, "8192", 1, 1000000, "requests", GATEWAY,
        "Requests of all clients that may wait for the broker; the next is answered with -119."),
    INT("gateway.max_push_bytes", gateway_max_push_bytes, "1048576", 0, KIB * MIB, "bytes", GATEWAY,
        "When more waits to be read by one client, pushes for it are held back until nothing waits."),
    INT("gateway.max_send_bytes", gateway_max_send_bytes, "4194304", KIB, KIB * MIB, "bytes", GATEWAY,
        "What may wait to be read by one client; more closes its socket with 4003."),
    INT("gateway.max_send_age_ms", gateway_max_send_age_ms, "60000", 100, 86400000, "ms", GATEWAY,
        "A client that reads nothing of what waits for it for this long is closed with 4003."),
    INT("gateway.max_unacknowledged", gateway_max_unacknowledged, "20000", 1, 10000000, "objects", GATEWAY,
        "Objects and watched values sent to one client that may lack its push receipt; others wait."),
    INT("gateway.alive_ms", gateway_alive_ms, "2000", 50, 600000, "ms", GATEWAY,
        "How often the gateway tells the agents that it lives."),
    INT("gateway.max_broker_outage_ms", gateway_max_broker_outage_ms, "30000", 0, 3600000, "ms", GATEWAY,
        "When the broker has been away for longer, requests are answered with -119 at once."),
    INT("gateway.ping_interval_ms", gateway_ping_interval_ms, "25000", 100, 3600000, "ms", GATEWAY,
        "A socket that is silent for this long gets a ping."),
    INT("gateway.ping_timeout_ms", gateway_ping_timeout_ms, "40000", 100, 7200000, "ms", GATEWAY,
        "A socket that is silent for this long is closed; longer than the ping interval."),
    INT("gateway.drain_ms", gateway_drain_ms, "5000", 0, 600000, "ms", GATEWAY,
        "The time over which a stopping gateway sends its clients away."),

    TEXT("agent.name", agent_name, "", 0, 128, AGENTS,
        "The agent's name in connection names and consumer tags; empty takes the machine's."),
    INT("agent.workers", agent_workers, "2", 1, 256, "threads", AGENTS,
        "Workers, each with a broker connection and a Redis connection of its own."),
    INT("agent.prefetch", agent_prefetch, "256", 1, 65535, "requests", AGENTS,
        "Requests that the broker hands to a worker ahead of its acknowledgements."),
    INT("agent.batch", agent_batch, "64", 1, 4096, "requests", AGENTS,
        "Requests that a worker sends to Redis in one go."),
    INT("agent.presence_ms", agent_presence_ms, "2000", 50, 60000, "ms", AGENTS,
        "How often an agent tells the store that it runs; after three times as long it counts as gone."),

    INT("sync.max_object_bytes", sync_max_object_bytes, "1048576", KIB, 64 * MIB, "bytes", SYNC,
        "The largest object that is stored."),
    INT("sync.max_answer_bytes", sync_max_answer_bytes, "8388608", KIB, 15 * MIB, "bytes", SYNC,
        "The most that an answer with many objects, or a watched value, may hold; beyond, it is refused with -120."),
    INT("sync.max_scan", sync_max_scan, "10000", 0, 10000000, "objects", SYNC,
        "Objects that are looked through for an example which no index answers; beyond, it gets -120."),
    INT("sync.max_listed", sync_max_listed, "1000", 1, 10000, "objects", SYNC,
        "Members of a list or of a listed relation, or join objects; a write that would add another is refused."),
    INT("sync.max_path_objects", sync_max_path_objects, "1000", 1, 10000, "objects", AGENTS,
        "Objects that a rule's path may come to; who is behind more of them is not let in."),
    INT("sync.max_transaction_objects", sync_max_transaction_objects, "50", 1, 250, "objects", SYNC,
        "Objects that one transaction may save and remove; it bounds how long Redis is held."),
    INT("sync.mark_batch", sync_mark_batch, "250", 1, 250, "sessions", SYNC,
        "Sessions that are marked in one step, which is what bounds how long Redis is held."),
    INT("sync.job_lease_ms", sync_job_lease_ms, "5000", 100, 600000, "ms", AGENTS,
        "After this a job whose worker is silent is continued by another one."),
    INT("sync.poll_ms", sync_poll_ms, "100", 1, 60000, "ms", AGENTS,
        "How often due jobs and due marks are looked for."),
    INT("sync.redelivery_first_ms", sync_redelivery_first_ms, "5000", 10, 3600000, "ms", SYNC,
        "After this a push without a receipt is sent again for the first time."),
    INT("sync.redelivery_max_ms", sync_redelivery_max_ms, "60000", 10, 86400000, "ms", SYNC,
        "The time between two redeliveries doubles up to this."),
    INT("sync.redelivery_silent_ms", sync_redelivery_silent_ms, "900000", 10, 86400000, "ms", SYNC,
        "The same for sessions that have never sent a receipt."),
    INT("sync.receipts_late_ms", sync_receipts_late_ms, "2000", 10, 600000, "ms", SYNC,
        "Receipts that have waited for longer in their queue pause all redelivery."),
    INT("sync.reply_repeat_ms", sync_reply_repeat_ms, "7500", 10, 3600000, "ms", SYNC,
        "After this a reply without a receipt is sent again, if the client asked for its delivery."),
    INT("sync.max_open_replies", sync_max_open_replies, "256", 0, 65536, "requests", SYNC,
        "Replies without a receipt that are kept for each session; further ones are not repeated."),
    INT("sync.max_open_bytes", sync_max_open_bytes, "1048576", 0, 64 * MIB, "bytes", SYNC,
        "The bytes that these requests may hold for each session."),
    INT("sync.max_marks", sync_max_marks, "10000", 1, 10000000, "objects", SYNC,
        "Changed objects that one session may have to hear of; beyond, it ends with 4005."),
    INT("sync.notify_ms", sync_notify_ms, "100", 1, 60000, "ms", SYNC,
        "A client of the content protocol is told of changes at most this often; they gather meanwhile."),
    INT("sync.max_block", sync_max_block, "1000", 1, 2000, "changes", SYNC,
        "What one block of these may tell; of a document its content and its children count apart."),
    INT("sync.max_subscriptions", sync_max_subscriptions, "200000", 1, 10000000, NULL, SYNC,
        "Subscriptions of one session, to a content or to its children; beyond, it gets 4290800."),
    INT("sync.content_idle_s", sync_content_idle_s, "1800", 1, 3650 * DAY, "s", SYNC,
        "A session of the content protocol without a connection ends after this."),
    INT("sync.session_idle_s", sync_session_idle_s, "1209600", 1, 3650 * DAY, "s", SYNC,
        "A session without a connection ends after this."),
    INT("sync.presence_grace_ms", sync_presence_grace_ms, "10000", 0, 3600000, "ms", SYNC,
        "A user is shown as not connected when all their sessions have been unbound for this long."),
    INT("sync.gateway_lease_ms", sync_gateway_lease_ms, "10000", 100, 3600000, "ms", SYNC,
        "The sessions of a gateway that is silent for this long are taken as disconnected."),
    INT("sync.replay_bytes", sync_replay_bytes, "262144", KIB, 15 * MIB, "bytes", SYNC,
        "The size of a frame, but for its last object, that tells a returning client what it missed."),
    INT("sync.results_kept", sync_results_kept, "1000", 1, 100000, "results", SYNC,
        "Results of writes that are kept for each session, so that none is carried out twice."),
    INT("sync.results_s", sync_results_s, "3600", 1, 30 * DAY, "s", AGENTS,
        "How long results of writes are kept, and sessions that have ended are known."),
    INT("sync.tombstone_s", sync_tombstone_s, "604800", 1, 3650 * DAY, "s", SYNC,
        "How long it is remembered that an object was removed."),
    INT("sync.view_batch", sync_view_batch, "100", 1, 250, "objects", SYNC,
        "Children that find their places in one step while a view is built; it bounds how long Redis is held."),
    INT("sync.pages_kept", sync_pages_kept, "8", 1, 1000, "readings", SYNC,
        "Of each page of children, so that a client that has one of them gets what has changed."),
    INT("sync.page_bytes_kept", sync_page_bytes_kept, "262144", 0, 64 * MIB, "bytes", SYNC,
        "The most that these may hold together."),
    INT("sync.pages_kept_s", sync_pages_kept_s, "1800", 1, 30 * DAY, "s", SYNC,
        "How long they are kept after the page was read last."),
    INT("sync.watch_window_ms", sync_watch_window_ms, "100", 0, 3600000, "ms", SYNC,
        "A watched value is computed at most once in this time."),
    INT("sync.max_watched_objects", sync_max_watched_objects, "10000", 1, 1000000, "objects", SYNC,
        "Objects that one computation of a watched value may come to; beyond, who asks for it gets -120."),
    INT("sync.max_watchers", sync_max_watchers, "1000", 1, 1000000, "values", SYNC,
        "Values that one session may watch; who asks for another one gets -118."),
    INT("sync.max_params_bytes", sync_max_params_bytes, "1024", 16, 64 * KIB, "bytes", SYNC,
        "The params of a watched value, which are in its name at all that it is made of; more are malformed."),
    INT("sync.history_kept", sync_history_kept, "100", 1, 10000, "states", AGENTS,
        "States of an object that are kept where its class has a history."),
    INT("sync.json_history_kept", sync_json_history_kept, "8", 0, 1000, "texts", SYNC,
        "Earlier arrays and objects that are kept of each object's json fields, for patches inside them."),
    INT("sync.json_history_bytes", sync_json_history_bytes, "65536", 0, 16 * MIB, "bytes", SYNC,
        "What these may hold for each object; a larger one is not kept."),
    INT("sync.max_patch_operations", sync_max_patch_operations, "1000", 1, 1000000, "operations", SYNC,
        "Operations in one patch of a client; more are refused with 4130600."),
    INT("sync.max_patch_work", sync_max_patch_work, "50000000", MIB, KIB * MIB, "bytes", SYNC,
        "What one patch may read, write and move in all; more is refused with 4130600."),
    INT("sync.max_patch_tries", sync_max_patch_tries, "250", 1, 100000, "tries", SYNC,
        "How often a patch without a version is tried while others change the document; then it gets 5030600."),
    BOOL("sync.change_feed", sync_change_feed, "false", SYNC,
        "Publishes every committed change to the exchange changes, too; the same for all sync agents."),

    TEXT("process.file", process_file, "", 0, 4096, SYNC,
        "The processes that clients may run, a JSON file; empty for none."),
    INT("process.presence_ms", process_presence_ms, "1000", 0, 60000, "ms", SYNC,
        "How long an agent takes it that a process still has workers, or still none, without asking again."),
    INT("process.max_calls", process_max_calls, "100", 1, 100000, "calls", SYNC,
        "Calls of one session that may be under way at once; beyond, it gets -118."),
    INT("process.results_kept", process_results_kept, "100", 1, 100000, "results", SYNC,
        "Results of processes that are kept for each session, so that none is run twice."),
    INT("process.result_bytes_kept", process_result_bytes_kept, "1048576", 0, 64 * MIB, "bytes", SYNC,
        "What these may hold for each session; a larger result is told once, and not kept."),
    BOOL("process.host", process_host, "true", SYNC,
        "Run connectors and plug-ins in this agent; those of other agents do without."),
    TEXT("process.plugin_dir", process_plugin_dir, "", 0, 4096, SYNC,
        "The folder with the plug-ins."),
    INT("process.max_stuck", process_max_stuck, "8", 0, 1000, "threads", SYNC,
        "Threads of a plug-in that are given up and replaced; with one more, this agent serves it no longer."),

    INT("ctl.max_line_bytes", ctl_max_line_bytes, "8388608", KIB, 15 * MIB, "bytes", CTL,
        "The longest line that an import takes."),

    SECRET("auth.seal_secret", auth_seal_secret, NULL, 32, 1024, GATEWAY | AUTH, 0,
        "Seals passwords and tokens on the broker, the same for all gateways and auth agents."),
    SECRET("auth.seal_secret_previous", auth_seal_secret_previous, "", 32, 1024, GATEWAY | AUTH, 0,
        "The one before the present one, which still opens; empty for none."),
    TEXT("auth.providers", auth_providers, "file", 1, 1024, AUTH,
        "The ways to log in, a comma list of: file, basic, anonymous, oauth."),
    TEXT("auth.users_file", auth_users_file, "", 0, 4096, AUTH | CTL,
        "The users of the provider file, a JSON file; read again on SIGHUP."),
    TEXT("auth.file_provider_id", auth_file_provider_id, "file", 1, 128, AUTH | CTL,
        "The name under which clients ask for the provider file."),
    INT("auth.token_max_age_s", auth_token_max_age_s, "2592000", 1, 3650 * DAY, "s", AUTH,
        "How long a login is valid; then its session ends."),
    TEXT("auth.oauth_file", auth_oauth_file, "", 0, 4096, AUTH,
        "The providers of OAuth 2 and OpenID Connect that clients may log in at, a JSON file; "
        "read again on SIGHUP."),
    INT("auth.oauth_timeout_ms", auth_oauth_timeout_ms, "10000", 10, 600000, "ms", AUTH,
        "What asking such a provider may take for one login; beyond, it is refused."),
    INT("auth.oauth_threads", auth_oauth_threads, "8", 1, 256, "threads", AUTH,
        "Logins at such providers that each worker has under way at once; others wait."),
    INT("auth.oauth_max_bytes", auth_oauth_max_bytes, "262144", KIB, 16 * MIB, "bytes", AUTH,
        "The largest answer of such a provider that is taken."),
    INT("auth.oauth_keys_s", auth_oauth_keys_s, "3600", 1, 30 * DAY, "s", AUTH,
        "How old the keys and endpoints of such a provider may be before it is asked for them again."),
    INT("auth.oauth_keys_pause_s", auth_oauth_keys_pause_s, "30", 0, DAY, "s", AUTH,
        "Keys that are younger are not asked for again when a token names one that is not among them."),
    INT("auth.oauth_leeway_s", auth_oauth_leeway_s, "60", 0, 3600, "s", AUTH,
        "By how much the clocks of such a provider may differ from ours."),
    BOOL("auth.dangerous_dev_login", auth_dangerous_dev_login, "false", AUTH,
        "Whoever sends DEV as code or access token is logged in: never where anybody else can connect."),
    BOOL("auth.registration", auth_registration, "true", AUTH,
        "Clients may make themselves accounts at the provider basic; else only operators make them."),
    INT("auth.max_failed_logins", auth_max_failed_logins, "10", 1, 1000000000, "attempts", AUTH,
        "Failed attempts on one account within auth.failed_login_window_s; further ones are refused, whatever they bring."),
    INT("auth.max_failed_logins_per_address", auth_max_failed_logins_per_address, "100", 1, 1000000000, "attempts", AUTH,
        "The same from one address, on whichever account."),
    INT("auth.failed_login_window_s", auth_failed_login_window_s, "300", 1, 30 * DAY, "s", AUTH,
        "Counted from the first failed attempt; then all of them are forgotten."),
    INT("auth.fresh_login_s", auth_fresh_login_s, "300", 1, 30 * DAY, "s", AUTH,
        "Who has logged in so recently may delete their account without a password."),
    BOOL("auth.tell_unknown_users", auth_tell_unknown_users, "false", AUTH,
        "Content clients hear of an unknown user (4010120) instead of a wrong credential: helps those who guess names."),
};
// clang-format on

const struct config_table settings_table = {rows, sizeof(rows) / sizeof(rows[0])};

struct amqp_tls settings_amqp_tls(const struct settings *settings)
{
    return (struct amqp_tls){settings->amqp_ca_file, settings->amqp_client_certificate,
                             settings->amqp_client_key};
}

struct redis_config settings_redis(const struct settings *settings)
{
    return (struct redis_config){
        .url = settings->redis_url,
        .sentinels = settings->redis_sentinels,
        .sentinel_name = settings->redis_sentinel_name,
        .sentinel_password = settings->redis_sentinel_password,
        .timeout_ms = settings->redis_timeout_ms,
        .wait_replicas = settings->redis_wait_replicas,
        .wait_ms = settings->redis_wait_ms,
    };
}

const char *program_name(enum program p)
{
    switch (p) {
    case PROGRAM_GATEWAY:
        return "activestack-gateway";
    case PROGRAM_SYNC:
        return "activestack-sync-agent";
    case PROGRAM_AUTH:
        return "activestack-auth-agent";
    case PROGRAM_CTL:
        return "activestack-ctl";
    default:
        return "activestack";
    }
}
