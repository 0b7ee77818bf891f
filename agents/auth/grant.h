#pragma once

#include "agents/auth/providers/provider.h"
#include "agents/runtime/work.h"
#include "common/base/secret.h"

/*
 * grant - the last part of every way to log in (spec 8.6, steps 3 to 6): the account is verified,
 * its user is found or made, and gets a token.
 */

/* A part of the work's state. */
struct grant {
    const char *provider;                /* its id; borrowed */
    char token[2 * SECRET_ID_CHARS + 1]; /* the secret that the client gets */
};

/* Runs login.lua, then `next`, which answers with answer_token(). The account may be a part of the
 * last call's reply. */
enum work_step grant_token(struct work *work, struct grant *grant, const struct account *account,
                           work_fn *next);

/* Leaves nothing of the token in memory. */
void grant_deinit(struct grant *grant);
