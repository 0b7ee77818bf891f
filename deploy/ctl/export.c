#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "deploy/ctl/asking.h"
#include "deploy/ctl/commands.h"
#include "deploy/ctl/options.h"

/* The command line. */
struct options {
    const char *wait;
    const char *output; /* NULL: standard output */
    char **classes;     /* NULL-terminated; none: all */
};

static bool read_options(int argc, char **argv, struct options *o)
{
    const struct ctl_option options[] = {
        {"wait", &o->wait, NULL}, {"output", &o->output, NULL}, {NULL, NULL, NULL}};

    o->classes = options_read(argc, argv, options, 0, INT_MAX);
    return o->classes != NULL;
}

static void add_names(struct text *out, char *const *names)
{
    const char *before = "\"classNames\":[";

    if (!*names)
        return;
    for (; *names; names++, before = ",") {
        text_add(out, before);
        text_add_json_str(out, *names);
    }
    text_add_char(out, ']');
}

static int fail(const char *file)
{
    fprintf(stderr, "activestack-ctl export: %s: %s\n", file, strerror(errno));
    return CTL_UNKNOWN;
}

static bool write_objects(struct json_span objects, FILE *out)
{
    for (struct json_walk w = json_walk(objects); json_next(&w);) {
        if (fwrite(w.value.at, 1, w.value.size, out) != w.value.size || putc('\n', out) == EOF)
            return false;
    }
    return true;
}

/* Page after page, each asked for with what the one before says. */
static int export_to(FILE *out, struct asking *asking, const struct options *o)
{
    _cleanup_(text_deinitp) struct text names = {0}, question = {0};
    struct json_span answer, next;

    add_names(&names, o->classes);
    text_add(&question, text_str(&names));
    do {
        if (!asking_ask(asking, "exportObjects", text_str(&question), &answer))
            return CTL_UNKNOWN;
        if (!write_objects(json_member(answer, "objects", NULL), out))
            return fail(o->output ? o->output : "standard output");
        next = json_member(answer, "next", NULL);
        text_clear(&question);
        text_addf(&question, "%s%s\"next\":", text_str(&names), names.size ? "," : "");
        text_add_bytes(&question, next.at, next.size);
    } while (json_kind(next) == JSON_OBJECT);
    return fflush(out) ? fail(o->output ? o->output : "standard output") : CTL_YES;
}

int ctl_export(const char *config, int argc, char **argv)
{
    _cleanup_(asking_closep) struct asking *asking = NULL;
    struct options o = {0};
    int exit_code;
    FILE *out;

    if (!read_options(argc, argv, &o) || !asking_open("export", config, o.wait, &asking))
        return CTL_UNKNOWN;
    out = o.output ? fopen(o.output, "we") : stdout;
    if (!out)
        return fail(o.output);
    exit_code = export_to(out, asking, &o);
    if (o.output && fclose(out) && exit_code == CTL_YES)
        exit_code = fail(o.output);
    return exit_code;
}
