#include "agents/auth/person.h"

#include <stdlib.h>
#include <string.h>

#include "agents/runtime/indexes.h"
#include "agents/runtime/lineage.h"
#include "common/base/secret.h"

enum { FIRST = 1, LAST = 2 };

/* Fields that get the user's names, in classes that have them as strings. */
static const struct {
    const char *field;
    unsigned names;
} name_fields[] = {
    // clang-format off
    { "first_name",   FIRST        },
    { "last_name",    LAST         },
    { "display_name", FIRST | LAST },
    { "firstName",    FIRST        },
    { "lastName",     LAST         },
    { "displayName",  FIRST | LAST },
    // clang-format on
};

/* Which names the field gets; 0: none. */
static unsigned names_of(const struct model_field *field)
{
    if (field->type != FIELD_STRING)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(name_fields); i++)
        if (!strcmp(field->name, name_fields[i].field))
            return name_fields[i].names;
    return 0;
}

static void add_names(struct text *out, unsigned names, const struct account *account)
{
    const char *first = names & FIRST ? account->first_name : "";
    const char *last = names & LAST ? account->last_name : "";
    _cleanup_(text_deinitp) struct text value = {0};

    text_addf(&value, "%s%s%s", first, *first && *last ? " " : "", last);
    text_add_json(out, text_str(&value), value.size);
}

/* Two users may have the same names, so these may be unique only together with the user's id. */
static bool names_user(const struct model_class *anchor, const struct model_index *index)
{
    for (size_t i = 0; i < index->field_count; i++)
        if (!strcmp(index->fields[i], anchor->anchor_field->name))
            return true;
    return false;
}

enum err person_check(const struct model_class *anchor, struct text *problems)
{
    enum err e = ERR_OK;

    if (anchor && anchor->id == ID_ARRAY) {
        text_addf(problems, "%s: stands for users, so its id must be a string or an integer\n",
                  anchor->name);
        e = ERR_CONFIG;
    }
    for (size_t i = 0; anchor && i < anchor->index_count; i++) {
        if (!anchor->indexes[i].unique || names_user(anchor, &anchor->indexes[i]))
            continue;
        text_addf(problems,
                  "%s: stands for users, so the unique index on %s must have the field %s too\n",
                  anchor->name, anchor->indexes[i].name, anchor->anchor_field->name);
        e = ERR_CONFIG;
    }
    return e;
}

/* The canonical text with which the field begins; left empty when that is null. */
static void add_first_text(struct text *out, const struct model_field *field,
                           const struct account *account)
{
    unsigned names = names_of(field);

    if (names)
        add_names(out, names, account);
    else if (field->initial)
        text_add(out, field->initial);
}

/* Adds the list of column, text, refs; what is null is not stored. */
static void add_values(struct redis_call *call, const struct model_class *anchor,
                       const struct account *account)
{
    struct text *texts = calloc(anchor->field_count + 1, sizeof(*texts));
    size_t count = 0;

    if (!texts)
        err_out_of_memory();
    for (size_t i = 0; i < anchor->field_count; i++) {
        if (&anchor->fields[i] != anchor->anchor_field)
            add_first_text(&texts[i], &anchor->fields[i], account);
        count += texts[i].size ? 3 : 0;
    }
    redis_call_arg_i64(call, (int64_t)count);
    for (size_t i = 0; i < anchor->field_count; i++) {
        if (texts[i].size) {
            redis_call_arg(call, anchor->fields[i].column);
            redis_call_arg_bytes(call, texts[i].at, texts[i].size);
            redis_call_arg(call, ""); /* names refer to nothing */
        }
        text_deinit(&texts[i]);
    }
    free(texts);
}

void person_add_args(struct redis_call *call, const struct model_class *anchor,
                     const struct account *account, int64_t history_kept)
{
    _cleanup_(text_deinitp) struct text id = {0};

    redis_call_arg(call, anchor ? "1" : "0");
    if (!anchor)
        return;
    if (anchor->id == ID_STRING)
        secret_add_uuid(&id); /* integers are counted by the script */
    redis_call_arg(call, text_str(&id));
    redis_call_arg(call, anchor->anchor_field->column);
    lineage_add_args(call, anchor, history_kept);
    add_values(call, anchor, account);
    indexes_add_args(call, anchor->indexes, anchor->index_count);
}
