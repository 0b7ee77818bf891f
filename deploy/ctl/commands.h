#pragma once

/*
 * commands - what activestack-ctl can do, one file each.
 *
 * A command gets the configuration file that was named (NULL: none) and its own arguments, its
 * name first. It answers on standard output, tells mistakes on standard error, and returns the
 * exit code.
 */

enum ctl_exit {
    CTL_YES = 0,    /* done; or: everything is as it should be */
    CTL_NO = 1,     /* found out that it is not */
    CTL_UNKNOWN = 2 /* could not find out: wrong arguments, or somebody cannot be reached */
};

typedef int ctl_command_fn(const char *config, int argc, char **argv);

ctl_command_fn ctl_books, ctl_check_config, ctl_clients, ctl_connect, ctl_export, ctl_hash_password,
    ctl_import, ctl_model, ctl_operations, ctl_reference, ctl_user, ctl_why;
