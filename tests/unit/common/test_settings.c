#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/process/settings.h"
#include "tests/support/unit.h"

#define TEXT _cleanup_(text_deinitp) struct text

static void free_settings(struct settings *s)
{
    config_free(&settings_table, s);
}

#define SETTINGS _cleanup_(free_settings) struct settings

static char *no_environment[] = {NULL};
static char amqp_url[] = "ACTIVESTACK_AMQP_URL=amqp://localhost";
static char redis_url[] = "ACTIVESTACK_REDIS_URL=redis://localhost";
static char model_file[] = "ACTIVESTACK_MODEL_FILE=model.json";
static char secret[] = "ACTIVESTACK_GATEWAY_SESSION_SECRET=0123456789abcdef0123456789abcdef";
static char seal_secret[] = "ACTIVESTACK_AUTH_SEAL_SECRET=0123456789abcdef0123456789abcdef";
static char short_secret[] = "ACTIVESTACK_GATEWAY_SESSION_SECRET=0123456789abcdef0123456789abcde";

static char short_seal_secret[] = "ACTIVESTACK_AUTH_SEAL_SECRET=0123456789abcdef0123456789abcde";

/* The keys that are missing when nothing is given, as "a b c ". */
static void check_required(enum program p, const char *expected)
{
    SETTINGS s = {0};
    TEXT problems = {0}, keys = {0};

    assert_err(config_load(&settings_table, p, NULL, no_environment, &s, &problems), ERR_CONFIG);
    for (const char *line = problems.at; *line; line = strchr(line, '\n') + 1) {
        assert_contains(line, ": not set;");
        text_add_bytes(&keys, line, strcspn(line, ":"));
        text_add_char(&keys, ' ');
    }
    assert_text(&keys, expected);
}

START_TEST(each_program_needs_what_it_cannot_do_without)
{
    check_required(PROGRAM_GATEWAY, "amqp.url gateway.session_secret auth.seal_secret ");
    check_required(PROGRAM_SYNC, "amqp.url redis.url model.file ");
    check_required(PROGRAM_AUTH, "amqp.url redis.url model.file auth.seal_secret ");
}
END_TEST

START_TEST(with_these_every_program_starts)
{
    char *environment[] = {amqp_url, redis_url, model_file, secret, seal_secret, NULL};

    for (unsigned p = 1; p <= PROGRAM_ALL; p++) {
        SETTINGS s = {0};
        TEXT problems = {0};

        ck_assert_msg(!config_load(&settings_table, p, NULL, environment, &s, &problems), "%s",
                      text_str(&problems));
    }
}
END_TEST

START_TEST(the_defaults_are_those_that_were_agreed)
{
    char *environment[] = {amqp_url, redis_url, model_file, secret, seal_secret, NULL};
    SETTINGS s = {0};
    TEXT problems = {0};

    assert_ok(config_load(&settings_table, PROGRAM_ALL, NULL, environment, &s, &problems));
    ck_assert_int_eq(s.log_level, LOG_LEVEL_INFO);
    ck_assert_int_eq(s.log_format, 0);
    ck_assert_int_eq(s.amqp_heartbeat_s, 20);
    ck_assert(!s.redis_allow_weak);
    ck_assert(!s.auth_dangerous_dev_login);
    ck_assert_int_eq(s.auth_oauth_timeout_ms, 10000);
    ck_assert_str_eq(s.gateway_host, "127.0.0.1");
    ck_assert_int_eq(s.gateway_port, 8080);
    ck_assert_str_eq(s.gateway_session_secret_previous, "");
    ck_assert_int_eq(s.gateway_max_frame_bytes, 1048576);
    ck_assert_int_eq(s.gateway_max_depth, 64);
    ck_assert_int_eq(s.gateway_request_timeout_ms, 30000);
    ck_assert_int_eq(s.gateway_process_timeout_ms, 900000);
    ck_assert_int_eq(s.gateway_session_max_age_s, 14 * 86400LL);
    ck_assert_int_eq(s.agent_workers, 2);
    ck_assert_int_eq(s.agent_prefetch, 256);
    ck_assert_int_eq(s.agent_batch, 64);
    ck_assert_int_eq(s.sync_mark_batch, 250);
    ck_assert_int_eq(s.sync_redelivery_first_ms, 5000);
    ck_assert_int_eq(s.sync_redelivery_max_ms, 60000);
    ck_assert_int_eq(s.sync_redelivery_silent_ms, 900000);
    ck_assert(!s.sync_change_feed);
    ck_assert_str_eq(s.auth_providers, "file");
    ck_assert_int_eq(s.auth_token_max_age_s, 30 * 86400LL);
}
END_TEST

START_TEST(levels_of_the_log_are_in_the_order_of_its_enum)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};

    for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++) {
        char level[64];
        char *environment[] = {level, redis_url, NULL};
        SETTINGS s = {0};
        TEXT problems = {0};

        snprintf(level, sizeof(level), "ACTIVESTACK_LOG_LEVEL=%s", names[i]);
        assert_ok(config_load(&settings_table, PROGRAM_CTL, NULL, environment, &s, &problems));
        ck_assert_int_eq(s.log_level, i);
    }
}
END_TEST

START_TEST(short_keys_are_refused_without_being_told)
{
    char *environment[] = {amqp_url, short_secret, short_seal_secret, NULL};
    SETTINGS s = {0};
    TEXT problems = {0};

    assert_err(config_load(&settings_table, PROGRAM_GATEWAY, NULL, environment, &s, &problems),
               ERR_CONFIG);
    assert_contains(problems.at, "gateway.session_secret: the value is not allowed");
    assert_contains(problems.at, "auth.seal_secret: the value is not allowed");
    assert_lacks(problems.at, "0123456789abcdef");
}
END_TEST

/* "gateway.max_depth" -> does it name one section and one field, in small letters? */
static void check_key(const char *key)
{
    const char *dot = strchr(key, '.');

    ck_assert_msg(dot && dot > key && !strchr(dot + 1, '.'), "%s", key);
    for (const char *c = key; *c; c++)
        ck_assert_msg(islower((unsigned char)*c) || *c == '_' || *c == '.', "%s", key);
}

START_TEST(every_row_is_whole)
{
    for (size_t i = 0; i < settings_table.count; i++) {
        const struct config_row *row = &settings_table.rows[i];

        check_key(row->key);
        ck_assert_msg(row->help && row->help[strlen(row->help) - 1] == '.', "%s", row->key);
        ck_assert_msg(row->used_by != 0 && !(row->used_by & ~(unsigned)PROGRAM_ALL), "%s",
                      row->key);
        ck_assert_msg((row->optional_in & ~row->used_by) == 0, "%s", row->key);
        ck_assert_msg((row->type == CONFIG_CHOICE) == (row->choices != NULL), "%s", row->key);
        ck_assert_msg(row->minimum <= row->maximum, "%s", row->key);
        ck_assert_msg(row->offset < sizeof(struct settings), "%s", row->key);
    }
}
END_TEST

START_TEST(no_key_and_no_field_stands_twice)
{
    for (size_t a = 0; a < settings_table.count; a++)
        for (size_t b = 0; b < a; b++) {
            const struct config_row *first = &settings_table.rows[a];
            const struct config_row *second = &settings_table.rows[b];

            ck_assert_str_ne(first->key, second->key);
            ck_assert_msg(first->offset != second->offset, "%s and %s", first->key, second->key);
        }
}
END_TEST

START_TEST(a_number_says_its_unit_in_its_name)
{
    for (size_t i = 0; i < settings_table.count; i++) {
        const struct config_row *row = &settings_table.rows[i];
        const size_t size = strlen(row->key);

        if (row->type != CONFIG_INT)
            continue;
        if (size > 3 && strcmp(row->key + size - 3, "_ms") == 0)
            ck_assert_str_eq(row->unit, "ms");
        else if (size > 6 && strcmp(row->key + size - 6, "_per_s") == 0)
            ck_assert_str_eq(row->unit, "per s");
        else if (size > 2 && strcmp(row->key + size - 2, "_s") == 0)
            ck_assert_str_eq(row->unit, "s");
        else if (size > 6 && strcmp(row->key + size - 6, "_bytes") == 0)
            ck_assert_str_eq(row->unit, "bytes");
    }
}
END_TEST

START_TEST(every_program_has_a_name)
{
    ck_assert_str_eq(program_name(PROGRAM_GATEWAY), "activestack-gateway");
    ck_assert_str_eq(program_name(PROGRAM_SYNC), "activestack-sync-agent");
    ck_assert_str_eq(program_name(PROGRAM_AUTH), "activestack-auth-agent");
    ck_assert_str_eq(program_name(PROGRAM_CTL), "activestack-ctl");
    ck_assert_str_eq(program_name(PROGRAM_ALL), "activestack");
}
END_TEST

UNIT_SUITE("settings", each_program_needs_what_it_cannot_do_without,
           with_these_every_program_starts, the_defaults_are_those_that_were_agreed,
           levels_of_the_log_are_in_the_order_of_its_enum,
           short_keys_are_refused_without_being_told, every_row_is_whole,
           no_key_and_no_field_stands_twice, a_number_says_its_unit_in_its_name,
           every_program_has_a_name)
