#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/amqp/amqp_link.h"
#include "common/process/config.h"
#include "common/redis/redis_link.h"

/*
 * settings - every setting of every program, in one table (settings.c), so that one file can
 * configure a whole deployment and each program knows the keys of the others.
 *
 * Names are the keys with "." for "_" at the first place: amqp_url is amqp.url. Units are in the
 * rows. Read-only after config_load().
 */

enum program {
    PROGRAM_GATEWAY = 1,
    PROGRAM_SYNC = 2,
    PROGRAM_AUTH = 4,
    PROGRAM_CTL = 8,
    PROGRAM_AGENTS = PROGRAM_SYNC | PROGRAM_AUTH,
    PROGRAM_ALL = 15
};

/* In the order of their documentation. */
struct settings { /* NOLINT(clang-analyzer-optin.performance.Padding) */
    /* What every program shares. */
    int log_level;       /* enum log_level */
    int log_format;      /* 0 text, 1 JSON */
    char *status_host;   /* see common/process/status.h */
    int64_t status_port; /* 0: none */
    int64_t status_store_ms;
    char *amqp_url;     /* amqp://user:password@host:port/vhost, or amqps://; no default */
    char *amqp_ca_file; /* of amqps://, as the next ones; "" = the system's */
    char *amqp_client_certificate; /* "" = none */
    char *amqp_client_key;
    int64_t amqp_heartbeat_s;
    char *redis_url; /* redis://:password@host:port/db or unix:///path; no default */
    int64_t redis_timeout_ms;
    char *redis_sentinels; /* "host:port,host:port"; "" = redis.url says where the primary is */
    char *redis_sentinel_name;
    char *redis_sentinel_password; /* "" = none */
    int64_t redis_wait_replicas;
    int64_t redis_wait_ms;
    bool redis_allow_weak; /* accept a Redis that may lose or evict data */
    char *model_file;      /* the domain model; no default */

    /* Gateway. */
    char *gateway_name; /* for connection names and logs; "" = host name */
    char *gateway_host; /* address to listen on */
    int64_t gateway_port;
    char *gateway_session_secret; /* key of signed sessions; 32 bytes or more; no default */
    char *gateway_session_secret_previous; /* still accepted; "" = none */
    int64_t gateway_session_max_age_s;
    int64_t gateway_max_connections;
    int64_t gateway_max_connections_per_address;
    int64_t gateway_max_upgrades_per_s_per_address;
    int64_t gateway_max_upgrades_per_s;
    int64_t gateway_handshake_timeout_s;
    char *gateway_tls_certificate; /* see gateway/sockets/tls.h */
    char *gateway_tls_key;
    int gateway_tls_clients; /* enum tls_clients */
    char *gateway_tls_client_ca;
    char *gateway_origins; /* see gateway/door/origins.h */
    bool gateway_require_origin;
    char *gateway_trusted_proxies; /* see gateway/door/forwarded.h */
    int64_t gateway_max_frame_bytes;
    int64_t gateway_max_depth;
    int64_t gateway_max_number_chars;
    char *gateway_content_provider;   /* with which clients of the content protocol log in */
    int64_t gateway_login_timeout_ms; /* beyond: 4004 */
    int64_t gateway_request_timeout_ms;
    int64_t gateway_process_timeout_ms;   /* the same, of slow operations */
    int64_t gateway_max_requests_per_s;   /* of one client */
    int64_t gateway_max_request_burst;    /* of one client */
    int64_t gateway_max_open_requests;    /* of one client */
    int64_t gateway_max_open_bytes;       /* of one client */
    int64_t gateway_queue_length;         /* requests waiting for the publishing thread */
    int64_t gateway_max_push_bytes;       /* waiting on one socket; beyond, pushes wait as marks */
    int64_t gateway_max_send_bytes;       /* waiting on one socket; beyond: 4003 */
    int64_t gateway_max_send_age_ms;      /* without anything leaving the socket; beyond: 4003 */
    int64_t gateway_max_unacknowledged;   /* objects sent to one client, without a push receipt */
    int64_t gateway_alive_ms;             /* how often it tells the agents that it lives */
    int64_t gateway_max_broker_outage_ms; /* requests get -119 after this */
    int64_t gateway_ping_interval_ms;
    int64_t gateway_ping_timeout_ms;
    int64_t gateway_drain_ms; /* window over which a stopping gateway sends its clients away */

    /* Agents. */
    char *agent_name;      /* for connection names and consumer tags; "" = host name */
    int64_t agent_workers; /* threads, each with its own broker and Redis connection */
    int64_t agent_prefetch;
    int64_t agent_batch;
    int64_t agent_presence_ms; /* how often each says that it runs, and by which model */

    /* Sync agent. */
    int64_t sync_max_object_bytes;
    int64_t sync_max_answer_bytes;        /* of one answer with many objects */
    int64_t sync_max_scan;                /* objects looked through for an example */
    int64_t sync_max_listed;              /* members of a listed to-many */
    int64_t sync_max_path_objects;        /* come to by a rule's path */
    int64_t sync_max_transaction_objects; /* saved and removed by one transaction */
    int64_t sync_mark_batch;              /* sessions marked by one step */
    int64_t sync_job_lease_ms;
    int64_t sync_poll_ms; /* how often due jobs and marks are looked for */
    int64_t sync_redelivery_first_ms;
    int64_t sync_redelivery_max_ms;
    int64_t sync_redelivery_silent_ms; /* for sessions that have never sent a receipt */
    int64_t sync_receipts_late_ms;     /* receipts this old pause redelivery */
    int64_t sync_reply_repeat_ms;      /* for replies without a receipt */
    int64_t sync_max_open_replies;     /* requests kept open per session */
    int64_t sync_max_open_bytes;       /* their bodies */
    int64_t sync_max_marks;            /* per session; beyond: 4005 */
    int64_t sync_notify_ms;            /* between two blocks for a session */
    int64_t sync_max_block;            /* changes in one block */
    int64_t sync_max_subscriptions;    /* per session of the content protocol */
    int64_t sync_content_idle_s;       /* the same as sync_session_idle_s for these */
    int64_t sync_session_idle_s;       /* an unbound session ends after this: 4005 */
    int64_t sync_presence_grace_ms;    /* who is gone for longer is shown as gone */
    int64_t sync_gateway_lease_ms;     /* a silent gateway's sessions are unbound after this */
    int64_t sync_replay_bytes;         /* of one frame that tells what was missed */
    int64_t sync_results_kept;         /* results of writes kept per session */
    int64_t sync_results_s;            /* and for how long */
    int64_t sync_tombstone_s;
    int64_t sync_view_batch;      /* children that find their places in one step */
    int64_t sync_pages_kept;      /* readings of each page of children */
    int64_t sync_page_bytes_kept; /* of them together */
    int64_t sync_pages_kept_s;
    int64_t sync_watch_window_ms;     /* between two computations of a watched value */
    int64_t sync_max_watched_objects; /* that one computation comes to */
    int64_t sync_max_watchers;        /* values that a session watches */
    int64_t sync_max_params_bytes;    /* of one of these, as canonical JSON */
    int64_t sync_history_kept;        /* states of each object whose class has a history */
    int64_t sync_json_history_kept;   /* earlier texts of json fields, of one object */
    int64_t sync_json_history_bytes;  /* of these */
    int64_t sync_max_patch_operations;
    int64_t sync_max_patch_work; /* bytes; see json_patch.h */
    int64_t sync_max_patch_tries;
    bool sync_change_feed; /* every committed change goes to the exchange "changes", too */

    /* Sync agent: processes. */
    char *process_file; /* those that clients may run; "" = none */
    int64_t process_presence_ms;
    int64_t process_max_calls;         /* of one session, under way */
    int64_t process_results_kept;      /* of one session */
    int64_t process_result_bytes_kept; /* of these */
    bool process_host;                 /* connectors and plug-ins run in this agent */
    char *process_plugin_dir;
    int64_t process_max_stuck; /* threads of a plug-in that are replaced */

    /* activestack-ctl. */
    int64_t ctl_max_line_bytes; /* of an import */

    /* Auth agent. */
    char *auth_seal_secret; /* shared with gateways: see seal; 32 bytes or more; no default */
    char *auth_seal_secret_previous; /* still opens; "" = none */
    char *auth_providers;            /* comma list: file, basic, anonymous, oauth */
    char *auth_users_file;
    char *auth_file_provider_id;
    int64_t auth_token_max_age_s;
    char *auth_oauth_file;
    int64_t auth_oauth_timeout_ms;
    int64_t auth_oauth_threads;
    int64_t auth_oauth_max_bytes;
    int64_t auth_oauth_keys_s;
    int64_t auth_oauth_keys_pause_s;
    int64_t auth_oauth_leeway_s;
    bool auth_dangerous_dev_login;
    bool auth_registration;
    int64_t auth_max_failed_logins;
    int64_t auth_max_failed_logins_per_address;
    int64_t auth_failed_login_window_s;
    int64_t auth_fresh_login_s;
    bool auth_tell_unknown_users;
};

extern const struct config_table settings_table;

/* What links to the broker need for TLS; borrowed from the settings. */
struct amqp_tls settings_amqp_tls(const struct settings *settings);

/* What links to Redis need; borrowed from the settings. */
struct redis_config settings_redis(const struct settings *settings);

/* The name of a program: "activestack-gateway", ... */
const char *program_name(enum program p);
