#pragma once

#include "agents/runtime/agent.h"

/*
 * operations of the sync agent - one plan function each, listed in main.c; the folder is the
 * family.
 */

/* ---- sessions/ (spec 1.6 to 1.8, 3.3; design section 7) ---- */

/* session.c */
work_fn plan_connect, plan_disconnect, plan_hibernate, plan_logout, plan_upgrade_client;
/* reconnect.c */
work_fn plan_reconnect;
/* gateways.c */
work_fn plan_gateway_alive, plan_announce;

/* ---- reads/ (spec 3.4, 10.4; design section 10) ---- */

/* read.c */
work_fn plan_find_by_id, plan_find_by_ids;
/* read_example.c */
work_fn plan_find_by_example, plan_search_by_example, plan_find_unique;
/* read_all.c */
work_fn plan_get_all_by_name, plan_count_all_by_name;
/* run_query.c */
work_fn plan_run_query;
/* accessor.c, history.c */
work_fn plan_get_accessor, plan_get_history;

/* ---- writes/ (spec 3.5; design section 8): create.c, put.c, remove.c, transaction.c ---- */

work_fn plan_create_object, plan_put_object, plan_remove_object, plan_process_transaction;

/* ---- content/ (the content protocol; design section 11), a file for each ---- */

work_fn plan_add_child, plan_get_content, plan_get_children, plan_patch_content;
work_fn plan_changed_received, plan_subscribe, plan_revoke;

/* ---- processes/ (spec 3.8; design section 13): run_process.c, answered.c ---- */

work_fn plan_run_process;
work_fn plan_process_replied, plan_process_failed;
/* ---- watchers/ (spec 3.7, 9): change_watcher.c ---- */

work_fn plan_get_change_watcher;

/* ---- pushes/ (spec 3.6; design section 9): receipts.c ---- */

work_fn plan_updates_received, plan_deletes_received, plan_replies_received;

/* ---- operator/, for activestack-ctl ---- */

/* inspect.c: books, clients, why */
work_fn plan_inspect_books, plan_inspect_clients, plan_inspect_watch;
/* model.c: model check, model migrate */
work_fn plan_model_check, plan_model_migrate, plan_model_progress;
/* export.c, import.c */
work_fn plan_export_objects, plan_import_objects, plan_settle_references;

/* ---- jobs/poll.c: looks for jobs and marks that are due ---- */

work_fn plan_poll;
