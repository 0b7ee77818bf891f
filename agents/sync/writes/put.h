#pragma once

#include "agents/runtime/work.h"
#include "common/model/model.h"

/*
 * put - the one way to change fields of an object: the call of store/put.lua, for putObject and for
 * patch_content.
 */

/* What a change is made of. */
struct put {
    const struct model_object *object; /* with its id and the fields that change */
    int64_t time;                      /* put time, ms */
    const char *state;                 /* "<version> <birth>": only if it is in it; "": in any */
    bool tells_writer;                 /* like everybody else */
};

/* Begins the commit. What it says beside "ok" or "same" is "<version> <birth><view>". */
void put_begin(struct work *work, const struct put *put);

/* When the client made the change, as this member of the request says; the gateway's time where it
 * does not. False: *step is the answer. */
bool put_read_time(struct work *work, const char *member, int64_t *time, enum work_step *step);
