#include <string.h>

#include "common/model/model_watch.h"
#include "tests/support/watch_model.h"

/* What becomes of watchers and queries that are right. */

static struct model *load(const char *watchers, const char *queries, const char *more_of_b)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    struct model *model = NULL;

    ck_assert_msg(parse_watch_model(watchers, queries, more_of_b, &model, &problems) == ERR_OK,
                  "%s", problems.at);
    return model;
}

#define LOADED(watchers) _cleanup_(model_destroyp) struct model *model = load(watchers, "", "")

static const struct model_class *class_of(const struct model *model, const char *name)
{
    return model_class(model, name, strlen(name));
}

static const struct model_watcher *watcher_of(const struct model *model, const char *class_name,
                                              const char *name)
{
    const struct model_watcher *watcher =
        model_watcher(class_of(model, class_name), name, strlen(name));

    ck_assert_msg(watcher != NULL, "no watcher %s.%s", class_name, name);
    return watcher;
}

/* "out(A.through AA.through)->U": what a step walks, and what it reaches. */
static void add_step(struct text *out, const struct model_step *step)
{
    text_add(out, step->kind == STEP_OUT ? "out(" : "in(");
    for (size_t i = 0; i < step->origin_count; i++)
        text_addf(out, "%s%s.%s", i ? " " : "", step->origins[i].class_->name,
                  step->origins[i].field->column);
    text_add(out, ")->");
    for (size_t i = 0; step->reached[i]; i++)
        text_addf(out, "%s%s", i ? "," : "", step->reached[i]->name);
    text_add_char(out, ';');
}

static const struct {
    const char *of, *steps;
    bool many, personal;
} ways[] = {
    {"[]", "", false, false},
    {"['one']", "out(A.one AA.one)->B;", false, false},
    {"['one','a']", "out(A.one AA.one)->B;out(B.a)->A,AA;", false, false},
    {"['all']", "out(A.all AA.all)->B;", true, false},
    {"['mixed']", "out(A.mixed AA.mixed)->B,C;", true, false},
    {"['mixed','a']", "out(A.mixed AA.mixed)->B,C;out(B.a C.a)->A,AA;", true, false},
    {"['many']", "in(B.a)->B;", true, false},
    {"['through']", "in(J.a)->J;out(J.u)->U;", true, false},
    {"['hidden']", "out(A.hidden AA.hidden)->H;", true, true},
    {"['hidden','a']", "out(A.hidden AA.hidden)->H;out(H.a)->A,AA;", true, true},
    {"[{'class':'C','by':'a'}]", "in(C.a)->C;", true, false},
    {"['one',{'class':'A','by':'one'}]", "out(A.one AA.one)->B;in(A.one AA.one)->A,AA;", true,
     false},
};

START_TEST(a_way_is_made_of_single_steps)
{
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        _cleanup_(text_deinitp) struct text json = {0}, steps = {0};

        text_addf(&json, "'w':{'value':'path','of':%s}", ways[i].of);
        LOADED(json.at);
        const struct model_watcher *w = watcher_of(model, "A", "w");

        for (size_t s = 0; s < w->step_count; s++)
            add_step(&steps, &w->steps[s]);
        assert_text(&steps, ways[i].steps);
        ck_assert_msg(w->many == ways[i].many, "%s", ways[i].of);
        ck_assert_msg(w->personal == ways[i].personal, "%s", ways[i].of);
        ck_assert_int_eq(w->type, w->many ? FIELD_JSON : FIELD_TO_ONE);
    }
}
END_TEST

static const struct {
    const char *members;
    enum watch_value value;
    enum field_type type;
} kinds[] = {
    {"'value':'count','of':['many']", WATCH_COUNT, FIELD_INTEGER},
    {"'value':'sum','of':['many'],'field':'n'", WATCH_SUM, FIELD_INTEGER},
    {"'value':'sum','of':['many','a'],'field':'d'", WATCH_SUM, FIELD_DOUBLE},
    {"'value':'min','of':['many','a'],'field':'t'", WATCH_MIN, FIELD_DATE},
    {"'value':'max','of':['mixed'],'field':'s'", WATCH_MAX, FIELD_STRING},
    {"'value':'avg','of':['many'],'field':'n'", WATCH_AVG, FIELD_DOUBLE},
    {"'value':'first','of':['many']", WATCH_FIRST, FIELD_TO_ONE},
    {"'value':'first','of':['many'],'field':'s'", WATCH_FIRST, FIELD_STRING},
    {"'value':'path','of':['one'],'field':'j'", WATCH_PATH, FIELD_JSON},
    {"'value':'path','of':['one','a'],'field':'all'", WATCH_PATH, FIELD_LIST},
    {"'value':'path','of':['all'],'field':'n'", WATCH_PATH, FIELD_JSON},
    {"'value':'process','process':'HTTP:weather'", WATCH_PROCESS, FIELD_JSON},
};

START_TEST(a_value_has_a_type)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        _cleanup_(text_deinitp) struct text json = {0};

        text_addf(&json, "'w':{%s}", kinds[i].members);
        LOADED(json.at);
        const struct model_watcher *w = watcher_of(model, "A", "w");

        ck_assert_msg(w->value == kinds[i].value, "%s", kinds[i].members);
        ck_assert_msg(w->type == kinds[i].type, "%s: %d", kinds[i].members, w->type);
    }
}
END_TEST

START_TEST(a_watcher_is_made_of_another)
{
    _cleanup_(model_destroyp) struct model *model =
        load("'sum':{'value':'sum','of':['all'],'field':'deep'}", "",
             ",'watchers':{'deep':{'value':'max','of':['both','hidden'],'field':'n'}}");
    const struct model_watcher *sum = watcher_of(model, "A", "sum"),
                               *deep = watcher_of(model, "B", "deep");

    ck_assert_ptr_null(sum->field.origins[0].field);
    ck_assert_ptr_eq(sum->field.origins[0].watcher, deep);
    ck_assert_int_eq(sum->type, FIELD_INTEGER);
    ck_assert(deep->personal && sum->personal); /* though B is read by everyone */
}
END_TEST

START_TEST(descendants_have_the_watchers_of_their_parent)
{
    LOADED("'w':{'value':'count','of':['many']}");

    ck_assert_ptr_eq(watcher_of(model, "AA", "w"), watcher_of(model, "A", "w"));
    ck_assert_ptr_null(model_watcher(class_of(model, "B"), "w", 1));
    ck_assert_ptr_null(model_watcher(class_of(model, "A"), "ww", 2));
}
END_TEST

START_TEST(a_field_can_be_watched_where_anything_is)
{
    _cleanup_(model_destroyp) struct model *bare = load("", "", "");
    LOADED("'w':{'value':'count','of':['many']}");
    const struct model_watcher *n = watcher_of(model, "AA", "n");

    ck_assert_int_eq(n->value, WATCH_PATH);
    ck_assert_int_eq(n->type, FIELD_INTEGER);
    ck_assert_uint_eq(n->step_count, 0);
    ck_assert_str_eq(n->reached[0]->name, "AA");
    ck_assert_str_eq(model_origin_of(&n->field, class_of(model, "AA"))->field->column, "n");
    ck_assert_ptr_null(model_watcher(class_of(model, "A"), "many", 4)); /* not listed */
    ck_assert(model_has_watchers(model) && !model_has_watchers(bare));
    ck_assert_ptr_null(model_watcher(class_of(bare, "A"), "n", 1));
}
END_TEST

START_TEST(conditions_and_orders_know_their_columns)
{
    LOADED("'w':{'value':'first','of':['mixed'],'field':'s','where':["
           "{'field':'s','is':'!=','value':'x'},{'field':'only','is':'=','param':0},"
           "{'field':'a','is':'=','value':{'className':'A','ID':'1'}}],"
           "'order':[{'by':'only'},{'by':'s','descending':true}],"
           "'params':[{'name':'p','type':'string'}]}");
    const struct model_watcher *w = watcher_of(model, "A", "w");
    const char *columns[6];

    ck_assert_uint_eq(model_watcher_columns_max(w), ARRAY_SIZE(columns));
    ck_assert_str_eq(w->where[0].text, "\"x\"");
    ck_assert_int_eq(w->where[0].is, IS_NOT);
    ck_assert_ptr_null(w->where[1].text);
    ck_assert_str_eq(w->where[2].text, "{\"className\":\"A\",\"ID\":\"1\"}");
    ck_assert(!w->order[0].descending && w->order[1].descending);
    ck_assert_uint_eq(model_watcher_columns(w, class_of(model, "B"), columns), 3);
    ck_assert_str_eq(columns[1], "only");
    ck_assert_uint_eq(model_watcher_columns(w, class_of(model, "C"), columns), 2);
    ck_assert_str_eq(columns[1], "a");
}
END_TEST

START_TEST(a_query_has_defaults)
{
    _cleanup_(model_destroyp) struct model *model =
        load("", "'bare':{},'full':{'limit':7,'run':{'role':'editor'},'columns':['n','s']}", "");
    const struct model_query *bare = model_query(class_of(model, "A"), "bare", 4);
    const struct model_query *full = model_query(class_of(model, "AA"), "full", 4);

    ck_assert_uint_eq(bare->limit, 1000);
    ck_assert_str_eq(bare->run.text, "signedIn");
    ck_assert_ptr_null(bare->columns);
    ck_assert_uint_eq(full->limit, 7);
    ck_assert_str_eq(full->run.text, "role:editor");
    ck_assert_str_eq(full->columns[1]->name, "s");
    ck_assert_ptr_null(full->columns[2]);
    ck_assert_ptr_null(model_query(class_of(model, "A"), "bar", 3));
}
END_TEST

/* ---- Params ---- */

#define PARAMS                                                      \
    "'q':{'params':[{'name':'n','type':'integer','required':true}," \
    "{'name':'s','type':'string'},{'name':'a','type':'toOne','target':'A'}]},'none':{}"

static const struct {
    const char *query, *array, *canonical; /* or the problem */
    enum err e;
} args[] = {
    {"q", "[ -0, 'a\\u0062', null ]", "[0,\"ab\",null]", ERR_OK},
    {"q", "[1,null,{'ID':'7','className':'AA','properties':{}}]",
     "[1,null,{\"className\":\"AA\",\"ID\":\"7\"}]", ERR_OK},
    {"none", "[]", "[]", ERR_OK},
    {"none", "null", "[]", ERR_OK},
    {"none", "[1]", ": expected 0, found 1", ERR_RANGE},
    {"q", "null", ": expected 3 (n, s, a), found 0", ERR_RANGE},
    {"q", "[1,null]", ": expected 3 (n, s, a), found 2", ERR_RANGE},
    {"q", "{}", ": expected an array, found an object", ERR_TYPE},
    {"q", "[null,null,null]", "[0] (n): required, so it cannot be null", ERR_TYPE},
    {"q", "[1,2,null]", "[1] (s): expected a string, found a number", ERR_TYPE},
    {"q", "[1,null,{'className':'B','ID':'7'}]",
     "[2] (a).className: objects of B cannot stand here", ERR_TYPE},
    {"q", "[9223372036854775808,null,null]", "[0] (n): outside the range of 64-bit integers",
     ERR_RANGE},
};

static void assert_args(const struct model *model, size_t i)
{
    const struct model_class *a = class_of(model, "A");
    const struct model_params *params =
        &model_query(a, args[i].query, strlen(args[i].query))->params;
    _cleanup_(text_deinitp) struct text json = {0}, problem = {0};
    struct model_args found, again;

    add_quoted(&json, args[i].array);
    ck_assert_msg(model_read_args(model, params, json_span_of(json.at), &found, &problem) ==
                      args[i].e,
                  "%s: %s", args[i].array, text_str(&problem));
    assert_text(args[i].e ? &problem : &found.canonical, args[i].canonical);
    ck_assert_uint_eq(found.count, args[i].e ? 0 : params->count);
    if (!args[i].e) {
        assert_ok(
            model_read_args(model, params, json_span_text(&found.canonical), &again, &problem));
        assert_text(&again.canonical, found.canonical.at);
        model_args_deinit(&again);
    }
    model_args_deinit(&found);
}

START_TEST(params_are_checked)
{
    _cleanup_(model_destroyp) struct model *model = load("", PARAMS, "");

    for (size_t i = 0; i < ARRAY_SIZE(args); i++)
        assert_args(model, i);
}
END_TEST

START_TEST(each_param_has_its_text)
{
    _cleanup_(model_destroyp) struct model *model = load("", PARAMS, "");
    _cleanup_(text_deinitp) struct text problem = {0};
    struct model_args found;

    assert_ok(model_read_args(model, &model_query(class_of(model, "A"), "q", 1)->params,
                              json_span_of("[5,\"x\",null]"), &found, &problem));
    ck_assert_str_eq(found.texts[0], "5");
    ck_assert_str_eq(found.texts[1], "\"x\"");
    ck_assert_str_eq(found.texts[2], "null");
    model_args_deinit(&found);
}
END_TEST

START_TEST(the_example_domain_has_watchers)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    _cleanup_(model_destroyp) struct model *model = NULL;
    const struct model_watcher *tasks;

    assert_ok(model_load(SOURCE_ROOT "/deploy/example/model.json", &model, &problems));
    tasks = watcher_of(model, "com.app.mo.Group", "openTasks");
    ck_assert_ptr_eq(tasks->field.origins[0].watcher,
                     watcher_of(model, "com.app.mo.Person", "openTasks"));
    ck_assert(!tasks->personal);
}
END_TEST

UNIT_SUITE("model_watch", a_way_is_made_of_single_steps, a_value_has_a_type,
           a_watcher_is_made_of_another, descendants_have_the_watchers_of_their_parent,
           a_field_can_be_watched_where_anything_is, conditions_and_orders_know_their_columns,
           a_query_has_defaults, params_are_checked, each_param_has_its_text,
           the_example_domain_has_watchers)
