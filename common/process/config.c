#include "common/process/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/secret.h"

#define FILE_MAX_BYTES   ((size_t)1024 * 1024)
#define PREFIX           "ACTIVESTACK_"
#define VARIABLE_OF_FILE "_FILE"
#define KEY_OF_FILE      "_file"

/* Variables with our prefix that are no settings. */
static const char *const other_variables[] = {
    "ACTIVESTACK_CONFIG", /* the file itself, see proc */
    "ACTIVESTACK_URLS",   /* printed by `deploy/up env` for its users */
    "ACTIVESTACK_CTL",
#ifdef ACTIVESTACK_FAULTS
    "ACTIVESTACK_FAULT", /* see fault */
#endif
};

enum layer { LAYER_NONE, LAYER_FILE, LAYER_ENVIRONMENT };

/* What was given for one row, by the highest layer so far. */
struct given {
    enum layer layer;
    char *value;
    char *where; /* "settings.conf:12", "ACTIVESTACK_AMQP_URL" */
};

struct loader {
    const struct config_table *table;
    struct given *given; /* one for each row */
    struct text *problems;
};

/* ---- Collecting what is given ---- */

static char *copy(const char *str, size_t size)
{
    char *result = strndup(str, size);

    if (!result)
        err_out_of_memory();
    return result;
}

/* `value` is taken over. */
static void give(struct loader *l, const struct config_row *row, enum layer layer, char *value,
                 const char *where)
{
    struct given *g = &l->given[row - l->table->rows];

    if (g->layer == layer) {
        text_addf(l->problems, "%s: given twice, in %s and in %s\n", row->key, g->where, where);
        secret_free(value);
        return;
    }
    secret_free(g->value);
    free(g->where);
    *g = (struct given){layer, value, copy(where, strlen(where))};
}

static const struct config_row *find_key(const struct config_table *table, const char *key,
                                         size_t size)
{
    for (size_t i = 0; i < table->count; i++) {
        const char *name = table->rows[i].key;

        if (strlen(name) == size && memcmp(name, key, size) == 0)
            return &table->rows[i];
    }
    return NULL;
}

static void tell_unreadable(struct loader *l, enum err e, const char *path, const char *wanted_by)
{
    text_addf(l->problems, "%s: cannot read %s: %s\n", wanted_by, path,
              e == ERR_IO ? strerror(errno) : "too large");
}

/* A file holds the value. */
static void give_content(struct loader *l, const struct config_row *row, enum layer layer,
                         const char *path, const char *where)
{
    _cleanup_(text_wipep) struct text content = {0};
    enum err e = text_add_file(&content, path, FILE_MAX_BYTES);

    if (e) {
        tell_unreadable(l, e, path, where);
        return;
    }
    text_cut(&content, strcspn(text_str(&content), "\r\n"));
    give(l, row, layer, copy(text_str(&content), content.size), where);
}

/* The setting of which `name` says the file: without the suffix it is one. Whole names come first:
 * model.file and auth.users_file end likewise. */
static const struct config_row *
find_of_file(const struct config_table *table, const char *name, size_t size, const char *suffix,
             const struct config_row *(*find)(const struct config_table *, const char *, size_t))
{
    const size_t end = strlen(suffix);

    if (size <= end || memcmp(name + size - end, suffix, end) != 0)
        return NULL;
    return find(table, name, size - end);
}

static const char *trim(const char *line, size_t *size)
{
    while (*size > 0 && isspace((unsigned char)line[*size - 1]))
        --*size;
    while (*size > 0 && isspace((unsigned char)*line)) {
        line++;
        --*size;
    }
    return line;
}

static void read_line(struct loader *l, const char *line, size_t size, const char *where)
{
    const struct config_row *row;
    const char *equals, *value;
    size_t key_size, value_size;

    line = trim(line, &size);
    if (size == 0 || *line == '#')
        return;
    equals = memchr(line, '=', size);
    if (!equals) {
        text_addf(l->problems, "%s: expected `key = value`\n", where);
        return;
    }
    key_size = (size_t)(equals - line);
    value_size = size - key_size - 1;
    value = trim(equals + 1, &value_size);
    line = trim(line, &key_size);
    if ((row = find_key(l->table, line, key_size))) {
        give(l, row, LAYER_FILE, copy(value, value_size), where);
    } else if ((row = find_of_file(l->table, line, key_size, KEY_OF_FILE, find_key))) {
        char *path = copy(value, value_size);

        give_content(l, row, LAYER_FILE, path, where);
        free(path);
    } else {
        text_addf(l->problems, "%.*s: unknown setting, in %s\n", (int)key_size, line, where);
    }
}

static void read_file(struct loader *l, const char *path)
{
    _cleanup_(text_wipep) struct text content = {0};
    enum err e = text_add_file(&content, path, FILE_MAX_BYTES);
    const char *at = text_str(&content), *end = at + content.size;

    if (e) {
        tell_unreadable(l, e, path, "settings");
        return;
    }
    for (size_t number = 1; at < end; number++) {
        _cleanup_(text_deinitp) struct text where = {0};
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;

        text_addf(&where, "%s:%zu", path, number);
        read_line(l, at, (size_t)(stop - at), text_str(&where));
        at = stop + 1;
    }
}

void config_add_variable(struct text *out, const struct config_row *row)
{
    text_add(out, PREFIX);
    for (const char *c = row->key; *c; c++)
        text_add_char(out, (char)(*c == '.' ? '_' : toupper((unsigned char)*c)));
}

static const struct config_row *find_variable(const struct config_table *table, const char *name,
                                              size_t size)
{
    for (size_t i = 0; i < table->count; i++) {
        _cleanup_(text_deinitp) struct text variable = {0};

        config_add_variable(&variable, &table->rows[i]);
        if (variable.size == size && memcmp(variable.at, name, size) == 0)
            return &table->rows[i];
    }
    return NULL;
}

static bool is_other_variable(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(other_variables); i++)
        if (strcmp(name, other_variables[i]) == 0)
            return true;
    return false;
}

static void read_variable(struct loader *l, const char *name, const char *value)
{
    const size_t size = strlen(name);
    const struct config_row *row;

    if ((row = find_variable(l->table, name, size)))
        give(l, row, LAYER_ENVIRONMENT, copy(value, strlen(value)), name);
    else if ((row = find_of_file(l->table, name, size, VARIABLE_OF_FILE, find_variable)))
        give_content(l, row, LAYER_ENVIRONMENT, value, name);
    else if (!is_other_variable(name))
        text_addf(l->problems, "%s: unknown variable\n", name);
}

static void read_environment(struct loader *l, char *const *environment)
{
    for (; *environment; environment++) {
        const char *equals = strchr(*environment, '=');

        if (equals && strncmp(*environment, PREFIX, strlen(PREFIX)) == 0) {
            char *name = copy(*environment, (size_t)(equals - *environment));

            read_variable(l, name, equals + 1);
            free(name);
        }
    }
}

/* ---- From text to value ---- */

static bool parse_string(const struct config_row *row, const char *text, void *field)
{
    const size_t size = strlen(text);
    const bool is_default = row->initial && strcmp(text, row->initial) == 0;
    char *value;

    if (!is_default && (size < (size_t)row->minimum || size > (size_t)row->maximum))
        return false;
    value = copy(text, size);
    memcpy(field, &value, sizeof(value));
    return true;
}

static bool parse_int(const struct config_row *row, const char *text, void *field)
{
    const size_t sign = text[0] == '-';
    int64_t value;

    if (text[sign] == '\0' || text[sign + strspn(text + sign, "0123456789")] != '\0')
        return false;
    errno = 0;
    value = strtoll(text, NULL, 10);
    if (errno != 0 || value < row->minimum || value > row->maximum)
        return false;
    memcpy(field, &value, sizeof(value));
    return true;
}

static bool parse_bool(const struct config_row *row, const char *text, void *field)
{
    const bool value = strcmp(text, "true") == 0;

    (void)row;
    if (!value && strcmp(text, "false") != 0)
        return false;
    memcpy(field, &value, sizeof(value));
    return true;
}

static bool parse_choice(const struct config_row *row, const char *text, void *field)
{
    const char *at = row->choices;

    for (int value = 0; at; value++) {
        const size_t size = strcspn(at, "|");

        if (strlen(text) == size && memcmp(at, text, size) == 0) {
            memcpy(field, &value, sizeof(value));
            return true;
        }
        at = at[size] ? at + size + 1 : NULL;
    }
    return false;
}

static bool parse(const struct config_row *row, const char *text, void *settings)
{
    static bool (*const parsers[])(const struct config_row *, const char *, void *) = {
        [CONFIG_STRING] = parse_string,
        [CONFIG_INT] = parse_int,
        [CONFIG_BOOL] = parse_bool,
        [CONFIG_CHOICE] = parse_choice,
    };

    return parsers[row->type](row, text, (char *)settings + row->offset);
}

static void tell_wrong_value(struct loader *l, const struct config_row *row, const struct given *g)
{
    text_addf(l->problems, "%s: ", row->key);
    if (row->secret)
        text_add(l->problems, "the value");
    else
        text_add_json_str(l->problems, g->value);
    text_addf(l->problems, " is not allowed, in %s: expected ", g->where);
    config_add_allowed(l->problems, row);
    text_add_char(l->problems, '\n');
}

static void tell_missing(struct loader *l, const struct config_row *row)
{
    text_addf(l->problems, "%s: not set; give it in the file or as ", row->key);
    config_add_variable(l->problems, row);
    text_add(l->problems, ": expected ");
    config_add_allowed(l->problems, row);
    text_add_char(l->problems, '\n');
}

static void fill_row(struct loader *l, unsigned program, const struct config_row *row,
                     void *settings)
{
    const struct given *g = &l->given[row - l->table->rows];

    if (g->layer != LAYER_NONE) {
        if (!parse(row, g->value, settings))
            tell_wrong_value(l, row, g);
    } else if (row->initial) {
        if (!parse(row, row->initial, settings))
            text_addf(l->problems, "%s: the default is not allowed\n", row->key);
    } else if (row->used_by & ~row->optional_in & program) {
        tell_missing(l, row);
    }
}

/* Strings that got no value, so that nobody meets a NULL. */
static void fill_strings(const struct config_table *table, void *settings)
{
    for (size_t i = 0; i < table->count; i++) {
        char **field = (char **)((char *)settings + table->rows[i].offset);

        if (table->rows[i].type == CONFIG_STRING && !*field)
            *field = copy("", 0);
    }
}

enum err config_load(const struct config_table *table, unsigned program, const char *path,
                     char *const *environment, void *settings, struct text *problems)
{
    const size_t problems_before = problems->size;
    struct loader l = {.table = table, .problems = problems};

    l.given = calloc(table->count, sizeof(*l.given));
    if (!l.given)
        err_out_of_memory();
    if (path)
        read_file(&l, path);
    read_environment(&l, environment);
    for (size_t i = 0; i < table->count; i++)
        fill_row(&l, program, &table->rows[i], settings);
    fill_strings(table, settings);

    for (size_t i = 0; i < table->count; i++) {
        secret_free(l.given[i].value);
        free(l.given[i].where);
    }
    free(l.given);
    return problems->size > problems_before ? ERR_CONFIG : ERR_OK;
}

void config_free(const struct config_table *table, void *settings)
{
    for (size_t i = 0; i < table->count; i++) {
        char **field = (char **)((char *)settings + table->rows[i].offset);

        if (table->rows[i].type != CONFIG_STRING)
            continue;
        secret_free(*field);
        *field = NULL;
    }
}
