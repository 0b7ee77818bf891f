#include "agents/sync/keep.h"
#include "agents/sync/operations.h"

static const struct handler handlers[] = {
    // clang-format off
    { "announce",        plan_announce         }, /* gateways.c */
    { "connect",         plan_connect          }, /* session.c  */
    { "countAllByName",  plan_count_all_by_name }, /* read_all.c */
    { "createObject",    plan_create_object    }, /* create.c   */
    { "deletesReceived", plan_deletes_received }, /* receipts.c */
    { "disconnect",      plan_disconnect       }, /* session.c  */
    { "exportObjects",   plan_export_objects   }, /* export.c   */
    { "findByExample",   plan_find_by_example  }, /* read_example.c */
    { "findById",        plan_find_by_id       }, /* read.c     */
    { "findByIds",       plan_find_by_ids      }, /* read.c     */
    { "findUnique",      plan_find_unique      }, /* read_example.c */
    { "gatewayAlive",    plan_gateway_alive    }, /* gateways.c */
    { "getAccessor",     plan_get_accessor     }, /* accessor.c */
    { "getAllByName",    plan_get_all_by_name  }, /* read_all.c */
    { "getHistory",      plan_get_history      }, /* history.c  */
    { "hibernate",       plan_hibernate        }, /* session.c  */
    { "inspectBooks",    plan_inspect_books    }, /* inspect.c  */
    { "inspectClients",  plan_inspect_clients  }, /* inspect.c  */
    { "inspectWatch",    plan_inspect_watch    }, /* inspect.c  */
    { "importObjects",   plan_import_objects   }, /* import.c   */
    { "logout",          plan_logout           }, /* session.c  */
    { "modelCheck",      plan_model_check      }, /* model.c    */
    { "modelMigrate",    plan_model_migrate    }, /* model.c    */
    { "modelProgress",   plan_model_progress   }, /* model.c    */
    { "putObject",       plan_put_object       }, /* put.c      */
    { "reconnect",       plan_reconnect        }, /* reconnect.c */
    { "removeObject",    plan_remove_object    }, /* remove.c   */
    { "repliesReceived", plan_replies_received }, /* receipts.c */
    { "searchByExample", plan_search_by_example }, /* read_example.c */
    { "settleReferences", plan_settle_references }, /* import.c */
    { "updatesReceived", plan_updates_received }, /* receipts.c */
    { "upgradeClient",   plan_upgrade_client   }, /* session.c  */
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
};

int main(int argc, char **argv)
{
    return agent_main(&sync_agent, argc, argv);
}
