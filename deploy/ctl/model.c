#include "common/model/model.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/json/json_scan.h"
#include "common/process/config.h"
#include "common/process/settings.h"
#include "deploy/ctl/asking.h"
#include "deploy/ctl/commands.h"
#include "deploy/ctl/options.h"

/*
 * model check: what it takes to serve another model. model migrate: orders what it takes beyond new
 * agents, and follows it; the agents go on with it whoever follows.
 */

#define LOOK_AGAIN_MS 200

/* The command line. */
struct options {
    const char *action; /* check, migrate */
    const char *wait;
    const char *file; /* NULL: that of the setting model.file */
};

static bool fail(const char *what, const char *rest)
{
    fprintf(stderr, "activestack-ctl model: %s%s\n", what, rest);
    return false;
}

static bool read_options(int argc, char **argv, struct options *o)
{
    const struct ctl_option options[] = {{"wait", &o->wait, NULL}, {NULL, NULL, NULL}};
    char **words = options_read(argc, argv, options, 1, 2);

    if (!words)
        return false;
    if (strcmp(words[0], "check") != 0 && strcmp(words[0], "migrate") != 0)
        return fail("expected check or migrate, and at most one file", "");
    o->action = words[0];
    o->file = words[1];
    return true;
}

/* ---- The file ---- */

/* Adds `"model":"<its text>"`. */
static bool add_model(struct text *out, const char *path)
{
    _cleanup_(model_destroyp) struct model *model = NULL;
    _cleanup_(text_deinitp) struct text problems = {0};

    if (model_load(path, &model, &problems))
        return fail("the model is wrong:\n", text_str(&problems));
    text_add(out, "\"model\":");
    text_add_json_str(out, model_text(model));
    return true;
}

static bool add_model_of_setting(struct text *out, const char *config)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    struct settings settings = {0};
    bool added = false;

    if (config_load(&settings_table, PROGRAM_CTL, config, environ, &settings, &problems))
        (void)fail(text_str(&problems), "");
    else if (!settings.model_file || !*settings.model_file)
        (void)fail("no file is given, and model.file is not set", "");
    else
        added = add_model(out, settings.model_file);
    config_free(&settings_table, &settings);
    return added;
}

/* ---- What the agents answer ---- */

/* A string as it is, with `before` and `after`; another value is left out. */
static void print_string(FILE *out, const char *before, struct json_span value, const char *after)
{
    _cleanup_(text_deinitp) struct text decoded = {0};

    if (!json_decode(value, &decoded))
        fprintf(out, "%s%s%s", before, text_str(&decoded), after);
}

static void print_strings(FILE *out, const char *before, struct json_span list, const char *after)
{
    for (struct json_walk w = json_walk(list); json_next(&w);)
        print_string(out, before, w.value, after);
}

static bool needs(struct json_span answer, const char *word)
{
    return json_string_is(json_member(answer, "need", NULL), word);
}

static int check(struct asking *asking, const char *model)
{
    struct json_span answer;

    if (!asking_ask(asking, "modelCheck", model, &answer))
        return CTL_UNKNOWN;
    print_strings(stdout, "", json_member(answer, "lines", NULL), "\n");
    return needs(answer, "restart") ? CTL_YES : CTL_NO;
}

/* ---- Following a migration ---- */

static void print_duplicates(struct json_span duplicates)
{
    for (struct json_walk w = json_walk(duplicates); json_next(&w);) {
        print_string(stderr, "index ", json_member(w.value, "index", NULL), " is not unique: ");
        fprintf(stderr, "%" PRId64 " objects or more share their values with others, such as",
                answer_number(w.value, "count"));
        print_strings(stderr, " ", json_member(w.value, "objects", NULL), "");
        fputs("; change them, and migrate again\n", stderr);
    }
}

static int print_outcome(struct json_span answer)
{
    struct json_span spoiled_by = json_member(answer, "spoiledBy", NULL);
    struct json_span duplicates = json_member(answer, "duplicates", NULL);
    struct json_walk w = json_walk(duplicates);

    print_duplicates(duplicates);
    print_string(stderr, "an agent served another model meanwhile: ", spoiled_by,
                 "; migrate again without it\n");
    return json_kind(spoiled_by) == JSON_STRING || json_next(&w) ? CTL_NO : CTL_YES;
}

static void pause_a_little(void)
{
    const struct timespec pause = {.tv_nsec = LOOK_AGAIN_MS * 1000000L};

    (void)nanosleep(&pause, NULL);
}

static int follow(struct asking *asking, const struct text *job)
{
    struct json_span answer;
    int64_t told = -1, done;

    for (;; pause_a_little()) {
        if (!asking_ask(asking, "modelProgress", text_str(job), &answer))
            return CTL_UNKNOWN;
        done = answer_number(answer, "done");
        if (done != told)
            fprintf(stderr, "%" PRId64 " of %" PRId64 " objects\n", done,
                    answer_number(answer, "total"));
        told = done;
        if (json_is_true(json_member(answer, "ended", NULL)))
            return print_outcome(answer);
    }
}

static int migrate(struct asking *asking, const char *model)
{
    _cleanup_(text_deinitp) struct text job = {0};
    struct json_span answer, ordered;

    if (!asking_ask(asking, "modelMigrate", model, &answer))
        return CTL_UNKNOWN;
    ordered = json_member(answer, "job", NULL);
    print_strings(stdout, "", json_member(answer, "lines", NULL), "\n");
    print_strings(stderr, "another model is served by ", json_member(answer, "agents", NULL), "\n");
    if (json_kind(ordered) != JSON_STRING)
        return CTL_NO;
    text_add(&job, "\"job\":");
    text_add_bytes(&job, ordered.at, ordered.size);
    return follow(asking, &job);
}

int ctl_model(const char *config, int argc, char **argv)
{
    _cleanup_(asking_closep) struct asking *asking = NULL;
    _cleanup_(text_deinitp) struct text model = {0};
    struct options o = {0};

    if (!read_options(argc, argv, &o) ||
        !(o.file ? add_model(&model, o.file) : add_model_of_setting(&model, config)) ||
        !asking_open("model", config, o.wait, &asking))
        return CTL_UNKNOWN;
    return strcmp(o.action, "check") == 0 ? check(asking, model.at) : migrate(asking, model.at);
}
