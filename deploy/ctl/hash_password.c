#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/secret.h"
#include "common/base/text.h"
#include "deploy/ctl/commands.h"

static void wipe(struct text *t)
{
    if (t->at)
        explicit_bzero(t->at, t->room);
    text_deinit(t);
}

/* All of standard input but the line's end. */
static bool read_password(struct text *out)
{
    char piece[256];
    ssize_t n;

    text_reserve(out, 4096); /* so that it does not move and leave copies behind */
    while ((n = read(STDIN_FILENO, piece, sizeof(piece))) > 0 && out->size < 2048)
        text_add_bytes(out, piece, (size_t)n);
    explicit_bzero(piece, sizeof(piece));
    if (out->size > 0 && out->at[out->size - 1] == '\n')
        out->size--;
    return n == 0 && out->size > 0;
}

int ctl_hash_password(const char *config, int argc, char **argv)
{
    struct text password = {0};
    _cleanup_(text_deinit) struct text hash = {0};
    int exit_code = CTL_UNKNOWN;

    (void)config;
    (void)argv;
    if (argc != 1)
        fputs("activestack-ctl hash-password: takes no arguments\n", stderr);
    else if (!read_password(&password))
        fputs("activestack-ctl hash-password: give one password on standard input\n", stderr);
    else if (secret_password_hash(password.at, password.size, &hash) != ERR_OK)
        fputs("activestack-ctl hash-password: not enough memory\n", stderr);
    else
        exit_code = printf("%s\n", text_str(&hash)) > 0 ? CTL_YES : CTL_UNKNOWN;
    wipe(&password);
    return exit_code;
}
