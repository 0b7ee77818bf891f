#include "common/protocol/operations.h"

#include <string.h>

#include "common/base/cleanup.h"

/* Who may send an operation, and what it does: the second column of the table. */
enum {
    LOGIN = 1,
    EFFECTS = 2,
    ACKNOWLEDGES = 4,
    FROM_GATEWAY = 8,
    FROM_OPERATOR = 16,
    FROM_CONTENT = 32,
    SLOW = 64,
    FROM_WORKER = 128,
    ENTERS = 256,

    OPEN = 0,                 /* before and after a login */
    ENTER = EFFECTS | ENTERS, /* a way to log in, or what belongs to one */
    READ = LOGIN,             /* what is read may be watched; losing that costs nobody anything */
    WRITE = LOGIN | EFFECTS,
    ENTERED = WRITE,     /* what a user does with their own account */
    AWAIT = READ | SLOW, /* the value may have to be computed by a process */
    RUN = WRITE | SLOW,
    RECEIPT = LOGIN | ACKNOWLEDGES, /* a lost one is made good by a redelivery */
    INNER = WRITE | FROM_GATEWAY,
    SIGNAL = LOGIN | FROM_GATEWAY, /* said again soon */
    INSPECT = FROM_OPERATOR,
    MEND = FROM_OPERATOR | EFFECTS,
    LOOK = READ | FROM_CONTENT,
    CHANGE = WRITE | FROM_CONTENT,
    WORKED = EFFECTS | FROM_WORKER
};

/* Request and response class, named as in the spec: S.FindByIdRequest, S.FindByIdResponse. */
#define S(name)              S_AS(name, name)
#define S_AS(request, reply) SYNC_CLASS(request "Request"), SYNC_CLASS(reply "Response")
#define S_MUTE(request)      SYNC_CLASS(request "Request"), NULL
#define A(name)              A_AS(name, name)
#define A_AS(request, reply) AUTH_CLASS(request "Request"), AUTH_CLASS(reply "Response")

/* Of the content protocol: the types of the frames. */
#define ASK  "request", "result"
#define TELL "notify", NULL

// clang-format off
#define OP(name, kind, agent, classes)        {name, NULL, classes, BITS(kind), AGENT_##agent, 0}
#define ALIAS(name, of, kind, agent, classes) {name, of, classes, BITS(kind), AGENT_##agent, 0}
/* What the content protocol has too, or alone: with the number of its class. */
#define CONTENT(number, name, kind, agent, classes) \
    {name, NULL, classes, BITS(kind), AGENT_##agent, number}
#define BITS(kind)                                                                                 \
    ORIGIN(kind), ((kind) & LOGIN) != 0, ((kind) & EFFECTS) != 0,                                  \
        ((kind) & ACKNOWLEDGES) != 0, ((kind) & SLOW) != 0, ((kind) & ENTERS) != 0
#define ORIGIN(kind)                                                                               \
    ((kind) & FROM_GATEWAY    ? ORIGIN_GATEWAY                                                     \
     : (kind) & FROM_OPERATOR ? ORIGIN_OPERATOR                                                    \
     : (kind) & FROM_WORKER   ? ORIGIN_WORKER                                                      \
     : (kind) & FROM_CONTENT  ? ORIGIN_CONTENT                                                     \
                              : ORIGIN_CLIENT)
// clang-format on

/* Spec 3.1. Operations that nobody serves stand here too, so that they are refused by name. */
const struct operation operations[] = {
    // clang-format off
    ALIAS("17", "validateUserByToken",  OPEN,    AUTH, A("ValidateUserByToken")),
    ALIAS("41", "authenticateOAuthCode", ENTER,   AUTH, A("AuthenticateOAuthCode")),
    ALIAS("42", "authenticateOAuthAccessToken", ENTER,   AUTH, A("AuthenticateOAuthAccessToken")),
    CONTENT(7, "add_child",             CHANGE,  SYNC, ASK),
    OP("announce",                      INNER,   SYNC, S_MUTE("Announce")),
    CONTENT(1, "authenticate",          ENTER,   AUTH, A("Authentication")),
    OP("authenticateOAuthAccessToken",  ENTER,   AUTH, A("AuthenticateOAuthAccessToken")),
    OP("authenticateOAuthCode",         ENTER,   AUTH, A("AuthenticateOAuthCode")),
    OP("authenticateUserAccount",       ENTER,   NONE, A("AuthenticateUserAccount")),
    CONTENT(11, "changePassword",       ENTERED, AUTH, A("ChangePassword")),
    OP("changedReceived",               SIGNAL,  SYNC, S_MUTE("ChangedReceived")),
    CONTENT(1, "connect",               INNER,   SYNC, S("Connect")),
    OP("countAllByName",                READ,    SYNC, S("CountAllByName")),
    ALIAS("create", "createObject",     WRITE,   SYNC, S("Create")),
    OP("createObject",                  WRITE,   SYNC, S("Create")),
    ALIAS("delete", "removeObject",     WRITE,   SYNC, S("Remove")),
    CONTENT(13, "deleteAccount",        ENTERED, AUTH, A("DeleteAccount")),
    OP("deletesReceived",               RECEIPT, SYNC, S("PushDeletesReceived")),
    OP("disconnect",                    INNER,   SYNC, S_MUTE("Disconnect")),
    CONTENT(3, "disconnectAuth",        INNER,   AUTH, A("Disconnect")),
    CONTENT(12, "endOtherSessions",     ENTERED, AUTH, A("EndOtherSessions")),
    OP("exportObjects",                 INSPECT, SYNC, S("ExportObjects")),
    OP("findByExample",                 READ,    SYNC, S("FindByExample")),
    OP("findById",                      READ,    SYNC, S("FindById")),
    OP("findByIds",                     READ,    SYNC, S("FindByIds")),
    OP("findUnique",                    READ,    SYNC, S("FindUnique")),
    OP("gatewayAlive",                  SIGNAL,  SYNC, S_MUTE("GatewayAlive")),
    OP("getAccessor",                   READ,    SYNC, S("GetAccessor")),
    OP("getAllByName",                  READ,    SYNC, S("GetAllByName")),
    OP("getAllServiceProviders",        OPEN,    AUTH, A_AS("GetAllServiceProviders", "Auth")),
    OP("getChangeWatcher",              AWAIT,   SYNC, S("PushCWUpdate")),
    OP("getHistory",                    READ,    SYNC, S("GetHistory")),
    OP("getOAuthRequestToken",          OPEN,    NONE, A_AS("GetOAuthRequestToken", "Auth")),
    OP("getRegAppOAuths",               OPEN,    NONE, A_AS("GetRegAppOAuths", "Auth")),
    OP("getRegisteredApplication",      OPEN,    NONE, A_AS("GetRegisteredApplication", "Auth")),
    OP("getServiceUsers",               OPEN,    NONE, A_AS("GetServiceUsers", "Auth")),
    CONTENT(5, "get_children",          LOOK,    SYNC, ASK),
    CONTENT(4, "get_content",           LOOK,    SYNC, ASK),
    OP("hibernate",                     INNER,   SYNC, S("Hibernate")),
    OP("importObjects",                 MEND,    SYNC, S("ImportObjects")),
    OP("inspectBooks",                  INSPECT, SYNC, S("InspectBooks")),
    OP("inspectClients",                INSPECT, SYNC, S("InspectClients")),
    OP("inspectUsers",                  INSPECT, AUTH, A("InspectUsers")),
    OP("inspectWatch",                  INSPECT, SYNC, S("InspectWatch")),
    CONTENT(3, "logout",                WRITE,   SYNC, S_MUTE("Logout")),
    OP("logoutUser",                    ENTER,   NONE, A_AS("LogoutUser", "Auth")),
    OP("modelCheck",                    INSPECT, SYNC, S("ModelCheck")),
    OP("modelMigrate",                  MEND,    SYNC, S("ModelMigrate")),
    OP("modelProgress",                 INSPECT, SYNC, S("ModelProgress")),
    CONTENT(6, "patch_content",         CHANGE,  SYNC, ASK),
    OP("processFailed",                 WORKED,  SYNC, S_MUTE("ProcessFailed")),
    OP("processReplied",                WORKED,  SYNC, S_MUTE("ProcessReplied")),
    OP("processTransaction",            WRITE,   SYNC, S("Transaction")),
    OP("putObject",                     WRITE,   SYNC, S("Put")),
    OP("reauthenticate",                ENTER,   AUTH, A_AS("Reauthentication", "Authentication")),
    CONTENT(2, "reconnect",             INNER,   SYNC, S_AS("Reconnect", "Connect")),
    OP("register",                      ENTER,   AUTH, A("Authentication")),
    OP("removeObject",                  WRITE,   SYNC, S("Remove")),
    OP("repliesReceived",               SIGNAL,  SYNC, S_MUTE("RepliesReceived")),
    CONTENT(9, "revoke",                CHANGE,  SYNC, TELL),
    OP("runProcess",                    RUN,     SYNC, S("RunProcess")),
    OP("runQuery",                      READ,    SYNC, S("RunQuery")),
    ALIAS("runServerProcess", "runProcess", RUN,     SYNC, S_AS("RunServerProcess", "RunProcess")),
    OP("searchByExample",               READ,    SYNC, S("SearchByExample")),
    OP("settleReferences",              MEND,    SYNC, S("SettleReferences")),
    CONTENT(8, "subscribe",             CHANGE,  SYNC, TELL),
    OP("testCall",                      OPEN,    AUTH, A_AS("TestCall", "Auth")),
    ALIAS("update", "putObject",        WRITE,   SYNC, S("Put")),
    OP("updatesReceived",               RECEIPT, SYNC, S("PushUpdatesReceived")),
    OP("upgradeClient",                 WRITE,   SYNC, S("UpgradeClient")),
    OP("userAdd",                       MEND,    AUTH, A("UserAdd")),
    OP("userChange",                    MEND,    AUTH, A("UserChange")),
    OP("userPassword",                  MEND,    AUTH, A("UserPassword")),
    OP("userRemove",                    MEND,    AUTH, A("UserRemove")),
    OP("validateUserByToken",           OPEN,    AUTH, A("ValidateUserByToken")),
    // clang-format on
};

const size_t operation_count = ARRAY_SIZE(operations);

/* As strcmp(), of a name that is not NUL-terminated and may hold NULs. */
static int compare(const char *name, size_t size, const char *other)
{
    size_t other_size = strlen(other);
    int order = memcmp(name, other, size < other_size ? size : other_size);

    return order ? order : (size > other_size) - (size < other_size);
}

const struct operation *operation_by_name(const char *name, size_t size)
{
    size_t low = 0, high = operation_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(name, size, operations[middle].name);

        if (order == 0)
            return &operations[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* The first row with this class that clients may send, among the aliases or among the others. */
static const struct operation *first_of_class(const char *name, size_t size, bool alias)
{
    for (size_t i = 0; i < operation_count; i++) {
        const struct operation *o = &operations[i];

        if (o->origin == ORIGIN_CLIENT && (o->served_by_name != NULL) == alias &&
            compare(name, size, o->request_class) == 0)
            return o;
    }
    return NULL;
}

const struct operation *operation_by_class(const char *request_class, size_t size)
{
    const struct operation *o = first_of_class(request_class, size, false);

    if (!o && (o = first_of_class(request_class, size, true)))
        o = operation_by_name(o->served_by_name, strlen(o->served_by_name));
    return o;
}
