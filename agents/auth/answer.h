#pragma once

#include "agents/auth/status.h"
#include "agents/runtime/work.h"

/*
 * answer - the last steps of the auth agent's requests: each publishes an AuthResponse (spec 4.4,
 * every member always there) of the operation's class and is done.
 */

/* `result` is JSON text. */
enum work_step answer(struct work *work, enum auth_status status, const char *result);

/* `more`: the members that only this operation's response has, ",\"accessToken\":null"; or NULL. */
enum work_step answer_with(struct work *work, enum auth_status status, const char *result,
                           const char *more);

/* A refusal: the result is null, and nothing tells which part was wrong. */
enum work_step answer_refused(struct work *work, enum auth_status status);

/* The same, with a header for gateways whose clients may be told that there is no such user. */
enum work_step answer_unknown_user(struct work *work, enum auth_status status);

/* Who has failed too often, with a header that says so to gateways. */
enum work_step answer_too_many(struct work *work);

/* The UserToken (spec 8.2) that a script has returned as refused | ambiguous | ok, row (see
 * store/token.lua); `token` is its secret, `refusal` the status when it is refused, `more` as
 * above. */
enum work_step answer_token(struct work *work, const char *token, enum auth_status refusal,
                            const char *more);

/* Is it ok? */
bool answer_grants(const struct work *work);

/* The script of the last call failed; its error is for the operator. */
enum work_step answer_failed(struct work *work);

/* What a script has returned as 1 or 0: a result of true or false. */
enum work_step answer_flag(struct work *work);
