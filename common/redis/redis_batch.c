#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "common/base/log.h"
#include "common/redis/redis_link.h"
#include "common/redis/redis_private.h"

#define SCRIPT_WORDS 3 /* before a script's arguments: EVALSHA sha 0 */

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
    if (reply->type == REDIS_REPLY_STRING && reply->len == REDIS_SHA_CHARS)
        memcpy(known->sha, reply->str, REDIS_SHA_CHARS + 1);
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
        set_word(link, 1, known->sha, REDIS_SHA_CHARS);
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

bool redis_batch_flush(struct redis_link *link, struct redis_call *const *calls, size_t count)
{
    if (!learn_all(link, calls, count))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!append(link, calls[i], false))
            return false;
    return collect(link, calls, count) && repeat_unknown(link, calls, count);
}
