#include "agents/sync/content/names.h"

#include <string.h>

void names_add(struct names *names, const char *name)
{
    text_add_bytes(&names->all, name, strlen(name) + 1);
}

void names_deinit(struct names *names)
{
    text_deinit(&names->all);
}

const char *names_next(const struct names *names, size_t *at)
{
    const char *name = *at < names->all.size ? names->all.at + *at : NULL;

    if (name)
        *at += strlen(name) + 1;
    return name;
}

void names_handled(struct names *names, int64_t count)
{
    while (count-- > 0 && names_next(names, &names->handled))
        continue;
}
