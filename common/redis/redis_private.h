#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>

#include "common/base/backoff.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"

/*
 * redis_private - what the files of redis_link share, and nobody else may include.
 *
 *   redis_link.c       the link's life, and running calls
 *   redis_batch.c      sending some of them at once, and their scripts
 *   redis_connect.c    a connection, and the greeting on it
 *   redis_sentinels.c  asking sentinels where the primary is
 *   redis_config.c     what is wrong with the settings
 *   redis_url.c        where Redis is
 *   redis_call.c       putting a call together, reading its reply
 */

struct redis_call;
struct redis_config;
struct redis_script;
struct redisContext;
struct redisReply;

/* A URL taken apart; every text points into `url`, which the address owns. */
struct redis_address {
    char *url;
    size_t size;      /* of the URL as it was; all of it is wiped */
    const char *path; /* of a unix socket; NULL: host and port */
    const char *host;
    int port;
    const char *user;     /* NULL: the default user */
    const char *password; /* NULL: none */
    const char *database; /* a decimal number; NULL: 0 */
};

/* ERR_CONFIG: no URL of ours; *out is to be freed in any case. */
_must_check_ enum err redis_address_parse(const char *url, struct redis_address *out);
void redis_address_deinit(struct redis_address *address);

/* Is it a decimal number up to `max`, and nothing else? */
bool redis_is_number(const char *str, long max);

/* ---- Connections ---- */

/* Where one leads; the texts are borrowed. */
struct redis_place {
    const char *path; /* of a unix socket; NULL: host and port */
    const char *host;
    int port;
    const char *client; /* whose it is, for the log */
    struct timeval timeout;
};

void redis_place_log(const struct redis_place *place, const char *event, const char *reason);

/* NULL: it cannot be had, which is logged. */
struct redisContext *redis_place_open(const struct redis_place *place);

#define REDIS_WORDS 3 /* of a command of the greeting, at most */

/* Runs one command, whose NULL words are left out. NULL: refused or lost, which is logged. */
struct redisReply *redis_place_ask(const struct redis_place *place, struct redisContext *context,
                                   const char *const words[REDIS_WORDS]);

/* The same where the reply says nothing further. */
bool redis_place_tell(const struct redis_place *place, struct redisContext *context,
                      const char *const words[REDIS_WORDS]);

/* ---- Sentinels ---- */

struct redis_sentinels;

/* `config` names some. ERR_CONFIG: a wrong list. */
_must_check_ enum err redis_sentinels_create(const struct redis_config *config,
                                             struct redis_sentinels **out);
void redis_sentinels_destroy(struct redis_sentinels *sentinels); /* NULL is allowed */

/*
 * Asks one after the other, each time beginning with another one, so that one with an old view does
 * not mislead us twice. Each has SENTINEL_PATIENCE_MS, or timeout_ms if that is shorter. False:
 * none of them knows, which is logged. place->host is borrowed until the next question.
 */
_must_check_ bool redis_sentinels_find(struct redis_sentinels *sentinels,
                                       struct redis_place *place);

DEFINE_CLEANUP(struct redis_sentinels *, redis_sentinels_destroy)

/* ---- The link ---- */

#define REDIS_SHA_CHARS 40

/* A script and the name that Redis has for its text, once we have asked for it. */
struct known_script {
    const struct redis_script *script;
    char sha[REDIS_SHA_CHARS + 1]; /* "": Redis would not take it; its error is for the caller */
};

struct redis_link {
    struct redis_address given;        /* the URL's */
    struct redis_sentinels *sentinels; /* NULL: it is where the URL says */
    struct redis_place place;          /* where we are connected to, or were last */
    char *client_name;
    int64_t wait_replicas, wait_ms;
    struct redisContext *context; /* NULL: down */
    struct backoff backoff;
    struct known_script *known; /* grows to the number of the program's scripts */
    size_t known_count;
    const char **words; /* the command that is being put together */
    size_t *sizes;
    size_t word_room;
};

/* Gives each call a reply, in one go. False: the connection is lost, and some may have none. */
_must_check_ bool redis_batch_flush(struct redis_link *link, struct redis_call *const *calls,
                                    size_t count);

/* ---- Calls ---- */

void redis_call_forget_reply(struct redis_call *call);
