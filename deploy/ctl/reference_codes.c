#include "common/protocol/close_codes.h"
#include "common/protocol/content.h"
#include "common/protocol/response.h"
#include "deploy/ctl/reference.h"

static void print_number(FILE *out, int number)
{
    char digits[16];

    snprintf(digits, sizeof(digits), "%d", number);
    reference_code_cell(out, digits);
}

static void print_errors(FILE *out)
{
    reference_table(out, "`errorCode`|`errorName`|what|content protocol");
    for (size_t i = 0; i < response_code_count; i++) {
        const struct response_code_row *row = &response_codes[i];

        print_number(out, row->code);
        reference_code_cell(out, row->name);
        reference_cell(out, row->meaning);
        print_number(out, content_status_of(row->code));
        reference_row_end(out);
    }
}

static void print_closings(FILE *out)
{
    reference_table(out, "code|why|come back?");
    for (size_t i = 0; i < close_row_count; i++) {
        print_number(out, close_rows[i].code);
        reference_cell(out, close_rows[i].why);
        reference_cell(out, close_rows[i].come_back);
        reference_row_end(out);
    }
}

void reference_codes(FILE *out)
{
    fputs(
        "# Codes\n\n"
        "## Errors\n\n"
        "In a `SyncErrorResponse`, and in the `data` of a write that was refused; and the status\n"
        "that clients of the content protocol get instead.\n\n",
        out);
    print_errors(out);
    fputs("\n## Closed WebSockets\n\n"
          "What a gateway closes a WebSocket with, and whether its client should come back.\n\n",
          out);
    print_closings(out);
}
