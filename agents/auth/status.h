#pragma once

/*
 * status - how an attempt to log in, or to make an account, ended: statusCode of an AuthResponse,
 * message beside it (spec 8.7).
 */

enum auth_status {
    AUTH_SUCCESS = 200,
    AUTH_UNAUTHORIZED = 401, /* no such token */
    AUTH_FORBIDDEN = 402,    /* refused by the provider */
    AUTH_FAILURE = 403,      /* no such provider; not all that an account needs */
    AUTH_DUPLICATE = 404,    /* somebody has this user name or email */
    AUTH_TOO_MANY = 429,     /* failed attempts, on this account or from this address */
    AUTH_BAD_PASSWORD = 433  /* or no such user */
};

/* "Success", "Unauthorized", ... */
const char *auth_status_message(enum auth_status status);
