#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "deploy/ctl/asking.h"
#include "deploy/ctl/commands.h"

static int64_t number(struct json_span answer, const char *name)
{
    int64_t value = 0;

    return json_int64(json_member(answer, name, NULL), &value) ? 0 : value;
}

/* Every mark ever made is pending, acknowledged, superseded or ended. */
static int print_books(struct json_span answer, bool check)
{
    static const char *const names[] = {"made", "acknowledged", "superseded", "ended"};
    int64_t pending = number(answer, "made"), counted = number(answer, "counted");

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        printf("%-14s %lld\n", names[i], (long long)number(answer, names[i]));
        pending -= i ? number(answer, names[i]) : 0;
    }
    printf("%-14s %lld\n%-14s %lld\n%s\n", "pending", (long long)pending, "recounted",
           (long long)counted, pending == counted ? "balanced" : "NOT balanced");
    return check && pending != counted ? CTL_NO : CTL_YES;
}

int ctl_books(const char *config, int argc, char **argv)
{
    static const struct option options[] = {{"wait", required_argument, NULL, 'w'},
                                            {"check", no_argument, NULL, 'c'},
                                            {NULL, 0, NULL, 0}};
    _cleanup_(asking_closep) struct asking *asking = NULL;
    const char *wait = NULL;
    struct json_span answer;
    bool check = false;
    int o;

    while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (o == '?')
            return CTL_UNKNOWN;
        if (o == 'w')
            wait = optarg;
        check = check || o == 'c';
    }
    if (optind < argc || !asking_open("books", config, wait, &asking) ||
        !asking_ask(asking, "inspectBooks", "", &answer))
        return CTL_UNKNOWN;
    return print_books(answer, check);
}
