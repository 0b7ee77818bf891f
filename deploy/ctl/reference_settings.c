#include <ctype.h>
#include <string.h>

#include "common/process/settings.h"
#include "deploy/ctl/reference.h"

#define LINE_MAX_CHARS 100

/* Prints `words` as comments, in lines that are not too long. */
static void print_comment(FILE *out, const char *words)
{
    size_t column = 0;

    while (*words) {
        const size_t size = strcspn(words, " ");

        if (column + 1 + size > LINE_MAX_CHARS) {
            fputc('\n', out);
            column = 0;
        }
        column += (size_t)fprintf(out, "%s%.*s", column ? " " : "# ", (int)size, words);
        words += size + (words[size] == ' ');
    }
    fputc('\n', out);
}

static void add_readers(struct text *out, const struct config_row *row)
{
    const char *between = "read by ";

    if ((row->used_by & PROGRAM_ALL) == PROGRAM_ALL) {
        text_add(out, "read by all programs");
        return;
    }
    for (unsigned p = 1; p <= PROGRAM_ALL; p <<= 1) {
        if (row->used_by & p) {
            text_addf(out, "%s%s", between, program_name((enum program)p));
            between = ", ";
        }
    }
}

/* What is allowed, and who reads it: a sentence. */
static void add_facts(struct text *out, const struct config_row *row)
{
    const size_t start = out->size;

    config_add_allowed(out, row);
    out->at[start] = (char)toupper((unsigned char)out->at[start]);
    text_add(out, "; ");
    if (!row->initial)
        text_add(out, "must be given; ");
    if (row->secret)
        text_add(out, "secret; ");
    if (row->reloaded)
        text_add(out, "changes on SIGHUP; ");
    add_readers(out, row);
    text_add_char(out, '.');
}

/* "gateway" of "gateway.port". */
static size_t group_size(const struct config_row *row)
{
    return strcspn(row->key, ".");
}

static bool starts_group(const struct config_table *table, size_t at)
{
    const struct config_row *row = &table->rows[at], *before = row - 1;

    return at == 0 || group_size(row) != group_size(before) ||
           strncmp(row->key, before->key, group_size(row)) != 0;
}

void reference_sample(FILE *out)
{
    const struct config_table *table = &settings_table;

    fputs("# Every setting of ActiveStack's programs with its default; activestack.conf(5) says "
          "more.\n"
          "# Without the \"#\" before its key a line counts.\n",
          out);
    for (size_t i = 0; i < table->count; i++) {
        _cleanup_(text_deinitp) struct text facts = {0};
        const struct config_row *row = &table->rows[i];
        const char *initial = row->initial ? row->initial : "";

        if (starts_group(table, i))
            fprintf(out, "\n# ---- %.*s\n", (int)group_size(row), row->key);
        add_facts(&facts, row);
        fputc('\n', out);
        print_comment(out, row->help);
        print_comment(out, text_str(&facts));
        fprintf(out, "#%s =%s%s\n", row->key, *initial ? " " : "", initial);
    }
}

/* Prints text for mdoc(7): a sentence on each line, a minus sign where no hyphen is meant. */
static void print_mdoc(FILE *out, const char *text)
{
    for (const char *c = text; *c; c++) {
        if (*c == '\\')
            fputs("\\e", out);
        else if (*c == '-' && (c == text || c[-1] == ' '))
            fputs("\\-", out);
        else if (*c == ' ' && c > text && c[-1] == '.')
            fputc('\n', out);
        else
            fputc(*c, out);
    }
    fputc('\n', out);
}

static void print_mdoc_default(FILE *out, const struct config_row *row)
{
    if (row->initial && row->initial[0])
        fprintf(out, "Default:\n.Ql %s .\n", row->initial);
    else if (row->initial)
        fputs("Default: empty.\n", out);
}

void reference_manual(FILE *out)
{
    const struct config_table *table = &settings_table;

    for (size_t i = 0; i < table->count; i++) {
        _cleanup_(text_deinitp) struct text facts = {0};
        const struct config_row *row = &table->rows[i];

        if (starts_group(table, i))
            fprintf(out, "%s.Ss %.*s\n.Bl -tag -width Ds\n", i ? ".El\n" : "", (int)group_size(row),
                    row->key);
        add_facts(&facts, row);
        fprintf(out, ".It Ic %s\n", row->key);
        print_mdoc(out, row->help);
        print_mdoc(out, text_str(&facts));
        print_mdoc_default(out, row);
    }
    fputs(".El\n", out);
}

static void print_group(FILE *out, const struct config_row *row)
{
    fprintf(out, "\n## %.*s\n\n", (int)group_size(row), row->key);
    reference_table(out, "setting|default|what|allowed");
}

void reference_settings(FILE *out)
{
    const struct config_table *table = &settings_table;

    fputs("# Settings\n\n"
          "In the file of settings, a line `key = value` each; or in the environment:\n"
          "`ACTIVESTACK_AMQP_URL` is `amqp.url`.\n",
          out);
    for (size_t i = 0; i < table->count; i++) {
        _cleanup_(text_deinitp) struct text facts = {0};
        const struct config_row *row = &table->rows[i];

        if (starts_group(table, i))
            print_group(out, row);
        add_facts(&facts, row);
        reference_code_cell(out, row->key);
        reference_code_cell(out, row->initial);
        reference_cell(out, row->help);
        reference_cell(out, text_str(&facts));
        reference_row_end(out);
    }
}
