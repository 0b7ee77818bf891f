#include <stdlib.h>
#include <string.h>

#include "agents/runtime/agent.h"
#include "agents/runtime/children.h"
#include "agents/runtime/view.h"
#include "agents/sync/content/content.h"
#include "agents/sync/content/version.h"
#include "agents/sync/operations.h"
#include "agents/sync/rights.h"
#include "agents/sync/store/scripts.h"
#include "agents/sync/stored.h"
#include "common/base/clock.h"
#include "common/json/json_diff.h"
#include "common/model/model_content.h"
#include "common/protocol/content.h"

/*
 * get_children: 204 if the page has not changed, what has changed (206) where the asked version of
 * the page is still known and that is not longer than the page, else the page (200). A view that
 * nobody has asked for before is built first, in as many calls as that takes.
 */

#define NAME_MAX_BYTES 512 /* of a view's name */

struct get_children {
    struct content_key key;
    const struct model_view *view;
    struct view_definition definition;
    int64_t page;
    struct version asked;
    bool subscribes;
};

static void get_children_destroy(void *state)
{
    struct get_children *get = state;

    content_key_deinit(&get->key);
    view_definition_deinit(&get->definition);
    free(get);
}

/* ---- Summaries ---- */

/* The next text of a page as the script has put it together; NULL at its end. */
static const char *next_text(const char **at, const char *end)
{
    const char *text = *at;

    if (text >= end)
        return NULL;
    *at += strlen(text) + 1;
    return text;
}

static void add_summary(struct text *out, struct stored_ref child, const char **at, const char *end)
{
    const struct model_field *const *field = child.class_->summary;

    text_add(out, "{\"key\":");
    model_add_key(out, child.class_, child.id);
    for (; field && *field; field++) {
        const char *stored = next_text(at, end);

        text_add_char(out, ',');
        text_add_json_str(out, (*field)->name);
        text_add_char(out, ':');
        model_add_content_value(out, *field, stored && *stored ? stored : NULL);
    }
    text_add_char(out, '}');
}

/* Adds the array of summaries; returns their number. */
static size_t add_summaries(struct text *out, const struct model *model,
                            const struct redis_reply *page)
{
    const char *at = redis_str(page), *end = at + redis_size(page), *ref;
    size_t count = 0;

    (void)next_text(&at, end); /* the total */
    text_add_char(out, '[');
    while ((ref = next_text(&at, end))) {
        text_add(out, count++ ? "," : "");
        add_summary(out, stored_ref(model, ref), &at, end);
    }
    text_add_char(out, ']');
    return count;
}

/* ---- The answer ---- */

/* What leads from the earlier page, if it is known, to this one; false: nothing that is shorter. */
static bool add_patch(struct text *out, const struct model *model,
                      const struct redis_reply *earlier, const struct text *page)
{
    _cleanup_(text_deinitp) struct text before = {0};

    if (!redis_size(earlier))
        return false;
    (void)add_summaries(&before, model, earlier);
    return !json_diff(json_span_text(&before), json_span_text(page), page->size, out);
}

/* Adds key and version, with which each answer begins, and the view. */
static void add_head(struct text *out, const struct get_children *get, const struct redis_reply *r)
{
    text_add(out, "{\"key\":");
    model_add_key(out, get->key.class_, get->key.id);
    text_add(out, ",\"ver\":");
    version_add(out, redis_str(redis_item(r, 1)), redis_i64(redis_item(r, 2)));
    text_add(out, ",\"view\":");
    text_add_json_str(out, get->view->name);
}

/* In a patch the page's number is `page`, beside a page it is `index` (spec, "Slips of the pen").
 */
static enum work_step answer_page(struct work *work, const struct get_children *get)
{
    const struct redis_reply *r = work->call.reply;
    const struct model *model = work->agent->model;
    _cleanup_(text_deinitp) struct text data = {0}, page = {0}, patch = {0};
    size_t size = add_summaries(&page, model, redis_item(r, 4));
    bool is_patch = add_patch(&patch, model, redis_item(r, 5), &page);

    add_head(&data, get, r);
    text_addf(&data, ",\"%s\":", is_patch ? "page" : "index");
    text_add_i64(&data, get->page);
    text_addf(&data, ",\"size\":%zu,\"total\":", size);
    text_add_i64(&data, redis_i64(redis_item(r, 3)));
    text_addf(&data, ",\"%s\":%s}", is_patch ? "patch" : "page", is_patch ? patch.at : page.at);
    return work_content_result(work, is_patch ? 206 : 200, &data, NULL);
}

static enum work_step read_page(struct work *work);

static enum work_step answer(struct work *work)
{
    const char *outcome = redis_str(redis_item(work->call.reply, 0));
    enum work_step step;

    if (!content_found(work, &step))
        return step;
    if (!strcmp(outcome, "building"))
        return read_page(work);
    if (!strcmp(outcome, "past"))
        return work_content_error(work, 404, CONTENT_UNKNOWN_PAGE, "Page Not Found");
    if (!strcmp(outcome, "same"))
        return work_content_result(work, 204, NULL, NULL);
    return answer_page(work, work->state);
}

/* ---- The call ---- */

/* For each class of children what is shown of it. */
static void add_shown(struct redis_call *call, const struct model_class *const *members)
{
    int64_t count = 0;

    while (members[count])
        count++;
    redis_call_arg_i64(call, count);
    for (; *members; members++) {
        redis_call_arg(call, (*members)->name);
        view_add_summary(call, *members);
    }
}

static void add_view(struct redis_call *call, const struct get_children *get)
{
    redis_call_arg(call, get->view->name);
    redis_call_arg(call, get->definition.digest);
    redis_call_arg(call, get->definition.text.at);
    redis_call_arg(call, get->definition.shape);
    add_shown(call, get->key.class_->children->members);
    redis_call_arg_i64(call, get->page);
    redis_call_arg_i64(call, (int64_t)get->view->size);
}

/* Do pages show nothing that is for those alone who sign in? */
static bool is_open(const struct model_children *children)
{
    for (const struct model_class *const *member = children->members; *member; member++) {
        const struct model_field *const *field = (*member)->summary;

        while (field && *field && (!(*field)->read || model_rule_is_open((*field)->read)))
            field++;
        if (!model_rule_is_open(&(*member)->rules[ACTION_READ]) || (field && *field))
            return false;
    }
    return true;
}

static enum work_step read_page(struct work *work)
{
    const struct settings *settings = &work->agent->proc.settings;
    const struct get_children *get = work->state;
    const struct model_class *c = get->key.class_;
    struct redis_call *call = &work->call;

    redis_call_begin(call, &script_get_children);
    children_add_args(call, work->agent->children, c);
    redis_call_arg(call, work->request.client);
    redis_call_arg_i64(call, work->request.accepted_ms);
    redis_call_arg(call, c->name);
    rights_add_rule(call, c, ACTION_READ);
    redis_call_arg(call, is_open(c->children) ? "everyone" : "signedIn");
    redis_call_arg(call, get->key.id);
    add_view(call, get);
    version_add_args(call, &get->asked);
    redis_call_arg_i64(call, get->subscribes);
    redis_call_arg_i64(call, settings->sync_max_subscriptions);
    redis_call_arg_i64(call, settings->sync_pages_kept);
    redis_call_arg_i64(call, settings->sync_page_bytes_kept);
    redis_call_arg_i64(call, settings->sync_pages_kept_s);
    redis_call_arg_i64(call, clock_wall_ms());
    redis_call_arg_i64(call, settings->sync_view_batch);
    return work_call(work, answer);
}

/* ---- The request ---- */

/* A page that no number can reach is past the end. */
static bool read_number(struct work *work, struct json_span data, int64_t *page,
                        enum work_step *step)
{
    struct json_span given = json_member(data, "page", NULL);
    enum err e = json_int64(given, page);

    if (e == ERR_RANGE && given.at[0] != '-') {
        *page = INT64_MAX;
        return true;
    }
    if (!e && *page > 0)
        return true;
    *step = content_expected(work, "data.page", "an integer, 1 or more", given);
    return false;
}

static bool read_view(struct work *work, struct json_span data, const struct model_class *c,
                      const struct model_view **view, enum work_step *step)
{
    struct json_span given = json_member(data, "view", NULL);
    _cleanup_(freep) char *name = NULL;
    enum err e = json_string(given, NAME_MAX_BYTES, &name);

    if (e == ERR_TYPE) {
        *step = content_expected(work, "data.view", "a string", given);
        return false;
    }
    *view = e ? NULL : model_view(c, name, strlen(name));
    if (!*view)
        *step = work_content_error(work, 404, CONTENT_UNKNOWN_VIEW, "View Not Found");
    return *view != NULL;
}

enum work_step plan_get_children(struct work *work)
{
    struct get_children *get = calloc(1, sizeof(*get));
    struct json_span data;
    enum work_step step;

    if (!get)
        err_out_of_memory();
    work->state = get;
    work->state_destroy = get_children_destroy;
    if (!content_data(work, &data, &step) || !version_read(work, data, &get->asked, &step) ||
        !content_read_flag(work, data, "subscribe", &get->subscribes, &step) ||
        !read_number(work, data, &get->page, &step) ||
        !content_read_key(work, data, &get->key, &step) ||
        !read_view(work, data, get->key.class_, &get->view, &step))
        return step;
    view_define(&get->definition, work->agent->model, get->key.class_, get->view);
    return read_page(work);
}
