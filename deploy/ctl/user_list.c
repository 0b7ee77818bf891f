#include "deploy/ctl/user_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "deploy/ctl/commands.h"

/* ---- One user ---- */

static void print_text(struct json_span user, const char *name, int width)
{
    _cleanup_(text_deinitp) struct text value = {0};

    answer_text(user, name, &value);
    printf("%-*s ", width, value.size ? value.at : "-");
}

static void print_words(struct json_span words, const char *after)
{
    const char *between = "";

    for (struct json_walk w = json_walk(words); json_next(&w);) {
        _cleanup_(text_deinitp) struct text value = {0};

        if (!json_decode(w.value, &value))
            printf("%s%s", between, text_str(&value));
        between = ",";
    }
    printf("%s%s", *between ? "" : "-", after);
}

static void print_time(int64_t ms)
{
    const time_t seconds = (time_t)(ms / 1000);
    char text[32] = "-";
    struct tm tm;

    if (ms && gmtime_r(&seconds, &tm))
        (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    printf("%-20s ", text);
}

static void print_users(struct json_span users)
{
    for (struct json_walk w = json_walk(users); json_next(&w);) {
        print_text(w.value, "id", 36);
        fputs(json_is_true(json_member(w.value, "disabled", NULL)) ? "disabled " : "enabled  ",
              stdout);
        printf("%8" PRId64 " ", answer_number(w.value, "sessions"));
        print_time(answer_number(w.value, "lastLogin"));
        print_text(w.value, "email", 30);
        print_words(json_member(w.value, "roles", NULL), " ");
        print_words(json_member(w.value, "accounts", NULL), "\n");
    }
}

/* ---- All that there are ---- */

static void print_head(void)
{
    printf("%-36s %-8s %8s %-20s %-30s roles accounts\n", "user", "state", "sessions", "last login",
           "email");
}

/* A page of them. Returns whether there are any. */
static bool print_page(struct json_span users, bool is_first)
{
    struct json_walk w = json_walk(users);
    const bool some = json_next(&w);

    if (is_first)
        print_head();
    print_users(users);
    return some;
}

int user_list_print(struct asking *asking, const char *user)
{
    _cleanup_(text_deinitp) struct text question = {0};
    struct json_span answer, next;
    bool some = false, is_first = true;

    if (user) {
        text_add(&question, "\"theUser\":");
        text_add_json_str(&question, user);
    }
    do {
        if (!asking_ask(asking, "inspectUsers", text_str(&question), &answer))
            return CTL_UNKNOWN;
        some = print_page(json_member(answer, "users", NULL), is_first) || some;
        is_first = false;
        next = json_member(answer, "next", NULL);
        text_clear(&question);
        text_add(&question, "\"after\":");
        text_add_bytes(&question, next.at, next.size);
    } while (json_kind(next) == JSON_STRING);
    return !user || some ? CTL_YES : CTL_NO;
}
