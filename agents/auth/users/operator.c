#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agents/auth/answer.h"
#include "agents/auth/credentials.h"
#include "agents/auth/operations.h"
#include "agents/auth/providers/basic.h"
#include "agents/auth/providers/current.h"
#include "agents/auth/store/scripts.h"
#include "agents/auth/sweep.h"
#include "agents/runtime/agent.h"
#include "agents/runtime/touches.h"
#include "common/base/clock.h"
#include "common/base/plain_name.h"
#include "common/base/secret.h"

/*
 * What operators ask of users, and do with them (activestack-ctl user). `theUser` is an id, an
 * account ("file:ada@example.org"), a user name of the provider basic, or an email. Each answer
 * says in `outcome` what came of it; passwords come as hashes.
 */

#define USERS_PER_ANSWER 250
#define NAME_MAX_BYTES   255

/* ---- Members of requests ---- */

/* A text that may be missing; "" then. The caller releases it. */
static bool read_text(const struct work *work, const char *name, struct text *out,
                      struct text *problem)
{
    struct json_span member = json_member(work->request.body, name, NULL);

    if (json_kind(member) == JSON_ABSENT)
        return true;
    if (!json_decode(member, out) && out->size <= NAME_MAX_BYTES &&
        !memchr(text_str(out), '\0', out->size))
        return true;
    text_addf(problem, "%s: expected a string of at most %d bytes without NUL", name,
              NAME_MAX_BYTES);
    return false;
}

/* Is each of these the name of a role? There may be none. */
static bool roles_are_good(const struct work *work, const char *name, struct text *problem)
{
    const enum json_kind kind = json_kind(json_member(work->request.body, name, NULL));

    if (kind != JSON_ARRAY && kind != JSON_ABSENT) {
        text_addf(problem, "%s: expected an array, found %s", name, json_kind_name(kind));
        return false;
    }
    for (struct json_walk w = json_walk(json_member(work->request.body, name, NULL));
         json_next(&w);) {
        _cleanup_(text_deinitp) struct text role = {0};

        if (!json_decode(w.value, &role) && strlen(text_str(&role)) == role.size &&
            is_plain_name(text_str(&role)))
            continue;
        text_addf(problem, "%s: " PLAIN_NAME_EXPECTED, name);
        return false;
    }
    return true;
}

/* Good ones as login.lua takes them: ",editor,reviewer,"; "" if there are none. */
static void add_roles_text(const struct work *work, const char *name, struct text *out)
{
    for (struct json_walk w = json_walk(json_member(work->request.body, name, NULL));
         json_next(&w);) {
        text_add(out, out->size ? "" : ",");
        if (!json_decode(w.value, out))
            text_add_char(out, ',');
    }
}

/* ---- Answers ---- */

static enum work_step reply_outcome(struct work *work, const char *outcome, const char *more)
{
    _cleanup_(text_deinitp) struct text body = {0};

    work_response_begin(work, &body, NULL);
    text_add(&body, ",\"outcome\":");
    text_add_json_str(&body, outcome);
    text_add(&body, more);
    response_end(&body);
    return work_reply(work, &body, NULL);
}

/* What a script has returned as an outcome and perhaps the user. */
static enum work_step outcome_answer(struct work *work)
{
    const struct redis_reply *r = work->call.reply;
    _cleanup_(text_deinitp) struct text user = {0};

    if (redis_is_error(r))
        return answer_failed(work);
    if (redis_count(r) > 1) {
        text_add(&user, ",\"user\":");
        text_add_json_str(&user, redis_str(redis_item(r, 1)));
    }
    return reply_outcome(work, redis_str(redis_item(r, 0)), text_str(&user));
}

/* The same; logins may have been revoked. */
static enum work_step revoked_answer(struct work *work)
{
    if (answer_grants(work))
        sweep_start(work);
    return outcome_answer(work);
}

/* ---- inspectUsers: page by page; `next` of an answer is the next question's `after`, null at the
 * end; or only theUser ---- */

/* A list whose items stand between separators. */
static void add_list(struct text *body, const char *name, const char *items, char separator)
{
    const char *between = "";

    text_addf(body, ",\"%s\":[", name);
    while (*items) {
        const char *end = strchrnul(items, separator);

        if (end > items) {
            text_add(body, between);
            text_add_json(body, items, (size_t)(end - items));
            between = ",";
        }
        items = *end ? end + 1 : end;
    }
    text_add_char(body, ']');
}

static void add_user(struct text *body, const struct redis_reply *row)
{
    enum { ID, FIRST, LAST, EMAIL, ROLES, DISABLED, CREATED, LOGIN, ACCOUNTS, SESSIONS };
    static const struct {
        const char *name;
        size_t item;
    } texts[] = {{"firstName", FIRST}, {"lastName", LAST}, {"email", EMAIL}},
      numbers[] = {{"created", CREATED}, {"lastLogin", LOGIN}, {"sessions", SESSIONS}};

    text_add(body, "{\"id\":");
    text_add_json_str(body, redis_str(redis_item(row, ID)));
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        text_addf(body, ",\"%s\":", texts[i].name);
        text_add_json_str(body, redis_str(redis_item(row, texts[i].item)));
    }
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        text_addf(body, ",\"%s\":%" PRId64, numbers[i].name,
                  redis_i64(redis_item(row, numbers[i].item)));
    text_addf(body, ",\"disabled\":%s",
              redis_str(redis_item(row, DISABLED))[0] == '1' ? "true" : "false");
    add_list(body, "roles", redis_str(redis_item(row, ROLES)), ',');
    add_list(body, "accounts", redis_str(redis_item(row, ACCOUNTS)), '\n');
    text_add_char(body, '}');
}

static enum work_step users_answer(struct work *work)
{
    const struct redis_reply *list = work->call.reply;
    const size_t count = redis_count(list);
    _cleanup_(text_deinitp) struct text more = {0};

    if (redis_is_error(list))
        return answer_failed(work);
    text_add(&more, ",\"users\":[");
    for (size_t i = 0; i < count; i++) {
        text_add(&more, i ? "," : "");
        add_user(&more, redis_item(list, i));
    }
    text_add(&more, "],\"next\":");
    if (count < USERS_PER_ANSWER)
        text_add(&more, "null");
    else
        text_add_json_str(&more, redis_str(redis_item(redis_item(list, count - 1), 0)));
    return reply_outcome(work, "ok", text_str(&more));
}

enum work_step plan_inspect_users(struct work *work)
{
    _cleanup_(text_deinitp) struct text after = {0}, one = {0}, problem = {0};

    if (!read_text(work, "after", &after, &problem) || !read_text(work, "theUser", &one, &problem))
        return work_error(work, CODE_MALFORMED, text_str(&problem));
    redis_call_begin(&work->call, &script_users);
    redis_call_arg(&work->call, one.size ? one.at : text_str(&after));
    redis_call_arg_i64(&work->call, USERS_PER_ANSWER);
    if (one.size)
        redis_call_arg(&work->call, "one");
    return work_call(work, users_answer);
}

/* ---- userAdd: an account of the provider basic, and its user ---- */

static bool read_hash(const struct work *work, char **out, struct text *problem)
{
    if (credentials_need_secret(&work->request, "hash", NAME_MAX_BYTES, out, problem))
        return false;
    if (secret_password_is_current(*out))
        return true;
    text_add(problem, "hash: expected what \"activestack-ctl hash-password\" prints");
    return false;
}

static bool read_new_name(const struct work *work, struct text *out, struct text *problem)
{
    if (!read_text(work, "theUser", out, problem))
        return false;
    if (basic_is_user_name(text_str(out)))
        return true;
    text_add(problem,
             "theUser: expected 1 to 255 bytes without colon and without control characters");
    return false;
}

/* Adds names and email. */
static bool add_texts(struct work *work, bool *has_email, struct text *problem)
{
    static const char *const names[] = {"firstName", "lastName", "email"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        _cleanup_(text_deinitp) struct text text = {0};

        if (!read_text(work, names[i], &text, problem))
            return false;
        redis_call_arg(&work->call, text_str(&text));
        *has_email = text.size > 0;
    }
    return true;
}

/* Builds the call. False: told in `problem`. */
static bool build_add(struct work *work, const char *name, const char *hash, struct text *problem)
{
    _cleanup_(text_deinitp) struct text roles = {0};
    bool has_email = false;

    redis_call_begin(&work->call, &script_register);
    redis_call_arg(&work->call, "0"); /* nobody is a user's child */
    touches_add_args(&work->call, work->agent->model);
    redis_call_arg(&work->call, name);
    redis_call_arg(&work->call, hash);
    if (!add_texts(work, &has_email, problem) || !roles_are_good(work, "roles", problem))
        return false;
    add_roles_text(work, "roles", &roles);
    basic_add_user(&work->call, has_email, text_str(&roles)); /* the operator vouches for it */
    credentials_add_request_name(&work->call, &work->request);
    redis_call_arg_i64(&work->call, clock_wall_ms());
    return true;
}

enum work_step plan_user_add(struct work *work)
{
    _cleanup_(providers_unrefp) struct providers *providers = current_ref(work->agent->own);
    _cleanup_(text_deinitp) struct text name = {0}, problem = {0};
    _cleanup_(secret_freep) char *hash = NULL;

    if (!providers_find(providers, BASIC_ID))
        return reply_outcome(work, "closed", "");
    if (read_new_name(work, &name, &problem) && read_hash(work, &hash, &problem) &&
        build_add(work, name.at, hash, &problem))
        return work_call(work, outcome_answer);
    return work_error(work, CODE_MALFORMED, text_str(&problem));
}

/* ---- userChange: roles, and whether the user may log in ---- */

/* "1" or "0"; "" if it is not there. NULL: it is no boolean. */
static const char *read_flag(const struct work *work, const char *name, struct text *problem)
{
    struct json_span flag = json_member(work->request.body, name, NULL);
    const enum json_kind kind = json_kind(flag);

    if (kind == JSON_ABSENT)
        return "";
    if (kind == JSON_BOOLEAN)
        return json_is_true(flag) ? "1" : "0";
    text_addf(problem, "%s: expected a boolean, found %s", name, json_kind_name(kind));
    return NULL;
}

enum work_step plan_user_change(struct work *work)
{
    _cleanup_(text_deinitp) struct text name = {0}, gives = {0}, takes = {0}, problem = {0};
    const char *disabled = read_flag(work, "disabled", &problem);
    const char *leaves = disabled ? read_flag(work, "logout", &problem) : NULL;

    if (!leaves || !read_text(work, "theUser", &name, &problem) ||
        !roles_are_good(work, "giveRoles", &problem) ||
        !roles_are_good(work, "takeRoles", &problem))
        return work_error(work, CODE_MALFORMED, text_str(&problem));
    redis_call_begin(&work->call, &script_user_change);
    redis_call_arg(&work->call, "0"); /* nobody is a user's child */
    touches_add_args(&work->call, work->agent->model);
    redis_call_arg(&work->call, text_str(&name));
    redis_call_arg(&work->call, disabled);
    redis_call_arg(&work->call, leaves);
    add_roles_text(work, "giveRoles", &gives);
    add_roles_text(work, "takeRoles", &takes);
    redis_call_arg(&work->call, text_str(&gives));
    redis_call_arg(&work->call, text_str(&takes));
    redis_call_arg_i64(&work->call, clock_wall_ms());
    return work_call(work, revoked_answer);
}

/* ---- userPassword: every login of the user ends ---- */

enum work_step plan_user_password(struct work *work)
{
    _cleanup_(text_deinitp) struct text name = {0}, problem = {0};
    _cleanup_(secret_freep) char *hash = NULL;

    if (!read_text(work, "theUser", &name, &problem) || !read_hash(work, &hash, &problem))
        return work_error(work, CODE_MALFORMED, text_str(&problem));
    redis_call_begin(&work->call, &script_password);
    redis_call_arg(&work->call, text_str(&name));
    redis_call_arg(&work->call, ""); /* whatever it is now */
    redis_call_arg(&work->call, hash);
    redis_call_arg(&work->call, ""); /* no session stays */
    redis_call_arg(&work->call, "");
    redis_call_arg_i64(&work->call, clock_wall_ms());
    return work_call(work, revoked_answer);
}

/* ---- userRemove ---- */

enum work_step plan_user_remove(struct work *work)
{
    _cleanup_(text_deinitp) struct text name = {0}, problem = {0};
    const int64_t now = clock_wall_ms();

    if (!read_text(work, "theUser", &name, &problem))
        return work_error(work, CODE_MALFORMED, text_str(&problem));
    redis_call_begin(&work->call, &script_user_remove);
    redis_call_arg(&work->call, text_str(&name));
    redis_call_arg_i64(&work->call, now);
    redis_call_arg_i64(&work->call, now);
    return work_call(work, revoked_answer);
}
