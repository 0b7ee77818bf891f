#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "agents/sync/content/version.h"
#include "agents/sync/operations.h"
#include "tests/support/fake_reply.h"
#include "tests/support/handler.h"
#include "tests/support/unit.h"

/* get_content and patch_content without servers: what calls they make, and what they say to what
 * the scripts return. The note "n1" was born at 1000. */

#define KEY  "\"key\":{\"type\":\"note\",\"id\":\"n1\"}"
#define NOTE "com.app.mo.Note"

static struct text identity; /* of the note */

#define X100                                                                                       \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
    "xxxxxxxx"
#define LONG X100 X100 X100 X100 X100 X100 X100 X100 X100 X100

static void set_up(void)
{
    handler_set_up(EXAMPLE_MODEL);
    agent.proc.settings.gateway_max_depth = 64;
    agent.proc.settings.sync_max_subscriptions = 9;
    agent.proc.settings.sync_max_listed = 10;
    agent.proc.settings.sync_json_history_kept = 8;
    agent.proc.settings.sync_json_history_bytes = 65536;
    agent.proc.settings.sync_max_patch_operations = 3;
    agent.proc.settings.sync_max_patch_work = 1000000;
    agent.proc.settings.sync_max_patch_tries = 3;
    version_add_identity(&identity, model_class(agent.model, NOTE, strlen(NOTE)), "1000");
}

static void tear_down(void)
{
    text_deinit(&identity);
    handler_tear_down();
}

/* ---- Asking, and replies of scripts ---- */

static enum work_step get(const char *more)
{
    _cleanup_(text_deinitp) struct text frame = {0};

    text_addf(&frame,
              "{\"type\":\"request\",\"id\":\"m1\",\"cls\":\"get_content\",\"data\":{" KEY "%s}}",
              more);
    return ask_content("get_content", plan_get_content, frame.at);
}

/* `ver` is 0 for none, or a number. */
static enum work_step patch(int ver, const char *text)
{
    _cleanup_(text_deinitp) struct text frame = {0};

    text_add(&frame,
             "{\"type\":\"request\",\"id\":\"m1\",\"cls\":\"patch_content\",\"data\":{" KEY);
    if (ver)
        text_addf(&frame, ",\"ver\":[\"%s\",%d]", identity.at, ver);
    text_addf(&frame, ",\"patch\":%s}}", text);
    return ask_content("patch_content", plan_patch_content, frame.at);
}

static void add_string(struct text *protocol, const char *string)
{
    text_addf(protocol, "$%zu\r\n%s\r\n", strlen(string), string);
}

static void add_list(struct text *protocol, const char *const *strings)
{
    size_t count = 0;

    while (strings[count])
        count++;
    text_addf(protocol, "*%zu\r\n", count);
    for (size_t i = 0; i < count; i++)
        add_string(protocol, strings[i]);
}

static void reply_born(const char *const *fields, int since, const char *const *earlier,
                       const char *born)
{
    _cleanup_(text_deinitp) struct text protocol = {0};

    text_add(&protocol, "*5\r\n");
    add_string(&protocol, "ok");
    add_list(&protocol, fields);
    text_addf(&protocol, ":%d\r\n", since);
    add_list(&protocol, earlier);
    add_string(&protocol, born);
    fake_reply(&work.call, protocol.at);
}

static void reply_state(const char *const *fields, int since, const char *const *earlier)
{
    reply_born(fields, since, earlier, "1000");
}

/* What patch.lua returns of the document. */
static enum work_step reply_read(const char *const *fields)
{
    _cleanup_(text_deinitp) struct text protocol = {0};

    text_add(&protocol, "*4\r\n");
    add_string(&protocol, "read");
    add_string(&protocol, "7");
    add_list(&protocol, fields);
    add_string(&protocol, "1000");
    fake_reply(&work.call, protocol.at);
    return work.next(&work);
}

static enum work_step reply(const char *const *strings)
{
    fake_reply_strings(&work.call, strings);
    return work.next(&work);
}

static void assert_script(const char *name)
{
    ck_assert_str_eq(work.call.script->name, name);
}

static void assert_contains_all(const char *text, const char *const *parts)
{
    for (; *parts; parts++)
        assert_contains(text, *parts);
}

#define ASSERT_SAYS(...) assert_contains_all(answer(), (const char *const[]){__VA_ARGS__, NULL})

static const char *const note[] = {
    "@v",          "5",    "@c",        "1000", "title",
    "5 1 \"one\"", "text", "2 1 \"x\"", "body", "4 1 {\"a\":1,\"b\":[1,2,3]}",
    NULL};
static const char *const nothing[] = {NULL};

/* ---- get_content ---- */

START_TEST(content_is_asked_for_with_its_right_and_the_version)
{
    _cleanup_(freep) char *args = NULL;
    struct text more = {0};

    text_addf(&more, ",\"ver\":[\"%s\",5],\"subscribe\":true", identity.at);
    ck_assert_int_eq(get(more.at), WORK_CALL);
    assert_script("get_content");
    args = all_args();
    text_clear(&more);
    text_addf(&more, "c1|1000|" NOTE "|1|" NOTE "|signedIn|0|n1|%s|%s|5|1|9|", identity.at + 4,
              identity.at);
    ck_assert_str_eq(args, more.at);
    text_deinit(&more);
}
END_TEST

START_TEST(what_cannot_be_one_of_our_versions_is_asked_for_as_none)
{
    static const char too_long[] = ",\"ver\":[\"" X100 "\",5]";
    static const char *const versions[] = {"", ",\"ver\":null", ",\"ver\":[5,5]",
                                           ",\"ver\":[\"a\\u0000b\",5]", too_long};

    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        _cleanup_(freep) char *args = NULL;

        ck_assert_int_eq(get(versions[i]), WORK_CALL);
        args = all_args();
        assert_contains(args, "||0|0|9|");
        tear_down();
        set_up();
    }
}
END_TEST

START_TEST(the_answer_is_everything_where_the_version_is_unknown)
{
    (void)get("");
    reply_state(note, 0, nothing);
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    ASSERT_SAYS(
        "{\"type\":\"result\",\"id\":\"m1\",\"cls\":\"get_content\",\"status\":200,"
        "\"data\":{" KEY ",\"ver\":[\"1000-",
        "\",5],\"content\":{\"title\":\"one\",\"text\":\"x\",\"created\":null,\"owner\":null,"
        "\"body\":{\"a\":1,\"b\":[1,2,3]}}}}",
        identity.at);
}
END_TEST

START_TEST(what_is_hidden_is_no_part_of_the_content_and_makes_another_view_of_it)
{
    static const char *const fields[] = {"@v", "5", "title", "-", "text", "5 1 \"x\"", NULL};
    struct text ver = {0};

    text_addf(&ver, "\"ver\":[\"2000%s-0123abcd\",5]", identity.at + 4);
    (void)get("");
    reply_born(fields, _i, nothing, "2000-0123abcd");
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    ASSERT_SAYS(ver.at, _i ? "\"patch\":[{\"op\":\"replace\",\"path\":\"/text\",\"value\":\"x\"}]"
                           : "\"content\":{\"text\":\"x\",\"created\":");
    text_deinit(&ver);
}
END_TEST

START_TEST(nothing_new_has_no_data)
{
    (void)get("");
    ck_assert_str_eq(answer_to((const char *const[]){"same", NULL}),
                     "{\"type\":\"result\",\"id\":\"m1\",\"cls\":\"get_content\",\"status\":204}");
}
END_TEST

START_TEST(fields_that_are_newer_are_replaced)
{
    (void)get("");
    reply_state(note, 4, nothing);
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    ASSERT_SAYS("\"status\":206,\"data\":{" KEY ",\"ver\":[",
                "\"patch\":[{\"op\":\"replace\",\"path\":\"/title\",\"value\":\"one\"}]}}");
}
END_TEST

START_TEST(what_is_inside_is_patched_if_that_is_shorter)
{
    static const char *const fields[] = {
        "@v",    "5",           "@c",   "1000",
        "title", "5 1 \"one\"", "body", "4 1 {\"a\":1,\"b\":[\"a rather long text\",2,3]}",
        NULL};

    (void)get("");
    reply_state(
        fields, 3,
        (const char *const[]){"body", "{\"a\":2,\"b\":[\"a rather long text\",2,3]}", NULL});
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    ASSERT_SAYS("\"patch\":[{\"op\":\"replace\",\"path\":\"/title\",\"value\":\"one\"},"
                "{\"op\":\"replace\",\"path\":\"/body/a\",\"value\":1}]}}");
}
END_TEST

START_TEST(what_is_inside_is_replaced_as_a_whole_if_that_is_shorter)
{
    (void)get("");
    reply_state(note, 4, (const char *const[]){"title", "[1]", "body", "[1]", NULL});
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    ASSERT_SAYS("\"patch\":[{\"op\":\"replace\",\"path\":\"/title\",\"value\":\"one\"}]}}");
}
END_TEST

START_TEST(a_patch_that_is_longer_than_the_content_is_none)
{
    (void)get("");
    reply_state(note, 1, nothing);
    ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
    ASSERT_SAYS("\"status\":200", "\"content\":{\"title\":\"one\"");
}
END_TEST

START_TEST(what_cannot_be_read_has_a_code)
{
    static const struct {
        const char *protocol, *code;
    } cases[] = {
        {"*1\r\n$6\r\nclient\r\n", "\"code\":4010410"},
        {"*1\r\n$9\r\nforbidden\r\n", "\"code\":4030430"},
        {"*1\r\n$7\r\nmissing\r\n", "\"code\":4040420"},
        {"*1\r\n$4\r\nfull\r\n", "\"code\":4290400"},
        {"-ERR something\r\n", "\"code\":5000499"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        (void)get("");
        fake_reply(&work.call, cases[i].protocol);
        ck_assert_int_eq(work.next(&work), WORK_PUBLISH);
        ASSERT_SAYS("{\"type\":\"error\",\"id\":\"m1\",\"cls\":\"get_content\"", cases[i].code);
        tear_down();
        set_up();
    }
}
END_TEST

START_TEST(identities_differ_by_birth_class_and_fields)
{
    struct text a = {0}, b = {0};

    version_add_identity(&a, model_class(agent.model, NOTE, strlen(NOTE)), "1001");
    ck_assert_str_ne(a.at, identity.at);
    ck_assert_str_eq(a.at + 4, identity.at + 4);
    ck_assert_uint_eq(a.size, strlen("1001-") + VERSION_DIGEST_CHARS);
    version_add_suffix(&b, model_class_by_type(agent.model, "task"));
    ck_assert_str_ne(a.at + 4, b.at);
    text_deinit(&a);
    text_deinit(&b);
}
END_TEST

/* ---- patch_content ---- */

#define TITLE "[{\"op\":\"replace\",\"path\":\"/title\",\"value\":\"two\"}]"

START_TEST(a_patch_commits_what_differs_in_the_state_that_was_read)
{
    _cleanup_(freep) char *args = NULL;

    ck_assert_int_eq(patch(5, TITLE), WORK_CALL);
    assert_script("patch");
    ck_assert_int_eq(reply_read(note), WORK_CALL);
    assert_script("put");
    args = all_args();
    assert_contains(args, "|patch_content:c1/m1:");
    assert_contains(args,
                    "|1000|3|title|\"two\"||1|com.app.mo.Item|owner|owner|0|0|5 1000|0|8|65536|");
    ck_assert_int_eq(reply((const char *const[]){"ok", "7", "6 1000", NULL}), WORK_PUBLISH);
    ASSERT_SAYS("\"cls\":\"patch_content\",\"status\":200,\"data\":{\"ver\":[\"1000-", "\",6]}}",
                identity.at);
}
END_TEST

START_TEST(who_gives_no_version_is_told_like_everybody_else)
{
    _cleanup_(freep) char *args = NULL;

    (void)patch(0, TITLE);
    (void)reply_read(note);
    args = all_args();
    assert_contains(args, "|5 1000|1|8|65536|");
}
END_TEST

START_TEST(a_patch_that_changes_nothing_is_committed_all_the_same)
{
    _cleanup_(freep) char *args = NULL;

    (void)patch(5, "[]");
    ck_assert_int_eq(reply_read(note), WORK_CALL);
    assert_script("put");
    args = all_args();
    assert_contains(args, "|1000|0|1|com.app.mo.Item|owner|owner|0|0|5 1000|0|");
    ck_assert_int_eq(reply((const char *const[]){"same", "7", "5 1000", NULL}), WORK_PUBLISH);
    ASSERT_SAYS("\",5]}}");
}
END_TEST

START_TEST(a_patch_of_another_version_is_a_conflict_at_once)
{
    (void)patch(4, TITLE);
    ck_assert_int_eq(reply_read(note), WORK_PUBLISH);
    ASSERT_SAYS("\"status\":409,\"data\":{\"code\":4090630,\"msg\":\"Version Conflict\"}");
}
END_TEST

START_TEST(who_is_overtaken_with_a_version_has_a_conflict)
{
    (void)patch(5, TITLE);
    (void)reply_read(note);
    ck_assert_int_eq(reply((const char *const[]){"conflict", "7", NULL}), WORK_PUBLISH);
    ASSERT_SAYS("\"code\":4090630");
}
END_TEST

START_TEST(who_is_overtaken_without_a_version_tries_again_so_often)
{
    (void)patch(0, TITLE);
    for (int i = 1; i <= 3; i++) {
        assert_script("patch");
        ck_assert_int_eq(reply_read(note), WORK_CALL);
        assert_script("put");
        ck_assert_int_eq(reply((const char *const[]){"conflict", "7", NULL}),
                         i < 3 ? WORK_CALL : WORK_PUBLISH);
    }
    ASSERT_SAYS("\"status\":503,\"data\":{\"code\":5030600");
}
END_TEST

START_TEST(a_patch_with_too_many_operations_is_refused_at_once)
{
    ck_assert_int_eq(patch(0, "[1,2,3,4]"), WORK_PUBLISH);
    ASSERT_SAYS("4130600", "at most 3 operations");
}
END_TEST

START_TEST(a_patch_that_cannot_be_carried_out_is_kept_and_refused)
{
    static const struct {
        const char *patch, *outcome, *code;
    } cases[] = {
        {"[{\"op\":\"remove\",\"path\":\"/a+b\"}]", "unfit", "4220640"},
        {"[{\"op\":\"add\",\"path\":\"/a+b\",\"value\":1}]", "unfit", "4220640"},
        {"[{\"op\":\"replace\",\"path\":\"\",\"value\":1}]", "unfit", "4220640"},
        {"[{\"op\":\"jump\",\"path\":\"/a+b\"}]", "malformed", "4000600"},
        {"[{\"op\":\"add\",\"path\":\"/text\",\"value\":\"" LONG "\"}]", "large", "4130600"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct text said = {0};

        (void)patch(0, cases[i].patch);
        ck_assert_int_eq(reply_read(note), WORK_CALL);
        assert_script("patch");
        ck_assert_msg(has_arg(cases[i].outcome), "%s", cases[i].patch);
        text_addf(&said, "%s a+b", cases[i].outcome);
        ck_assert_int_eq(reply((const char *const[]){"again", "7", said.at, NULL}), WORK_PUBLISH);
        ASSERT_SAYS(cases[i].code, ": a+b\"");
        text_deinit(&said);
        tear_down();
        set_up();
    }
}
END_TEST

START_TEST(a_patch_that_is_too_much_work_ends_half_way)
{
    agent.proc.settings.sync_max_patch_work = 1;
    (void)patch(0, "[{\"op\":\"remove\",\"path\":\"/title\"}]");
    (void)reply_read(note);
    assert_script("put"); /* it is looked at before each operation */
    tear_down();
    set_up();
    agent.proc.settings.sync_max_patch_work = 1;
    (void)patch(0,
                "[{\"op\":\"remove\",\"path\":\"/title\"},{\"op\":\"remove\",\"path\":\"/text\"}]");
    (void)reply_read(note);
    assert_script("patch");
    ck_assert(has_arg("large"));
}
END_TEST

START_TEST(a_patch_that_comes_again_gets_its_first_answer)
{
    (void)patch(0, TITLE);
    ck_assert_int_eq(reply((const char *const[]){"again", "7", "ok 6 1000", NULL}), WORK_PUBLISH);
    ASSERT_SAYS("\"status\":200,\"data\":{\"ver\":[\"1000-", "\",6]}}");
}
END_TEST

START_TEST(a_patch_that_the_store_refuses_has_a_code)
{
    static const struct {
        const char *outcome, *code;
    } cases[] = {
        {"client", "4010610"}, {"forbidden", "4030630"}, {"missing", "4040620"},
        {"unique", "4220640"}, {"reference", "4220640"}, {"full", "4220640"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        (void)patch(0, TITLE);
        (void)reply_read(note);
        ck_assert_int_eq(reply((const char *const[]){cases[i].outcome, "7", "a", NULL}),
                         WORK_PUBLISH);
        ASSERT_SAYS("{\"type\":\"error\",\"id\":\"m1\"", cases[i].code);
        tear_down();
        set_up();
    }
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("content");

    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, content_is_asked_for_with_its_right_and_the_version);
    tcase_add_test(c, what_cannot_be_one_of_our_versions_is_asked_for_as_none);
    tcase_add_test(c, the_answer_is_everything_where_the_version_is_unknown);
    tcase_add_loop_test(c, what_is_hidden_is_no_part_of_the_content_and_makes_another_view_of_it, 0,
                        2);
    tcase_add_test(c, nothing_new_has_no_data);
    tcase_add_test(c, fields_that_are_newer_are_replaced);
    tcase_add_test(c, what_is_inside_is_patched_if_that_is_shorter);
    tcase_add_test(c, what_is_inside_is_replaced_as_a_whole_if_that_is_shorter);
    tcase_add_test(c, a_patch_that_is_longer_than_the_content_is_none);
    tcase_add_test(c, what_cannot_be_read_has_a_code);
    tcase_add_test(c, identities_differ_by_birth_class_and_fields);
    tcase_add_test(c, a_patch_commits_what_differs_in_the_state_that_was_read);
    tcase_add_test(c, who_gives_no_version_is_told_like_everybody_else);
    tcase_add_test(c, a_patch_that_changes_nothing_is_committed_all_the_same);
    tcase_add_test(c, a_patch_of_another_version_is_a_conflict_at_once);
    tcase_add_test(c, who_is_overtaken_with_a_version_has_a_conflict);
    tcase_add_test(c, who_is_overtaken_without_a_version_tries_again_so_often);
    tcase_add_test(c, a_patch_with_too_many_operations_is_refused_at_once);
    tcase_add_test(c, a_patch_that_cannot_be_carried_out_is_kept_and_refused);
    tcase_add_test(c, a_patch_that_is_too_much_work_ends_half_way);
    tcase_add_test(c, a_patch_that_comes_again_gets_its_first_answer);
    tcase_add_test(c, a_patch_that_the_store_refuses_has_a_code);
    return unit_run_case("sync_content", c);
}
