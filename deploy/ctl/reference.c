#include "deploy/ctl/reference.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "deploy/ctl/commands.h"

struct page {
    const char *name;
    void (*print)(FILE *out);
};

static const struct page pages[] = {
    {"codes", reference_codes},           {"manual", reference_manual},
    {"operations", reference_operations}, {"sample", reference_sample},
    {"settings", reference_settings},
};

int ctl_reference(const char *config, int argc, char **argv)
{
    (void)config;
    for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(pages); i++) {
        if (strcmp(pages[i].name, argv[1]) == 0) {
            pages[i].print(stdout);
            return CTL_YES;
        }
    }
    fputs("activestack-ctl reference: expected the name of a page; see activestack-ctl --help\n",
          stderr);
    return CTL_UNKNOWN;
}
