#pragma once

#include <stdint.h>

#include "agents/runtime/work.h"
#include "agents/sync/stored.h"

/*
 * push - messages to gateways: one for each gateway that holds a recipient, with the body once and
 * the recipients named beside it (design section 6). The gateway writes each clientId.
 *
 *     {"v":1,"groups":[{"to":[["<client id>",<epoch>],...],"body":{...,"clientId":null,...}}]}
 */

/* One recipient, borrowed. */
struct push_to {
    const char *client, *gateway, *epoch;
};

/* Begins and ends the body of a PushUpdateResponse or PushDeleteResponse; between them come the
 * items of its objectList. */
void push_update_begin(struct text *body);
void push_update_end(struct text *body, const struct text *updated_fields);
void push_delete_begin(struct text *body);
void push_delete_end(struct text *body);

/* Adds to work's messages one for each gateway among the recipients. */
void push_add(struct work *work, const struct text *body, const struct push_to *to, size_t count);
