#include <inttypes.h>
#include <stdio.h>

#include "deploy/ctl/asking.h"
#include "deploy/ctl/commands.h"
#include "deploy/ctl/options.h"

static void print_line(const char *name, int64_t count)
{
    printf("%-12s %12" PRId64 "\n", name, count);
}

/* Every mark ever made is acknowledged, superseded, ended, or there. */
static int print_books(struct json_span answer, bool check)
{
    static const char *const ways_to_end[] = {"acknowledged", "superseded", "ended"};
    int64_t made = answer_number(answer, "made"), counted = answer_number(answer, "counted");
    int64_t pending = made;

    for (size_t i = 0; i < ARRAY_SIZE(ways_to_end); i++)
        pending -= answer_number(answer, ways_to_end[i]);
    if (!check) {
        print_line("made", made);
        for (size_t i = 0; i < ARRAY_SIZE(ways_to_end); i++)
            print_line(ways_to_end[i], answer_number(answer, ways_to_end[i]));
        print_line("pending", pending);
        print_line("recounted", counted);
    }
    if (pending == counted)
        puts("balanced");
    else
        printf("NOT balanced: %" PRId64 " marks have not ended by the books, there are %" PRId64
               "\n",
               pending, counted);
    return pending == counted ? CTL_YES : CTL_NO;
}

int ctl_books(const char *config, int argc, char **argv)
{
    _cleanup_(asking_closep) struct asking *asking = NULL;
    const char *wait = NULL;
    struct json_span answer;
    bool check = false;
    const struct ctl_option options[] = {
        {"wait", &wait, NULL}, {"check", NULL, &check}, {NULL, NULL, NULL}};

    if (!options_read(argc, argv, options, 0, 0) || !asking_open("books", config, wait, &asking) ||
        !asking_ask(asking, "inspectBooks", "", &answer))
        return CTL_UNKNOWN;
    return print_books(answer, check);
}
