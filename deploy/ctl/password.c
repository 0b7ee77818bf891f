#include "deploy/ctl/password.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "common/base/secret.h"

static bool fail(const char *command, const char *what)
{
    fprintf(stderr, "activestack-ctl %s: %s\n", command, what);
    return false;
}

/* To the end of the line, or, unless it is a terminal's, of standard input. */
static bool read_password(bool is_line, struct text *out)
{
    char c;
    ssize_t n;

    /* So that it does not move and leave copies behind */
    text_reserve(out, SECRET_PASSWORD_BYTES_MAX + 8);
    while ((n = read(STDIN_FILENO, &c, 1)) == 1 && out->size <= SECRET_PASSWORD_BYTES_MAX + 1) {
        if (is_line && c == '\n')
            break;
        text_add_char(out, c);
    }
    if (!is_line && out->size > 0 && out->at[out->size - 1] == '\n')
        out->size--;
    return n >= 0 && out->size > 0;
}

/* ---- At the terminal ---- */

static bool ask(const char *prompt, struct text *out)
{
    bool good;

    fputs(prompt, stderr);
    good = read_password(true, out);
    fputc('\n', stderr);
    return good;
}

static bool ask_twice(const char *command, struct text *out)
{
    _cleanup_(text_wipep) struct text again = {0};

    if (!ask("Password: ", out))
        return fail(command, "give a password");
    if (!ask("Again: ", &again) || again.size != out->size ||
        memcmp(again.at, out->at, out->size) != 0)
        return fail(command, "these are two passwords");
    return true;
}

static bool ask_unseen(const char *command, struct text *out)
{
    struct termios before, unseen;
    bool good;

    if (tcgetattr(STDIN_FILENO, &before))
        return fail(command, "the terminal cannot be asked");
    unseen = before;
    unseen.c_lflag &= ~(tcflag_t)ECHO;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen))
        return fail(command, "the terminal cannot be asked");
    good = ask_twice(command, out);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    return good;
}

/* ---- The hash ---- */

static bool add_hash(const char *command, const struct text *password, struct text *hash)
{
    if (password->size > SECRET_PASSWORD_BYTES_MAX || memchr(password->at, '\0', password->size))
        return fail(command, "a password has at most 1024 bytes, and no NUL");
    if (secret_password_hash(password->at, password->size, hash))
        return fail(command, "not enough memory");
    return true;
}

bool password_read_hash(const char *command, struct text *hash)
{
    _cleanup_(text_wipep) struct text password = {0};

    if (isatty(STDIN_FILENO) ? !ask_unseen(command, &password)
                             : !read_password(false, &password) &&
                                   !fail(command, "give one password on standard input"))
        return false;
    return add_hash(command, &password, hash);
}
