#include <stdio.h>

#include "deploy/ctl/commands.h"
#include "deploy/ctl/password.h"

int ctl_hash_password(const char *config, int argc, char **argv)
{
    _cleanup_(text_deinitp) struct text hash = {0};

    (void)config;
    if (argc != 1) {
        fputs("activestack-ctl hash-password: takes no arguments\n", stderr);
        return CTL_UNKNOWN;
    }
    if (!password_read_hash(argv[0], &hash))
        return CTL_UNKNOWN;
    return printf("%s\n", text_str(&hash)) > 0 ? CTL_YES : CTL_UNKNOWN;
}
