#include "agents/sync/connectors/sql_link.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "agents/sync/connectors/sql_declared.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/one_line.h"

#define MESSAGE_MAX 500 /* bytes of what a server says */

struct sql_link {
    PGconn *connection;
};

/* ---- What is declared ---- */

/* Members that would let a password, or what somebody else has written, in by another way. */
static const char *const refused_members[] = {"password", "passfile", "sslpassword", "service"};

static const char *members_fault(const PQconninfoOption *options)
{
    for (; options->keyword; options++) {
        for (size_t i = 0; options->val && i < ARRAY_SIZE(refused_members); i++) {
            if (strcmp(options->keyword, refused_members[i]) == 0)
                return "expected no password, passfile or service: the password stands in a file "
                       "of its own, which passwordFile names";
        }
    }
    return NULL;
}

const char *sql_link_url_fault(const char *url)
{
    PQconninfoOption *options;
    char *words = NULL;
    const char *fault;

    if (strncmp(url, "postgresql://", 13) != 0 && strncmp(url, "postgres://", 11) != 0)
        return "expected postgresql://user@host/database";
    options = PQconninfoParse(url, &words);
    PQfreemem(words); /* they hold the URL, and so perhaps a password */
    if (!options)
        return "not what PostgreSQL takes for a URL";
    fault = members_fault(options);
    PQconninfoFree(options);
    return fault;
}

/* ---- Waiting ---- */

/* Waits until the socket is ready for one of the events; *ready is what it is ready for. */
static enum err wait_for(PGconn *connection, short events, int64_t deadline_ms, short *ready)
{
    struct pollfd p = {PQsocket(connection), events, 0};

    for (;;) {
        const int64_t left_ms = deadline_ms - clock_mono_ms();
        int n;

        if (left_ms <= 0)
            return ERR_TIMEOUT;
        n = poll(&p, 1, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms);
        if (n > 0) {
            *ready = p.revents;
            return ERR_OK;
        }
        if (n < 0 && errno != EINTR)
            return ERR_AWAY;
    }
}

static bool can_read(short ready)
{
    return (ready & (POLLIN | POLLHUP | POLLERR | POLLNVAL)) != 0;
}

/* Sends all that is to be sent; reads meanwhile, so that nobody waits for the other. */
static enum err flush(PGconn *connection, int64_t deadline_ms)
{
    int more;

    while ((more = PQflush(connection)) > 0) {
        short ready = 0;
        const enum err e = wait_for(connection, POLLIN | POLLOUT, deadline_ms, &ready);

        if (e)
            return e;
        if (can_read(ready) && !PQconsumeInput(connection))
            return ERR_AWAY;
    }
    return more < 0 ? ERR_AWAY : ERR_OK;
}

/* Takes the next result; NULL in *out: there is no more of this statement. */
static enum err next_result(PGconn *connection, int64_t deadline_ms, PGresult **out)
{
    while (PQisBusy(connection)) {
        short ready = 0;
        const enum err e = wait_for(connection, POLLIN, deadline_ms, &ready);

        if (e)
            return e;
        if (!PQconsumeInput(connection))
            return ERR_AWAY;
    }
    *out = PQgetResult(connection);
    return ERR_OK;
}

/* ---- Connecting ---- */

static void ignore_notice(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

/* What is behind the URL overrides what is in it. */
static PGconn *start(const struct sql_database *database, const char *password)
{
    const char *const keywords[] = {"dbname",
                                    "application_name",
                                    "client_encoding",
                                    "keepalives_idle",
                                    "keepalives_interval",
                                    "keepalives_count",
                                    password ? "password" : NULL,
                                    NULL};
    const char *const values[] = {database->url, "activestack", "UTF8",   "30",
                                  "10",          "3",           password, NULL};

    return PQconnectStartParams(keywords, values, 1);
}

static enum err finish(PGconn *connection, int64_t deadline_ms)
{
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;

    if (PQstatus(connection) == CONNECTION_BAD)
        return ERR_AWAY;
    while (status != PGRES_POLLING_OK) {
        const short events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        short ready = 0;
        const enum err e = wait_for(connection, events, deadline_ms, &ready);

        if (e)
            return e;
        status = PQconnectPoll(connection);
        if (status == PGRES_POLLING_FAILED)
            return ERR_AWAY;
    }
    return PQsetnonblocking(connection, 1) ? ERR_AWAY : ERR_OK;
}

static void log_failure(const struct sql_database *database, PGconn *connection, enum err e)
{
    log_warn("sql.connect_failed", LOG_STR("database", database->name), LOG_ERR(e),
             LOG_STR("reason", connection ? PQerrorMessage(connection) : "its password file"));
}

static enum err connect_link(struct sql_link *link, const struct sql_database *database,
                             int64_t deadline_ms)
{
    _cleanup_(text_deinitp) struct text password = {0};

    /* Each time, so that a changed one needs no restart. */
    if (database->password_file &&
        one_line_add_file(&password, database->password_file, SQL_PASSWORD_MAX))
        return ERR_CONFIG;
    link->connection = start(database, database->password_file ? text_str(&password) : NULL);
    if (!link->connection)
        err_out_of_memory();
    PQsetNoticeReceiver(link->connection, ignore_notice, NULL);
    return finish(link->connection, deadline_ms);
}

enum err sql_link_open(const struct sql_database *database, int64_t deadline_ms,
                       struct sql_link **out)
{
    struct sql_link *link = calloc(1, sizeof(*link));
    enum err e;

    if (!link)
        err_out_of_memory();
    e = connect_link(link, database, deadline_ms);
    if (e) {
        log_failure(database, link->connection, e);
        sql_link_close(link);
        return e;
    }
    log_debug("sql.connected", LOG_STR("database", database->name));
    *out = link;
    return ERR_OK;
}

void sql_link_close(struct sql_link *link)
{
    if (!link)
        return;
    PQfinish(link->connection);
    free(link);
}

bool sql_link_is_usable(struct sql_link *link)
{
    PGconn *connection = link->connection;

    return PQconsumeInput(connection) && PQstatus(connection) == CONNECTION_OK &&
           PQtransactionStatus(connection) == PQTRANS_IDLE;
}

/* ---- Statements ---- */

void sql_refusal_deinit(struct sql_refusal *refusal)
{
    text_deinit(&refusal->message);
}

/* What is not UTF-8, or controls a terminal, becomes a question mark. */
static void add_clean(struct text *out, const char *words)
{
    const size_t all = strlen(words);
    size_t size;

    for (size_t at = 0; at < all && out->size < MESSAGE_MAX; at += size) {
        size = text_utf8_size(words + at, all - at);
        if (size > 1 || (size == 1 && (unsigned char)words[at] >= ' '))
            text_add_bytes(out, words + at, size);
        else
            text_add_char(out, words[at] == '\n' ? ' ' : '?');
        size += size == 0;
    }
}

static void take_refusal(const PGresult *result, struct sql_refusal *refusal)
{
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    text_clear(&refusal->message);
    add_clean(&refusal->message, message ? message : "refused");
    memcpy(refusal->state, "?????", sizeof(refusal->state));
    if (state && strlen(state) == sizeof(refusal->state) - 1)
        memcpy(refusal->state, state, sizeof(refusal->state));
}

static enum err tell_row(const struct sql_statement *statement, const PGresult *result)
{
    const struct sql_row row = {(size_t)PQnfields(result), result};

    return statement->row ? statement->row(statement->arg, &row) : ERR_OK;
}

static enum err look_at(const struct sql_statement *statement, const PGresult *result,
                        struct sql_refusal *refusal)
{
    switch (PQresultStatus(result)) {
    case PGRES_SINGLE_TUPLE:
        return tell_row(statement, result);
    case PGRES_EMPTY_QUERY:
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
        return ERR_OK;
    case PGRES_FATAL_ERROR:
        take_refusal(result, refusal);
        return ERR_REFUSED;
    default:
        return ERR_AWAY; /* a statement that wants to copy, which the connection would stay in */
    }
}

static enum err send_statement(PGconn *connection, const struct sql_statement *s)
{
    const int sent = s->count || s->row ? PQsendQueryParams(connection, s->sql, (int)s->count, NULL,
                                                            s->values, NULL, NULL, 0)
                                        : PQsendQuery(connection, s->sql);

    return sent && (!s->row || PQsetSingleRowMode(connection)) ? ERR_OK : ERR_AWAY;
}

/* Looks at all results; a refusal may be followed by the end of the connection, which libpq tells
 * as another refusal. */
static enum err take_results(PGconn *connection, const struct sql_statement *statement,
                             int64_t deadline_ms, struct sql_refusal *refusal)
{
    PGresult *result = NULL;
    enum err e = next_result(connection, deadline_ms, &result), outcome = ERR_OK;

    while (!e && result) {
        const enum err found = look_at(statement, result, refusal);

        PQclear(result);
        if (found && found != ERR_REFUSED)
            return found;
        outcome = found ? found : outcome;
        e = next_result(connection, deadline_ms, &result);
    }
    return e ? e : outcome;
}

enum err sql_link_run(struct sql_link *link, const struct sql_statement *statement,
                      int64_t deadline_ms, struct sql_refusal *refusal)
{
    PGconn *connection = link->connection;
    enum err e = send_statement(connection, statement);

    if (!e)
        e = flush(connection, deadline_ms);
    if (!e)
        e = take_results(connection, statement, deadline_ms, refusal);
    return e == ERR_REFUSED && PQstatus(connection) != CONNECTION_OK ? ERR_AWAY : e;
}

const char *sql_row_name(const struct sql_row *row, size_t column)
{
    return PQfname(row->result, (int)column);
}

uint32_t sql_row_type(const struct sql_row *row, size_t column)
{
    return PQftype(row->result, (int)column);
}

struct json_span sql_row_value(const struct sql_row *row, size_t column)
{
    if (PQgetisnull(row->result, 0, (int)column))
        return (struct json_span){NULL, 0};
    return (struct json_span){PQgetvalue(row->result, 0, (int)column),
                              (size_t)PQgetlength(row->result, 0, (int)column)};
}
