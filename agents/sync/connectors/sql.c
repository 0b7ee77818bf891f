#include <inttypes.h>
#include <string.h>

#include "agents/sync/connectors/sql_arguments.h"
#include "agents/sync/connectors/sql_declared.h"
#include "agents/sync/connectors/sql_link.h"
#include "agents/sync/connectors/sql_pool.h"
#include "agents/sync/connectors/sql_result.h"
#include "agents/sync/host/connector.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/protocol/response.h"

/*
 * sql - SQL_PROC: calls of declared procedures and functions in PostgreSQL (spec 3.8).
 *
 * A call is a transaction: begin, the one statement, commit, each a round trip. It is committed
 * only when the result is whole and may be told, so whatever fails before has not happened; only
 * when the connection is lost while it commits, nobody knows. Nothing is ever run twice here.
 */

#define ATTEMPTS     3    /* to begin; nothing has happened by then */
#define MARGIN_MS    100  /* of the server's own time limit to ours, so that its words arrive */
#define LEFT_MS      1000 /* so much later the server ends a transaction that we have left */
#define SQL_CANCELED "57014"

/* A call on its way. */
struct calling {
    const struct sql_procedure *procedure;
    struct sql_link *link;
    struct sql_values values;
    struct sql_result result;
    struct sql_refusal refusal;
    struct answer *answer;
    int64_t deadline_ms; /* the call's, or the procedure's if that is sooner */
    int64_t limit_ms;    /* what the server has for the statement */
};

/* ---- Failures ---- */

static void fail(const struct calling *c, int code, const char *words)
{
    c->answer->failed = true;
    c->answer->code = code;
    c->answer->name = code ? response_code_name(code) : NULL;
    text_add(&c->answer->body, words);
}

static void fail_late(const struct calling *c)
{
    fail(c, CODE_TIMEOUT, "the database did not answer in time, nothing has changed there");
}

static void fail_refused(const struct calling *c)
{
    fail(c, 0, text_str(&c->refusal.message));
    text_addf(&c->answer->body, " (SQLSTATE %s)", c->refusal.state);
}

/* Why there is no connection, or no transaction. */
static void fail_begin(const struct calling *c, enum err e)
{
    if (e == ERR_TIMEOUT)
        fail_late(c);
    else if (e == ERR_REFUSED)
        fail_refused(c);
    else if (e == ERR_FULL)
        fail(c, CODE_TOO_MANY, "all connections of the database are in use");
    else
        fail(c, 0, "the database cannot be reached");
}

/* The server has rolled it back, or does so when it sees that the connection is closed. */
static void fail_statement(const struct calling *c, enum err e, int64_t begun_ms)
{
    const bool is_canceled = strcmp(c->refusal.state, SQL_CANCELED) == 0;

    log_debug("sql.failed", LOG_STR("procedure", c->procedure->name), LOG_ERR(e),
              LOG_STR("state", c->refusal.state));
    if (e == ERR_TIMEOUT || (is_canceled && clock_mono_ms() >= begun_ms + c->limit_ms))
        fail_late(c);
    else if (e == ERR_REFUSED)
        fail_refused(c);
    else if (e == ERR_AWAY)
        fail(c, 0, "the connection to the database was lost, nothing has changed there");
    else
        fail(c, 0, text_str(&c->result.problem));
}

static void fail_commit(const struct calling *c, enum err e)
{
    if (e == ERR_REFUSED) {
        fail_refused(c);
        return;
    }
    log_warn("sql.commit_unknown", LOG_STR("procedure", c->procedure->name), LOG_ERR(e));
    fail(c, e == ERR_TIMEOUT ? CODE_TIMEOUT : 0,
         "the database did not confirm it: whether it took effect is unknown");
}

/* ---- The transaction ---- */

static enum err run_words(struct calling *c, const char *sql)
{
    return sql_link_run(c->link, &(struct sql_statement){.sql = sql}, c->deadline_ms, &c->refusal);
}

/* Whatever a database, a role or an earlier call has set: results look the same, and the server
 * itself ends what takes too long, also if we are gone. */
static enum err begin(struct calling *c)
{
    const int64_t left_ms = c->deadline_ms - clock_mono_ms();
    const int64_t margin_ms = left_ms / 10 < MARGIN_MS ? left_ms / 10 : MARGIN_MS;
    _cleanup_(text_deinitp) struct text sql = {0};

    if (left_ms <= 0)
        return ERR_TIMEOUT;
    c->limit_ms = left_ms > margin_ms ? left_ms - margin_ms : 1;
    text_addf(&sql,
              "BEGIN;"
              "SET LOCAL statement_timeout = %" PRId64 ";"
              "SET LOCAL idle_in_transaction_session_timeout = %" PRId64 ";"
              "SET LOCAL DateStyle = 'ISO, YMD';"
              "SET LOCAL TimeZone = 'UTC';"
              "SET LOCAL extra_float_digits = 1;"
              "SET LOCAL bytea_output = 'hex'",
              c->limit_ms, left_ms + LEFT_MS);
    return run_words(c, text_str(&sql));
}

/* A link that lay idle may turn out to be dead only now. */
static enum err take_and_begin(struct calling *c)
{
    enum err e = ERR_AWAY;

    for (int attempt = 0; attempt < ATTEMPTS && e == ERR_AWAY; attempt++) {
        e = sql_pool_take(c->procedure->database->pool, c->deadline_ms, &c->link);
        if (e)
            return e;
        e = begin(c);
        if (e) {
            sql_pool_give_back(c->procedure->database->pool, c->link);
            c->link = NULL;
        }
    }
    return e;
}

static enum err run_statement(struct calling *c)
{
    const struct sql_statement statement = {
        .sql = c->procedure->statement,
        .values = (const char *const *)c->values.at,
        .count = c->values.count,
        .row = sql_result_add,
        .arg = &c->result,
    };
    const enum err e = sql_link_run(c->link, &statement, c->deadline_ms, &c->refusal);

    if (e)
        return e;
    return clock_mono_ms() < c->deadline_ms ? sql_result_end(&c->result) : ERR_TIMEOUT;
}

static void run_transaction(struct calling *c)
{
    const int64_t begun_ms = clock_mono_ms();
    enum err e = run_statement(c);

    if (e) {
        fail_statement(c, e, begun_ms);
        if (run_words(c, "ROLLBACK"))
            log_debug("sql.rollback_failed", LOG_STR("procedure", c->procedure->name));
        return;
    }
    e = run_words(c, "COMMIT");
    if (e) {
        fail_commit(c, e);
        return;
    }
    c->answer->body = c->result.body;
    c->result.body = (struct text){0};
}

static void answer_call(struct calling *c)
{
    const enum err e = take_and_begin(c);

    if (e) {
        fail_begin(c, e);
        return;
    }
    run_transaction(c);
    sql_pool_give_back(c->procedure->database->pool, c->link);
}

/* ---- The connector ---- */

static enum err load(const struct declared *declared, struct json_object *section, void **own,
                     struct text *problems)
{
    struct sql_declared *loaded = NULL;
    const enum err e = sql_declared_load(section, &loaded, problems);

    (void)declared;
    *own = loaded;
    return e;
}

static void unload(void *own)
{
    sql_declared_destroy(own);
}

static int64_t deadline_of(const struct sql_procedure *procedure, const struct call *call)
{
    const int64_t own_ms = clock_mono_ms() + procedure->timeout_ms;

    return procedure->timeout_ms && own_ms < call->deadline_ms ? own_ms : call->deadline_ms;
}

static void run(void *own, void *thread, const struct call *call, struct answer *answer)
{
    struct calling c = {.procedure = sql_declared_find(own, call->operation), .answer = answer};

    (void)thread;
    if (!c.procedure) {
        fail(&c, 0, "there is no such procedure");
        return;
    }
    c.deadline_ms = deadline_of(c.procedure, call);
    c.result.procedure = c.procedure;
    if (sql_values_write(c.procedure, call, &c.values, &answer->body))
        fail(&c, CODE_MALFORMED, "");
    else
        answer_call(&c);
    sql_values_deinit(&c.values);
    sql_result_deinit(&c.result);
    sql_refusal_deinit(&c.refusal);
}

const struct connector connector_sql = {
    .prefix = "SQL_PROC",
    .section = "sql",
    .load = load,
    .unload = unload,
    .run = run,
};
