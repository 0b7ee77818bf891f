#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/base/plain_name.h"
#include "deploy/ctl/asking.h"
#include "deploy/ctl/commands.h"
#include "deploy/ctl/options.h"
#include "deploy/ctl/password.h"
#include "deploy/ctl/user_list.h"

/*
 * user: who there is, and what they may. A user is named by id, account ("file:ada@example.org"),
 * user name of the provider basic, or verified email.
 */

/* The command line. */
struct options {
    const char *wait;
    const char *texts[4]; /* of `add`: --first-name, --last-name, --email, --roles */
    const char *user;     /* NULL: none */
    char **roles;         /* of `role`: +name, -name; ends with NULL */
    struct text hash;     /* of the password, of actions that need one */
};

enum { FIRST_NAME, LAST_NAME, EMAIL, ROLES };

static bool fail(const char *what, const char *rest)
{
    fprintf(stderr, "activestack-ctl user: %s%s\n", what, rest);
    return false;
}

/* ---- What the agents answer ---- */

static int print_outcome(struct json_span answer)
{
    static const struct {
        const char *outcome, *text;
        int exit_code;
    } outcomes[] = {
        {"ok", NULL, CTL_YES},
        {"unknown", "there is no such user", CTL_NO},
        {"ambiguous", "several users are called so: say which by id or provider:account", CTL_NO},
        {"duplicate", "somebody has this user name or email", CTL_NO},
        {"none", "the user has no password here: it is kept by another provider", CTL_NO},
        {"closed", "the provider basic is not open: see auth.providers", CTL_NO},
    };
    struct json_span outcome = json_member(answer, "outcome", NULL);

    for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++) {
        if (!json_string_is(outcome, outcomes[i].outcome))
            continue;
        if (outcomes[i].text)
            (void)fail(outcomes[i].text, "");
        return outcomes[i].exit_code;
    }
    (void)fail("the agent's answer is not understood", "");
    return CTL_UNKNOWN;
}

static int order(struct asking *asking, const char *operation, const struct text *body)
{
    struct json_span answer;

    if (!asking_ask(asking, operation, text_str(body), &answer))
        return CTL_UNKNOWN;
    return print_outcome(answer);
}

/* ---- Members of requests ---- */

static void add_member(struct text *out, const char *name, const char *value)
{
    text_addf(out, "%s\"%s\":", out->size ? "," : "", name);
    text_add_json_str(out, value);
}

/* Adds `"name":["a",...]` of those words that begin with the sign. */
static void add_signed(struct text *out, const char *name, char **words, char sign)
{
    const char *between = "";

    text_addf(out, ",\"%s\":[", name);
    for (; *words; words++) {
        if (**words != sign)
            continue;
        text_add(out, between);
        text_add_json_str(out, *words + 1);
        between = ",";
    }
    text_add_char(out, ']');
}

/* The same of a list "a,b". */
static void add_listed(struct text *out, const char *name, const char *list)
{
    const char *between = "";

    text_addf(out, ",\"%s\":[", name);
    while (list && *list) {
        const char *end = strchrnul(list, ',');

        text_add(out, between);
        text_add_json(out, list, (size_t)(end - list));
        between = ",";
        list = *end ? end + 1 : end;
    }
    text_add_char(out, ']');
}

/* ---- list ---- */

static int list(struct asking *asking, const struct options *o)
{
    const int exit_code = user_list_print(asking, o->user);

    if (exit_code == CTL_NO)
        (void)fail("there is no such user", "");
    return exit_code;
}

/* ---- Changes ---- */

static int add(struct asking *asking, const struct options *o)
{
    static const char *const names[] = {
        [FIRST_NAME] = "firstName", [LAST_NAME] = "lastName", [EMAIL] = "email"};
    _cleanup_(text_deinitp) struct text body = {0};

    add_member(&body, "theUser", o->user);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (o->texts[i])
            add_member(&body, names[i], o->texts[i]);
    }
    add_listed(&body, "roles", o->texts[ROLES]);
    add_member(&body, "hash", o->hash.at);
    return order(asking, "userAdd", &body);
}

static int passwd(struct asking *asking, const struct options *o)
{
    _cleanup_(text_deinitp) struct text body = {0};

    add_member(&body, "theUser", o->user);
    add_member(&body, "hash", o->hash.at);
    return order(asking, "userPassword", &body);
}

static int change(struct asking *asking, const struct options *o, const char *more)
{
    _cleanup_(text_deinitp) struct text body = {0};

    add_member(&body, "theUser", o->user);
    text_add(&body, more);
    return order(asking, "userChange", &body);
}

static int role(struct asking *asking, const struct options *o)
{
    _cleanup_(text_deinitp) struct text more = {0};

    add_signed(&more, "giveRoles", o->roles, '+');
    add_signed(&more, "takeRoles", o->roles, '-');
    return change(asking, o, text_str(&more));
}

static int disable(struct asking *asking, const struct options *o)
{
    return change(asking, o, ",\"disabled\":true");
}

static int enable(struct asking *asking, const struct options *o)
{
    return change(asking, o, ",\"disabled\":false");
}

static int logout(struct asking *asking, const struct options *o)
{
    return change(asking, o, ",\"logout\":true");
}

static int remove_user(struct asking *asking, const struct options *o)
{
    _cleanup_(text_deinitp) struct text body = {0};

    add_member(&body, "theUser", o->user);
    return order(asking, "userRemove", &body);
}

/* ---- The command line ---- */

static const struct action {
    const char *name;
    int (*run)(struct asking *asking, const struct options *o);
    bool may_miss_user, has_texts, has_roles, needs_password;
} actions[] = {
    // clang-format off
    { "add",     add,         false, true,  false, true  },
    { "disable", disable,     false, false, false, false },
    { "enable",  enable,      false, false, false, false },
    { "list",    list,        true,  false, false, false },
    { "logout",  logout,      false, false, false, false },
    { "passwd",  passwd,      false, false, false, true  },
    { "remove",  remove_user, false, false, false, false },
    { "role",    role,        false, false, true,  false },
    // clang-format on
};

static const struct action *find_action(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
        if (strcmp(actions[i].name, name) == 0)
            return &actions[i];
    }
    (void)fail("expected add, disable, enable, list, logout, passwd, remove or role", "");
    return NULL;
}

/* Those begin with a sign that options have, too, so they are no words for getopt. Returns how many
 * words there are before them. */
static int take_roles(int argc, char **argv, struct options *o)
{
    int first = argc;

    while (first > 1 && (*argv[first - 1] == '+' || *argv[first - 1] == '-') &&
           is_plain_name(argv[first - 1] + 1))
        first--;
    o->roles = argv + first;
    return first;
}

static bool is_role_action(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "role") == 0)
            return true;
    }
    return false;
}

/* Are these what the action takes? */
static bool are_fitting(const struct action *action, const struct options *o)
{
    for (size_t i = 0; i < ARRAY_SIZE(o->texts); i++) {
        if (o->texts[i] && !action->has_texts)
            return fail("no such options has ", action->name);
    }
    if (!o->user && !action->may_miss_user)
        return fail("expected a user behind ", action->name);
    if (action->has_roles != (*o->roles != NULL))
        return fail("expected +ROLE or -ROLE behind the user of role", "");
    return true;
}

/* NULL: told. */
static const struct action *read_options(int argc, char **argv, struct options *o)
{
    const struct ctl_option options[] = {{"wait", &o->wait, NULL},
                                         {"first-name", &o->texts[FIRST_NAME], NULL},
                                         {"last-name", &o->texts[LAST_NAME], NULL},
                                         {"email", &o->texts[EMAIL], NULL},
                                         {"roles", &o->texts[ROLES], NULL},
                                         {NULL, NULL, NULL}};
    const struct action *action;
    char **words;

    o->roles = argv + argc;
    if (is_role_action(argc, argv))
        argc = take_roles(argc, argv, o);
    optind = 0; /* from the beginning, with options before and behind words */
    words = options_read(argc, argv, options, 1, 2);
    action = words ? find_action(words[0]) : NULL;
    if (action)
        o->user = words + 1 < argv + argc ? words[1] : NULL;
    return action && are_fitting(action, o) ? action : NULL;
}

/* The password is read first: nobody types as fast as a broker loses its patience. */
int ctl_user(const char *config, int argc, char **argv)
{
    _cleanup_(asking_closep) struct asking *asking = NULL;
    struct options o = {0};
    const struct action *action = read_options(argc, argv, &o);
    int exit_code = CTL_UNKNOWN;

    if (action && (!action->needs_password || password_read_hash("user", &o.hash)) &&
        asking_open("user", config, o.wait, &asking))
        exit_code = action->run(asking, &o);
    text_deinit(&o.hash);
    return exit_code;
}
