#pragma once

/*
 * err - the one error type of the project.
 *
 * A fallible function returns enum err; ERR_OK is 0, so `if (e)` reads "if it failed". Raise and
 * log an error once, where the facts are known; callers pass the code up or treat it. The class
 * of an error decides what a caller may do with it.
 */

enum err {
    ERR_OK = 0,
    ERR_NOMEM,     /* no memory */
    ERR_FULL,      /* a bound was reached: a queue, a socket buffer, a limit of a setting */
    ERR_CLOSED,    /* the other end of a queue is gone */
    ERR_AWAY,      /* Redis or the broker cannot be reached now */
    ERR_TIMEOUT,   /* a deadline passed */
    ERR_NOT_FOUND, /* what was asked for does not exist */
    ERR_MALFORMED, /* the input breaks its grammar */
    ERR_TYPE,      /* well-formed, but not of the type that was asked for */
    ERR_RANGE,     /* of the right type, but too large, too small, too long or too deep */
    ERR_UTF8,      /* the bytes are not UTF-8 */
    ERR_CONFIG,    /* a setting is wrong; the log or a problem text names it */
    ERR_REFUSED,   /* a peer answered with an error of its own */
    ERR_IO,        /* the operating system refused; errno says why */
    ERR_COUNT      /* not an error: the number of codes */
};

enum err_class {
    ERR_CLASS_NONE,   /* ERR_OK */
    ERR_CLASS_CLIENT, /* the input's fault: becomes a reply */
    ERR_CLASS_LATER,  /* passing: slow down and try again */
    ERR_CLASS_FATAL,  /* ours or the machine's: end the process in order */
};

/* A short text for logs, never NULL, also for values that are no code. */
const char *err_text(enum err e);

/* What a caller may do about it. */
enum err_class err_class(enum err e);

/* Ends the process: for allocations whose failure has no sensible answer (see text.h). */
_Noreturn void err_out_of_memory(void);
