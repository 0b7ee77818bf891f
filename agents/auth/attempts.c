#include "agents/auth/attempts.h"

#include <stdlib.h>
#include <string.h>

#include "agents/auth/answer.h"
#include "agents/auth/store/scripts.h"
#include "agents/runtime/agent.h"
#include "common/base/address.h"
#include "common/base/log.h"
#include "common/base/secret.h"

/* Under which attempts are counted; empty: not at all. */
struct counted {
    struct text account, address;
};

static void counted_deinit(struct counted *counted)
{
    text_deinit(&counted->account);
    text_deinit(&counted->address);
}

/* Nobody gets more attempts by the many addresses that one subscriber has; what is no address does
 * not count. */
static void add_holder(struct text *out, const char *address)
{
    char holder[ADDRESS_CHARS];
    struct address a;

    if (!address_read(address, strlen(address), &a))
        return;
    a = address_holder(&a);
    address_print(&a, holder);
    text_addf(out, "@%s", holder);
}

/* Names of accounts can be long, and are nobody's business. */
static void read_counted(const struct work *work, const char *provider, const char *name,
                         struct counted *out)
{
    _cleanup_(text_deinitp) struct text account = {0};
    char hash[SECRET_HASH_CHARS + 1];

    *out = (struct counted){0};
    if (*name) {
        text_addf(&account, "%s:%s", provider, name);
        secret_hash(account.at, account.size, hash);
        text_add(&out->account, hash);
    }
    add_holder(&out->address, work->request.address);
}

static void add_counted(struct redis_call *call, const struct text *what, int64_t most)
{
    if (!what->size)
        return;
    redis_call_arg(call, what->at);
    redis_call_arg_i64(call, most);
}

void attempts_begin(struct work *work, const char *provider, const char *name)
{
    const struct settings *settings = &work->agent->proc.settings;
    _cleanup_(counted_deinit) struct counted counted;

    read_counted(work, provider, name, &counted);
    redis_call_begin(&work->call, &script_attempt);
    redis_call_arg_i64(&work->call, settings->auth_failed_login_window_s);
    redis_call_arg_i64(&work->call,
                       (counted.account.size ? 2 : 0) + (counted.address.size ? 2 : 0));
    add_counted(&work->call, &counted.account, settings->auth_max_failed_logins);
    add_counted(&work->call, &counted.address, settings->auth_max_failed_logins_per_address);
}

/* Who logs in hears of it as of any refusal, also in the content protocol (see its gateway). */
static enum work_step refuse(struct work *work)
{
    if (request_is_content(&work->request) && work->request.operation->needs_login)
        return work_error(work, CODE_TOO_MANY, auth_status_message(AUTH_TOO_MANY));
    return answer_too_many(work);
}

bool attempts_are_too_many(const struct work *work)
{
    const struct redis_reply *r = work->call.reply;
    const bool reached = !redis_is_error(r) && strcmp(redis_str(r), "ok") != 0;

    if (reached)
        log_info("auth.too_many", LOG_STR("client", work->request.client),
                 LOG_STR("address", work->request.address));
    return reached;
}

bool attempts_allow(struct work *work, enum work_step *step)
{
    if (redis_is_error(work->call.reply))
        *step = answer_failed(work);
    else if (attempts_are_too_many(work))
        *step = refuse(work);
    else
        return true;
    return false;
}

/* ---- Forgiving ---- */

static void forget(void *state)
{
    counted_deinit(state);
    free(state);
}

static enum work_step forgive(struct work *work)
{
    const struct counted *counted = work->state;

    redis_call_begin(&work->call, &script_forgive);
    redis_call_arg(&work->call, text_str(&counted->account));
    redis_call_arg(&work->call, text_str(&counted->address));
    return work_call(work, work_done);
}

void attempts_forgive(const struct work *work, const char *provider, const char *name)
{
    struct counted *counted = calloc(1, sizeof(*counted));

    if (!counted)
        err_out_of_memory();
    read_counted(work, provider, name, counted);
    work_spawn(work, forgive, counted, forget);
}
