#include <inttypes.h>
#include <string.h>

#include "common/process/config.h"

/* The documentation, the values in force, and what of them is to change, from the same rows as the
 * loading. */

/* "a|b|c" -> "one of a, b, c" */
static void add_choices(struct text *out, const char *choices)
{
    text_add(out, "one of ");
    for (; *choices; choices++)
        text_add(out, *choices == '|' ? ", " : (const char[]){*choices, '\0'});
}

static void add_text_length(struct text *out, const struct config_row *row)
{
    text_add(out, "text of ");
    text_add_i64(out, row->minimum);
    text_add(out, " to ");
    text_add_i64(out, row->maximum);
    text_add(out, " bytes");
}

void config_add_allowed(struct text *out, const struct config_row *row)
{
    switch (row->type) {
    case CONFIG_STRING:
        add_text_length(out, row);
        break;
    case CONFIG_INT:
        text_addf(out, "a whole number from %" PRId64 " to %" PRId64, row->minimum, row->maximum);
        break;
    case CONFIG_BOOL:
        text_add(out, "true or false");
        break;
    case CONFIG_CHOICE:
        add_choices(out, row->choices);
        break;
    }
    if (row->unit)
        text_addf(out, " (%s)", row->unit);
}

static bool concerns(const struct config_row *row, unsigned program)
{
    return program == 0 || (row->used_by & program) != 0;
}

static const char *describe_default(const struct config_row *row, unsigned program)
{
    if (row->initial)
        return row->initial[0] ? row->initial : "empty";
    return row->used_by & ~row->optional_in & (program ? program : ~0U) ? "none, must be given"
                                                                        : "none";
}

void config_print_help(const struct config_table *table, unsigned program, FILE *out)
{
    for (size_t i = 0; i < table->count; i++) {
        _cleanup_(text_deinitp) struct text variable = {0};
        _cleanup_(text_deinitp) struct text allowed = {0};
        const struct config_row *row = &table->rows[i];

        if (!concerns(row, program))
            continue;
        config_add_variable(&variable, row);
        config_add_allowed(&allowed, row);
        fprintf(out, "%s  %s\n    %s\n    %s; default: %s%s%s\n\n", row->key, variable.at,
                row->help, allowed.at, describe_default(row, program),
                row->secret ? "; secret" : "", row->reloaded ? "; changes on SIGHUP" : "");
    }
}

static void add_string(struct text *out, const struct config_row *row, const void *field)
{
    const char *value;

    memcpy(&value, field, sizeof(value));
    if (row->secret)
        text_add(out, value[0] ? "(set)" : "(empty)");
    else
        text_add(out, value);
}

static void add_choice(struct text *out, const char *choices, const void *field)
{
    int index;

    memcpy(&index, field, sizeof(index));
    while (index-- > 0)
        choices = strchr(choices, '|') + 1;
    text_add_bytes(out, choices, strcspn(choices, "|"));
}

static void add_value(struct text *out, const struct config_row *row, const void *field)
{
    int64_t number;

    switch (row->type) {
    case CONFIG_STRING:
        add_string(out, row, field);
        break;
    case CONFIG_INT:
        memcpy(&number, field, sizeof(number));
        text_add_i64(out, number);
        break;
    case CONFIG_BOOL:
        text_add(out, *(const bool *)field ? "true" : "false");
        break;
    case CONFIG_CHOICE:
        add_choice(out, row->choices, field);
        break;
    }
}

void config_print_values(const struct config_table *table, unsigned program, const void *settings,
                         FILE *out)
{
    for (size_t i = 0; i < table->count; i++) {
        _cleanup_(text_deinitp) struct text value = {0};
        const struct config_row *row = &table->rows[i];

        if (!concerns(row, program))
            continue;
        add_value(&value, row, (const char *)settings + row->offset);
        fprintf(out, "%s = %s\n", row->key, text_str(&value));
    }
}

static bool is_same(const struct config_row *row, const void *a, const void *b)
{
    static const size_t sizes[] = {
        [CONFIG_INT] = sizeof(int64_t),
        [CONFIG_BOOL] = sizeof(bool),
        [CONFIG_CHOICE] = sizeof(int),
    };
    const void *one = (const char *)a + row->offset, *other = (const char *)b + row->offset;

    if (row->type == CONFIG_STRING)
        return strcmp(*(char *const *)one, *(char *const *)other) == 0;
    return memcmp(one, other, sizes[row->type]) == 0;
}

void config_add_waiting(const struct config_table *table, unsigned program, const void *in_force,
                        const void *read, struct text *out)
{
    const size_t start = out->size;

    for (size_t i = 0; i < table->count; i++) {
        const struct config_row *row = &table->rows[i];

        if ((row->used_by & program) && !row->reloaded && !is_same(row, in_force, read))
            text_addf(out, "%s%s", out->size > start ? ", " : "", row->key);
    }
}
