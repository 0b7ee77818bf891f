#include <stdio.h>
#include <string.h>

#include "common/model/model_watch_value.h"
#include "tests/support/watch_model.h"

/* Values of the store, compared and added up. */

static struct model *load(const char *watchers)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    struct model *model = NULL;

    ck_assert_msg(parse_watch_model(watchers, "", "", &model, &problems) == ERR_OK, "%s",
                  problems.at);
    return model;
}

#define LOADED(watchers) _cleanup_(model_destroyp) struct model *model = load(watchers)

static const struct model_watcher *watcher(const struct model *model)
{
    return model_watcher(model_class(model, "A", 1), "w", 1);
}

/* ---- Two values ---- */

#define PAIR(c, id) "{\"className\":\"" c "\",\"ID\":\"" id "\"}"

static const struct {
    const char *less, *more;
    enum field_type type;
    bool equal;
} compared[] = {
    {"-1", "0", FIELD_INTEGER, false},
    {"9", "10", FIELD_INTEGER, false},
    {"9007199254740992", "9007199254740993", FIELD_INTEGER, false},
    {"9223372036854775806", "9223372036854775807", FIELD_INTEGER, false},
    {"-9223372036854775808", "-9223372036854775807", FIELD_DATE, false},
    {"1.1", "1.10", FIELD_DOUBLE, true},
    {"1e2", "100", FIELD_DOUBLE, true},
    {"-0.0", "0", FIELD_DOUBLE, true},
    {"9007199254740992.0", "9007199254740993", FIELD_DOUBLE, false},
    {"1e308", "1e400", FIELD_DOUBLE, false},
    {"9223372036854775807", "9223372036854775808", FIELD_DOUBLE, false},
    {"-9223372036854775808.0", "-9223372036854775808", FIELD_DOUBLE, true},
    {"-1e19", "-9223372036854775808", FIELD_DOUBLE, false},
    {"-2.5", "-2", FIELD_DOUBLE, false},
    {"2", "2.5", FIELD_DOUBLE, false},
    {"2.0", "2", FIELD_DOUBLE, true},
    {"1.5", "2", FIELD_DOUBLE, false},
    {"-2", "-1.5", FIELD_DOUBLE, false},
    {"-2", "1e400", FIELD_DOUBLE, false},
    {"false", "true", FIELD_BOOLEAN, false},
    {"\"\"", "\"a\"", FIELD_STRING, false},
    {"\"a\"", "\"a!\"", FIELD_STRING, false}, /* though " is more than ! */
    {"\"a\\nb\"", "\"a b\"", FIELD_STRING, false},
    {"\"Z\"", "\"a\"", FIELD_STRING, false},
    {"\"\xef\xbf\xbf\"", "\"\xf0\x90\x80\x80\"", FIELD_STRING, false},
    {PAIR("A", "1"), PAIR("AA", "1"), FIELD_TO_ONE, true},
    {PAIR("A", "1"), PAIR("A", "2"), FIELD_TO_ONE, false},
    {PAIR("A", "1"), PAIR("B", "1"), FIELD_TO_ONE, false},
    {PAIR("A", "1"), PAIR("X", "1"), FIELD_TO_ONE, false}, /* a class that is gone */
};

START_TEST(values_are_compared_by_their_type)
{
    LOADED("");

    for (size_t i = 0; i < ARRAY_SIZE(compared); i++) {
        const int order =
            model_compare_values(model, compared[i].type, compared[i].less, compared[i].more);
        const int back =
            model_compare_values(model, compared[i].type, compared[i].more, compared[i].less);

        ck_assert_msg(compared[i].equal ? order == 0 : order < 0, "%s %s: %d", compared[i].less,
                      compared[i].more, order);
        ck_assert_msg(compared[i].equal ? back == 0 : back > 0, "%s %s: %d", compared[i].more,
                      compared[i].less, back);
    }
}
END_TEST

/* ---- Conditions ---- */

/* An object of which each column has the same text. */
static const char *same_text(const void *arg, const char *column)
{
    (void)column;
    return arg;
}

static const struct {
    const char *condition, *text;
    bool holds;
} conditions[] = {
    {"'field':'n','is':'=','value':5", "5", true},
    {"'field':'n','is':'=','value':5", "6", false},
    {"'field':'n','is':'=','value':5", NULL, false},
    {"'field':'n','is':'!=','value':5", "6", true},
    {"'field':'n','is':'!=','value':5", "5", false},
    {"'field':'n','is':'!=','value':5", NULL, true},
    {"'field':'n','is':'!=','value':5", "null", true},
    {"'field':'n','is':'=','value':null", NULL, true},
    {"'field':'n','is':'=','value':null", "0", false},
    {"'field':'n','is':'!=','value':null", "0", true},
    {"'field':'n','is':'!=','value':null", "null", false},
    {"'field':'n','is':'<','value':5", "4", true},
    {"'field':'n','is':'<','value':5", "5", false},
    {"'field':'n','is':'<','value':5", NULL, false},
    {"'field':'n','is':'<=','value':5", "5", true},
    {"'field':'n','is':'<=','value':5", "6", false},
    {"'field':'n','is':'>','value':5", "6", true},
    {"'field':'n','is':'>','value':5", "5", false},
    {"'field':'n','is':'>=','value':5", "5", true},
    {"'field':'n','is':'>=','value':5", "4", false},
    {"'field':'n','is':'>=','value':5", "null", false},
    {"'field':'s','is':'>','param':0", "\"y\"", true},
    {"'field':'s','is':'>','param':0", "\"x\"", false},
    {"'field':'b','is':'!=','value':true", NULL, true},
    {"'field':'d','is':'=','value':1.10", "1.1", true},
    {"'field':'d','is':'<','param':1", "2.5", true},
    {"'field':'d','is':'<','param':1", "3.0", false},
};

static bool holds(const char *condition, const char *text, const char *class_name,
                  const char *array)
{
    _cleanup_(text_deinitp) struct text json = {0}, args = {0};
    struct model_args found;
    bool result;

    text_addf(&json,
              "'w':{'value':'count','of':['many','a'],'where':[{%s}],'params':["
              "{'name':'s','type':'string'},{'name':'n','type':'integer'}]}",
              condition);
    LOADED(json.at);
    const struct model_watcher *w = watcher(model);
    const struct model_seen object = {model_class(model, class_name, strlen(class_name)), same_text,
                                      text};

    assert_ok(model_read_args(model, &w->params, json_span_of(array), &found, &args));
    result = model_conditions_hold(model, w->where, w->where_count, &found, &object);
    model_args_deinit(&found);
    return result;
}

START_TEST(a_condition_holds_or_not)
{
    for (size_t i = 0; i < ARRAY_SIZE(conditions); i++)
        ck_assert_msg(holds(conditions[i].condition, conditions[i].text, "A", "[\"x\",3]") ==
                          conditions[i].holds,
                      "%s of %s", conditions[i].condition, conditions[i].text);
}
END_TEST

START_TEST(a_param_that_is_null_is_equal_to_null_alone)
{
    ck_assert(holds("'field':'s','is':'=','param':0", NULL, "A", "[null,null]"));
    ck_assert(!holds("'field':'s','is':'=','param':0", "\"x\"", "A", "[null,null]"));
    ck_assert(!holds("'field':'s','is':'>=','param':0", "\"x\"", "A", "[null,null]"));
}
END_TEST

START_TEST(a_class_without_the_field_has_null_there)
{
    ck_assert(holds("'field':'more','is':'=','value':null", "\"x\"", "A", "[null,null]"));
    ck_assert(!holds("'field':'more','is':'=','value':null", "\"x\"", "AA", "[null,null]"));
}
END_TEST

/* Who was never connected is not. */
START_TEST(a_fact_is_never_null)
{
    _cleanup_(text_deinitp) struct text json = {0}, problems = {0};
    _cleanup_(model_destroyp) struct model *model = NULL;
    const struct model_watcher *w;

    add_quoted(&json, "{'classes':{'U':{'anchor':'u','fields':{'u':{'type':'string'},"
                      "'c':{'type':'boolean','server':'connected'},"
                      "'friends':{'type':'list','target':'U'}},'watchers':{'w':{'value':'count',"
                      "'of':['friends'],'where':[{'field':'c','is':'=','value':false}]}}}}}");
    assert_ok(model_parse("test", &json, &model, &problems));
    w = model_watcher(model_class(model, "U", 1), "w", 1);

    const struct model_seen object = {w->owner, same_text, NULL};

    ck_assert(model_conditions_hold(model, w->where, w->where_count, NULL, &object));
}
END_TEST

/* ---- Orders ---- */

START_TEST(what_is_null_stands_last)
{
    LOADED("'w':{'value':'first','of':['many','a'],'order':[{'by':'n','descending':true},"
           "{'by':'s'}]}");
    const struct model_watcher *w = watcher(model);
    const char *rows[][2] = {{"2", "\"y\""},  {"1", "\"x\""},    {"1", "\"y\""}, {"1", NULL},
                             {NULL, "\"x\""}, {"null", "\"y\""}, {NULL, "null"}};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(rows); j++) {
            const int order =
                model_compare_ordered(model, w->order, w->order_count, rows[i], rows[j]);

            ck_assert_msg((order > 0) - (order < 0) == (i > j) - (i < j), "%zu %zu: %d", i, j,
                          order);
        }
    }
}
END_TEST

/* ---- Totals ---- */

#define BIG "9223372036854775807"

static const struct {
    const char *value, *field;
    const char *texts[8];
    const char *expected;
} totals[] = {
    {"count", "", {"1", NULL}, "1"},
    {"sum", "n", {NULL}, "0"},
    {"sum", "n", {"null", NULL}, "0"},
    {"sum", "n", {"1", "null", "-3", NULL}, "-2"},
    {"sum", "n", {BIG, BIG, "-" BIG, NULL}, BIG},
    {"sum", "n", {BIG, "1", NULL}, "9.223372036854776e+18"},
    {"sum", "d", {NULL}, "0"},
    {"sum", "d", {"0.1", "0.2", NULL}, "0.30000000000000004"},
    {"sum", "d", {"1e16", "1", "-1e16", "1", NULL}, "2"},
    {"sum", "d", {"1e100", "0.5", "-1e100", NULL}, "0.5"},
    {"sum", "d", {"9007199254740993", "0.5", "-9007199254740992", NULL}, "1.5"},
    {"sum", "d", {"1.10", NULL}, "1.1"},
    {"sum", "d", {"1e308", "1e308", NULL}, "null"},
    {"sum", "d", {"1e400", NULL}, "null"},
    {"avg", "n", {NULL}, "null"},
    {"avg", "n", {"1", "2", "null", NULL}, "1.5"},
    {"avg", "n", {"1", "3", NULL}, "2"},
    {"avg", "n", {BIG, BIG, NULL}, "9.223372036854776e+18"},
    {"avg", "d", {"0.5", "1", NULL}, "0.75"},
    {"min", "n", {NULL}, "null"},
    {"min", "n", {"10", "9", "null", NULL}, "9"},
    {"max", "n", {"9", "10", NULL}, "10"},
    {"min", "d", {"1.10", "1.1", NULL}, "1.1"},
    {"max", "d", {"1.10", "1.1", "1.100", NULL}, "1.1"},
    {"max", "t", {"-5", "-7", NULL}, "-5"},
    {"min", "s", {"\"y\"", "\"x\"", NULL}, "\"x\""},
    {"max", "s", {"\"y\"", "\"x\"", NULL}, "\"y\""},
};

/* In this order and in the other. */
static void assert_total(size_t i, bool backwards)
{
    _cleanup_(text_deinitp) struct text json = {0}, result = {0};
    struct model_total total;
    size_t count = 0;

    text_addf(&json, "'w':{'value':'%s','of':['many','a']", totals[i].value);
    if (*totals[i].field)
        text_addf(&json, ",'field':'%s'", totals[i].field);
    text_add_char(&json, '}');
    LOADED(json.at);
    while (totals[i].texts[count])
        count++;
    model_total_begin(&total, watcher(model));
    for (size_t t = 0; t < count; t++)
        model_total_add(&total, totals[i].texts[backwards ? count - 1 - t : t]);
    model_total_end(&total, &result);
    model_total_deinit(&total);
    ck_assert_msg(text_equals(&result, totals[i].expected), "%zu: %s instead of %s", i, result.at,
                  totals[i].expected);
}

START_TEST(values_are_added_up)
{
    for (size_t i = 0; i < ARRAY_SIZE(totals); i++) {
        assert_total(i, false);
        assert_total(i, true);
    }
}
END_TEST

START_TEST(objects_are_counted_with_and_without_values)
{
    LOADED("'w':{'value':'count','of':['many']}");
    _cleanup_(text_deinitp) struct text result = {0};
    struct model_total total;

    model_total_begin(&total, watcher(model));
    model_total_add(&total, NULL);
    model_total_add(&total, "null");
    model_total_end(&total, &result);
    model_total_deinit(&total);
    assert_text(&result, "2");
}
END_TEST

/* Sums that would differ by their order if they were rounded on the way. */
START_TEST(a_sum_is_the_same_in_any_order)
{
    LOADED("'w':{'value':'sum','of':['many','a'],'field':'d'}");
    _cleanup_(text_deinitp) struct text first = {0};
    char texts[500][40];

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        snprintf(texts[i], sizeof(texts[i]), "%s%zu.%zue%d", i % 3 ? "" : "-", i, i * 7919,
                 (int)(i % 41) - 20);
    for (size_t stride = 1; stride < 500; stride += 6) {
        _cleanup_(text_deinitp) struct text result = {0};
        struct model_total total;

        if (stride % 5 == 0) /* would not come to all of them */
            continue;
        model_total_begin(&total, watcher(model));
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
            model_total_add(&total, texts[i * stride % 500]);
        model_total_end(&total, &result);
        model_total_deinit(&total);
        if (!first.size)
            text_add(&first, result.at);
        assert_text(&result, first.at);
    }
}
END_TEST

UNIT_SUITE("model_watch_value", values_are_compared_by_their_type, a_condition_holds_or_not,
           a_param_that_is_null_is_equal_to_null_alone, a_class_without_the_field_has_null_there,
           a_fact_is_never_null, what_is_null_stands_last, values_are_added_up,
           objects_are_counted_with_and_without_values, a_sum_is_the_same_in_any_order)
