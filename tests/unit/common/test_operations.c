#include <string.h>

#include "common/protocol/operations.h"
#include "tests/support/unit.h"

static const struct operation *by_name(const char *name)
{
    return operation_by_name(name, strlen(name));
}

static const struct operation *by_class(const char *name)
{
    return operation_by_class(name, strlen(name));
}

START_TEST(names_are_unique_and_in_order)
{
    for (size_t i = 1; i < operation_count; i++)
        ck_assert_str_lt(operations[i - 1].name, operations[i].name);
}
END_TEST

/* Nothing of it is ever said to a client. */
static bool is_mute(const struct operation *o)
{
    static const char *const mute[] = {"announce",       "changedReceived", "disconnect",
                                       "gatewayAlive",   "logout",          "processFailed",
                                       "processReplied", "repliesReceived"};

    for (size_t i = 0; i < ARRAY_SIZE(mute); i++) {
        if (strcmp(o->name, mute[i]) == 0)
            return true;
    }
    return false;
}

START_TEST(no_column_is_empty)
{
    for (size_t i = 0; i < operation_count; i++) {
        const struct operation *o = &operations[i];

        if (o->origin == ORIGIN_CONTENT)
            continue;
        ck_assert_str_ne(o->name, "");
        ck_assert_ptr_nonnull(o->request_class);
        ck_assert_ptr_nonnull(strstr(o->request_class, "Request"));
        if (!is_mute(o)) {
            ck_assert_ptr_nonnull(o->response_class);
            ck_assert_ptr_nonnull(strstr(o->response_class, "Response"));
        }
    }
}
END_TEST

/* Its classes are the types of frames: a request has a result, a notification has no answer. */
START_TEST(what_only_the_content_protocol_has_is_asked_or_told)
{
    static const char *const asked[] = {"get_content", "get_children", "patch_content",
                                        "add_child"};
    static const char *const told[] = {"subscribe", "revoke"};
    size_t rows = 0;

    for (size_t i = 0; i < operation_count; i++)
        rows += operations[i].origin == ORIGIN_CONTENT;
    ck_assert_uint_eq(rows, ARRAY_SIZE(asked) + ARRAY_SIZE(told));
    for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
        ck_assert_int_eq(by_name(asked[i])->origin, ORIGIN_CONTENT);
        ck_assert_str_eq(by_name(asked[i])->request_class, "request");
        ck_assert_str_eq(by_name(asked[i])->response_class, "result");
    }
    for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
        ck_assert_int_eq(by_name(told[i])->origin, ORIGIN_CONTENT);
        ck_assert_str_eq(by_name(told[i])->request_class, "notify");
        ck_assert_ptr_null(by_name(told[i])->response_class);
    }
}
END_TEST

/* Content protocol, "Envelope". */
START_TEST(content_classes_have_their_numbers)
{
    static const struct {
        const char *name;
        int number;
    } rows[] = {
        {"authenticate", 1},
        {"connect", 1},
        {"reconnect", 2},
        {"logout", 3},
        {"disconnectAuth", 3},
        {"get_content", 4},
        {"get_children", 5},
        {"patch_content", 6},
        {"add_child", 7},
        {"subscribe", 8},
        {"revoke", 9},
        {"changePassword", 11},
        {"endOtherSessions", 12},
        {"deleteAccount", 13},
    };
    size_t numbered = 0;

    for (size_t i = 0; i < operation_count; i++)
        numbered += operations[i].content_class != 0;
    ck_assert_uint_eq(numbered, ARRAY_SIZE(rows));
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        ck_assert_int_eq(by_name(rows[i].name)->content_class, rows[i].number);
}
END_TEST

START_TEST(an_alias_is_as_what_it_stands_for)
{
    size_t aliases = 0;

    for (size_t i = 0; i < operation_count; i++) {
        const struct operation *alias = &operations[i], *o;

        if (!alias->served_by_name)
            continue;
        aliases++;
        o = by_name(alias->served_by_name);
        ck_assert_ptr_nonnull(o);
        ck_assert_ptr_null(o->served_by_name);
        ck_assert_str_eq(o->response_class, alias->response_class);
        ck_assert_int_eq(o->needs_login, alias->needs_login);
        ck_assert_int_eq(o->has_effects, alias->has_effects);
        ck_assert_int_eq(o->is_slow, alias->is_slow);
        ck_assert_int_eq(o->origin, alias->origin);
    }
    ck_assert_uint_eq(aliases, 7);
}
END_TEST

START_TEST(every_row_is_found_by_its_name)
{
    for (size_t i = 0; i < operation_count; i++)
        ck_assert_ptr_eq(by_name(operations[i].name), &operations[i]);
    ck_assert_str_eq(by_name("17")->served_by_name, "validateUserByToken");
    ck_assert_str_eq(by_name("41")->served_by_name, "authenticateOAuthCode");
    ck_assert_str_eq(by_name("42")->served_by_name, "authenticateOAuthAccessToken");
    ck_assert_str_eq(by_name("runServerProcess")->served_by_name, "runProcess");
}
END_TEST

START_TEST(other_names_are_not_found)
{
    static const char *const names[] = {
        "",  "4",    "find",       "findByI", "findByIdx",         "FindById", " findById",
        "~", "1700", "putObject ", "zzz",     "updatesReceived\n", "\xff"};
    char *longest = malloc(1000000);

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        ck_assert_ptr_null(by_name(names[i]));
    ck_assert_ptr_null(operation_by_name("findById\0x", 10));
    ck_assert_ptr_null(operation_by_name("findById", 7));
    memset(longest, 'p', 1000000);
    ck_assert_ptr_null(operation_by_name(longest, 1000000));
    ck_assert_ptr_null(operation_by_class(longest, 1000000));
    free(longest);
}
END_TEST

START_TEST(a_name_is_read_no_further_than_its_size)
{
    ck_assert_ptr_eq(operation_by_name("putObjectX", 9), by_name("putObject"));
}
END_TEST

START_TEST(a_class_names_the_operation_that_a_bare_object_is)
{
    static const char *const pairs[][2] = {
        {AUTH_CLASS("AuthenticationRequest"), "authenticate"},
        {AUTH_CLASS("ReauthenticationRequest"), "reauthenticate"},
        {AUTH_CLASS("ValidateUserByTokenRequest"), "validateUserByToken"},
        {AUTH_CLASS("AuthenticateOAuthCodeRequest"), "authenticateOAuthCode"},
        {SYNC_CLASS("CreateRequest"), "createObject"},
        {SYNC_CLASS("PutRequest"), "putObject"},
        {SYNC_CLASS("RemoveRequest"), "removeObject"},
        {SYNC_CLASS("FindByIdRequest"), "findById"},
        {SYNC_CLASS("LogoutRequest"), "logout"},
        {SYNC_CLASS("PushCWUpdateRequest"), "getChangeWatcher"},
        {SYNC_CLASS("PushUpdatesReceivedRequest"), "updatesReceived"},
        {SYNC_CLASS("RunProcessRequest"), "runProcess"},
        {SYNC_CLASS("RunServerProcessRequest"), "runProcess"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
        ck_assert_str_eq(by_class(pairs[i][0])->name, pairs[i][1]);
}
END_TEST

START_TEST(classes_that_clients_cannot_send_name_nothing)
{
    ck_assert_ptr_null(by_class(SYNC_CLASS("ConnectRequest")));
    ck_assert_ptr_null(by_class(SYNC_CLASS("ReconnectRequest")));
    ck_assert_ptr_null(by_class(SYNC_CLASS("ExportObjectsRequest")));
    ck_assert_ptr_null(by_class(SYNC_CLASS("ImportObjectsRequest")));
    ck_assert_ptr_null(by_class(SYNC_CLASS("DisconnectRequest")));
    ck_assert_ptr_null(by_class(AUTH_CLASS("DisconnectRequest")));
    ck_assert_ptr_null(by_class(SYNC_CLASS("PutResponse")));
    ck_assert_ptr_null(by_class(SYNC_CLASS("PutReques")));
    ck_assert_ptr_null(by_class(SYNC_CLASS("PutRequests")));
    ck_assert_ptr_null(by_class("request"));
    ck_assert_ptr_null(by_class("notify"));
    ck_assert_ptr_null(by_class(""));
}
END_TEST

START_TEST(what_writes_has_effects_and_what_reads_has_not)
{
    static const char *const writes[] = {
        "authenticate",  "connect",        "createObject", "disconnect",
        "logout",        "disconnectAuth", "putObject",    "reauthenticate",
        "reconnect",     "register",       "removeObject", "upgradeClient",
        "patch_content", "add_child",      "subscribe",    "revoke"};
    static const char *const reads[] = {
        "deletesReceived",     "findById",    "getAllByName", "updatesReceived",
        "validateUserByToken", "get_content", "get_children"};

    for (size_t i = 0; i < ARRAY_SIZE(writes); i++)
        ck_assert(by_name(writes[i])->has_effects);
    for (size_t i = 0; i < ARRAY_SIZE(reads); i++)
        ck_assert(!by_name(reads[i])->has_effects);
    ck_assert(by_name("updatesReceived")->is_receipt && by_name("deletesReceived")->is_receipt);
    ck_assert(!by_name("putObject")->is_receipt);
}
END_TEST

START_TEST(only_what_processes_may_have_to_answer_is_slow)
{
    size_t count = 0;

    for (size_t i = 0; i < operation_count; i++)
        count += operations[i].is_slow;
    ck_assert(by_name("runProcess")->is_slow && by_name("runServerProcess")->is_slow);
    ck_assert(by_name("getChangeWatcher")->is_slow);
    ck_assert_uint_eq(count, 3);
}
END_TEST

/* What the auth agent does for users who have logged in. */
static bool is_of_own_account(const struct operation *o)
{
    return o->agent == AGENT_AUTH && o->content_class > 10;
}

START_TEST(only_ways_to_log_in_need_no_login)
{
    for (size_t i = 0; i < operation_count; i++) {
        const struct operation *o = &operations[i];
        const bool is_auth = !is_of_own_account(o) && strncmp(o->request_class, AUTH_CLASS(""),
                                                              sizeof(AUTH_CLASS("")) - 1) == 0;

        if (o->origin == ORIGIN_OPERATOR || o->origin == ORIGIN_WORKER)
            ck_assert_msg(!o->needs_login, "%s", o->name);
        else
            ck_assert_msg(o->needs_login == (!is_auth || o->origin == ORIGIN_GATEWAY), "%s",
                          o->name);
    }
}
END_TEST

UNIT_SUITE("operations", names_are_unique_and_in_order, no_column_is_empty,
           what_only_the_content_protocol_has_is_asked_or_told, content_classes_have_their_numbers,
           an_alias_is_as_what_it_stands_for, every_row_is_found_by_its_name,
           other_names_are_not_found, a_name_is_read_no_further_than_its_size,
           a_class_names_the_operation_that_a_bare_object_is,
           classes_that_clients_cannot_send_name_nothing,
           what_writes_has_effects_and_what_reads_has_not,
           only_what_processes_may_have_to_answer_is_slow, only_ways_to_log_in_need_no_login)
