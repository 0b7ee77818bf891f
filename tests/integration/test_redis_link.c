#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>
#include <hiredis/hiredis.h>

#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/redis/redis_link.h"
#include "tests/support/unit.h"

/* redis_link against a Redis of its own on a unix socket, which each test may kill. */

#define PATIENCE_MS 60000

static char folder[64], url[128];
static struct redis_config config = {.url = url, .timeout_ms = 2000};
static pid_t server;
static struct redis_link *under_test;

static const struct redis_script echo_script = {"echo", "return ARGV[1]"};
static const struct redis_script add_script = {"add",
                                               "return redis.call('INCRBY', ARGV[1], ARGV[2])"};
static const struct redis_script failing_script = {"failing", "return redis.error_reply('NO way')"};
static const struct redis_script slow_script = {"slow", "while true do end"};
static const struct redis_script broken_script = {"broken", "this is no Lua"};

/* ---- The server ---- */

static void start_server(void)
{
    const char *given = getenv("TEST_REDIS_SERVER"), *program = given ? given : "redis-server";
    char socket_path[96];

    (void)snprintf(socket_path, sizeof(socket_path), "%s/socket", folder);
    server = fork();
    ck_assert_int_ge(server, 0);
    if (server)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!freopen("/dev/null", "w", stdout))
        _exit(126);
    execlp(program, program, "--port", "0", "--unixsocket", socket_path, "--dir", folder, "--save",
           "", "--appendonly", "yes", "--requirepass", "", (char *)NULL);
    _exit(127);
}

static void kill_server(void)
{
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
}

static void start(void)
{
    signal(SIGPIPE, SIG_IGN); /* as common/process/proc.h does */
    strcpy(folder, "/tmp/activestack-redis-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(url, sizeof(url), "unix://%s/socket", folder);
    start_server();
    ck_assert_int_eq(redis_link_create(&config, "test", &under_test), ERR_OK);
}

static void stop(void)
{
    char command[128];

    redis_link_destroy(under_test);
    kill_server();
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

/* ---- Calls ---- */

static void begin(struct redis_call *call, const struct redis_script *script, const char *a,
                  const char *b)
{
    redis_call_begin(call, script);
    if (a)
        redis_call_arg(call, a);
    if (b)
        redis_call_arg(call, b);
}

/* Runs until Redis is there. */
static void run(struct redis_call *const *calls, size_t count)
{
    int64_t end_ms = clock_mono_ms() + PATIENCE_MS;

    while (redis_link_run(under_test, calls, count) != ERR_OK)
        ck_assert_int_lt(clock_mono_ms(), end_ms);
}

static int64_t value_of(const char *key)
{
    struct redis_call get = {0}, *calls[] = {&get};
    int64_t value;

    begin(&get, NULL, "GET", key);
    run(calls, 1);
    value = redis_i64(get.reply);
    redis_call_deinit(&get);
    return value;
}

/* `count` calls of a script with its number as argument. */
struct batch {
    struct redis_call *calls;
    struct redis_call **all;
    size_t count;
};

static struct batch batch_of(size_t count, const struct redis_script *script)
{
    struct batch b = {calloc(count, sizeof(*b.calls)), calloc(count, sizeof(struct redis_call *)),
                      count};

    ck_assert(b.calls && b.all);
    for (size_t i = 0; i < count; i++) {
        b.all[i] = &b.calls[i];
        redis_call_begin(&b.calls[i], script);
        redis_call_arg_i64(&b.calls[i], (int64_t)i);
    }
    return b;
}

static void free_batch(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        redis_call_deinit(&b->calls[i]);
    free(b->calls);
    free(b->all);
}

/* ---- Batches ---- */

START_TEST(a_batch_of_any_size_gets_its_replies_in_order)
{
    static const size_t sizes[] = {0, 1, 999, 1000, 1001, 4321};

    for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
        struct batch b = batch_of(sizes[s], &echo_script);

        run(b.all, b.count);
        for (size_t i = 0; i < b.count; i++)
            ck_assert_int_eq(redis_i64(b.calls[i].reply), (int64_t)i);
        free_batch(&b);
    }
}
END_TEST

START_TEST(arguments_are_bytes)
{
    char bytes[256];
    struct redis_call echo = {0}, empty = {0}, *calls[] = {&echo, &empty};

    for (int i = 0; i < 256; i++)
        bytes[i] = (char)i;
    redis_call_begin(&echo, &echo_script);
    redis_call_arg_bytes(&echo, bytes, sizeof(bytes));
    begin(&empty, &echo_script, "", "%s%b%n $5\r\n");
    run(calls, 2);
    ck_assert_uint_eq(redis_size(echo.reply), sizeof(bytes));
    ck_assert_int_eq(memcmp(redis_str(echo.reply), bytes, sizeof(bytes)), 0);
    ck_assert(!redis_is_nil(empty.reply));
    ck_assert_uint_eq(redis_size(empty.reply), 0);
    redis_call_deinit(&echo);
    redis_call_deinit(&empty);
}
END_TEST

START_TEST(megabytes_travel_both_ways)
{
    size_t size = 3 << 20;
    char *bytes = malloc(size);
    struct redis_call calls[4] = {0};
    struct redis_call *all[] = {&calls[0], &calls[1], &calls[2], &calls[3]};

    ck_assert_ptr_nonnull(bytes);
    memset(bytes, 'x', size);
    for (int i = 0; i < 4; i++) {
        redis_call_begin(&calls[i], &echo_script);
        redis_call_arg_bytes(&calls[i], bytes, size);
    }
    run(all, 4);
    for (int i = 0; i < 4; i++) {
        ck_assert_uint_eq(redis_size(calls[i].reply), size);
        redis_call_deinit(&calls[i]);
    }
    free(bytes);
}
END_TEST

START_TEST(an_error_of_one_call_is_its_reply_and_leaves_the_others_alone)
{
    struct redis_call calls[4] = {0};
    struct redis_call *all[] = {&calls[0], &calls[1], &calls[2], &calls[3]};

    begin(&calls[0], &echo_script, "a", NULL);
    begin(&calls[1], &failing_script, NULL, NULL);
    begin(&calls[2], NULL, "NOSUCHCOMMAND", NULL);
    begin(&calls[3], &echo_script, "b", NULL);
    run(all, 4);
    ck_assert_str_eq(redis_str(calls[0].reply), "a");
    ck_assert(redis_is_error(calls[1].reply));
    ck_assert_str_eq(redis_str(calls[1].reply), "NO way");
    ck_assert(redis_is_error(calls[2].reply));
    ck_assert_str_eq(redis_str(calls[3].reply), "b");
    ck_assert(!redis_is_error(calls[3].reply));
    for (int i = 0; i < 4; i++)
        redis_call_deinit(&calls[i]);
}
END_TEST

START_TEST(a_call_can_be_used_again)
{
    struct redis_call call = {0}, *calls[] = {&call};

    for (int64_t i = 0; i < 3; i++) {
        begin(&call, &add_script, "n", "5");
        run(calls, 1);
        run(calls, 1);
        ck_assert_int_eq(redis_i64(call.reply), 10 * (i + 1));
    }
    redis_call_deinit(&call);
}
END_TEST

START_TEST(every_kind_of_reply_can_be_read_as_any_other)
{
    static const struct redis_script kinds = {
        "kinds", "return {'7', 8, {9}, false, redis.status_reply('OK'), 'x', '1x'}"};
    struct redis_call call = {0}, *calls[] = {&call};
    const struct redis_reply *r;

    begin(&call, &kinds, NULL, NULL);
    run(calls, 1);
    r = call.reply;
    ck_assert_uint_eq(redis_count(r), 7);
    ck_assert_int_eq(redis_i64(redis_item(r, 0)), 7);
    ck_assert_int_eq(redis_i64(redis_item(r, 1)), 8);
    ck_assert_str_eq(redis_str(redis_item(r, 1)), "");
    ck_assert_int_eq(redis_i64(redis_item(redis_item(r, 2), 0)), 9);
    ck_assert(redis_is_nil(redis_item(r, 3)));
    ck_assert_str_eq(redis_str(redis_item(r, 4)), "OK");
    ck_assert_int_eq(redis_i64(redis_item(r, 5)) + redis_i64(redis_item(r, 6)), 0);
    ck_assert_ptr_null(redis_item(r, 7));
    ck_assert_ptr_null(redis_item(redis_item(r, 0), 0));
    ck_assert(redis_is_nil(NULL) && !redis_is_error(NULL));
    ck_assert_uint_eq(redis_count(NULL) + redis_size(NULL), 0);
    redis_call_deinit(&call);
}
END_TEST

/* ---- Scripts that Redis does not know ---- */

START_TEST(scripts_that_are_flushed_in_the_middle_of_a_batch_are_run_all_the_same)
{
    struct batch b = batch_of(1500, &echo_script);
    struct redis_call flush = {0}, *first[] = {&flush};

    run(b.all, b.count);
    for (size_t i = 200; i < b.count; i += 300)
        begin(&b.calls[i], NULL, "SCRIPT", "FLUSH");
    for (int round = 0; round < 3; round++) {
        begin(&flush, NULL, "SCRIPT", "FLUSH");
        run(first, 1);
        run(b.all, b.count);
        for (size_t i = 0; i < b.count; i++)
            if (i % 300 == 200)
                ck_assert_str_eq(redis_str(b.calls[i].reply), "OK");
            else
                ck_assert_int_eq(redis_i64(b.calls[i].reply), (int64_t)i);
    }
    redis_call_deinit(&flush);
    free_batch(&b);
}
END_TEST

START_TEST(a_forgotten_script_takes_effect_once)
{
    struct redis_call calls[3] = {0};
    struct redis_call *all[] = {&calls[0], &calls[1], &calls[2]};

    begin(&calls[0], &add_script, "n", "1");
    begin(&calls[1], NULL, "SCRIPT", "FLUSH");
    begin(&calls[2], &add_script, "n", "1");
    for (int64_t i = 1; i <= 5; i++) {
        run(all, 3);
        ck_assert_int_eq(value_of("n"), 2 * i);
    }
    for (int i = 0; i < 3; i++)
        redis_call_deinit(&calls[i]);
}
END_TEST

START_TEST(a_script_that_is_no_lua_is_an_error_reply)
{
    struct redis_call broken = {0}, echo = {0}, *calls[] = {&broken, &echo};

    begin(&broken, &broken_script, NULL, NULL);
    begin(&echo, &echo_script, "a", NULL);
    run(calls, 2);
    ck_assert(redis_is_error(broken.reply));
    ck_assert_str_eq(redis_str(echo.reply), "a");
    redis_call_deinit(&broken);
    redis_call_deinit(&echo);
}
END_TEST

/* ---- A Redis that goes away ---- */

START_TEST(a_killed_redis_is_away_until_it_is_back_with_its_data_and_without_scripts)
{
    struct batch b = batch_of(1200, &echo_script);
    struct redis_call add = {0}, *calls[] = {&add};

    begin(&add, &add_script, "n", "1");
    run(calls, 1);
    run(b.all, b.count);
    kill_server();
    ck_assert_int_eq(redis_link_run(under_test, b.all, b.count), ERR_AWAY);
    for (size_t i = 0; i < b.count; i++)
        ck_assert_ptr_null(b.calls[i].reply);
    start_server();
    run(b.all, b.count);
    for (size_t i = 0; i < b.count; i++)
        ck_assert_int_eq(redis_i64(b.calls[i].reply), (int64_t)i);
    begin(&add, &add_script, "n", "1");
    run(calls, 1);
    ck_assert_int_eq(redis_i64(add.reply), 2);
    redis_call_deinit(&add);
    free_batch(&b);
}
END_TEST

START_TEST(a_redis_that_dies_in_the_middle_of_a_batch_leaves_no_replies)
{
    struct batch b = batch_of(3000, &echo_script);

    run(b.all, b.count);
    begin(&b.calls[2500], NULL, "SHUTDOWN", "NOSAVE");
    ck_assert_int_eq(redis_link_run(under_test, b.all, b.count), ERR_AWAY);
    for (size_t i = 0; i < b.count; i++)
        ck_assert_ptr_null(b.calls[i].reply);
    waitpid(server, NULL, 0);
    start_server();
    begin(&b.calls[2500], &echo_script, "2500", NULL);
    run(b.all, b.count);
    ck_assert_int_eq(redis_i64(b.calls[2999].reply), 2999);
    free_batch(&b);
}
END_TEST

START_TEST(while_away_the_answer_comes_at_once)
{
    struct redis_call call = {0}, *calls[] = {&call};
    int64_t start_ms;

    begin(&call, &echo_script, "a", NULL);
    run(calls, 1);
    kill_server();
    start_ms = clock_mono_ms();
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(redis_link_run(under_test, calls, 1), ERR_AWAY);
    ck_assert_int_lt(clock_mono_ms() - start_ms, PATIENCE_MS);
    start_server();
    redis_call_deinit(&call);
}
END_TEST

START_TEST(a_redis_that_does_not_answer_in_time_is_away)
{
    struct redis_call call = {0}, *calls[] = {&call};
    int64_t start_ms;

    begin(&call, &slow_script, NULL, NULL);
    run(calls, 0); /* connects */
    start_ms = clock_mono_ms();
    ck_assert_int_eq(redis_link_run(under_test, calls, 1), ERR_AWAY);
    ck_assert_int_ge(clock_mono_ms() - start_ms, 1500);
    ck_assert_int_lt(clock_mono_ms() - start_ms, PATIENCE_MS);
    redis_call_deinit(&call);
}
END_TEST

/* ---- A Redis that is no primary, or has too few replicas ---- */

/* Has the server carry out a command over a connection of its own. */
static void command_server(const char *command)
{
    redisContext *context = redisConnectUnix(url + strlen("unix://"));
    redisReply *reply = redisCommand(context, command);

    ck_assert(reply && reply->type == REDIS_REPLY_STATUS);
    freeReplyObject(reply);
    redisFree(context);
}

START_TEST(a_primary_that_becomes_a_replica_is_left_until_it_is_one_again)
{
    struct redis_call add = {0}, *calls[] = {&add};

    begin(&add, &add_script, "n", "1");
    run(calls, 1);
    command_server("REPLICAOF 127.0.0.1 1");
    for (int i = 0; i < 3; i++) { /* it says so itself at first, then it is not written to */
        ck_assert_int_eq(redis_link_run(under_test, calls, 1), ERR_AWAY);
        ck_assert_ptr_null(add.reply);
        (void)poll(NULL, 0, 2 * BACKOFF_FIRST_MS);
    }
    command_server("REPLICAOF NO ONE");
    run(calls, 1);
    ck_assert_int_eq(redis_i64(add.reply), 2);
    redis_call_deinit(&add);
}
END_TEST

START_TEST(a_redis_that_wants_replicas_before_it_takes_writes_is_away)
{
    struct redis_call add = {0}, *calls[] = {&add};

    begin(&add, &add_script, "n", "1");
    run(calls, 1);
    command_server("CONFIG SET min-replicas-to-write 1");
    ck_assert_int_eq(redis_link_run(under_test, calls, 1), ERR_AWAY);
    command_server("CONFIG SET min-replicas-to-write 0");
    run(calls, 1);
    ck_assert_int_eq(redis_i64(add.reply), 2);
    redis_call_deinit(&add);
}
END_TEST

START_TEST(without_the_replicas_that_it_waits_for_a_batch_is_done_and_not_answered)
{
    struct redis_config waiting = config;
    struct redis_link *link = NULL;
    struct redis_call add = {0}, *calls[] = {&add};

    waiting.wait_replicas = 1;
    waiting.wait_ms = 50;
    run(calls, 0); /* until it serves */
    ck_assert_int_eq(redis_link_create(&waiting, "waiting", &link), ERR_OK);
    begin(&add, &add_script, "n", "1");
    ck_assert_int_eq(redis_link_run(link, calls, 1), ERR_AWAY);
    ck_assert_ptr_null(add.reply);
    ck_assert_int_eq(value_of("n"), 1);
    redis_call_deinit(&add);
    redis_link_destroy(link);
}
END_TEST

/* ---- Addresses ---- */

START_TEST(a_wrong_url_is_told_at_once)
{
    static const char *const urls[] = {
        "",           "localhost",        "http://localhost",  "redis://",       "redis://h:x",
        "unix://rel", "redis://h:6379/x", "redis://nocolon@h", "redis://:%zz@h", "redis://:a@",
    };
    struct redis_link *none = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(urls); i++)
        ck_assert_msg(redis_link_create(&(struct redis_config){.url = urls[i]}, "test", &none) ==
                          ERR_CONFIG,
                      "%s", urls[i]);
    ck_assert_ptr_null(none);
}
END_TEST

START_TEST(password_and_database_of_the_url_are_used)
{
    struct redis_link *link = NULL;
    struct redis_call calls[2] = {0};
    struct redis_call *all[] = {&calls[0], &calls[1]};
    _cleanup_(text_deinitp) struct text with_database = {0};
    const char *given = getenv("REDIS_URL");

    if (!given)
        return;
    /* redis://:password@host:port, with or without a database */
    text_add_bytes(&with_database, given,
                   strlen("redis://") + strcspn(given + strlen("redis://"), "/"));
    text_add(&with_database, "/9");
    ck_assert_int_eq(redis_link_create(&(struct redis_config){.url = text_str(&with_database),
                                                              .timeout_ms = 2000},
                                       "test-9", &link),
                     ERR_OK);
    begin(&calls[0], NULL, "CLIENT", "INFO");
    begin(&calls[1], NULL, "CLIENT", "GETNAME");
    ck_assert_int_eq(redis_link_run(link, all, 2), ERR_OK);
    ck_assert_ptr_nonnull(strstr(redis_str(calls[0].reply), " db=9 "));
    ck_assert_str_eq(redis_str(calls[1].reply), "test-9");
    redis_call_deinit(&calls[0]);
    redis_call_deinit(&calls[1]);
    redis_link_destroy(link);
}
END_TEST

static const TTest *const *const tests[] = {
    &a_batch_of_any_size_gets_its_replies_in_order,
    &arguments_are_bytes,
    &megabytes_travel_both_ways,
    &an_error_of_one_call_is_its_reply_and_leaves_the_others_alone,
    &a_call_can_be_used_again,
    &every_kind_of_reply_can_be_read_as_any_other,
    &scripts_that_are_flushed_in_the_middle_of_a_batch_are_run_all_the_same,
    &a_forgotten_script_takes_effect_once,
    &a_script_that_is_no_lua_is_an_error_reply,
    &a_killed_redis_is_away_until_it_is_back_with_its_data_and_without_scripts,
    &a_redis_that_dies_in_the_middle_of_a_batch_leaves_no_replies,
    &while_away_the_answer_comes_at_once,
    &a_redis_that_does_not_answer_in_time_is_away,
    &a_wrong_url_is_told_at_once,
    &a_primary_that_becomes_a_replica_is_left_until_it_is_one_again,
    &a_redis_that_wants_replicas_before_it_takes_writes_is_away,
    &without_the_replicas_that_it_waits_for_a_batch_is_done_and_not_answered,
    &password_and_database_of_the_url_are_used,
};

int main(void)
{
    TCase *t = tcase_create("redis_link");

    tcase_add_checked_fixture(t, start, stop);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
        tcase_add_test(t, *tests[i]);
    return unit_run_case("redis_link", t);
}
