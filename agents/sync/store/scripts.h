#pragma once

#include "common/redis/redis_link.h"

/*
 * scripts - every step that the sync agent takes in Redis. Each file store/<name>.lua begins with
 * its arguments and what it returns; all can be run again without doing anything twice.
 */

extern const struct redis_script script_accessor;
extern const struct redis_script script_add_child;
extern const struct redis_script script_announce;
extern const struct redis_script script_books;
extern const struct redis_script script_cascade;
extern const struct redis_script script_claim;
extern const struct redis_script script_clients;
extern const struct redis_script script_connect;
extern const struct redis_script script_create;
extern const struct redis_script script_disconnect;
extern const struct redis_script script_end_session;
extern const struct redis_script script_entry_points;
extern const struct redis_script script_export;
extern const struct redis_script script_fan_out;
extern const struct redis_script script_fan_out_end;
extern const struct redis_script script_forget_user;
extern const struct redis_script script_gateway_alive;
extern const struct redis_script script_gateway_gone;
extern const struct redis_script script_gateway_lost;
extern const struct redis_script script_get_children;
extern const struct redis_script script_get_content;
extern const struct redis_script script_history;
extern const struct redis_script script_keep;
extern const struct redis_script script_import;
extern const struct redis_script script_logout;
extern const struct redis_script script_maker;
extern const struct redis_script script_migrate;
extern const struct redis_script script_migrate_end;
extern const struct redis_script script_migrate_order;
extern const struct redis_script script_migrate_progress;
extern const struct redis_script script_notify;
extern const struct redis_script script_online;
extern const struct redis_script script_overtaken;
extern const struct redis_script script_own_class;
extern const struct redis_script script_patch;
extern const struct redis_script script_process_ask;
extern const struct redis_script script_process_begin;
extern const struct redis_script script_process_end;
extern const struct redis_script script_process_progress;
extern const struct redis_script script_put;
extern const struct redis_script script_read;
extern const struct redis_script script_read_all;
extern const struct redis_script script_read_example;
extern const struct redis_script script_reconnect;
extern const struct redis_script script_redeliver;
extern const struct redis_script script_remove;
extern const struct redis_script script_replies_received;
extern const struct redis_script script_resume;
extern const struct redis_script script_resumed;
extern const struct redis_script script_review_paths;
extern const struct redis_script script_review_roles;
extern const struct redis_script script_settle;
extern const struct redis_script script_settle_block;
extern const struct redis_script script_settle_reference;
extern const struct redis_script script_subscribe;
extern const struct redis_script script_survey;
extern const struct redis_script script_tally;
extern const struct redis_script script_transaction;
extern const struct redis_script script_upgrade;
extern const struct redis_script script_watch;
extern const struct redis_script script_watch_begin;
extern const struct redis_script script_watch_depend;
extern const struct redis_script script_watch_leave;
extern const struct redis_script script_watch_read;
extern const struct redis_script script_watch_settle;
extern const struct redis_script script_watch_sweep;
extern const struct redis_script script_watch_told;
extern const struct redis_script script_watch_touch;
extern const struct redis_script script_watch_wait;
extern const struct redis_script script_why;
