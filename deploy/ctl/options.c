#include "deploy/ctl/options.h"

#include <getopt.h>
#include <stdio.h>

static void take(const struct ctl_option *option)
{
    if (option->value)
        *option->value = optarg;
    else
        *option->given = true;
}

static bool take_options(int argc, char **argv, const struct ctl_option *options)
{
    struct option table[CTL_OPTIONS_MAX + 1] = {{NULL, 0, NULL, 0}};
    int found, which = 0;

    for (size_t i = 0; options[i].name; i++) {
        table[i].name = options[i].name;
        table[i].has_arg = options[i].value ? required_argument : no_argument;
    }
    while ((found = getopt_long(argc, argv, "", table, &which)) == 0)
        take(&options[which]);
    return found == -1;
}

char **options_read(int argc, char **argv, const struct ctl_option *options, int least, int most)
{
    bool taken = take_options(argc, argv, options);

    if (taken && argc - optind >= least && argc - optind <= most)
        return argv + optind;
    fprintf(stderr, "activestack-ctl %s: wrong arguments; see activestack-ctl --help\n", argv[0]);
    return NULL;
}
