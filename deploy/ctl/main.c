#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/base/secret.h"
#include "deploy/ctl/commands.h"

struct command {
    const char *name;
    const char *arguments;
    const char *help;
    ctl_command_fn *run;
};

static const struct command commands[] = {
    // clang-format off
    {"books",         "[--wait SECONDS] [--check]",
     "prints the books of marks beside a recount, 1 if they differ; --check: only that", ctl_books},
    {"check-config",  "[--live] [FILE]",
     "checks the settings of all programs and the model; --live: Redis's too", ctl_check_config},
    {"clients",       "[--wait SECONDS]",
     "prints a line for each session: where it is, how much it watches and has missed", ctl_clients},
    {"connect",       "[--url URL] [--content] [--login PROVIDER CREDENTIAL] [--stay SECONDS]",
     "sends each line of input as a frame to a gateway, prints frames",        ctl_connect},
    {"export",        "[--wait SECONDS] [--output FILE] [CLASS...]",
     "prints every object of these classes, or of all, as a line of JSON",     ctl_export},
    {"hash-password", "",
     "asks for a password, or reads it from standard input, prints its hash for a users file", ctl_hash_password},
    {"import",        "[--wait SECONDS] [FILE]",
     "reads what export prints: makes objects, changes what differs",          ctl_import},
    {"model",         "[--wait SECONDS] check|migrate [FILE]",
     "what a changed model takes; migrate: brings the objects to it",          ctl_model},
    {"operations",    "",
     "prints the table of operations",                                         ctl_operations},
    {"reference",     "settings|operations|codes|sample|manual",
     "prints the settings, operations or codes of all programs as Markdown; the settings also as a\n"
     "      sample file, or as a part of activestack.conf(5)",                  ctl_reference},
    {"user",          "[--wait SECONDS] ACTION [USER]",
     "list [USER]; add [--first-name TEXT] [--last-name TEXT] [--email TEXT] [--roles A,B] USER;\n"
     "      role USER +ROLE -ROLE...; passwd, disable, enable, logout, remove USER. Passwords are asked for\n"
     "      at the terminal, or read from standard input",                     ctl_user},
    {"why",           "[--wait SECONDS] CLIENT CLASS ID",
     "explains what a client was told of an object, and why nothing newer",    ctl_why},
    // clang-format on
};

static void print_help(FILE *out)
{
    fputs("usage: activestack-ctl [--config FILE] COMMAND [ARGUMENTS]\n\n"
          "The configuration file may also be named by ACTIVESTACK_CONFIG.\n"
          "Exit code: 0 yes or done, 1 no, 2 could not find out.\n\n",
          out);
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        const struct command *c = &commands[i];

        fprintf(out, "  %s%s%s\n      %s\n", c->name, *c->arguments ? " " : "", c->arguments,
                c->help);
    }
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

/* Reads the options before the command. Returns false when the program is done. */
static bool read_options(int argc, char **argv, const char **config, int *exit_code)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'v'},
                                            {NULL, 0, NULL, 0}};
    int o;

    while ((o = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        if (o == 'c') {
            *config = optarg;
            continue;
        }
        *exit_code = o == '?' ? CTL_UNKNOWN : CTL_YES;
        if (o == 'h')
            print_help(stdout);
        if (o == 'v')
            puts("activestack-ctl " ACTIVESTACK_VERSION);
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    const char *config = getenv("ACTIVESTACK_CONFIG");
    const struct command *command;
    int exit_code;

    if (!read_options(argc, argv, &config, &exit_code))
        return exit_code;
    command = optind < argc ? find_command(argv[optind]) : NULL;
    if (!command) {
        print_help(stderr);
        return CTL_UNKNOWN;
    }
    log_init("activestack-ctl", LOG_LEVEL_WARN, false);
    if (secret_init() != ERR_OK) {
        fputs("activestack-ctl: no source of randomness\n", stderr);
        return CTL_UNKNOWN;
    }
    argc -= optind;
    argv += optind;
    optind = 1; /* for the command's own options */
    return command->run(config, argc, argv);
}
