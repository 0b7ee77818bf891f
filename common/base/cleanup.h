#pragma once

#include <stdlib.h>

/*
 * cleanup - the attributes that state ownership and duty at a declaration.
 *
 *   _cleanup_(text_deinitp) struct text body = {0};   runs text_deinit(&body) when the scope ends
 *   _must_check_ enum err f(void);                    the caller has to look at the result
 *
 * DEFINE_CLEANUP(struct foo *, foo_destroy) defines foo_destroyp() for _cleanup_(); it sees the
 * variable at scope end, so a pointer that was handed on (set to NULL) is not destroyed.
 */

#define _cleanup_(fn)        __attribute__((cleanup(fn)))
#define _must_check_         __attribute__((warn_unused_result))
#define _printf_(fmt, first) __attribute__((format(printf, fmt, first)))

#define DEFINE_CLEANUP(type, destroy)                                                             \
    static inline void destroy##p(type *p) /* NOLINT(bugprone-macro-parentheses): it is a type */ \
    {                                                                                             \
        if (*p)                                                                                   \
            destroy(*p);                                                                          \
    }

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* For plain strings: _cleanup_(freep) char *name = NULL; */
static inline void freep(char **p)
{
    free(*p);
}
