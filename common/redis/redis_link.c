#include "common/redis/redis_link.h"

#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <hiredis/hiredis.h>

#include "common/base/backoff.h"
#include "common/base/log.h"
#include "common/redis/redis_private.h"

#define FLUSH_CALLS  1000    /* more at once fill the socket buffers of both ends */
#define FLUSH_BYTES  4194304 /* of arguments; a single larger call is a flush of its own */
#define READ_KEPT    1048576 /* read buffer that is not given back after a large reply */
#define SHA_CHARS    40
#define SCRIPT_WORDS 3 /* before a script's arguments: EVALSHA sha 0 */

/* A script and the name that Redis has for its text, once we have asked for it. */
struct known_script {
    const struct redis_script *script;
    char sha[SHA_CHARS + 1]; /* "": Redis would not take it; its error shall reach the caller */
};

struct redis_link {
    struct redis_address where;
    char *client_name;
    struct timeval timeout;
    redisContext *context; /* NULL: down */
    struct backoff backoff;
    struct known_script *known; /* grows to the number of the program's scripts */
    size_t known_count;
    const char **words; /* the command that is being put together */
    size_t *sizes;
    size_t word_room;
};

/* ---- Life ---- */

enum err redis_link_create(const char *url, const char *client_name, int64_t timeout_ms,
                           struct redis_link **out)
{
    struct redis_link *link = calloc(1, sizeof(*link));
    enum err e;

    if (!link)
        return ERR_NOMEM;
    link->timeout.tv_sec = timeout_ms / 1000;
    link->timeout.tv_usec = timeout_ms % 1000 * 1000;
    link->client_name = strdup(client_name);
    e = link->client_name ? redis_address_parse(url, &link->where) : ERR_NOMEM;
    if (e) {
        redis_link_destroy(link);
        return e;
    }
    *out = link;
    return ERR_OK;
}

static void disconnect(struct redis_link *link)
{
    if (link->context)
        redisFree(link->context);
    link->context = NULL;
}

void redis_link_destroy(struct redis_link *link)
{
    if (!link)
        return;
    disconnect(link);
    redis_address_deinit(&link->where);
    free(link->client_name);
    free(link->known);
    free(link->words);
    free(link->sizes);
    free(link);
}

/* ---- Connecting ---- */

static void log_failure(const struct redis_link *link, const char *event, const char *reason)
{
    log_warn(event, LOG_STR("client", link->client_name),
             LOG_STR("host", link->where.path ? link->where.path : link->where.host),
             LOG_I64("port", link->where.port), LOG_STR("reason", reason));
}

/* One command of the greeting, whose NULL words are left out. */
static bool greet(struct redis_link *link, const char *const words[3])
{
    const char *given[3];
    redisReply *reply;
    int count = 0;
    bool ok;

    for (size_t i = 0; i < ARRAY_SIZE(given); i++)
        if (words[i])
            given[count++] = words[i];
    reply = redisCommandArgv(link->context, count, given, NULL);
    ok = reply && reply->type != REDIS_REPLY_ERROR;
    if (!ok)
        log_failure(link, "redis.refused", reply ? reply->str : link->context->errstr);
    if (reply)
        freeReplyObject(reply);
    return ok;
}

/* PING at the end, because a Redis that is still loading its file answers it with an error. */
static bool introduce(struct redis_link *link)
{
    const struct redis_address *where = &link->where;

    return (!where->password ||
            greet(link, (const char *const[]){"AUTH", where->user, where->password})) &&
           (!where->database ||
            greet(link, (const char *const[]){"SELECT", where->database, NULL})) &&
           greet(link, (const char *const[]){"CLIENT", "SETNAME", link->client_name}) &&
           greet(link, (const char *const[]){"PING", NULL, NULL});
}

static bool open_connection(struct redis_link *link)
{
    const struct redis_address *where = &link->where;

    link->context = where->path ? redisConnectUnixWithTimeout(where->path, link->timeout)
                                : redisConnectWithTimeout(where->host, where->port, link->timeout);
    if (!link->context)
        return false;
    if (link->context->err || redisSetTimeout(link->context, link->timeout) != REDIS_OK) {
        log_failure(link, "redis.connect_failed", link->context->errstr);
        return false;
    }
    if (!where->path)
        (void)redisEnableKeepAlive(link->context);
    link->context->reader->maxbuf = READ_KEPT;
    return true;
}

static bool come_up(struct redis_link *link)
{
    if (backoff_left_ms(&link->backoff) > 0)
        return false;
    if (!open_connection(link) || !introduce(link)) {
        disconnect(link);
        backoff_failed(&link->backoff);
        return false;
    }
    backoff_succeeded(&link->backoff);
    log_info("redis.up", LOG_STR("client", link->client_name));
    return true;
}

static void go_down(struct redis_link *link)
{
    log_failure(link, "redis.down", link->context->errstr);
    disconnect(link);
    backoff_failed(&link->backoff);
}

/* ---- Scripts ---- */

static struct known_script *find_known(struct redis_link *link, const struct redis_script *script)
{
    for (size_t i = 0; i < link->known_count; i++)
        if (link->known[i].script == script)
            return &link->known[i];
    return NULL;
}

static void note_sha(struct known_script *known, const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_STRING && reply->len == SHA_CHARS)
        memcpy(known->sha, reply->str, SHA_CHARS + 1);
    else
        log_error("redis.bad_script", LOG_STR("script", known->script->name),
                  LOG_STR("reason", reply->str));
}

/* Redis, which needs the text anyway, tells the name. A text never changes its name, so what was
 * learned holds for every later connection; that Redis has forgotten the text shows by itself. */
static bool learn(struct redis_link *link, const struct redis_script *script)
{
    const char *words[] = {"SCRIPT", "LOAD", script->text};
    struct known_script *grown =
        reallocarray(link->known, link->known_count + 1, sizeof(*link->known));
    redisReply *reply;

    if (!grown)
        return false;
    link->known = grown;
    reply = redisCommandArgv(link->context, ARRAY_SIZE(words), words, NULL);
    if (!reply)
        return false;
    grown[link->known_count] = (struct known_script){.script = script};
    note_sha(&grown[link->known_count++], reply);
    freeReplyObject(reply);
    return true;
}

static bool learn_all(struct redis_link *link, struct redis_call *const *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (calls[i]->script && !find_known(link, calls[i]->script) &&
            !learn(link, calls[i]->script))
            return false;
    return true;
}

/* ---- A batch ---- */

static bool reserve_words(struct redis_link *link, size_t count)
{
    const char **words;
    size_t *sizes;

    if (count <= link->word_room)
        return true;
    words = reallocarray(link->words, count, sizeof(*words));
    if (!words)
        return false;
    link->words = words;
    sizes = reallocarray(link->sizes, count, sizeof(*sizes));
    if (!sizes)
        return false;
    link->sizes = sizes;
    link->word_room = count;
    return true;
}

static void set_word(struct redis_link *link, size_t i, const char *at, size_t size)
{
    link->words[i] = at;
    link->sizes[i] = size;
}

static size_t set_script_words(struct redis_link *link, const struct redis_script *script,
                               bool with_text)
{
    const struct known_script *known = find_known(link, script);

    if (with_text || !known->sha[0]) {
        set_word(link, 0, "EVAL", strlen("EVAL"));
        set_word(link, 1, script->text, strlen(script->text));
    } else {
        set_word(link, 0, "EVALSHA", strlen("EVALSHA"));
        set_word(link, 1, known->sha, SHA_CHARS);
    }
    set_word(link, 2, "0", 1); /* keys */
    return SCRIPT_WORDS;
}

/* Puts the call into the output buffer. */
static bool append(struct redis_link *link, const struct redis_call *call, bool with_text)
{
    size_t count = 0, start = 0;

    if (!reserve_words(link, SCRIPT_WORDS + call->count))
        return false;
    if (call->script)
        count = set_script_words(link, call->script, with_text);
    for (size_t i = 0; i < call->count; i++) {
        set_word(link, count++, text_str(&call->args) + start, call->ends[i] - start);
        start = call->ends[i];
    }
    return redisAppendCommandArgv(link->context, (int)count, link->words, link->sizes) == REDIS_OK;
}

/* Sends what was put into the output buffer, and gives a reply to each call that has none. */
static bool collect(struct redis_link *link, struct redis_call *const *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        void *reply = NULL;

        if (calls[i]->reply)
            continue;
        if (redisGetReply(link->context, &reply) != REDIS_OK)
            return false;
        calls[i]->reply = reply;
    }
    return true;
}

static bool is_unknown_script(const struct redis_call *call)
{
    return call->script && redis_is_error(call->reply) &&
           !strncmp(redis_str(call->reply), "NOSCRIPT", strlen("NOSCRIPT"));
}

/* Redis has forgotten scripts: a restart, a flush. Those calls run with the text, which teaches
 * Redis the script again. */
static bool repeat_unknown(struct redis_link *link, struct redis_call *const *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_unknown_script(calls[i]))
            continue;
        redis_call_forget_reply(calls[i]);
        if (!append(link, calls[i], true))
            return false;
    }
    return collect(link, calls, count);
}

static bool flush(struct redis_link *link, struct redis_call *const *calls, size_t count)
{
    if (!learn_all(link, calls, count))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!append(link, calls[i], false))
            return false;
    return collect(link, calls, count) && repeat_unknown(link, calls, count);
}

/* How many of the calls go into one flush; at least one. */
static size_t flush_count(struct redis_call *const *calls, size_t count)
{
    size_t bytes = 0, n = 0;

    while (n < count && n < FLUSH_CALLS && bytes < FLUSH_BYTES)
        bytes += calls[n++]->args.size;
    return n;
}

static void forget_replies(struct redis_call *const *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        redis_call_forget_reply(calls[i]);
}

enum err redis_link_run(struct redis_link *link, struct redis_call *const *calls, size_t count)
{
    size_t run = 0;

    forget_replies(calls, count);
    if (!link->context && !come_up(link))
        return ERR_AWAY;
    while (run < count) {
        size_t n = flush_count(calls + run, count - run);

        if (!flush(link, calls + run, n)) {
            forget_replies(calls, count);
            go_down(link);
            return ERR_AWAY;
        }
        run += n;
    }
    return ERR_OK;
}
