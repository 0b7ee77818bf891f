#include "common/protocol/content.h"
#include "deploy/ctl/operation_names.h"
#include "deploy/ctl/reference.h"

static void print_row(FILE *out, const struct operation *o)
{
    reference_code_cell(out, o->name);
    reference_code_cell(out, o->served_by_name);
    reference_cell(out, operation_origin_name(o->origin));
    reference_cell(out, operation_agent_name(o->agent));
    reference_cell(out, o->needs_login ? "yes" : "");
    reference_cell(out, o->has_effects ? "yes" : "");
    reference_code_cell(out, content_cls(o));
    reference_code_cell(out, o->request_class);
    reference_code_cell(out, o->response_class);
    reference_row_end(out);
}

void reference_operations(FILE *out)
{
    fputs(
        "# Operations\n\n"
        "The queue of an operation has its name. What has effects is persistent on the broker and\n"
        "does not expire. Operations that nobody serves are answered with `-106`.\n\n",
        out);
    reference_table(out, "operation|stands for|sent by|served by|login|effects|content class|"
                         "request|response");
    for (size_t i = 0; i < operation_count; i++)
        print_row(out, &operations[i]);
}
