#include "common/base/plain_name.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

bool is_plain_name(const char *name)
{
    size_t size = 0;

    while (isalnum((unsigned char)name[size]) || (name[size] && strchr("_.-", name[size])))
        size++;
    return name[size] == '\0' && size > 0 && size <= PLAIN_NAME_MAX;
}
