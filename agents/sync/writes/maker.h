#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agents/runtime/work.h"
#include "common/model/model.h"

/*
 * maker - fields that the server sets when an object is made: the object that stands for the user
 * who makes it, and the time (model.h, enum field_server).
 */

/* Must it be known who makes objects of the class? */
bool maker_is_needed(const struct model_class *c);

/* Begins the look-up of who makes it. In the step after it maker_take() gives the pair of the
 * object that stands for the user, "" where there is none, valid until the next call; false: *step
 * is the answer. */
void maker_ask(struct work *work);
bool maker_take(struct work *work, const char **pair, enum work_step *step);

/* Sets these fields; without a pair those that would show the maker stay as they are. True: the
 * object is another one than before. */
bool maker_add(struct model_object *object, const char *pair, int64_t now_ms);
