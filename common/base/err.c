#include "common/base/err.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/cleanup.h"

static const struct {
    const char *text;
    enum err_class class_;
} codes[] = {
    // clang-format off
    [ERR_OK]        = { "no error",                      ERR_CLASS_NONE   },
    [ERR_NOMEM]     = { "out of memory",                 ERR_CLASS_FATAL  },
    [ERR_FULL]      = { "a limit was reached",           ERR_CLASS_LATER  },
    [ERR_CLOSED]    = { "the other end is gone",         ERR_CLASS_FATAL  },
    [ERR_AWAY]      = { "a server cannot be reached",    ERR_CLASS_LATER  },
    [ERR_TIMEOUT]   = { "a deadline passed",             ERR_CLASS_LATER  },
    [ERR_NOT_FOUND] = { "not found",                     ERR_CLASS_CLIENT },
    [ERR_MALFORMED] = { "malformed",                     ERR_CLASS_CLIENT },
    [ERR_TYPE]      = { "of the wrong type",             ERR_CLASS_CLIENT },
    [ERR_RANGE]     = { "out of range",                  ERR_CLASS_CLIENT },
    [ERR_UTF8]      = { "not UTF-8",                     ERR_CLASS_CLIENT },
    [ERR_CONFIG]    = { "a setting is wrong",            ERR_CLASS_FATAL  },
    [ERR_REFUSED]   = { "a server answered with an error", ERR_CLASS_LATER },
    [ERR_IO]        = { "the operating system refused",  ERR_CLASS_FATAL  },
    // clang-format on
};

_Static_assert(ARRAY_SIZE(codes) == ERR_COUNT, "each code has a row");

const char *err_text(enum err e)
{
    return (unsigned)e < ERR_COUNT ? codes[e].text : "unknown error";
}

enum err_class err_class(enum err e)
{
    return (unsigned)e < ERR_COUNT ? codes[e].class_ : ERR_CLASS_FATAL;
}

_Noreturn void err_out_of_memory(void)
{
    fputs("activestack: out of memory\n", stderr);
    abort();
}
