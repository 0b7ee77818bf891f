#pragma once

#include "agents/sync/connectors/sql_declared.h"

/* What the parts that read the section share: sql_declared.c reads the section and its databases,
 * sql_procedure.c a procedure. */

struct sql_loading {
    struct sql_declared *declared;
    struct text *problems;
};

/* One member of the file that is being read, and where it stands. */
struct sql_member {
    const char *name, *path;
    struct json_object *object;
};

/* Looks at all that a procedure says; what it fills is freed with the declarations. The databases
 * are there. */
void sql_procedure_load(const struct sql_loading *l, const struct sql_member *member,
                        struct sql_procedure *procedure);
