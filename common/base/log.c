#include "common/base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/text.h"

#define BURST          20
#define BURST_MS       10000
#define BURSTS_TRACKED 128 /* more than there are names of warnings and errors */

/* How often one event came lately. */
struct burst {
    const char *event; /* NULL: a free place */
    int64_t since_ms;
    int64_t count;
};

/* The log is the one thing that every thread shares and no caller should have to carry around. */
static struct {
    const char *program;
    atomic_int level; /* enum log_level */
    bool json;
    FILE *stream;         /* NULL: standard error */
    pthread_mutex_t lock; /* for `bursts` */
    struct burst bursts[BURSTS_TRACKED];
} state = {.program = "activestack", .level = LOG_LEVEL_INFO, .lock = PTHREAD_MUTEX_INITIALIZER};

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

void log_init(const char *program, enum log_level level, bool json)
{
    state.program = program;
    state.json = json;
    log_set_level(level);
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&state.level, (int)level, memory_order_relaxed);
}

void log_redirect(FILE *stream)
{
    state.stream = stream;
}

bool log_enabled(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&state.level, memory_order_relaxed);
}

/* ---- Values: whatever bytes they hold, they stay on their line and within their field ---- */

/* How many bytes at `at` are one printable character; 0: it must be escaped. Besides ASCII's, the
 * control characters U+0080 to U+009F and the line ends U+2028 and U+2029 are not printable. */
static size_t printable_size(const char *at, size_t size)
{
    const unsigned char *u = (const unsigned char *)at;
    const size_t length = text_utf8_size(at, size);

    if (length == 1 && (u[0] < 0x20 || u[0] == 0x7f))
        return 0;
    if (length == 2 && u[0] == 0xc2 && u[1] < 0xa0)
        return 0;
    if (length == 3 && u[0] == 0xe2 && u[1] == 0x80 && (u[2] == 0xa8 || u[2] == 0xa9))
        return 0;
    return length;
}

/* A JSON string in both formats. Bytes that are no printable character become \u00XX each. */
static void add_quoted(struct text *line, const char *value)
{
    const char *end = value + strlen(value);

    text_add_char(line, '"');
    while (value < end) {
        const size_t length = printable_size(value, (size_t)(end - value));

        if (length == 0) {
            text_addf(line, "\\u%04x", (unsigned)(unsigned char)*value);
            value++;
            continue;
        }
        if (*value == '"' || *value == '\\')
            text_add_char(line, '\\');
        text_add_bytes(line, value, length);
        value += length;
    }
    text_add_char(line, '"');
}

/* Can it stand in a text line without quotes? */
static bool is_bare(const char *value)
{
    if (*value == '\0')
        return false;
    for (; *value; value++)
        if (*value <= ' ' || *value > '~' || *value == '"' || *value == '\\' || *value == '=')
            return false;
    return true;
}

static void add_value(struct text *line, const struct log_field *field)
{
    if (field->kind == LOG_KIND_I64)
        text_add_i64(line, field->i64);
    else if (!field->str)
        text_add(line, "null");
    else if (!state.json && is_bare(field->str))
        text_add(line, field->str);
    else
        add_quoted(line, field->str);
}

static void add_field(struct text *line, const struct log_field *field)
{
    text_addf(line, state.json ? ",\"%s\":" : " %s=", field->key);
    add_value(line, field);
}

/* ---- Lines ---- */

static void add_time(struct text *line)
{
    const int64_t now_ms = clock_wall_ms();
    const time_t seconds = (time_t)(now_ms / 1000);
    char date[32];
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
    text_addf(line, "%s.%03dZ", date, (int)(now_ms % 1000));
}

static void add_head(struct text *line, enum log_level level, const char *event)
{
    if (!state.json) {
        add_time(line);
        text_addf(line, " %s %s", level_names[level], event);
        return;
    }
    text_add(line, "{\"time\":\"");
    add_time(line);
    text_addf(line, "\",\"level\":\"%s\",\"program\":\"%s\",\"event\":\"%s\"", level_names[level],
              state.program, event);
}

/* The place of an event, NULL when all are taken. Names are constants of ours, so no client can
 * fill the table. */
static struct burst *find_burst(const char *event)
{
    size_t hash = 5381;

    for (const char *c = event; *c; c++)
        hash = hash * 33 + (unsigned char)*c;
    for (size_t i = 0; i < BURSTS_TRACKED; i++) {
        struct burst *b = &state.bursts[(hash + i) % BURSTS_TRACKED];

        if (!b->event)
            b->event = event;
        if (strcmp(b->event, event) == 0)
            return b;
    }
    return NULL;
}

/* Counts the event; false if it has to be silent. *suppressed: how many had to be before it. */
static bool may_speak(const char *event, int64_t *suppressed)
{
    const int64_t now_ms = clock_mono_ms();
    struct burst *b;
    bool speaks = true;

    pthread_mutex_lock(&state.lock);
    b = find_burst(event);
    if (b && (b->count == 0 || now_ms - b->since_ms >= BURST_MS)) {
        *suppressed = b->count > BURST ? b->count - BURST : 0;
        b->since_ms = now_ms;
        b->count = 0;
    }
    if (b)
        speaks = ++b->count <= BURST;
    pthread_mutex_unlock(&state.lock);
    return speaks;
}

void log_line(enum log_level level, const char *event, const struct log_field *fields)
{
    _cleanup_(text_deinitp) struct text line = {0};
    int64_t suppressed = 0;

    if (level <= LOG_LEVEL_WARN && !may_speak(event, &suppressed))
        return;
    add_head(&line, level, event);
    for (; fields->kind != LOG_KIND_END; fields++)
        add_field(&line, fields);
    if (suppressed > 0)
        add_field(&line, &LOG_I64("suppressed", suppressed));
    text_add(&line, state.json ? "}\n" : "\n");

    /* One call: streams lock themselves, and standard error has no buffer. */
    fwrite(line.at, 1, line.size, state.stream ? state.stream : stderr);
}
