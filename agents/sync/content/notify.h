#pragma once

#include "agents/runtime/work.h"

/*
 * notify - telling sessions of the content protocol, in blocks, which documents have changed
 * ("The request from the server: changed"). Blocks are made by notify.lua: of whom it is asked to
 * tell it tells those that may be told now, so whoever thinks that somebody might be just asks. One
 * message goes to each gateway, however many of its clients are told:
 *
 *     {"v":1,"groups":[{"to":["<client id>"],"kind":"b","of":[],
 *                       "body":{"type":"request","id":"<number>","cls":"changed","data":[...]}},...]}
 *
 * The number is what the client answers (changed.c). Nothing needs to be looked at when the broker
 * has the message: a block says what has changed and not how, so it is never overtaken. One that is
 * lost is due again like one that is not answered.
 *
 * Both spawn the work beside the one that is given; the names are copied.
 */

void notify_session(const struct work *work, const char *session);
void notify_sessions(const struct work *work, const struct redis_reply *sessions);
