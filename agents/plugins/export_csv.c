#include <stdlib.h>
#include <string.h>

#include "agents/plugins/asked.h"

/*
 * export_csv - a plug-in: objects that are like an example, as the text of a CSV file (RFC 4180).
 *
 *   {"theObject": {"cn": "com.app.mo.Task", "done": false}, "columns": ["ID", "title"],
 *    "header": true}
 *
 * theObject as for findByExample; columns: fields, all of the first object without it; header:
 * whether the names come first, true without it. The result is one string.
 *
 * Cells: strings as they are, null as nothing, a reference as its ID, all else as JSON.
 *
 * Few columns, named often, of few objects make a long text: it has an end of its own.
 */

#define MOST_BYTES 15728640 /* no agent sends more (sync.max_answer_bytes) */

struct csv {
    struct json_span arguments, objects;
    struct text columns; /* a JSON array */
    struct text out;
};

/* ---- Cells ---- */

static void add_cell(struct text *out, const struct text *value)
{
    const char *at = text_str(value);

    if (strcspn(at, ",\"\r\n") == value->size) {
        text_add_bytes(out, at, value->size);
        return;
    }
    text_add_char(out, '"');
    for (size_t i = 0; i < value->size; i++) {
        if (at[i] == '"')
            text_add_char(out, '"');
        text_add_char(out, at[i]);
    }
    text_add_char(out, '"');
}

static void add_value(struct text *out, struct json_span value)
{
    _cleanup_(text_deinitp) struct text cell = {0};

    if (json_kind(value) == JSON_NULL || json_kind(value) == JSON_ABSENT)
        return;
    if (json_decode(value, &cell) && json_decode(json_member(value, "ID", NULL), &cell))
        asked_add(&cell, value);
    add_cell(out, &cell);
}

/* ---- Lines ---- */

/* The line of an object, or, absent, that of the names. False: it is too long. */
static bool add_line(struct csv *csv, struct json_span object)
{
    struct json_walk w = json_walk(json_span_text(&csv->columns));
    bool first = true;

    while (csv->out.size <= MOST_BYTES && json_next(&w)) {
        _cleanup_(text_deinitp) struct text name = {0};

        (void)!json_decode(w.value, &name);
        if (!first)
            text_add_char(&csv->out, ',');
        first = false;
        add_value(&csv->out, object.at ? json_member(object, text_str(&name), NULL) : w.value);
    }
    text_add(&csv->out, "\r\n");
    return csv->out.size <= MOST_BYTES;
}

static bool add_lines(const struct activestack_call *call, struct csv *csv)
{
    struct json_span header = json_member(csv->arguments, "header", NULL);
    struct json_walk w = json_walk(csv->objects);
    bool fits = true;

    if (header.at && json_kind(header) != JSON_BOOLEAN && json_kind(header) != JSON_NULL)
        return asked_fail(call, "header: expected a boolean");
    if (json_kind(header) != JSON_BOOLEAN || json_is_true(header))
        fits = add_line(csv, (struct json_span){0});
    while (fits && !call->cancelled(call) && json_next(&w))
        fits = add_line(csv, w.value);
    return fits || asked_fail(call, "the text is too large");
}

/* ---- Columns ---- */

static bool are_strings(struct json_span array)
{
    struct json_walk w = json_walk(array);

    while (json_next(&w)) {
        if (json_kind(w.value) != JSON_STRING)
            return false;
    }
    return json_kind(array) == JSON_ARRAY;
}

/* Those of the first object. */
static void find_columns(struct csv *csv)
{
    struct json_walk objects = json_walk(csv->objects), members;

    text_add_char(&csv->columns, '[');
    if (json_next(&objects)) {
        members = json_walk(objects.value);
        while (json_next(&members)) {
            if (json_string_is(members.key, "cn"))
                continue;
            if (csv->columns.size > 1)
                text_add_char(&csv->columns, ',');
            asked_add(&csv->columns, members.key);
        }
    }
    text_add_char(&csv->columns, ']');
}

static bool set_columns(const struct activestack_call *call, struct csv *csv)
{
    struct json_span columns = json_member(csv->arguments, "columns", NULL);

    if (json_kind(columns) == JSON_ABSENT || json_kind(columns) == JSON_NULL) {
        find_columns(csv);
        return true;
    }
    asked_add(&csv->columns, columns);
    return are_strings(columns) ||
           asked_fail(call, "columns: expected an array of names of fields");
}

/* ---- The plug-in ---- */

static bool export(const struct activestack_call *call, struct csv *csv)
{
    _cleanup_(text_deinitp) struct text request = {0};
    struct json_span answer, example;

    if (!asked_arguments(call, &csv->arguments))
        return false;
    example = json_member(csv->arguments, "theObject", NULL);
    if (json_kind(example) != JSON_OBJECT)
        return asked_fail(call, "theObject: expected an object with a cn");
    text_add(&request, "{\"theObject\":");
    asked_add(&request, example);
    text_add_char(&request, '}');
    if (!asked(call, "findByExample", &request, &answer))
        return false;
    csv->objects = json_member(answer, "result", NULL);
    return set_columns(call, csv) && add_lines(call, csv);
}

static char *run(const struct activestack_call *call)
{
    struct csv csv = {0};
    struct text result = {0};

    if (export(call, &csv))
        text_add_json(&result, text_str(&csv.out), csv.out.size);
    text_deinit(&csv.columns);
    text_deinit(&csv.out);
    return result.size ? text_steal(&result) : NULL;
}

const struct activestack_plugin *activestack_plugin(void)
{
    static const struct activestack_plugin plugin = {ACTIVESTACK_PLUGIN_API, run};

    return &plugin;
}
