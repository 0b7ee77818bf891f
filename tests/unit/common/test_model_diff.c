#include <string.h>

#include "common/model/model_diff.h"
#include "tests/support/unit.h"

/* What a store may say: which classes have objects, which indexes are built. */
struct store {
    const char *classes; /* " A B " */
    const char *built;   /* " A:x A:x+y " */
};

static bool has_word(const char *words, const char *word)
{
    _cleanup_(text_deinitp) struct text wanted = {0};

    text_addf(&wanted, " %s ", word);
    return strstr(words, wanted.at) != NULL;
}

static bool has_objects(const void *arg, const char *class_name)
{
    const struct store *store = arg;

    return has_word(store->classes, class_name);
}

static bool is_built(const void *arg, const struct model_index *index)
{
    const struct store *store = arg;
    _cleanup_(text_deinitp) struct text name = {0};

    text_addf(&name, "%s:%s", index->owner->name, index->columns);
    return has_word(store->built, name.at);
}

static struct model *parse(const char *classes)
{
    _cleanup_(text_deinitp) struct text text = {0}, problems = {0};
    struct model *model = NULL;

    text_addf(&text, "{\"classes\":{%s}}", classes);
    ck_assert_msg(!model_parse("model", &text, &model, &problems), "%s", text_str(&problems));
    return model;
}

/* Class A, filled as the case says; B has no objects, U stands for users. */
#define F(name, more)       "\"" name "\":{\"type\":\"string\"" more "}"
#define A(fields)           "\"A\":{\"fields\":{" fields "}}"
#define A_AND(fields, more) "\"A\":{\"fields\":{" fields "}," more "}"
#define P_AND(p, a)         "\"P\":{" p "},\"A\":{" a "}"
/* A lists what refers to it by this field of P. */
#define REFERS(inverse, column, more)                                                             \
    "\"P\":{\"fields\":{\"" inverse "\":{\"type\":\"toOne\",\"target\":\"A\"" column "}}," ACCESS \
    "},"                                                                                          \
    "\"A\":{\"fields\":{\"all\":{\"type\":\"toMany\",\"target\":\"P\",\"inverse\":\"" inverse     \
    "\"" more "}}}"
#define ACCESS         "\"access\":{\"read\":\"everyone\"}"
#define X_Y            F("x", "") "," F("y", "")
#define SUMMARY(field) "\"summary\":[\"" field "\"]"
#define WATCHES(name, field) \
    "\"watchers\":{\"" name "\":{\"value\":\"path\",\"field\":\"" field "\"}}"
/* A is a child of its own kind. */
#define CHILD_LIST      X_Y ",\"all\":{\"type\":\"list\",\"target\":\"A\"}"
#define TYPED           "\"type\":\"a\","
#define TYPED_A         "\"A\":{\"type\":\"t\"}"
#define CHILDREN(views) ACCESS ",\"children\":{\"relation\":\"all\",\"views\":{" views "}}"

static const struct {
    const char *before, *after;
    enum model_need need;
    const char *lines;
} cases[] = {
    // clang-format off
    {A(F("x", "")), A(F("x", "")), MODEL_RESTART, ""},
    /* fields */
    {A(F("x", "")), A(X_Y), MODEL_RESTART, "restart classes.A.fields.y: new\n"},
    {A(F("x", "")), A(F("x", "") "," F("y", ",\"default\":\"d\"")), MODEL_MIGRATE,
     "migrate classes.A.fields.y: new, objects get its default\n"},
    {A(F("x", "")), A(F("x", "") "," F("y", ",\"required\":true")), MODEL_REFUSE,
     "refused classes.A.fields.y: new and required, but objects that there are get no value "
     "without a default\n"},
    {"\"B\":{}", "\"B\":{\"fields\":{" F("y", ",\"required\":true") "}}", MODEL_RESTART,
     "restart classes.B.fields.y: new\n"},
    {"\"B\":{}", "\"B\":{\"fields\":{" F("y", ",\"default\":\"d\"") "}}", MODEL_RESTART,
     "restart classes.B.fields.y: new\n"},
    {A(F("x", "")), A(F("y", ",\"column\":\"x\"")), MODEL_RESTART,
     "restart classes.A.fields.y: renamed, it was x\n"},
    {A(F("x", "")), A(F("y", "")), MODEL_RESTART,
     "restart classes.A.fields.y: new\n"
     "restart classes.A.fields.x: removed, its values stay and are not shown\n"},
    {A(F("x", "")), A("\"x\":{\"type\":\"date\"}"), MODEL_REFUSE,
     "refused classes.A.fields.x: another type; give a field of another type another column\n"},
    {"\"B\":{\"fields\":{" F("x", "") "}}", "\"B\":{\"fields\":{\"x\":{\"type\":\"date\"}}}",
     MODEL_RESTART, "restart classes.B.fields.x: another type\n"},
    {A(F("x", "")), A(F("x", ",\"required\":true")), MODEL_REFUSE,
     "refused classes.A.fields.x: now required, but objects where it is null get no value "
     "without a default\n"},
    {A(F("x", "")), A(F("x", ",\"required\":true,\"default\":\"d\"")), MODEL_MIGRATE,
     "migrate classes.A.fields.x: now required, objects where it is null get its default\n"},
    {A(F("x", ",\"required\":true")), A(F("x", "")), MODEL_RESTART,
     "restart classes.A.fields.x: no longer required\n"},
    {"\"B\":{\"fields\":{" F("x", "") "}}", "\"B\":{\"fields\":{" F("x", ",\"required\":true") "}}",
     MODEL_RESTART, "restart classes.B.fields.x: now required\n"},
    {A(F("x", "")), A(F("x", ",\"readOnly\":true")), MODEL_RESTART,
     "restart classes: rights, values or order\n"},
    /* what only agents look at */
    {A_AND(X_Y, SUMMARY("x")), A_AND(X_Y, SUMMARY("y")), MODEL_RESTART,
     "restart classes.A.summary: changed\n"},
    {A(X_Y), A_AND(X_Y, SUMMARY("x")), MODEL_RESTART, "restart classes.A.summary: changed\n"},
    {A(X_Y), A_AND(X_Y, WATCHES("w", "x")), MODEL_RESTART, "restart classes.A.watchers.w: new\n"},
    {A_AND(X_Y, WATCHES("w", "x")), A_AND(X_Y, WATCHES("w", "y")), MODEL_RESTART,
     "restart classes.A.watchers.w: changed\n"},
    {A_AND(X_Y, WATCHES("w", "x")), A_AND(X_Y, WATCHES("v", "x")), MODEL_RESTART,
     "restart classes.A.watchers.v: new\nrestart classes.A.watchers.w: removed\n"},
    {A_AND(X_Y, "\"queries\":{\"q\":{}}"), A(X_Y), MODEL_RESTART,
     "restart classes.A.queries.q: removed\n"},
    {A_AND(CHILD_LIST, TYPED CHILDREN("")), A_AND(CHILD_LIST, TYPED CHILDREN(
     "\"v\":{\"size\":1,\"order\":[{\"by\":\"x\"}]}")), MODEL_RESTART,
     "restart classes.A.children: changed\n"},
    {A_AND(CHILD_LIST, TYPED ACCESS), A_AND(CHILD_LIST, TYPED CHILDREN("")), MODEL_RESTART,
     "restart classes.A.children: changed\n"},
    {A("\"t\":{\"type\":\"date\"}"), A("\"t\":{\"type\":\"date\",\"server\":\"now\"}"),
     MODEL_RESTART, "restart classes: rights, values or order\n"},
    {A(X_Y), A_AND(X_Y, "\"access\":{\"addChild\":{\"owner\":\"@user\"}}"), MODEL_RESTART,
     "restart classes: rights, values or order\n"},
    /* listed fields: P refers to A */
    {REFERS("p", "", ""), REFERS("p", "", ",\"listed\":true"), MODEL_MIGRATE,
     "migrate classes.A.fields.all: now listed\n"},
    {REFERS("p", "", ",\"listed\":true"), REFERS("p", "", ""), MODEL_RESTART,
     "restart classes.A.fields.all: no longer listed\n"},
    {REFERS("p", "", ",\"listed\":true"), REFERS("q", "", ",\"listed\":true"), MODEL_MIGRATE,
     "restart classes.P.fields.q: new\n"
     "restart classes.P.fields.p: removed, its values stay and are not shown\n"
     "migrate classes.A.fields.all: lists other objects\n"},
    {REFERS("p", "", ",\"listed\":true"), REFERS("r", ",\"column\":\"p\"", ",\"listed\":true"),
     MODEL_RESTART, "restart classes.P.fields.r: renamed, it was p\n"},
    /* a parent's fields are told once, and its objects are those of its descendants */
    {P_AND("\"abstract\":true", "\"parent\":\"P\""),
     P_AND("\"abstract\":true,\"fields\":{" F("y", ",\"default\":\"d\"") "}", "\"parent\":\"P\""),
     MODEL_MIGRATE, "migrate classes.P.fields.y: new, objects get its default\n"},
    /* indexes */
    {A(X_Y), A_AND(X_Y, "\"indexes\":[{\"fields\":[\"x\"]},{\"fields\":[\"y\"]}]"),
     MODEL_MIGRATE, "migrate classes.A.indexes: on y: new\n"},
    {A_AND(X_Y, "\"indexes\":[{\"fields\":[\"x\",\"y\"]}]"), A_AND(X_Y,
     "\"indexes\":[{\"fields\":[\"x\",\"y\"]}]"), MODEL_MIGRATE,
     "migrate classes.A.indexes: on x+y: not built\n"},
    {A_AND(X_Y, "\"indexes\":[{\"fields\":[\"x\"]}]"), A(X_Y), MODEL_RESTART,
     "restart classes.A.indexes: on x: dropped\n"},
    {A_AND(X_Y, "\"indexes\":[{\"fields\":[\"x\"]}]"),
     A_AND(X_Y, "\"indexes\":[{\"fields\":[\"x\"],\"unique\":true}]"), MODEL_MIGRATE,
     "migrate classes.A.indexes: on x: now unique\n"},
    {A_AND(X_Y, "\"indexes\":[{\"fields\":[\"x\"],\"unique\":true}]"),
     A_AND(X_Y, "\"indexes\":[{\"fields\":[\"x\"]}]"), MODEL_RESTART,
     "restart classes.A.indexes: on x: no longer unique\n"},
    {A_AND(F("x", ""), "\"indexes\":[{\"fields\":[\"x\"]}]"),
     A_AND(F("z", ",\"column\":\"x\""), "\"indexes\":[{\"fields\":[\"z\"]}]"), MODEL_RESTART,
     "restart classes.A.fields.z: renamed, it was x\n"},
    /* classes */
    {"", "\"B\":{\"fields\":{" F("x", ",\"required\":true") "}}", MODEL_RESTART,
     "restart classes.B: new\n"},
    {"", A(F("x", ",\"default\":\"d\"")), MODEL_MIGRATE,
     "restart classes.A: new\nmigrate classes.A.fields.x: new, objects get its default\n"},
    {A(F("x", "")), "", MODEL_RESTART,
     "restart classes.A: removed, its objects stay and are not shown\n"},
    {"\"A\":{}", "\"A\":{\"id\":\"integer\"}", MODEL_REFUSE,
     "refused classes.A.id: another kind of ID, but there are objects\n"},
    {"\"B\":{}", "\"B\":{\"id\":\"integer\"}", MODEL_RESTART,
     "restart classes.B.id: another kind of ID\n"},
    {P_AND("", ""), P_AND("", "\"parent\":\"P\""), MODEL_REFUSE,
     "refused classes.A.parent: another parent, but there are objects\n"},
    {"\"A\":{}", "\"A\":{\"abstract\":true}", MODEL_REFUSE,
     "refused classes.A.abstract: now abstract, but has objects\n"},
    {P_AND("", "\"parent\":\"P\""), P_AND("\"abstract\":true", "\"parent\":\"P\""), MODEL_RESTART,
     "restart classes: rights, values or order\n"},
    {A_AND(X_Y, "\"anchor\":\"x\""), A_AND(X_Y, "\"anchor\":\"y\""), MODEL_REFUSE,
     "refused classes.A.anchor: its objects stand for users, which cannot change while there are "
     "some\n"},
    {A_AND(X_Y, "\"anchor\":\"x\""),
     A_AND(F("z", ",\"column\":\"x\"") "," F("y", ""), "\"anchor\":\"z\""), MODEL_RESTART,
     "restart classes.A.fields.z: renamed, it was x\n"},
    // clang-format on
};

START_TEST(each_difference_is_told_with_what_it_takes)
{
    static const struct store store = {" A ", " A:x "};
    static const struct model_facts facts = {has_objects, is_built, &store};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(model_destroyp) struct model *before = parse(cases[i].before);
        _cleanup_(model_destroyp) struct model *after = parse(cases[i].after);
        _cleanup_(text_deinitp) struct text lines = {0};

        ck_assert_int_eq(model_diff(before, after, &facts, &lines), cases[i].need);
        ck_assert_str_eq(text_str(&lines), cases[i].lines);
    }
}
END_TEST

START_TEST(all_differences_are_told_and_the_greatest_need_counts)
{
    static const struct store store = {" A ", ""};
    static const struct model_facts facts = {has_objects, is_built, &store};
    _cleanup_(model_destroyp) struct model *before = parse(A(F("x", "")));
    _cleanup_(model_destroyp) struct model *after =
        parse(A_AND("\"x\":{\"type\":\"date\"}," F("n", ""), "\"indexes\":[{\"fields\":[\"n\"]}]"));
    _cleanup_(text_deinitp) struct text lines = {0};

    ck_assert_int_eq(model_diff(before, after, &facts, &lines), MODEL_REFUSE);
    ck_assert_str_eq(lines.at, "refused classes.A.fields.x: another type; give a field of another "
                               "type another column\n"
                               "restart classes.A.fields.n: new\n"
                               "migrate classes.A.indexes: on n: new\n");
}
END_TEST

static struct model *parse_all(const char *json)
{
    _cleanup_(text_deinitp) struct text text = {0}, problems = {0};
    struct model *model = NULL;

    text_add(&text, json);
    ck_assert_msg(!model_parse("model", &text, &model, &problems), "%s", text_str(&problems));
    return model;
}

START_TEST(what_a_login_says_needs_a_restart)
{
    static const char *const texts[][2] = {
        {"{\"classes\":{" TYPED_A "},\"entryPoints\":{\"a\":{\"own\":\"t\"}}}",
         "restart entryPoints: changed\n"},
        {"{\"classes\":{" TYPED_A "},\"clientConfig\":{\"a\":1}}",
         "restart clientConfig: changed\n"},
    };
    static const struct store store = {" A ", ""};
    static const struct model_facts facts = {has_objects, is_built, &store};
    _cleanup_(model_destroyp) struct model *before = parse_all("{\"classes\":{" TYPED_A "}}");

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        _cleanup_(model_destroyp) struct model *after = parse_all(texts[i][0]);
        _cleanup_(text_deinitp) struct text lines = {0};

        ck_assert_int_eq(model_diff(before, after, &facts, &lines), MODEL_RESTART);
        assert_text(&lines, texts[i][1]);
        text_clear(&lines);
        ck_assert_int_eq(model_diff(after, after, &facts, &lines), MODEL_RESTART);
        assert_text(&lines, "");
    }
}
END_TEST

UNIT_SUITE("model_diff", what_a_login_says_needs_a_restart,
           each_difference_is_told_with_what_it_takes,
           all_differences_are_told_and_the_greatest_need_counts)
