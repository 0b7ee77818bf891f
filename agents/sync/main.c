#include "agents/sync/jobs/feed.h"
#include "agents/sync/metrics.h"
#include "agents/sync/operations.h"
#include "agents/sync/own.h"
#include "agents/sync/sessions/keep.h"

static const struct handler handlers[] = {
    // clang-format off
    { "add_child",          plan_add_child           },
    { "announce",           plan_announce            },
    { "changedReceived",    plan_changed_received    },
    { "connect",            plan_connect             },
    { "countAllByName",     plan_count_all_by_name   },
    { "createObject",       plan_create_object       },
    { "deletesReceived",    plan_deletes_received    },
    { "disconnect",         plan_disconnect          },
    { "exportObjects",      plan_export_objects      },
    { "findByExample",      plan_find_by_example     },
    { "findById",           plan_find_by_id          },
    { "findByIds",          plan_find_by_ids         },
    { "findUnique",         plan_find_unique         },
    { "gatewayAlive",       plan_gateway_alive       },
    { "getAccessor",        plan_get_accessor        },
    { "getAllByName",       plan_get_all_by_name     },
    { "get_children",       plan_get_children        },
    { "getChangeWatcher",   plan_get_change_watcher  },
    { "getHistory",         plan_get_history         },
    { "get_content",        plan_get_content         },
    { "hibernate",          plan_hibernate           },
    { "importObjects",      plan_import_objects      },
    { "inspectBooks",       plan_inspect_books       },
    { "inspectClients",     plan_inspect_clients     },
    { "inspectWatch",       plan_inspect_watch       },
    { "logout",             plan_logout              },
    { "modelCheck",         plan_model_check         },
    { "modelMigrate",       plan_model_migrate       },
    { "modelProgress",      plan_model_progress      },
    { "patch_content",      plan_patch_content       },
    { "processFailed",      plan_process_failed, .any_body = true },
    { "processReplied",     plan_process_replied, .any_body = true },
    { "processTransaction", plan_process_transaction },
    { "putObject",          plan_put_object          },
    { "reconnect",          plan_reconnect           },
    { "removeObject",       plan_remove_object       },
    { "repliesReceived",    plan_replies_received    },
    { "revoke",             plan_revoke              },
    { "runProcess",         plan_run_process         },
    { "runQuery",           plan_run_query           },
    { "searchByExample",    plan_search_by_example   },
    { "settleReferences",   plan_settle_references   },
    { "subscribe",          plan_subscribe           },
    { "updatesReceived",    plan_updates_received    },
    { "upgradeClient",      plan_upgrade_client      },
    // clang-format on
};

static const struct agent_definition sync_agent = {
    .program = PROGRAM_SYNC,
    .serves = AGENT_SYNC,
    .help = "Reads and writes shared objects, tells sessions of changes until they acknowledge.",
    .handlers = handlers,
    .handler_count = ARRAY_SIZE(handlers),
    .keep = plan_keep,
    .poll = plan_poll,
    .exchanges = feed_exchanges,
    .load = sync_own_load,
    .unload = sync_own_unload,
    .queues = sync_own_queues,
    .start = sync_own_start,
    .stop = sync_own_stop,
    .missing = sync_own_missing,
    .metrics = &sync_metrics,
};

int main(int argc, char **argv)
{
    return agent_main(&sync_agent, argc, argv);
}
