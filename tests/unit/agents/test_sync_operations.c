#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "agents/runtime/agent.h"
#include "agents/sync/operations.h"
#include "tests/support/fake_reply.h"
#include "tests/support/unit.h"

/*
 * Handlers without servers: a request goes in, the call that it would make is looked at, a reply of
 * Redis is put in its place, and the answer comes out.
 */

static struct agent agent;
static struct work work;
static size_t spawned;

/* In place of the worker's: only counts. */
void work_spawn(const struct work *parent, work_fn *first, void *state,
                void (*state_destroy)(void *state))
{
    (void)parent;
    (void)first;
    spawned++;
    state_destroy(state);
}

static void set_up(void)
{
    struct text problems = {0};

    agent.proc.settings.sync_max_object_bytes = 1000;
    agent.proc.settings.sync_max_answer_bytes = 100000;
    agent.proc.settings.sync_max_scan = 10000;
    agent.proc.settings.sync_results_kept = 1000;
    agent.proc.settings.sync_results_s = 3600;
    strcpy(agent.name, "sync-agent@test");
    ck_assert_int_eq(model_load(EXAMPLE_MODEL, &agent.model, &problems), ERR_OK);
    work = (struct work){.agent = &agent};
    spawned = 0;
}

static void forget(struct work_out **list, size_t *count)
{
    for (size_t i = 0; i < *count; i++)
        msg_destroy((*list)[i].msg);
    free(*list);
    *list = NULL;
    *count = 0;
}

static void tear_down(void)
{
    if (work.state_destroy)
        work.state_destroy(work.state);
    forget(&work.out, &work.out_count);
    redis_call_deinit(&work.call);
    request_deinit(&work.request);
    model_destroy(agent.model);
}

static enum work_step ask(const char *operation, work_fn *plan, const char *body)
{
    struct text problem = {0};
    struct msg m = {.queue = operation,
                    .reply_to = "gateway.1",
                    .client = "c1",
                    .user = "u1",
                    .message_id = "m1",
                    .correlation_id = "5",
                    .accepted_ms = 1000,
                    .body = body,
                    .size = strlen(body)};

    ck_assert_int_eq(
        request_read(&work.request, operation_by_name(operation, strlen(operation)), &m, &problem),
        ERR_OK);
    return plan(&work);
}

static const char *answer_to(const char *const *strings)
{
    fake_reply_strings(&work.call, strings);
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    ck_assert_uint_eq(work.out_count, 1);
    ck_assert_str_eq(work.out[0].msg->queue, "gateway.1");
    ck_assert_str_eq(work.out[0].msg->correlation_id, "5");
    return work.out[0].msg->body;
}

static bool has_arg(const char *arg)
{
    size_t from = 0;

    for (size_t i = 0; i < work.call.count; i++) {
        size_t size = work.call.ends[i] - from;

        if (size == strlen(arg) && !memcmp(work.call.args.at + from, arg, size))
            return true;
        from = work.call.ends[i];
    }
    return false;
}

#define TASK(members) "{\"theObject\":{\"cn\":\"com.app.mo.Task\"" members "}}"

/* ---- What is refused before Redis is asked ---- */

static const struct {
    const char *operation;
    work_fn *plan;
    const char *body, *answer;
} refused[] = {
    {"findById", plan_find_by_id, "{}", "\"errorCode\":\"-115\""},
    {"findById", plan_find_by_id, "{\"theClassName\":\"no.Such\",\"theClassId\":\"1\"}",
     "\"errorCode\":\"-104\""},
    {"findById", plan_find_by_id, "{\"theClassName\":\"com.app.mo.Task\",\"theClassId\":7}",
     "theClassId: expected a string, found number"},
    {"findByExample", plan_find_by_example, "{}", "\"errorCode\":\"-115\""},
    {"findByExample", plan_find_by_example, TASK(",\"done\":7"),
     "theObject.done: expected a boolean"},
    {"findUnique", plan_find_unique, "{\"theObject\":{\"cn\":\"no.Such\"}}",
     "\"errorCode\":\"-104\""},
    {"createObject", plan_create_object, "{}", "\"errorCode\":\"-115\""},
    {"createObject", plan_create_object, "{\"theObject\":{\"cn\":7}}", "\"errorCode\":\"-115\""},
    {"createObject", plan_create_object, "{\"theObject\":{\"cn\":\"no.Such\"}}",
     "\"errorCode\":\"-104\""},
    {"createObject", plan_create_object, "{\"theObject\":{\"cn\":\"com.app.mo.Item\"}}",
     "\"errorCode\":\"-104\""},
    {"createObject", plan_create_object, TASK(",\"ID\":\"1\",\"nope\":1"), "\"result\":false"},
    {"createObject", plan_create_object, TASK(",\"ID\":\"1\",\"done\":7"),
     "theObject.done: expected a boolean"},
    {"createObject", plan_create_object, TASK(",\"done\":true,\"done\":true"), "\"result\":false"},
    {"createObject", plan_create_object,
     "{\"theObject\":{\"cn\":\"com.app.mo.Group\",\"ID\":\"7\"}}", "made by the server"},
    {"createObject", plan_create_object, "{\"theObject\":{\"cn\":\"com.app.mo.Message\"}}",
     "made as children"},
    {"putObject", plan_put_object, TASK(",\"done\":true"), "theObject.ID"},
    {"putObject", plan_put_object,
     "{\"putTimestamp\":\"now\",\"theObject\":{\"cn\":\"com.app.mo.Task\",\"ID\":\"1\"}}",
     "putTimestamp"},
    {"putObject", plan_put_object, TASK(",\"ID\":\"1\",\"priority\":1.5"), "\"result\":false"},
    {"removeObject", plan_remove_object, "{}", "\"errorCode\":\"-115\""},
    {"removeObject", plan_remove_object,
     "{\"removePair\":{\"className\":\"no.Such\",\"ID\":\"1\"}}", "\"errorCode\":\"-104\""},
    {"updatesReceived", plan_updates_received, "{\"classIdPairs\":7}", "\"errorCode\":\"-115\""},
    {"connect", plan_connect, "{\"clientId\":\"c1\"}", "\"errorCode\":\"-115\""},
    {"upgradeClient", plan_upgrade_client, "{\"deviceType\":7}", "\"errorCode\":\"-115\""},
};

START_TEST(a_request_that_cannot_be_served_is_answered_at_once)
{
    ck_assert_int_eq(ask(refused[_i].operation, refused[_i].plan, refused[_i].body), WORK_PUBLISH);
    assert_contains(work.out[0].msg->body, refused[_i].answer);
    assert_contains(work.out[0].msg->body, "\"correspondingMessageId\":\"m1\"");
}
END_TEST

START_TEST(an_object_over_the_size_limit_is_refused)
{
    struct text body = {0};

    text_add(&body, "{\"theObject\":{\"cn\":\"com.app.mo.Task\",\"ID\":\"1\",\"title\":\"");
    while (body.size < 1100)
        text_add_char(&body, 'x');
    text_add(&body, "\"}}");
    ck_assert_int_eq(ask("createObject", plan_create_object, body.at), WORK_PUBLISH);
    assert_contains(work.out[0].msg->body, "expected at most 1000 bytes");
    text_deinit(&body);
}
END_TEST

/* ---- findById ---- */

START_TEST(a_read_by_a_parent_class_tries_every_concrete_class)
{
    ck_assert_int_eq(ask("findById", plan_find_by_id,
                         "{\"theClassName\":\"com.app.mo.Item\",\"theClassId\":\"1\"}"),
                     WORK_CALL);
    ck_assert(has_arg("com.app.mo.Task"));
    ck_assert(has_arg("com.app.mo.Note"));
    ck_assert(!has_arg("com.app.mo.Item"));
}
END_TEST

START_TEST(what_is_found_is_printed_whole_in_the_models_order)
{
    ask("findById", plan_find_by_id, "{\"theClassName\":\"com.app.mo.Note\",\"theClassId\":\"n\"}");
    fake_reply(&work.call,
               "*3\r\n$2\r\nok\r\n$1\r\n9\r\n*2\r\n$17\r\ncom.app.mo.Note:n\r\n"
               "*4\r\n$2\r\n@v\r\n$1\r\n3\r\n$4\r\nbody\r\n$16\r\n3 1000 [1.10,{}]\r\n");
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(work.out[0].msg->body,
                    "\"result\":{\"cn\":\"com.app.mo.Note\",\"ID\":\"n\",\"title\":null,"
                    "\"text\":null,\"created\":null,\"owner\":null,\"body\":[1.10,{}]}}");
    /* The look for something newer is ready. */
    ck_assert(has_arg("HGET"));
    ck_assert(has_arg("{o:com.app.mo.Note:n}"));
}
END_TEST

static const struct {
    const char *protocol;
    bool again;
} newest_replies[] = {
    {"$1\r\n3\r\n", false}, /* what we said is still the newest */
    {"$1\r\n4\r\n", true},
    {"$-1\r\n", false}, /* even its tombstone is gone */
};

static enum work_step reply_taken(void)
{
    forget(&work.out, &work.out_count);
    return work.next(&work);
}

START_TEST(a_reply_that_was_overtaken_is_said_again)
{
    ask("findById", plan_find_by_id, "{\"theClassName\":\"com.app.mo.Note\",\"theClassId\":\"n\"}");
    fake_reply(&work.call, "*3\r\n$2\r\nok\r\n$1\r\n9\r\n*2\r\n$17\r\ncom.app.mo.Note:n\r\n"
                           "*2\r\n$2\r\n@v\r\n$1\r\n3\r\n");
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    ck_assert_int_eq(reply_taken(), WORK_CALL);
    fake_reply(&work.call, newest_replies[_i].protocol);
    ck_assert_int_eq(work.next(&work), newest_replies[_i].again ? WORK_CALL : WORK_DONE);
    if (newest_replies[_i].again) {
        ck_assert(has_arg("com.app.mo.Note:n"));
        ck_assert(has_arg("3"));
        ck_assert(has_arg("9"));
    }
}
END_TEST

START_TEST(what_is_not_found_is_null)
{
    ask("findById", plan_find_by_id, "{\"theClassName\":\"com.app.mo.Note\",\"theClassId\":\"n\"}");
    assert_contains(answer_to((const char *const[]){"ok", "9", NULL}), "\"result\":null}");
}
END_TEST

START_TEST(an_unknown_client_is_told_so)
{
    ask("findById", plan_find_by_id, "{\"theClassName\":\"com.app.mo.Note\",\"theClassId\":\"n\"}");
    assert_contains(answer_to((const char *const[]){"client", NULL}), "\"errorCode\":\"-100\"");
}
END_TEST

/* ---- getAccessor, getHistory ---- */

#define ABOUT(class_name) "{\"theClassName\":\"" class_name "\",\"theClassId\":\"n\""

START_TEST(each_right_is_the_scripts_digit)
{
    const char *body;

    ask("getAccessor", plan_get_accessor, ABOUT("com.app.mo.Note") ",\"returnObject\":true}");
    body = answer_to((const char *const[]){"ok", "9", "1001", NULL});
    assert_contains(body, "\"resultObject\":null,\"accessor\":{\"cn\":"
                          "\"com.percero.framework.accessor.Accessor\",\"ID\":\"null\","
                          "\"canCreate\":false,\"canDelete\":true,\"canRead\":true,"
                          "\"canUpdate\":false}}");
}
END_TEST

START_TEST(nobody_may_create_an_object_of_an_abstract_class)
{
    ask("getAccessor", plan_get_accessor, ABOUT("com.app.mo.Note") "}");
    ck_assert(!has_arg("nobody"));
    tear_down();
    set_up();
    ask("getAccessor", plan_get_accessor, ABOUT("com.app.mo.Item") "}");
    ck_assert(has_arg("nobody"));
    ck_assert(has_arg("com.app.mo.Task"));
}
END_TEST

START_TEST(the_object_beside_an_accessor_may_have_been_overtaken)
{
    ask("getAccessor", plan_get_accessor, ABOUT("com.app.mo.Note") ",\"returnObject\":true}");
    fake_reply(&work.call, "*5\r\n$2\r\nok\r\n$1\r\n9\r\n$4\r\n1111\r\n$17\r\ncom.app.mo.Note:n\r\n"
                           "*4\r\n$2\r\n@v\r\n$1\r\n3\r\n$5\r\ntitle\r\n$10\r\n3 1000 \"a\"\r\n");
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(work.out[0].msg->body, "\"ID\":\"n\",\"title\":\"a\",");
    ck_assert(has_arg("HGET"));
}
END_TEST

/* A step of the history that finds `count` states, from this version down. */
static void find_states(int64_t version, size_t count)
{
    struct text protocol = {0};

    text_add(&protocol, "*4\r\n$2\r\nok\r\n$1\r\n9\r\n$17\r\ncom.app.mo.Note:n\r\n");
    text_addf(&protocol, "*%zu\r\n", count);
    for (size_t i = 0; i < count; i++) {
        struct text state = {0};

        text_addf(&state, "{\"version\":%d,\"time\":5,\"user\":\"u\",\"fields\":{\"title\":\"a\"}}",
                  (int)(version - (int64_t)i));
        text_addf(&protocol, "$%zu\r\n%s\r\n", state.size, state.at);
        text_deinit(&state);
    }
    fake_reply(&work.call, protocol.at);
    text_deinit(&protocol);
}

START_TEST(a_history_is_read_in_steps_and_a_put_in_between_repeats_nothing)
{
    const char *body, *at;
    size_t states = 0;

    ck_assert_int_eq(ask("getHistory", plan_get_history, ABOUT("com.app.mo.Note") "}"), WORK_CALL);
    find_states(15, 10);
    ck_assert_int_eq(work.next(&work), WORK_CALL);
    find_states(7, 7); /* version 16 has moved the list on: 7 and 6 come again */
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    body = work.out[0].msg->body;
    assert_contains(body, "\"result\":[{\"cn\":\"com.percero.agents.sync.vo.HistoricalObject\","
                          "\"ID\":\"com.app.mo.Note:n:15\",\"objectChangeDate\":5,"
                          "\"objectChangerId\":\"u\",\"objectVersion\":\"15\","
                          "\"objectId\":\"n\",\"objectClassName\":\"com.app.mo.Note\","
                          "\"objectData\":\"{\\\"cn\\\":\\\"com.app.mo.Note\\\",");
    assert_contains(body, "\\\"title\\\":\\\"a\\\",\\\"text\\\":null");
    for (at = body; (at = strstr(at, "HistoricalObject")); at++)
        states++;
    ck_assert_uint_eq(states, 15);
}
END_TEST

START_TEST(a_history_that_may_not_be_read_is_null)
{
    ask("getHistory", plan_get_history, ABOUT("com.app.mo.Note") "}");
    assert_contains(answer_to((const char *const[]){"ok", "9", NULL}), "\"result\":null}");
}
END_TEST

START_TEST(a_history_over_the_limit_of_answers_is_refused)
{
    agent.proc.settings.sync_max_answer_bytes = 100;
    ask("getHistory", plan_get_history, ABOUT("com.app.mo.Note") "}");
    find_states(3, 3);
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(work.out[0].msg->body, "\"errorCode\":\"-120\"");
}
END_TEST

/* ---- Writes ---- */

static const struct {
    const char *outcome, *answer;
    bool result;
} outcomes[] = {
    {"ok", "\"data\":null", true},
    {"same", "\"data\":null", true},
    {"stale", "\"code\":\"-201\"", false},
    {"missing", "\"code\":\"-201\"", false},
    {"forbidden", "\"code\":\"-117\"", false},
    {"reference", "\"code\":\"-201\"", false},
    {"unique", "\"message\":\"another object has the same 4\"", false},
};

START_TEST(the_outcome_of_a_put_becomes_its_result)
{
    const char *body;

    ck_assert_int_eq(ask("putObject", plan_put_object, TASK(",\"ID\":\"1\",\"done\":null")),
                     WORK_CALL);
    ck_assert(has_arg("done"));
    ck_assert(has_arg("null")); /* clears, unlike a field that is absent */
    ck_assert(!has_arg("title"));
    body = answer_to((const char *const[]){outcomes[_i].outcome, "9", "4", "77", NULL});
    assert_contains(body, outcomes[_i].answer);
    assert_contains(body, outcomes[_i].result ? "\"result\":true}" : "\"result\":false}");
    ck_assert_uint_eq(spawned, !strcmp(outcomes[_i].outcome, "ok"));
}
END_TEST

START_TEST(a_repeated_write_answers_as_the_first_time_and_tells_nobody)
{
    ask("createObject", plan_create_object, TASK(",\"ID\":\"1\",\"done\":true"));
    assert_contains(answer_to((const char *const[]){"again", "9", "ok 1", NULL}),
                    "\"theObject\":{\"cn\":\"com.app.mo.Task\",\"ID\":\"1\",\"title\":null,");
    ck_assert_uint_eq(spawned, 0);
}
END_TEST

START_TEST(a_repeated_refusal_is_the_same_refusal)
{
    ask("removeObject", plan_remove_object,
        "{\"removePair\":{\"className\":\"com.app.mo.Task\",\"ID\":\"1\"}}");
    assert_contains(answer_to((const char *const[]){"again", "9", "forbidden ", NULL}),
                    "\"code\":\"-117\"");
}
END_TEST

START_TEST(a_repeated_refusal_names_the_fields_of_the_unique_index_again)
{
    ask("createObject", plan_create_object, TASK(",\"ID\":\"1\",\"done\":true"));
    assert_contains(answer_to((const char *const[]){"again", "9", "unique owner+title", NULL}),
                    "another object has the same owner and title");
}
END_TEST

/* The only argument that is as long as a UUID. */
static char *uuid_arg(void)
{
    size_t from = 0;

    for (size_t i = 0; i < work.call.count; from = work.call.ends[i++]) {
        if (work.call.ends[i] - from == 36)
            return strndup(work.call.args.at + from, 36);
    }
    ck_abort_msg("no UUID among the arguments");
}

START_TEST(an_id_that_we_make_follows_from_the_request)
{
    char *first, *second;

    ck_assert_int_eq(ask("createObject", plan_create_object, TASK("")), WORK_CALL);
    first = uuid_arg();
    tear_down();
    set_up();
    ck_assert_int_eq(ask("createObject", plan_create_object, TASK("")), WORK_CALL);
    second = uuid_arg();
    ck_assert_str_eq(first, second);
    free(first);
    free(second);
}
END_TEST

START_TEST(a_default_is_stored_and_answered)
{
    agent.proc.settings.sync_max_object_bytes = 1000;
    ck_assert_int_eq(ask("createObject", plan_create_object,
                         "{\"theObject\":{\"cn\":\"com.app.mo.Person\",\"first_name\":\"A\"}}"),
                     WORK_CALL);
    ck_assert(has_arg("\"offline\""));
    assert_contains(answer_to((const char *const[]){"ok", "9", "12", "77", "1", NULL}),
                    "\"ID\":\"12\"");
    assert_contains(work.out[0].msg->body, "\"presence\":\"offline\"");
}
END_TEST

START_TEST(an_error_of_redis_is_an_internal_error)
{
    ask("putObject", plan_put_object, TASK(",\"ID\":\"1\",\"done\":true"));
    fake_reply(&work.call, "-ERR boom\r\n");
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(work.out[0].msg->body, "SyncErrorResponse");
    ck_assert_ptr_null(strstr(work.out[0].msg->body, "boom")); /* details are for the log */
}
END_TEST

/* ---- Reads by example ---- */

#define OWNED    "\"owner\":{\"className\":\"com.app.mo.Person\",\"ID\":\"7\"}"
#define ASSIGNED "\"assignee\":{\"className\":\"com.app.mo.Person\",\"ID\":\"7\"}"

static const struct {
    const char *members;
    const char *index; /* NULL: none */
    const char *most;  /* objects to walk through */
} plans[] = {
    {"", NULL, "10000"},
    {",\"title\":\"x\"", NULL, "10000"},
    {",\"done\":true", NULL, "10000"}, /* only the second field of an index */
    {"," OWNED, "owner", "-1"},
    {"," OWNED ",\"title\":\"x\"", "owner", "10000"},
    {"," ASSIGNED, "assignee", "-1"},
    {",\"done\":true," ASSIGNED, "assignee+done", "-1"},
    {",\"done\":true," OWNED "," ASSIGNED, "assignee+done", "10000"},
};

START_TEST(an_example_walks_the_index_with_the_most_fields_that_are_given)
{
    static const char *const indexes[] = {"owner", "assignee", "assignee+done"};
    _cleanup_(text_deinitp) struct text body = {0};

    text_addf(&body, TASK("%s"), plans[_i].members);
    ck_assert_int_eq(ask("findByExample", plan_find_by_example, body.at), WORK_CALL);
    ck_assert_str_eq(work.call.script->name, "read_example");
    for (size_t i = 0; i < ARRAY_SIZE(indexes); i++) {
        bool is_field = strstr(body.at, indexes[i]) != NULL; /* then its name is there anyway */
        bool chosen = plans[_i].index && !strcmp(indexes[i], plans[_i].index);

        if (chosen || !is_field)
            ck_assert_int_eq(has_arg(indexes[i]), chosen);
    }
    ck_assert(has_arg(plans[_i].most));
}
END_TEST

static const char *found(const char *last)
{
    static struct text protocol;

    text_clear(&protocol);
    text_addf(&protocol,
              "*4\r\n$2\r\nok\r\n$1\r\n9\r\n*2\r\n$17\r\ncom.app.mo.Task:n\r\n"
              "*2\r\n$2\r\n@v\r\n$1\r\n3\r\n$%zu\r\n%s\r\n",
              strlen(last), last);
    return protocol.at;
}

START_TEST(a_search_goes_on_until_nothing_is_left)
{
    ask("searchByExample", plan_search_by_example, TASK(",\"title\":\"x\""));
    fake_reply(&work.call, found("n\ncom.app.mo.Task"));
    ck_assert_int_eq(work.next(&work), WORK_CALL);
    ck_assert(has_arg("n\ncom.app.mo.Task"));
    fake_reply(&work.call, found(""));
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(work.out[0].msg->body, "\"result\":[{\"cn\":\"com.app.mo.Task\",\"ID\":\"n\"");
    assert_contains(work.out[0].msg->body, "},{\"cn\":");
}
END_TEST

START_TEST(a_search_for_one_ends_with_the_first)
{
    ask("findUnique", plan_find_unique, TASK(",\"title\":\"x\""));
    fake_reply(&work.call, found("n\ncom.app.mo.Task"));
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    assert_contains(work.out[0].msg->body, "\"result\":{\"cn\":\"com.app.mo.Task\",\"ID\":\"n\"");
}
END_TEST

static const struct {
    const char *operation;
    work_fn *plan;
    bool falls_back;
    const char *nothing;
} id_uses[] = {
    {"findByExample", plan_find_by_example, true, "\"result\":[]}"},
    {"findUnique", plan_find_unique, true, "\"result\":null}"},
    {"searchByExample", plan_search_by_example, false, "\"result\":[]}"},
};

START_TEST(an_id_counts_only_when_nothing_else_was_found)
{
    const char *const nothing[] = {"ok", "9", "", "", NULL};

    ask(id_uses[_i].operation, id_uses[_i].plan, TASK(",\"ID\":\"77\",\"title\":\"x\""));
    ck_assert(!has_arg("77"));
    if (id_uses[_i].falls_back) {
        fake_reply_strings(&work.call, nothing);
        ck_assert_int_eq(work.next(&work), WORK_CALL);
        ck_assert_str_eq(work.call.script->name, "read");
        ck_assert(has_arg("77"));
    }
    assert_contains(answer_to(nothing), id_uses[_i].nothing);
}
END_TEST

static const struct {
    const char *members, *told;
} missing_indexes[] = {
    {",\"title\":\"x\",\"done\":true", "needs an index on com.app.mo.Task(title,done)"},
    {"", "com.app.mo.Task has more than 10000 objects"},
};

START_TEST(an_example_that_is_too_expensive_names_the_index_that_is_missing)
{
    _cleanup_(text_deinitp) struct text body = {0};

    text_addf(&body, TASK("%s"), missing_indexes[_i].members);
    ask("findByExample", plan_find_by_example, body.at);
    assert_contains(answer_to((const char *const[]){"expensive", "9", NULL}),
                    missing_indexes[_i].told);
    assert_contains(work.out[0].msg->body, "\"errorCode\":\"-120\"");
}
END_TEST

/* ---- Receipts and sessions ---- */

START_TEST(a_huge_receipt_is_settled_in_several_calls)
{
    struct text body = {0};
    size_t calls = 1;

    text_add(&body, "{\"classIdPairs\":[7,{\"className\":\"x\"}");
    for (size_t i = 0; i < 600; i++)
        text_addf(&body, ",{\"className\":\"com.app.mo.Task\",\"ID\":\"%zu\"}", i);
    text_add(&body, "]}");
    ck_assert_int_eq(ask("updatesReceived", plan_updates_received, body.at), WORK_CALL);
    ck_assert(has_arg("com.app.mo.Task:249"));
    ck_assert(!has_arg("com.app.mo.Task:250"));
    for (enum work_step step = WORK_CALL; step == WORK_CALL;) {
        fake_reply_strings(&work.call, (const char *const[]){"ok", "9", NULL});
        step = work.next(&work);
        calls += step == WORK_CALL;
    }
    ck_assert_uint_eq(calls, 3);
    assert_contains(work.out[0].msg->body, "PushUpdatesReceivedResponse");
    text_deinit(&body);
}
END_TEST

START_TEST(a_refused_connect_says_so_by_a_null_client)
{
    ask("connect", plan_connect, "{\"token\":\"t\"}");
    ck_assert(!has_arg("t")); /* only its hash leaves the process */
    assert_contains(answer_to((const char *const[]){"refused", NULL}), "\"clientId\":null");
}
END_TEST

START_TEST(a_connect_tells_the_gateway_its_epoch)
{
    ask("connect", plan_connect, "{\"token\":\"t\"}");
    assert_contains(answer_to((const char *const[]){"ok", "9", "4", "u1", NULL}),
                    "\"clientId\":\"c1\"");
    ck_assert_uint_eq(work.out[0].msg->epoch, 4);
    ck_assert_str_eq(work.out[0].msg->user, "u1");
}
END_TEST

START_TEST(a_hibernation_says_whether_there_was_such_a_session)
{
    ask("hibernate", plan_hibernate, "{}");
    assert_contains(answer_to((const char *const[]){"ok", "9", NULL}),
                    "HibernateResponse\",\"clientId\":\"c1\"");
    assert_contains(work.out[0].msg->body, "\"result\":true}");
    tear_down();
    set_up();
    ask("hibernate", plan_hibernate, "{}");
    assert_contains(answer_to((const char *const[]){"client", NULL}), "\"result\":false}");
}
END_TEST

START_TEST(an_upgrade_names_the_gateway_that_may_wake_the_session)
{
    ck_assert_int_eq(ask("upgradeClient", plan_upgrade_client, "{\"deviceType\":\"phone\"}"),
                     WORK_CALL);
    ck_assert(has_arg("phone"));
    ck_assert(has_arg("gateway.1"));
    assert_contains(answer_to((const char *const[]){"ok", "9", NULL}), "\"result\":true}");
}
END_TEST

START_TEST(an_upgrade_of_an_unknown_client_is_refused)
{
    ask("upgradeClient", plan_upgrade_client, "{\"deviceType\":null}");
    assert_contains(answer_to((const char *const[]){"client", NULL}), "\"errorCode\":\"-100\"");
}
END_TEST

START_TEST(without_reply_to_nothing_is_published)
{
    struct text problem = {0};
    struct msg m = {.queue = "disconnect", .client = "c1", .body = "{}", .size = 2};

    ck_assert_int_eq(request_read(&work.request, operation_by_name("disconnect", 10), &m, &problem),
                     ERR_OK);
    ck_assert_int_eq(plan_disconnect(&work), WORK_CALL);
    fake_reply_strings(&work.call, (const char *const[]){"ok", "9", NULL});
    ck_assert_int_eq(work.next(&work), WORK_DONE);
    ck_assert_uint_eq(work.out_count, 0);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("sync operations");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, a_request_that_cannot_be_served_is_answered_at_once, 0,
                        ARRAY_SIZE(refused));
    tcase_add_test(tc, an_object_over_the_size_limit_is_refused);
    tcase_add_test(tc, a_read_by_a_parent_class_tries_every_concrete_class);
    tcase_add_test(tc, what_is_found_is_printed_whole_in_the_models_order);
    tcase_add_loop_test(tc, a_reply_that_was_overtaken_is_said_again, 0,
                        ARRAY_SIZE(newest_replies));
    tcase_add_test(tc, what_is_not_found_is_null);
    tcase_add_test(tc, an_unknown_client_is_told_so);
    tcase_add_test(tc, each_right_is_the_scripts_digit);
    tcase_add_test(tc, nobody_may_create_an_object_of_an_abstract_class);
    tcase_add_test(tc, the_object_beside_an_accessor_may_have_been_overtaken);
    tcase_add_test(tc, a_history_is_read_in_steps_and_a_put_in_between_repeats_nothing);
    tcase_add_test(tc, a_history_that_may_not_be_read_is_null);
    tcase_add_test(tc, a_history_over_the_limit_of_answers_is_refused);
    tcase_add_loop_test(tc, the_outcome_of_a_put_becomes_its_result, 0, ARRAY_SIZE(outcomes));
    tcase_add_test(tc, a_repeated_write_answers_as_the_first_time_and_tells_nobody);
    tcase_add_test(tc, a_repeated_refusal_is_the_same_refusal);
    tcase_add_test(tc, a_repeated_refusal_names_the_fields_of_the_unique_index_again);
    tcase_add_test(tc, an_id_that_we_make_follows_from_the_request);
    tcase_add_test(tc, a_default_is_stored_and_answered);
    tcase_add_test(tc, an_error_of_redis_is_an_internal_error);
    tcase_add_loop_test(tc, an_example_walks_the_index_with_the_most_fields_that_are_given, 0,
                        ARRAY_SIZE(plans));
    tcase_add_test(tc, a_search_goes_on_until_nothing_is_left);
    tcase_add_test(tc, a_search_for_one_ends_with_the_first);
    tcase_add_loop_test(tc, an_id_counts_only_when_nothing_else_was_found, 0, ARRAY_SIZE(id_uses));
    tcase_add_loop_test(tc, an_example_that_is_too_expensive_names_the_index_that_is_missing, 0,
                        ARRAY_SIZE(missing_indexes));
    tcase_add_test(tc, a_huge_receipt_is_settled_in_several_calls);
    tcase_add_test(tc, a_refused_connect_says_so_by_a_null_client);
    tcase_add_test(tc, a_connect_tells_the_gateway_its_epoch);
    tcase_add_test(tc, a_hibernation_says_whether_there_was_such_a_session);
    tcase_add_test(tc, an_upgrade_names_the_gateway_that_may_wake_the_session);
    tcase_add_test(tc, an_upgrade_of_an_unknown_client_is_refused);
    tcase_add_test(tc, without_reply_to_nothing_is_published);
    return unit_run_case("sync_operations", tc);
}
