#pragma once

#include <stdbool.h>

#include "agents/runtime/work.h"
#include "common/model/model.h"

/*
 * write_object - an object on its way from a request to a commit script (design section 8): read
 * and checked by the model, then its values, refs and indexes as the script's arguments.
 */

/* ---- From the request ---- */

/* Reads an object of the request, which stands at `path`, checked. False: *step is the answer. The
 * caller deinits *object. */
bool write_read_object(struct work *work, struct json_span given, const char *path,
                       struct model_object *object, enum work_step *step);

/* Each member of a list costs the commit a step in Redis. False: there are too many; `problem` says
 * where, behind `path`. */
bool write_check_lists(const struct work *work, const struct model_object *object, const char *path,
                       struct text *problem);

/* ---- To the script ---- */

/* Adds the list of column, text, refs; with `nulls` also values that are null where there is no
 * default. */
void write_add_values(struct redis_call *call, const struct model_object *object, bool nulls);

/* Adds what the object brings: these values, and the indexes of its class. */
void write_add_object(struct redis_call *call, const struct model_object *object);

/* Adds what a script needs of an object that is to be made (store/creation.lua). */
void write_add_new(struct redis_call *call, const struct model_object *object);

/* Adds the name under which all objects of the class's family are found, "" where it has none. */
void write_add_family(struct redis_call *call, const struct model_class *c);
