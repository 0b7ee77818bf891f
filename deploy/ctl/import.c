#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "deploy/ctl/asking.h"
#include "deploy/ctl/commands.h"
#include "deploy/ctl/options.h"

/*
 * Lines are sent in batches. A reference may lead to a line that comes later, so one that leads
 * nowhere yet is noted in a temporary file, and asked for again in the end.
 */

#define BATCH_LINES 100
#define BATCH_BYTES 262144 /* unless one line alone is larger */

/* What agents take, less the levels around a line. */
static const struct json_limits line_limits = {.depth = 250, .number_chars = 100000};

struct import {
    struct asking *asking;
    FILE *in;
    FILE *notes; /* a line [number,"target","reason"] for each reference that leads nowhere yet */
    int64_t number; /* of the line that was read last */
    struct text line;
    struct text batch; /* items of a request's list */
    struct text noted; /* the notes behind a batch of targets */
    int64_t numbers[BATCH_LINES];
    size_t count; /* items */
    int64_t created, changed, same, refused;
    int64_t last_refused;
};

static bool fail(const char *what)
{
    fprintf(stderr, "activestack-ctl import: %s: %s\n", what, strerror(errno));
    return false;
}

/* ---- What was refused ---- */

static void tell(struct import *import, int64_t number, const char *reason)
{
    fprintf(stderr, "line %" PRId64 ": %s\n", number, reason);
    import->refused += number != import->last_refused;
    import->last_refused = number;
}

static void tell_json(struct import *import, int64_t number, struct json_span reason)
{
    _cleanup_(text_deinitp) struct text decoded = {0};

    if (!json_decode(reason, &decoded))
        tell(import, number, text_str(&decoded));
}

/* ---- A batch ---- */

static bool ask(struct import *import, const char *operation, const char *list,
                struct json_span *answer)
{
    _cleanup_(text_deinitp) struct text question = {0};

    text_addf(&question, "\"%s\":[%s]", list, text_str(&import->batch));
    text_clear(&import->batch);
    import->count = 0;
    return asking_ask(import->asking, operation, text_str(&question), answer);
}

static void add_item(struct import *import, struct json_span item)
{
    if (import->batch.size)
        text_add_char(&import->batch, ',');
    text_add_bytes(&import->batch, item.at, item.size);
    import->count++;
}

static int64_t integer(struct json_span object, const char *name)
{
    int64_t value;

    return json_int64(json_member(object, name, NULL), &value) ? 0 : value;
}

/* The number of the line that an item of an answer is about. */
static int64_t number_of(const struct import *import, struct json_span item)
{
    return import->numbers[integer(item, "index") % BATCH_LINES];
}

static bool note(struct import *import, struct json_span item)
{
    struct json_span target = json_member(item, "target", NULL);
    struct json_span reason = json_member(item, "reason", NULL);

    return fprintf(import->notes, "[%" PRId64 ",%.*s,%.*s]\n", number_of(import, item),
                   (int)target.size, target.at, (int)reason.size, reason.at) > 0 ||
           fail("temporary file");
}

static bool send_batch(struct import *import)
{
    struct json_span answer;
    struct json_walk w;

    if (!import->count)
        return true;
    if (!ask(import, "importObjects", "objects", &answer))
        return false;
    import->created += integer(answer, "created");
    import->changed += integer(answer, "changed");
    import->same += integer(answer, "same");
    for (w = json_walk(json_member(answer, "refused", NULL)); json_next(&w);)
        tell_json(import, number_of(import, w.value), json_member(w.value, "reason", NULL));
    for (w = json_walk(json_member(answer, "broken", NULL)); json_next(&w);) {
        if (!note(import, w.value))
            return false;
    }
    return true;
}

/* ---- Lines ---- */

/* False at the end. What is longer than `max` is read to its end, but not kept: *too_long. */
static bool read_line(FILE *in, struct text *line, size_t max, bool *too_long)
{
    int c;

    text_clear(line);
    *too_long = false;
    while ((c = getc_unlocked(in)) != EOF && c != '\n') {
        if (line->size < max)
            text_add_char(line, (char)c);
        else
            *too_long = true;
    }
    return c != EOF || line->size;
}

static bool is_blank(const struct text *line)
{
    return strspn(text_str(line), " \t\r") == line->size;
}

/* A line is refused here when it cannot even be sent. */
static bool take_line(struct import *import)
{
    _cleanup_(text_deinitp) struct text why = {0};
    const struct text *line = &import->line;
    struct json_fault fault;

    if (json_check(text_str(line), line->size, &line_limits, &fault)) {
        text_addf(&why, "not JSON at byte %zu: %s", fault.offset, fault.what);
        tell(import, import->number, why.at);
        return true;
    }
    if ((import->count == BATCH_LINES || import->batch.size + line->size > BATCH_BYTES) &&
        !send_batch(import))
        return false;
    import->numbers[import->count] = import->number;
    add_item(import, json_value(line->at, line->size));
    return true;
}

static bool import_lines(struct import *import)
{
    _cleanup_(text_deinitp) struct text why = {0};
    const size_t max = (size_t)asking_settings(import->asking)->ctl_max_line_bytes;
    bool too_long;

    text_addf(&why, "longer than %zu bytes (ctl.max_line_bytes)", max);
    while (read_line(import->in, &import->line, max, &too_long)) {
        import->number++;
        if (too_long)
            tell(import, import->number, why.at);
        else if (!is_blank(&import->line) && !take_line(import))
            return false;
    }
    return send_batch(import);
}

/* ---- References ---- */

/* The items of a note: line, target, reason. */
static struct json_span note_item(struct json_span noted, size_t i)
{
    struct json_walk w = json_walk(noted);

    while (json_next(&w) && i > 0)
        i--;
    return w.value;
}

static void tell_noted(struct import *import, struct json_span noted)
{
    int64_t number;

    if (!json_int64(note_item(noted, 0), &number))
        tell_json(import, number, note_item(noted, 2));
}

/* Both the notes and the indexes of what is missing are in ascending order. */
static bool settle_batch(struct import *import)
{
    struct json_span answer;
    struct json_walk missing, noted;
    int64_t wanted, i = -1;

    if (!import->count)
        return true;
    if (!ask(import, "settleReferences", "targets", &answer))
        return false;
    text_add_char(&import->noted, ']');
    noted = json_walk(json_span_of(import->noted.at));
    for (missing = json_walk(json_member(answer, "missing", NULL)); json_next(&missing);) {
        wanted = json_int64(missing.value, &wanted) ? -1 : wanted;
        while (i < wanted && json_next(&noted))
            i++;
        tell_noted(import, noted.value);
    }
    text_clear(&import->noted);
    return true;
}

static bool settle_references(struct import *import)
{
    bool too_long;

    rewind(import->notes);
    while (read_line(import->notes, &import->line, SIZE_MAX, &too_long)) {
        text_add_char(&import->noted, import->noted.size ? ',' : '[');
        text_add_bytes(&import->noted, import->line.at, import->line.size);
        add_item(import, note_item(json_span_of(import->line.at), 1));
        if (import->count == BATCH_LINES && !settle_batch(import))
            return false;
    }
    return settle_batch(import);
}

/* ---- The command ---- */

static int run(struct import *import, const char *name)
{
    if (!import_lines(import) || !settle_references(import))
        return CTL_UNKNOWN;
    if (ferror(import->in)) {
        (void)fail(name);
        return CTL_UNKNOWN;
    }
    printf("%" PRId64 " created, %" PRId64 " changed, %" PRId64 " as before, %" PRId64 " refused\n",
           import->created, import->changed, import->same, import->refused);
    return import->refused ? CTL_NO : CTL_YES;
}

static int import_file(struct asking *asking, const char *name)
{
    struct import import = {.asking = asking};
    int exit_code = CTL_UNKNOWN;

    import.in = name ? fopen(name, "re") : stdin;
    import.notes = tmpfile();
    if (!import.in)
        (void)fail(name);
    else if (!import.notes)
        (void)fail("temporary file");
    else
        exit_code = run(&import, name ? name : "standard input");
    if (import.in && name)
        (void)fclose(import.in);
    if (import.notes)
        (void)fclose(import.notes);
    text_deinit(&import.line);
    text_deinit(&import.batch);
    text_deinit(&import.noted);
    return exit_code;
}

int ctl_import(const char *config, int argc, char **argv)
{
    _cleanup_(asking_closep) struct asking *asking = NULL;
    const char *wait = NULL;
    const struct ctl_option options[] = {{"wait", &wait, NULL}, {NULL, NULL, NULL}};
    char **words = options_read(argc, argv, options, 0, 1);

    if (!words || !asking_open("import", config, wait, &asking))
        return CTL_UNKNOWN;
    return import_file(asking, words[0]);
}
