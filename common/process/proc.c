#include "common/process/proc.h"

#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/secret.h"
#include "common/process/probe.h"
#include "common/process/process_figures.h"

#define EXIT_MISTAKE 2

struct options {
    const char *config_path;
    bool check_config, probe;
};

/* What parsing the command line, or loading the settings, leads to. */
enum next { NEXT_RUN, NEXT_DONE, NEXT_MISTAKE };

static const struct option long_options[] = {
    // clang-format off
    { "probe",        no_argument,       NULL, 'p' },
    { "help-metrics", no_argument,       NULL, 'm' },
    { "config",       required_argument, NULL, 'c' },
    { "check-config", no_argument,       NULL, 'k' },
    { "help",         no_argument,       NULL, 'h' },
    { "help-config",  no_argument,       NULL, 'H' },
    { "version",      no_argument,       NULL, 'v' },
    { NULL,           0,                 NULL, 0   },
    // clang-format on
};

#define SERVER_OPTIONS 2 /* the first ones are of programs with a status port */

static void print_help(const struct proc_about *about)
{
    const bool is_server = about->program != PROGRAM_CTL;

    printf("Usage: %s [OPTION]...%s\n\n%s\n\n", program_name(about->program),
           is_server ? "" : " COMMAND [ARGUMENT]...", about->help);
    fputs("  --config FILE   read settings from FILE (else from $ACTIVESTACK_CONFIG)\n"
          "  --check-config  check the settings, print them without secrets, and exit\n",
          stdout);
    if (is_server)
        fputs("  --probe         ask the one that runs, at its status port, whether it is ready:\n"
              "                  exit code 0 yes, 1 no and why, 2 it does not answer\n"
              "  --help-metrics  explain all metrics\n",
              stdout);
    fputs("  --help-config   explain all settings\n"
          "  --version       print the version\n"
          "  --help          print this\n",
          stdout);
}

static void print_metrics(const struct proc_about *about)
{
    for (size_t i = 0; about->metrics[i]; i++)
        metrics_print_help(about->metrics[i], stdout);
    metrics_print_help(&process_figures, stdout);
}

static enum next parse_option(int option, const struct proc_about *about, struct options *options)
{
    switch (option) {
    case 'c':
        options->config_path = optarg;
        return NEXT_RUN;
    case 'k':
        options->check_config = true;
        return NEXT_RUN;
    case 'p':
        options->probe = true;
        return NEXT_RUN;
    case 'h':
        print_help(about);
        return NEXT_DONE;
    case 'H':
        config_print_help(&settings_table, about->program, stdout);
        return NEXT_DONE;
    case 'm':
        print_metrics(about);
        return NEXT_DONE;
    case 'v':
        printf("%s %s\n", program_name(about->program), ACTIVESTACK_VERSION);
        return NEXT_DONE;
    default: /* getopt has told what is wrong */
        return NEXT_MISTAKE;
    }
}

static enum next parse_options(const struct proc_about *about, int argc, char **argv,
                               struct options *options)
{
    const bool is_server = about->program != PROGRAM_CTL;
    const struct option *known = is_server ? long_options : long_options + SERVER_OPTIONS;
    int option;

    while ((option = getopt_long(argc, argv, "+", known, NULL)) != -1) {
        const enum next next = parse_option(option, about, options);

        if (next != NEXT_RUN)
            return next;
    }
    if (optind < argc && is_server) {
        fprintf(stderr, "%s: unexpected argument '%s'\n", argv[0], argv[optind]);
        return NEXT_MISTAKE;
    }
    return NEXT_RUN;
}

static enum next load_settings(struct proc *proc, enum program p, const struct options *options)
{
    _cleanup_(text_deinitp) struct text problems = {0};

    proc->program = p;
    proc->config_path = options->config_path ? options->config_path : getenv("ACTIVESTACK_CONFIG");
    if (config_load(&settings_table, p, proc->config_path, environ, &proc->settings, &problems)) {
        fprintf(stderr, "%s: the settings are wrong (see --help-config):\n%s", program_name(p),
                text_str(&problems));
        return NEXT_MISTAKE;
    }
    if (!options->check_config)
        return NEXT_RUN;
    config_print_values(&settings_table, p, &proc->settings, stdout);
    return NEXT_DONE;
}

static void awaited_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
}

static void set_signals(enum program p)
{
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    awaited_signals(&set);
    if (p != PROGRAM_CTL)
        pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void forbid_core_dumps(void)
{
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0});
}

/* Settings, and what has to be there whatever the program does. */
static enum next prepare(struct proc *proc, enum program p, const struct options *options)
{
    const enum next next = load_settings(proc, p, options);

    if (next != NEXT_RUN || options->probe || !secret_init())
        return next;
    fprintf(stderr, "%s: the system gives no random numbers\n", program_name(p));
    return NEXT_MISTAKE;
}

static void begin(struct proc *proc, enum program p)
{
    if (gethostname(proc->host, sizeof(proc->host) - 1) != 0)
        strcpy(proc->host, "localhost");
    log_init(program_name(p), (enum log_level)proc->settings.log_level, proc->settings.log_format);
    set_signals(p);
}

bool proc_start(struct proc *proc, const struct proc_about *about, int argc, char **argv,
                int *exit_code)
{
    struct options options = {0};
    enum next next;

    *proc = (struct proc){0};
    forbid_core_dumps();
    next = parse_options(about, argc, argv, &options);
    if (next == NEXT_RUN)
        next = prepare(proc, about->program, &options);
    if (next == NEXT_RUN && !options.probe) {
        begin(proc, about->program);
        return true;
    }
    if (next == NEXT_RUN)
        *exit_code =
            (int)probe_run(proc->settings.status_host, (uint16_t)proc->settings.status_port);
    else
        *exit_code = next == NEXT_DONE ? EXIT_SUCCESS : EXIT_MISTAKE;
    proc_end(proc);
    return false;
}

enum proc_event proc_wait(struct proc *proc)
{
    sigset_t set;
    int number = 0;

    (void)proc;
    awaited_signals(&set);
    sigwait(&set, &number);
    if (number == SIGHUP)
        return PROC_RELOAD;
    log_info("process.stopping", LOG_STR("signal", number == SIGINT ? "SIGINT" : "SIGTERM"));
    return PROC_STOP;
}

/* proc->settings stay as they were at the start. */
static void tell_waiting(const struct proc *proc, const struct settings *read)
{
    _cleanup_(text_deinitp) struct text keys = {0};

    config_add_waiting(&settings_table, proc->program, &proc->settings, read, &keys);
    if (keys.size > 0)
        log_warn("process.restart_needed", LOG_STR("settings", keys.at));
}

void proc_reload(struct proc *proc, proc_reload_fn *reload, void *arg)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    struct settings read = {0};
    enum err e =
        config_load(&settings_table, proc->program, proc->config_path, environ, &read, &problems);

    if (!e)
        e = reload(arg, &read, &problems);
    if (e) {
        log_error("process.not_reloaded", LOG_ERR(e), LOG_STR("mistakes", text_str(&problems)));
    } else {
        tell_waiting(proc, &read);
        log_info("process.reloaded"); /* as long as it may be said */
        log_set_level((enum log_level)read.log_level);
    }
    config_free(&settings_table, &read);
}

/* Sent to the process, not to a thread: whoever is in sigwait() gets it. */
void proc_request_stop(struct proc *proc)
{
    (void)proc;
    kill(getpid(), SIGTERM);
}

void proc_end(struct proc *proc)
{
    config_free(&settings_table, &proc->settings);
}

long proc_raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return -1;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        (void)getrlimit(RLIMIT_NOFILE, &limit);
    return (long)limit.rlim_cur;
}
