#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/process/proc.h"
#include "tests/support/unit.h"

/* What a program that calls proc_start() does, told by what it writes and how it ends. */
struct outcome {
    char out[16384], err[4096];
    int exit_code;
};

static const struct metrics_row rows[] = {{"things_total", NULL, METRICS_COUNTER, "Things."}};
static const struct metrics_table table = {rows, ARRAY_SIZE(rows)};
static const struct metrics_table *const tables[] = {&table, NULL};

#define STARTED 77 /* exit code of a program that would have run */

static void read_back(FILE *file, char *to, size_t room)
{
    rewind(file);
    to[fread(to, 1, room - 1, file)] = '\0';
    fclose(file);
}

/* Runs proc_start() in a process of its own, with the arguments up to NULL. */
static struct outcome start(enum program p, char *const *arguments)
{
    FILE *out = tmpfile(), *err = tmpfile();
    struct outcome outcome;
    char *argv[8] = {(char[]){"program"}};
    int argc = 1, status = 0;
    pid_t child;

    for (; *arguments; arguments++)
        argv[argc++] = *arguments;
    child = fork();
    if (child == 0) {
        const struct proc_about about = {p, "Does this and that.", tables};
        struct proc proc;
        int code;

        dup2(fileno(out), STDOUT_FILENO);
        dup2(fileno(err), STDERR_FILENO);
        code = proc_start(&proc, &about, argc, argv, &code) ? STARTED : code;
        if (code == STARTED)
            proc_end(&proc);
        fflush(stdout);
        _exit(code);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    outcome.exit_code = WEXITSTATUS(status);
    read_back(out, outcome.out, sizeof(outcome.out));
    read_back(err, outcome.err, sizeof(outcome.err));
    return outcome;
}

#define START(p, ...) start(p, (char *const[]){__VA_ARGS__, NULL})

static char help[] = "--help", help_config[] = "--help-config", version[] = "--version";
static char check_config[] = "--check-config", config[] = "--config", word[] = "books";
static char help_metrics[] = "--help-metrics", probe[] = "--probe";
static char wrong[] = "--wrong", check[] = "--check";

static void set_environment(void)
{
    setenv("ACTIVESTACK_AMQP_URL", "amqp://user:hidden@host", 1);
    setenv("ACTIVESTACK_REDIS_URL", "redis://host", 1);
    setenv("ACTIVESTACK_GATEWAY_SESSION_SECRET", "0123456789abcdef0123456789abcdef", 1);
    setenv("ACTIVESTACK_AUTH_SEAL_SECRET", "0123456789abcdef0123456789abcdef", 1);
}

START_TEST(help_is_printed_and_the_program_is_done)
{
    const struct outcome o = START(PROGRAM_GATEWAY, help);

    ck_assert_int_eq(o.exit_code, 0);
    assert_contains(o.out, "Usage: activestack-gateway [OPTION]...\n\nDoes this and that.\n");
    assert_contains(o.out, "--config FILE");
    ck_assert_str_eq(o.err, "");
}
END_TEST

START_TEST(the_settings_of_the_program_are_explained)
{
    const struct outcome o = START(PROGRAM_AUTH, help_config);

    ck_assert_int_eq(o.exit_code, 0);
    assert_contains(o.out, "ACTIVESTACK_AUTH_PROVIDERS");
    assert_lacks(o.out, "ACTIVESTACK_GATEWAY_PORT");
}
END_TEST

START_TEST(the_metrics_of_the_program_are_explained)
{
    const struct outcome o = START(PROGRAM_SYNC, help_metrics);

    ck_assert_int_eq(o.exit_code, 0);
    assert_contains(o.out, "things_total  counter\n    Things.\n");
    assert_contains(o.out, "process_open_fds  gauge\n");
}
END_TEST

START_TEST(a_probe_without_a_status_port_finds_nobody)
{
    set_environment();

    const struct outcome o = START(PROGRAM_GATEWAY, probe);

    ck_assert_int_eq(o.exit_code, 2);
    assert_contains(o.err, "status.port is 0");
    ck_assert_str_eq(o.out, "");
}
END_TEST

START_TEST(the_version_is_printed)
{
    const struct outcome o = START(PROGRAM_SYNC, version);

    ck_assert_int_eq(o.exit_code, 0);
    ck_assert_str_eq(o.out, "activestack-sync-agent " ACTIVESTACK_VERSION "\n");
}
END_TEST

START_TEST(wrong_options_and_words_are_mistakes)
{
    set_environment();
    ck_assert_int_eq(START(PROGRAM_GATEWAY, wrong).exit_code, 2);
    ck_assert_int_eq(START(PROGRAM_GATEWAY, config).exit_code, 2);

    const struct outcome o = START(PROGRAM_GATEWAY, word);

    ck_assert_int_eq(o.exit_code, 2);
    assert_contains(o.err, "unexpected argument 'books'\n");
}
END_TEST

START_TEST(wrong_settings_are_told_on_standard_error)
{
    const struct outcome o = START(PROGRAM_GATEWAY, check_config);

    ck_assert_int_eq(o.exit_code, 2);
    assert_contains(o.err, "\namqp.url: not set");
    assert_contains(o.err, "\ngateway.session_secret: not set");
    ck_assert_str_eq(o.out, "");
}
END_TEST

START_TEST(settings_are_checked_and_printed_without_secrets)
{
    set_environment();

    const struct outcome o = START(PROGRAM_GATEWAY, check_config);

    ck_assert_int_eq(o.exit_code, 0);
    assert_contains(o.out, "\ngateway.port = 8080\n");
    assert_lacks(o.out, "hidden");
    assert_lacks(o.out, "0123456789abcdef");
}
END_TEST

START_TEST(the_file_comes_from_the_option_or_the_environment)
{
    char path[] = "/tmp/unit-proc-XXXXXX", nowhere[] = "/nonexistent";
    const int fd = mkstemp(path);

    set_environment();
    ck_assert_int_eq(write(fd, "gateway.port = 99\n", 18), 18);
    close(fd);
    assert_contains(START(PROGRAM_GATEWAY, config, path, check_config).out, "port = 99\n");
    setenv("ACTIVESTACK_CONFIG", path, 1);
    assert_contains(START(PROGRAM_GATEWAY, check_config).out, "port = 99\n");
    ck_assert_int_eq(START(PROGRAM_GATEWAY, config, nowhere).exit_code, 2); /* the option wins */
    unlink(path);
}
END_TEST

START_TEST(the_control_tool_has_words_of_its_own)
{
    set_environment();
    ck_assert_int_eq(START(PROGRAM_CTL, word, check).exit_code, STARTED);
    assert_contains(START(PROGRAM_CTL, help).out, "[OPTION]... COMMAND [ARGUMENT]...\n");
    ck_assert_int_eq(START(PROGRAM_CTL, probe).exit_code, 2);
    ck_assert_int_eq(START(PROGRAM_CTL, help_metrics).exit_code, 2);
}
END_TEST

static void start_here(struct proc *proc, enum program p)
{
    char name[] = "program";
    int exit_code;

    set_environment();
    ck_assert(proc_start(proc, &(struct proc_about){.program = p, .help = ""}, 1,
                         (char *[]){name, NULL}, &exit_code));
    log_redirect(tmpfile());
}

START_TEST(a_started_program_knows_its_settings_and_its_machine)
{
    struct proc proc;

    start_here(&proc, PROGRAM_GATEWAY);
    ck_assert_int_eq(proc.settings.gateway_port, 8080);
    ck_assert_str_ne(proc.host, "");
    proc_end(&proc);
}
END_TEST

START_TEST(signals_end_the_wait_and_nothing_else)
{
    static const int signals[] = {SIGINT, SIGTERM};
    struct proc proc;

    start_here(&proc, PROGRAM_GATEWAY);
    raise(SIGPIPE);
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        kill(getpid(), signals[i]);
        ck_assert_int_eq(proc_wait(&proc), PROC_STOP);
    }
    proc_end(&proc);
}
END_TEST

START_TEST(a_hangup_is_told_and_does_not_end)
{
    struct proc proc;

    start_here(&proc, PROGRAM_GATEWAY);
    kill(getpid(), SIGHUP);
    ck_assert_int_eq(proc_wait(&proc), PROC_RELOAD);
    kill(getpid(), SIGTERM);
    ck_assert_int_eq(proc_wait(&proc), PROC_STOP);
    kill(getpid(), SIGHUP); /* comes first, being the lower number */
    kill(getpid(), SIGTERM);
    ck_assert_int_eq(proc_wait(&proc), PROC_RELOAD);
    ck_assert_int_eq(proc_wait(&proc), PROC_STOP);
    proc_end(&proc);
}
END_TEST

static void *request_stop(void *proc)
{
    proc_request_stop(proc);
    return NULL;
}

START_TEST(any_thread_can_end_the_wait)
{
    struct proc proc;
    pthread_t thread;

    start_here(&proc, PROGRAM_GATEWAY);
    ck_assert_int_eq(pthread_create(&thread, NULL, request_stop, &proc), 0);
    ck_assert_int_eq(proc_wait(&proc), PROC_STOP);
    pthread_join(thread, NULL);
    proc_end(&proc);
}
END_TEST

START_TEST(the_control_tool_can_be_interrupted)
{
    struct proc proc;
    sigset_t blocked;

    start_here(&proc, PROGRAM_CTL);
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    ck_assert(!sigismember(&blocked, SIGINT));
    proc_end(&proc);
}
END_TEST

START_TEST(the_limit_of_open_files_is_raised_to_the_hard_one)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 64;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_eq(proc_raise_file_limit(), (long)limit.rlim_max);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_uint_eq(limit.rlim_cur, limit.rlim_max);
}
END_TEST

UNIT_SUITE("proc", help_is_printed_and_the_program_is_done,
           the_settings_of_the_program_are_explained, the_metrics_of_the_program_are_explained,
           a_probe_without_a_status_port_finds_nobody, the_version_is_printed,
           wrong_options_and_words_are_mistakes, wrong_settings_are_told_on_standard_error,
           settings_are_checked_and_printed_without_secrets,
           the_file_comes_from_the_option_or_the_environment, the_control_tool_has_words_of_its_own,
           a_started_program_knows_its_settings_and_its_machine,
           signals_end_the_wait_and_nothing_else, a_hangup_is_told_and_does_not_end,
           any_thread_can_end_the_wait, the_control_tool_can_be_interrupted,
           the_limit_of_open_files_is_raised_to_the_hard_one)
