#include <string.h>

#include "tests/support/watch_model.h"

/* Mistakes in watchers and queries: each is told with its path. */

#define AT_W "classes.A.watchers.w"
#define AT_Q "classes.A.queries.q"

/* A's watcher w with these members; a count along this way, with more members. */
#define COUNT(of, more) "'value':'count','of':" of more
#define WHERE(row)      COUNT("['many']", ",'params':[{'name':'p','type':'integer'}],'where':[" row "]")
#define PARAM(row)      COUNT("['many']", ",'params':[{'name':'p','type':'date'}," row "]")
#define ORDER(row)      "'value':'first','of':['many'],'order':[" row "]"

static const struct {
    const char *members;
    const char *told; /* a line begins so, behind the path of the watcher */
} mistakes[] = {
    // clang-format off
    {"", ".value: missing"},
    {"'value':7", ".value: expected a string, found a number"},
    {"'value':'mean'", ".value: expected count, sum, min, max, avg, first, path or process"},
    {COUNT("['many']", ",'x':1"), ".x: unknown"},
    {COUNT("['many']", ",'field':'n'"), ".field: unknown"},
    {COUNT("['many']", ",'order':[]"), ".order: unknown"},
    /* steps */
    {"'value':'count'", ".of: expected one step or more"},
    {COUNT("[]", ""), ".of: expected one step or more"},
    {COUNT("'many'", ""), ".of: expected an array, found a string"},
    {COUNT("[7]", ""), ".of[0]: expected a relation, or {\"class\", \"by\"}"},
    {COUNT("['x']", ""), ".of[0]: no class that is reached has x"},
    {COUNT("['n']", ""), ".of[0]: n is no relation"},
    {COUNT("['parts']", ""), ".of[0]: what is found by its ID cannot be walked to"},
    {COUNT("['many','many']", ""), ".of[1]: no class that is reached has many"},
    {COUNT("['mixed','n']", ""), ".of[1]: n is not of one type in all classes"},
    {COUNT("['many','a','x']", ""), ".of[2]: no class that is reached has x"},
    {COUNT("[{'class':'X','by':'a'}]", ""), ".of[0].class: no such class"},
    {COUNT("[{'class':'B'}]", ""), ".of[0].by: missing"},
    {COUNT("[{'class':'B','by':'a','is':1}]", ""), ".of[0].is: unknown"},
    {COUNT("[{'class':'B','by':'x'}]", ""), ".of[0].by: no toOne or list of that class that refers"},
    {COUNT("[{'class':'A','by':'many'}]", ""), ".of[0].by: no toOne or list of that class"},
    {COUNT("[{'class':'J','by':'u'}]", ""), ".of[0].by: no toOne or list of that class that refers"},
    /* conditions */
    {COUNT("['many']", ",'where':{}"), ".where: expected an array, found an object"},
    {WHERE("7"), ".where[0]: expected an object"},
    {WHERE("{'field':'n','is':'=','value':1,'or':2}"), ".where[0].or: unknown"},
    {WHERE("{'is':'=','value':1}"), ".where[0].field: missing"},
    {WHERE("{'field':'x','is':'=','value':1}"), ".where[0].field: no class that is reached has x"},
    {WHERE("{'field':'j','is':'=','value':1}"), ".where[0].field: j is json, list or toMany"},
    {COUNT("['many','a']", ",'where':[{'field':'all','is':'=','value':[]}]"),
     ".where[0].field: all is json, list or toMany"},
    {COUNT("['mixed']", ",'where':[{'field':'n','is':'=','value':1}]"),
     ".where[0].field: n is not of one type"},
    {WHERE("{'field':'n','value':1}"), ".where[0].is: missing"},
    {WHERE("{'field':'n','is':'==','value':1}"), ".where[0].is: expected =, !=, <, <=, > or >="},
    {WHERE("{'field':'a','is':'<','value':null}"), ".where[0].is: a has no order"},
    {COUNT("['many','a']", ",'where':[{'field':'b','is':'>','value':true}]"),
     ".where[0].is: b has no order"},
    {WHERE("{'field':'n','is':'='}"), ".where[0]: expected either value or param"},
    {WHERE("{'field':'n','is':'=','value':1,'param':0}"), ".where[0]: expected either value or"},
    {WHERE("{'field':'n','is':'=','value':'1'}"), ".where[0].value: expected an integer, found a s"},
    {WHERE("{'field':'n','is':'<','value':null}"), ".where[0].value: nothing is less or more than"},
    {COUNT("['many','a']", ",'where':[{'field':'s','is':'=','value':'z'}]"),
     ".where[0].value: expected one of x, y"},
    {WHERE("{'field':'a','is':'=','value':{'className':'B','ID':'1'}}"), ".where[0].value.className:"},
    {WHERE("{'field':'n','is':'=','param':1}"), ".where[0].param: expected the number of a param"},
    {WHERE("{'field':'n','is':'=','param':-1}"), ".where[0].param: expected the number of a param"},
    {WHERE("{'field':'n','is':'=','param':'p'}"), ".where[0].param: expected the number of a param"},
    {WHERE("{'field':'s','is':'=','param':0}"), ".where[0].param: that one is of another type than s"},
    /* params */
    {COUNT("['many']", ",'params':'p'"), ".params: expected an array"},
    {PARAM("7"), ".params[1]: expected an object"},
    {PARAM("{'type':'date'}"), ".params[1].name: missing"},
    {PARAM("{'name':'a b','type':'date'}"), ".params[1].name: expected letters"},
    {PARAM("{'name':'p','type':'date'}"), ".params[1].name: another param has this name"},
    {PARAM("{'name':'q'}"), ".params[1].type: missing"},
    {PARAM("{'name':'q','type':'json'}"), ".params[1].type: expected string, integer, double, boole"},
    {PARAM("{'name':'q','type':'list','target':'A'}"), ".params[1].type: expected string, integer"},
    {PARAM("{'name':'q','type':'toOne'}"), ".params[1].target: missing"},
    {PARAM("{'name':'q','type':'toOne','target':'X'}"), ".params[1].target: no such class"},
    {PARAM("{'name':'q','type':'date','target':'A'}"), ".params[1].target: unknown"},
    {PARAM("{'name':'q','type':'date','required':1}"), ".params[1].required: expected a boolean"},
    /* orders */
    {ORDER("'n'"), ".order[0]: expected an object"},
    {ORDER("{'by':'x'}"), ".order[0].by: no class that is reached has x"},
    {ORDER("{'by':'a'}"), ".order[0].by: a is json or a relation, which have no order"},
    {ORDER("{'by':'n','up':true}"), ".order[0].up: unknown"},
    {"'value':'path','of':['one'],'order':[{'by':'n'}]", ".order: this path leads to one object"},
    /* fields */
    {"'value':'sum','of':['many']", ".field: missing"},
    {"'value':'sum','of':['many'],'field':'x'", ".field: no class that is reached has x"},
    {"'value':'sum','of':['many'],'field':'s'", ".field: sum needs an integer or a double"},
    {"'value':'avg','of':['many','a'],'field':'t'", ".field: avg needs an integer or a d"},
    {"'value':'min','of':['many'],'field':'j'", ".field: min needs an integer, a double, a"},
    {"'value':'max','of':['many','a'],'field':'b'", ".field: max needs an integer, a double"},
    {"'value':'sum','of':['mixed'],'field':'n'", ".field: n is not of one type in all classes"},
    {"'value':'path','field':'many'", ".field: many of A is a toMany that is not listed"},
    {"'value':'first','of':['many','a'],'field':'given'", ".field: given of A has params"},
    {"'value':'path','of':['many','a'],'field':'say'", ".field: say of A is said by a process"},
    {"'value':'sum','of':['many','a'],'field':'say'", ".field: sum needs an integer"},
    /* processes */
    {"'value':'process'", ".process: missing"},
    {"'value':'process','process':'a b'", ".process: expected the name of a process"},
    {"'value':'process','process':''", ".process: expected the name of a process"},
    {"'value':'process','process':'p','of':['many']", ".of: unknown"},
    /* circles */
    {"'value':'sum','of':['many','a'],'field':'w'",
     ".field: watchers that depend on each other: A.w -> A.w"},
    // clang-format on
};

static const struct {
    const char *members;
    const char *told;
} wrong_queries[] = {
    // clang-format off
    {"'x':1", ".x: unknown"},
    {"'limit':0", ".limit: expected an integer from 1 to 1000"},
    {"'limit':1001", ".limit: expected an integer from 1 to 1000"},
    {"'limit':'1'", ".limit: expected an integer from 1 to 1000"},
    {"'limit':null", ".limit: expected an integer from 1 to 1000"},
    {"'columns':'n'", ".columns: expected an array, found a string"},
    {"'columns':[]", ".columns: expected one string or more"},
    {"'columns':['x']", ".columns: A has no field x"},
    {"'columns':['many']", ".columns: many is a toMany that is not listed"},
    {"'run':'me'", ".run: expected nobody, everyone, signedIn"},
    {"'run':{'owner':'@user'}", ".run: no object is meant"},
    {"'where':[{'field':'j','is':'=','value':1}]", ".where[0].field: j is json, list or toMany"},
    {"'where':[{'field':'n','is':'=','param':0}]", ".where[0].param: expected the number of a"},
    {"'order':[{'by':'one'}]", ".order[0].by: one is json or a relation"},
    {"'params':[{'name':'p','type':'toMany'}]", ".params[0].type: expected string, integer"},
    // clang-format on
};

static bool line_with(const char *problems, const char *path, const char *told)
{
    _cleanup_(text_deinitp) struct text line = {0};

    text_addf(&line, "%s%s", path, told);
    for (const char *at = problems; at; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (strncmp(at, line.at, line.size) == 0)
            return true;
    }
    return false;
}

static void assert_told(const char *watchers, const char *queries, const char *path,
                        const char *told)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    struct model *model = NULL;

    ck_assert_msg(parse_watch_model(watchers, queries, "", &model, &problems) == ERR_CONFIG,
                  "%s %s", watchers, queries);
    ck_assert_msg(line_with(problems.at, path, told), "%s %s\nnot told: %s\ntold: %s", watchers,
                  queries, told, problems.at);
}

START_TEST(a_mistake_in_a_watcher_is_told_with_its_path)
{
    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
        _cleanup_(text_deinitp) struct text watchers = {0};

        text_addf(&watchers,
                  "'w':{%s},'say':{'value':'process','process':'p'},'given':{'value':'process',"
                  "'process':'p','params':[{'name':'p','type':'date'}]}",
                  mistakes[i].members);
        assert_told(watchers.at, "", AT_W, mistakes[i].told);
    }
}
END_TEST

START_TEST(a_mistake_in_a_query_is_told_with_its_path)
{
    for (size_t i = 0; i < ARRAY_SIZE(wrong_queries); i++) {
        _cleanup_(text_deinitp) struct text queries = {0};

        text_addf(&queries, "'q':{%s}", wrong_queries[i].members);
        assert_told("", queries.at, AT_Q, wrong_queries[i].told);
    }
}
END_TEST

START_TEST(names_are_told_where_they_clash)
{
    assert_told("'w x':{'value':'path','of':['one']}", "", AT_W " x", ": a watcher has a name of");
    assert_told("'ID':{'value':'path','of':['one']}", "", "classes.A.watchers.ID",
                ": a watcher has");
    assert_told("'n':{'value':'path','of':['one']}", "", "classes.A.watchers.n",
                ": the class has a field of this name");
    assert_told("'more':{'value':'path','of':['one']}", "", "classes.AA.fields.more",
                ": the parent has a watcher of this name");
    assert_told("'w':7", "", AT_W, ": expected an object");
    assert_told("", "'q':7", AT_Q, ": expected an object");
    assert_told("", "'q q':{}", AT_Q " q", ": a query has a name of letters");
}
END_TEST

/* Neither a watcher nor a query can be declared anew by a descendant. */
START_TEST(names_of_the_parent_are_taken)
{
    _cleanup_(text_deinitp) struct text json = {0}, problems = {0};
    struct model *model = NULL;

    add_quoted(
        &json,
        "{'classes':{'A':{'fields':{'n':{'type':'integer'}},'queries':{'q':{}},"
        "'watchers':{'w':{'value':'path','field':'n'}}},"
        "'B':{'parent':'A','queries':{'q':{}},'watchers':{'w':{'value':'path','field':'n'}}}}}");
    assert_err(model_parse("test", &json, &model, &problems), ERR_CONFIG);
    assert_text(&problems, "classes.B.watchers.w: the parent has a watcher of this name\n"
                           "classes.B.queries.q: the parent has a query of this name\n");
}
END_TEST

START_TEST(a_circle_of_watchers_is_printed)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    struct model *model = NULL;

    assert_err(parse_watch_model("'before':{'value':'sum','of':['many'],'field':'y'},"
                                 "'x':{'value':'sum','of':['many'],'field':'y'}",
                                 "",
                                 ",'watchers':{'y':{'value':'max','of':['a'],'field':'x'},"
                                 "'z':{'value':'path','of':['a'],'field':'before'}}",
                                 &model, &problems),
               ERR_CONFIG);
    assert_text(&problems, "classes.B.watchers.y.field: watchers that depend on each other: "
                           "B.y -> A.x -> B.y\n");
}
END_TEST

START_TEST(there_is_a_limit_to_params)
{
    _cleanup_(text_deinitp) struct text query = {0}, problems = {0};
    struct model *model = NULL;

    text_add(&query, "'q':{'params':[");
    for (int i = 0; i < MODEL_PARAMS_MAX; i++)
        text_addf(&query, "%s{'name':'p%d','type':'date'}", i ? "," : "", i);
    text_add(&query, "]}");
    assert_ok(parse_watch_model("", query.at, "", &model, &problems));
    model_destroy(model);
    text_cut(&query, query.size - 2);
    text_add(&query, ",{'name':'q','type':'date'}]}");
    assert_told("", query.at, AT_Q, ".params: more than 16");
}
END_TEST

UNIT_SUITE("model_watch_wrong", a_mistake_in_a_watcher_is_told_with_its_path,
           a_mistake_in_a_query_is_told_with_its_path, names_are_told_where_they_clash,
           names_of_the_parent_are_taken, a_circle_of_watchers_is_printed,
           there_is_a_limit_to_params)
