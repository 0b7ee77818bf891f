#pragma once

#include "agents/runtime/work.h"
#include "agents/sync/pushes/push.h"

/*
 * keep - requests that stay open until the client has confirmed their reply (design section 9,
 * "Replies"): they are carried out again when the reply is not confirmed in time, or when the
 * client returns. A read reads anew; a write has its first result (design section 8, "Once").
 *
 * Redis has each as "<tries> <accepted> <client> <operation>\n<body>".
 */

/* Keeps the request of this work, then carries it out. */
work_fn plan_keep;

/* Carries out a kept request again; `request` is as Redis has it, but without the tries. */
void keep_answer_again(const struct work *work, const char *message_id, const char *request,
                       const struct push_to *to);
