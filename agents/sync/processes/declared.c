#include "agents/sync/processes/declared.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <json-c/json.h>

#include "common/base/plain_name.h"
#include "common/json/json_get.h"

#define QUEUE_PREFIX "process."

struct declared {
    struct json_object *tree;  /* NULL: nothing is declared */
    struct process *processes; /* by name */
    struct process *groups;    /* by name */
    size_t count, group_count;
    const char **queues;
    size_t queue_count;
    char **strings; /* what these point to, unless it is in the tree */
    size_t string_count;
};

struct loading {
    struct declared *declared;
    struct text *problems;
};

/* Operations of a connector: the section of the file, its member with one row each, and what goes
 * before their names. */
static const struct connected {
    const char *section, *rows, *prefix;
} connected[] = {{"http", "operations", "HTTP"}, {"sql", "procedures", "SQL_PROC"}};

/* ---- Names ---- */

static const struct connected *connected_of(const char *prefix, size_t size)
{
    for (size_t i = 0; i < ARRAY_SIZE(connected); i++) {
        if (strlen(connected[i].prefix) == size &&
            strncasecmp(connected[i].prefix, prefix, size) == 0)
            return &connected[i];
    }
    return NULL;
}

/* prefix + name, owned by the caller. */
static char *joined(const char *before, const char *between, const char *name)
{
    struct text t = {0};

    text_addf(&t, "%s%s%s", before, between, name);
    return text_steal(&t);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct process *)a)->name, ((const struct process *)b)->name);
}

static const struct process *find(const struct process *list, size_t count, const char *name)
{
    const struct process wanted = {.name = name};

    return count ? bsearch(&wanted, list, count, sizeof(*list), by_name) : NULL;
}

const struct process *declared_process(const struct declared *declared, const char *name)
{
    const char *colon = strchr(name, ':');
    const struct connected *c = colon ? connected_of(name, (size_t)(colon - name)) : NULL;
    _cleanup_(freep) char *canonical = c ? joined(c->prefix, colon, "") : NULL;

    return find(declared->processes, declared->count, canonical ? canonical : name);
}

const struct process *declared_group(const struct declared *declared, const char *name)
{
    return find(declared->groups, declared->group_count, name);
}

/* ---- A row ---- */

/* The same, which lives as long as all of it. */
static const char *kept(const struct loading *l, const char *before, const char *between,
                        const char *name)
{
    struct declared *declared = l->declared;
    char **grown = realloc(declared->strings, (declared->string_count + 1) * sizeof(*grown));

    if (!grown)
        err_out_of_memory();
    declared->strings = grown;
    grown[declared->string_count] = joined(before, between, name);
    return grown[declared->string_count++];
}

/* "nobody", "everyone", "signedIn" or {"role": name}; NULL: told of. */
static const char *load_run(const struct loading *l, struct json_object *row, const char *path)
{
    static const char *const words[] = {"nobody", "everyone", "signedIn"};
    static const char *const members[] = {"role", NULL};
    struct json_object *run = json_object_object_get(row, "run");
    _cleanup_(freep) char *run_path = joined(path, ".", "run");
    const char *role = NULL;

    if (json_object_is_type(run, json_type_object)) {
        json_get_only(run, run_path, members, l->problems);
        if (json_get_string(run, run_path, "role", true, &role, l->problems))
            return NULL;
        if (is_plain_name(role))
            return kept(l, "role", ":", role);
        text_addf(l->problems, "%s.role: " PLAIN_NAME_EXPECTED "\n", run_path);
        return NULL;
    }
    for (size_t i = 0; json_object_is_type(run, json_type_string) && i < ARRAY_SIZE(words); i++) {
        if (strcmp(json_object_get_string(run), words[i]) == 0)
            return words[i];
    }
    text_addf(l->problems, "%s: expected nobody, everyone, signedIn or {\"role\": name}\n",
              run_path);
    return NULL;
}

static unsigned load_threads(const struct loading *l, struct json_object *row, const char *path,
                             unsigned otherwise)
{
    const struct json_int wanted = {.least = 1, .most = PROCESS_THREADS_MAX};
    int64_t threads;

    if (json_get_int(row, path, "threads", &wanted, &threads, l->problems))
        return otherwise;
    return (unsigned)threads;
}

static void load_deadline(const struct loading *l, struct json_object *row, const char *path,
                          struct process *process)
{
    const struct json_int wanted = {.required = true, .least = 1, .most = PROCESS_DEADLINE_MAX};

    if (json_get_int(row, path, "deadlineMs", &wanted, &process->deadline_ms, l->problems))
        process->deadline_ms = 1;
}

/* Names and `run`, which every row has. False: there is no more to look at. */
static bool load_head(const struct loading *l, struct json_object *row, const char *path,
                      const char *name, struct process *process)
{
    if (!is_plain_name(name))
        text_addf(l->problems, "%s: " PLAIN_NAME_EXPECTED "\n", path);
    if (!json_object_is_type(row, json_type_object)) {
        text_addf(l->problems, "%s: expected an object\n", path);
        return false;
    }
    process->run = load_run(l, row, path);
    return true;
}

/* What every plain name has: workers, or a plug-in in this program. */
static void load_plain(const struct loading *l, struct json_object *row, const char *path,
                       struct process *process)
{
    static const char *const members[] = {"run",    "deadlineMs", "actsForCaller",
                                          "plugin", "threads",    NULL};

    json_get_only(row, path, members, l->problems);
    load_deadline(l, row, path, process);
    if (json_get_bool(row, path, "actsForCaller", &process->acts, l->problems))
        process->acts = false;
    if (json_get_string(row, path, "plugin", false, &process->plugin, l->problems))
        process->plugin = NULL;
    if (process->plugin && (!is_plain_name(process->plugin) || strchr(process->plugin, '.')))
        text_addf(l->problems, "%s.plugin: expected 1 to %d letters, digits, _ and -\n", path,
                  PLAIN_NAME_MAX);
    if (process->plugin)
        process->threads = load_threads(l, row, path, 1);
    else if (json_object_object_get_ex(row, "threads", NULL))
        text_addf(l->problems, "%s.threads: only of a plug-in\n", path);
}

static void check_queue(const struct loading *l, const char *path, const char *name)
{
    if (connected_of(name, strlen(name)))
        text_addf(l->problems, "%s: the name of a connector\n", path);
}

/* ---- Sections ---- */

static struct json_object *section_of(const struct loading *l, struct json_object *object,
                                      const char *path, const char *name)
{
    struct json_object *section = NULL;

    return json_get_object(object, path, name, false, &section, l->problems) ? NULL : section;
}

static struct process *room_for(struct process **list, size_t count, struct json_object *rows)
{
    const size_t more = rows ? (size_t)json_object_object_length(rows) : 0;
    struct process *grown = realloc(*list, (count + more + 1) * sizeof(*grown));

    if (!grown)
        err_out_of_memory();
    memset(grown + count, 0, (more + 1) * sizeof(*grown));
    *list = grown;
    return grown + count;
}

static void load_processes(const struct loading *l)
{
    struct json_object *rows = section_of(l, l->declared->tree, "", "processes");
    struct process *process = room_for(&l->declared->processes, 0, rows);
    struct json_object_iter row;

    if (!rows)
        return;
    json_object_object_foreachC(rows, row)
    {
        _cleanup_(freep) char *path = joined("processes", ".", row.key);

        process->name = row.key;
        process->queue = kept(l, QUEUE_PREFIX, "", row.key);
        check_queue(l, path, row.key);
        if (load_head(l, row.val, path, row.key, process))
            load_plain(l, row.val, path, process);
        process++;
        l->declared->count++;
    }
}

static void load_groups(const struct loading *l)
{
    static const char *const members[] = {"run", NULL};
    struct json_object *rows = section_of(l, l->declared->tree, "", "serviceGroups");
    struct json_object *processes = json_object_object_get(l->declared->tree, "processes");
    struct process *group = room_for(&l->declared->groups, 0, rows);
    struct json_object_iter row;

    if (!rows)
        return;
    json_object_object_foreachC(rows, row)
    {
        _cleanup_(freep) char *path = joined("serviceGroups", ".", row.key);

        group->name = row.key;
        group->queue = kept(l, QUEUE_PREFIX, "", row.key);
        check_queue(l, path, row.key);
        if (json_object_object_get_ex(processes, row.key, NULL))
            text_addf(l->problems, "%s: a process has this name\n", path);
        if (load_head(l, row.val, path, row.key, group))
            json_get_only(row.val, path, members, l->problems);
        group++;
        l->declared->group_count++;
    }
}

static void load_connected(const struct loading *l, const struct connected *c)
{
    struct json_object *section = section_of(l, l->declared->tree, "", c->section);
    struct json_object *rows = section ? section_of(l, section, c->section, c->rows) : NULL;
    struct process *process = room_for(&l->declared->processes, l->declared->count, rows);
    const unsigned threads = section ? load_threads(l, section, c->section, 4) : 0;
    _cleanup_(freep) char *rows_path = joined(c->section, ".", c->rows);
    struct json_object_iter row;

    if (!rows)
        return;
    json_object_object_foreachC(rows, row)
    {
        _cleanup_(freep) char *path = joined(rows_path, ".", row.key);

        process->name = kept(l, c->prefix, ":", row.key);
        process->queue = kept(l, QUEUE_PREFIX, "", c->prefix);
        process->threads = threads;
        if (load_head(l, row.val, path, row.key, process))
            load_deadline(l, row.val, path, process);
        process++;
        l->declared->count++;
    }
}

/* ---- All of it ---- */

/* Those of one prefix stand together. */
static void add_queues(struct declared *declared, const struct process *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(list[i].queue, list[i - 1].queue) != 0)
            declared->queues[declared->queue_count++] = list[i].queue;
    }
}

static void index_all(struct declared *declared)
{
    const size_t most = declared->count + declared->group_count;

    qsort(declared->processes, declared->count, sizeof(*declared->processes), by_name);
    qsort(declared->groups, declared->group_count, sizeof(*declared->groups), by_name);
    declared->queues = calloc(most + 1, sizeof(*declared->queues));
    if (!declared->queues)
        err_out_of_memory();
    add_queues(declared, declared->processes, declared->count);
    add_queues(declared, declared->groups, declared->group_count);
}

static void load_tree(const struct loading *l)
{
    static const char *const members[] = {"processes", "serviceGroups", "http", "sql", NULL};

    if (!json_object_is_type(l->declared->tree, json_type_object)) {
        text_add(l->problems, "expected an object\n");
        return;
    }
    json_get_only(l->declared->tree, "", members, l->problems);
    load_processes(l);
    load_groups(l);
    for (size_t i = 0; i < ARRAY_SIZE(connected); i++)
        load_connected(l, &connected[i]);
    index_all(l->declared);
}

/* Each mistake begins with the path of the file, since the model's look alike. */
static void add_lines(struct text *out, const char *path, const struct text *lines)
{
    const char *line = text_str(lines);

    while (*line) {
        const size_t size = strcspn(line, "\n") + 1;

        text_addf(out, "%s: ", path);
        text_add_bytes(out, line, size);
        line += size;
    }
}

enum err declared_load(const char *path, struct declared **out, struct text *problems)
{
    _cleanup_(declared_destroyp) struct declared *declared = calloc(1, sizeof(*declared));
    _cleanup_(text_deinitp) struct text found = {0};
    enum err e;

    if (!declared)
        err_out_of_memory();
    if (*path) {
        e = json_get_file(path, &declared->tree, problems);
        if (e)
            return e;
        load_tree(&(struct loading){declared, &found});
    }
    add_lines(problems, path, &found);
    if (found.size)
        return ERR_CONFIG;
    *out = declared;
    declared = NULL;
    return ERR_OK;
}

void declared_destroy(struct declared *declared)
{
    if (!declared)
        return;
    for (size_t i = 0; i < declared->string_count; i++)
        free(declared->strings[i]);
    free(declared->strings);
    free(declared->processes);
    free(declared->groups);
    free(declared->queues);
    json_object_put(declared->tree);
    free(declared);
}

/* ---- What is there ---- */

size_t declared_count(const struct declared *declared)
{
    return declared->count;
}

const struct process *declared_at(const struct declared *declared, size_t i)
{
    return &declared->processes[i];
}

size_t declared_queue_count(const struct declared *declared)
{
    return declared->queue_count;
}

const char *declared_queue_at(const struct declared *declared, size_t i)
{
    return declared->queues[i];
}

struct json_object *declared_section(const struct declared *declared, const char *name)
{
    return declared->tree ? json_object_object_get(declared->tree, name) : NULL;
}
