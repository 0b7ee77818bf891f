#include <string.h>

#include "deploy/ctl/reference.h"

void reference_table(FILE *out, const char *columns)
{
    size_t count = 0;

    while (*columns) {
        const size_t size = strcspn(columns, "|");

        fprintf(out, "| %.*s ", (int)size, columns);
        columns += size + (columns[size] == '|');
        count++;
    }
    fputs("|\n", out);
    while (count--)
        fputs("| --- ", out);
    fputs("|\n", out);
}

void reference_cell(FILE *out, const char *text)
{
    fputs("| ", out);
    for (; text && *text; text++) {
        if (*text == '|')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputc(' ', out);
}

void reference_code_cell(FILE *out, const char *text)
{
    if (text && *text)
        fprintf(out, "| `%s` ", text);
    else
        reference_cell(out, NULL);
}

void reference_row_end(FILE *out)
{
    fputs("|\n", out);
}
