#include <string.h>

#include "common/model/model.h"
#include "tests/support/model_texts.h"
#include "tests/support/unit.h"

/* Mistakes in a model: each is told with its path. */

static enum err parse(const char *json, struct model **out, struct text *problems)
{
    _cleanup_(text_deinitp) struct text content = {0};

    text_add(&content, json);
    return model_parse("test", &content, out, problems);
}

struct mistake {
    const char *json;
    const char *told; /* a line of the problems begins so */
};

#define USERS_OWN "{\"owner\":\"u\"}"
/* Field f of class A, which has a string s and refers to B by b. */
#define FIELD(row)                                                                    \
    "{\"classes\":{\"A\":{\"fields\":{\"s\":{\"type\":\"string\"},\"f\":{" row "}}}," \
    "\"B\":{\"fields\":{\"a\":{\"type\":\"toOne\",\"target\":\"A\"},"                 \
    "\"b\":{\"type\":\"toOne\",\"target\":\"B\"},\"n\":{\"type\":\"integer\"}}}}}"
#define OWNER(members)                                                                       \
    "{\"classes\":{\"U\":{\"anchor\":\"user\",\"fields\":{\"user\":{\"type\":\"string\"}}}," \
    "\"A\":{\"fields\":{\"n\":{\"type\":\"integer\"},"                                       \
    "\"a\":{\"type\":\"toOne\",\"target\":\"A\"}},\"access\":{" members "}}}}"

static const struct mistake mistakes[] = {
    // clang-format off
    {"[]", "expected an object"},
    {"{}", "classes: missing"},
    {"{\"classes\":[]}", "classes: expected an object, found an array"},
    {"{\"classes\":{},\"x\":1}", "x: unknown"},
    {"{\"classes\":{\"A\":7}}", "classes.A: expected an object"},
    {"{\"classes\":{\"A:b\":{}}}", "classes.A:b: a class has a name"},
    {"{\"classes\":{\"\":{}}}", "classes.: a class has a name"},
    {CLASS("\"colour\":1"), "classes.A.colour: unknown"},
    {CLASS("\"abstract\":1"), "classes.A.abstract: expected a boolean"},
    {CLASS("\"id\":\"uuid\""), "classes.A.id: expected string, integer or array"},
    {CLASS("\"type\":7"), "classes.A.type: expected a string"},
    {CLASS("\"type\":\"a b\""), "classes.A.type: expected letters"},
    {CLASS("\"type\":\"a\",\"abstract\":true"), "classes.A.type: an abstract class has none"},
    {"{\"classes\":{\"A\":{\"type\":\"t\"},\"B\":{\"type\":\"t\"}}}", "classes.B.type: that of A"},
    {CLASS("\"parent\":\"B\""), "classes.A.parent: no such class"},
    {CLASS("\"parent\":\"A\""), "classes.A.parent: a class cannot descend from itself"},
    {"{\"classes\":{\"A\":{\"parent\":\"B\"},\"B\":{\"parent\":\"C\"},\"C\":{\"parent\":\"B\"}}}",
     "classes.C.parent: a class cannot descend from itself"},
    {"{\"classes\":{\"A\":{},\"B\":{\"parent\":\"A\",\"id\":\"integer\"}}}",
     "classes.B.id: that of the parent"},
    {CLASS("\"fields\":[]"), "classes.A.fields: expected an object"},
    {CLASS("\"fields\":7"), "classes.A.fields: expected an object"},
    {FIELDS("\"f\":7"), "classes.A.fields.f: expected an object"},
    {FIELDS("\"f\":{}"), "classes.A.fields.f.type: missing"},
    {FIELDS("\"f\":{\"type\":\"text\"}"), "classes.A.fields.f.type: expected string, integer"},
    {FIELDS("\"cn\":{\"type\":\"string\"}"), "classes.A.fields.cn: a field has a name"},
    {FIELDS("\"ID\":{\"type\":\"string\"}"), "classes.A.fields.ID: a field has a name"},
    {FIELDS("\"@v\":{\"type\":\"string\"}"), "classes.A.fields.@v: a field has a name"},
    {"{\"classes\":{\"A\":{\"fields\":{\"f\":{\"type\":\"string\"}}},"
     "\"B\":{\"parent\":\"A\",\"fields\":{\"f\":{\"type\":\"string\"}}}}}",
     "classes.B.fields.f: the parent has a field of this name"},
    {FIELDS("\"f\":{\"type\":\"string\",\"size\":7}"), "classes.A.fields.f.size: unknown"},
    {FIELDS("\"f\":{\"type\":\"string\",\"target\":\"A\"}"), "classes.A.fields.f.target: unknown"},
    {FIELDS("\"f\":{\"type\":\"date\",\"values\":[\"x\"]}"), "classes.A.fields.f.values: unknown"},
    {FIELDS("\"f\":{\"type\":\"date\",\"required\":1}"), "classes.A.fields.f.required: expected a b"},
    {FIELDS("\"f\":{\"type\":\"string\",\"values\":\"x\"}"), "classes.A.fields.f.values: expected an"},
    {FIELDS("\"f\":{\"type\":\"string\",\"values\":[]}"), "classes.A.fields.f.values: expected one"},
    {FIELDS("\"f\":{\"type\":\"string\",\"values\":[\"x\",1]}"), "classes.A.fields.f.values: expected"},
    {FIELDS("\"f\":{\"type\":\"string\",\"default\":1}"),
     "classes.A.fields.f.default: expected a string, found a number"},
    {FIELDS("\"f\":{\"type\":\"string\",\"values\":[\"x\"],\"default\":\"y\"}"),
     "classes.A.fields.f.default: expected one of x"},
    {FIELDS("\"f\":{\"type\":\"integer\",\"default\":1.5}"), "classes.A.fields.f.default: expected an i"},
    {FIELDS("\"f\":{\"type\":\"boolean\",\"default\":0}"), "classes.A.fields.f.default: expected a b"},
    {FIELD("\"type\":\"toOne\""), "classes.A.fields.f.target: missing"},
    {FIELD("\"type\":\"toOne\",\"target\":\"C\""), "classes.A.fields.f.target: no such class"},
    {FIELD("\"type\":\"toOne\",\"target\":7"), "classes.A.fields.f.target: expected a string"},
    {FIELD("\"type\":\"list\",\"target\":[]"), "classes.A.fields.f.target: expected one string"},
    {FIELD("\"type\":\"list\",\"target\":[\"B\",\"C\"]"), "classes.A.fields.f.target: no such class"},
    {FIELD("\"type\":\"list\",\"target\":\"B\",\"default\":[]"), "classes.A.fields.f.default: unknown"},
    {FIELD("\"type\":\"toMany\",\"target\":\"B\""), "classes.A.fields.f.inverse: missing"},
    {FIELD("\"type\":\"toMany\",\"target\":\"B\",\"inverse\":\"x\""),
     "classes.A.fields.f.inverse: no toOne or list of the target that refers here"},
    {FIELD("\"type\":\"toMany\",\"target\":\"B\",\"inverse\":\"n\""),
     "classes.A.fields.f.inverse: no toOne or list of the target that refers here"},
    {FIELD("\"type\":\"toMany\",\"target\":\"B\",\"inverse\":\"b\""),
     "classes.A.fields.f.inverse: no toOne or list of the target that refers here"},
    {FIELD("\"type\":\"toMany\",\"target\":\"B\",\"inverse\":\"ID\""),
     "classes.A.fields.f.inverse: no toOne or list of the target that refers here"},
    {FIELD("\"type\":\"toMany\",\"target\":\"B\",\"inverse\":\"a\",\"required\":true"),
     "classes.A.fields.f.required: unknown"},
    {FIELD("\"type\":\"toMany\",\"target\":\"B\",\"inverse\":\"a\",\"onward\":\"b\""),
     "classes.A.fields.f.onward: stands only beside"},
    {FIELD("\"type\":\"toMany\",\"target\":\"A\",\"inverse\":\"a\",\"through\":\"C\",\"onward\":\"b\""),
     "classes.A.fields.f.through: no such class"},
    {FIELD("\"type\":\"toMany\",\"target\":\"A\",\"inverse\":\"a\",\"through\":\"B\""),
     "classes.A.fields.f.onward: missing"},
    {FIELD("\"type\":\"toMany\",\"target\":\"A\",\"inverse\":\"b\",\"through\":\"B\",\"onward\":\"a\""),
     "classes.A.fields.f.inverse: no toOne of the join class"},
    {FIELD("\"type\":\"toMany\",\"target\":\"A\",\"inverse\":\"a\",\"through\":\"B\",\"onward\":\"b\""),
     "classes.A.fields.f.onward: no toOne of the join class"},
    {LISTED("\"signedIn\"", "ID", ""), "classes.A.fields.f.listed: what is found by its ID is not"},
    {LISTED("\"nobody\"", "a", ""), "classes.A.fields.f.listed: not everyone who signs in may read B"},
    {LISTED(USERS_OWN, "l", ""), "classes.A.fields.f.listed: not everyone who signs in may read C"},
    {LISTED(USERS_OWN, "a", THROUGH("b")), "classes.A.fields.f.listed: not everyone who signs in"},
    {LISTED("\"signedIn\"", "l", THROUGH("b")), "classes.A.fields.f.inverse: no toOne of the join"},
    {LISTED("\"signedIn\"", "a", THROUGH("l")), "classes.A.fields.f.onward: no toOne of the join"},
    {CLASS("\"anchor\":\"f\""), "classes.A.anchor: expected the name of a field of type string"},
    {CLASS("\"anchor\":\"f\",\"fields\":{\"f\":{\"type\":\"integer\"}}"), "classes.A.anchor: expected"},
    {CLASS("\"abstract\":true,\"anchor\":\"f\",\"fields\":{\"f\":{\"type\":\"string\"}}"),
     "classes.A.anchor: an abstract class"},
    {"{\"classes\":{\"A\":{\"anchor\":\"f\",\"fields\":{\"f\":{\"type\":\"string\"}}},"
     "\"B\":{\"anchor\":\"f\",\"fields\":{\"f\":{\"type\":\"string\"}}}}}", "classes.B.anchor: another"},
    {OWNER("\"see\":\"everyone\""), "classes.A.access.see: unknown"},
    {OWNER("\"read\":\"friends\""), "classes.A.access.read: expected nobody, everyone, signedIn"},
    {OWNER("\"read\":true"), "classes.A.access.read: expected nobody, everyone, signedIn"},
    {OWNER("\"read\":{}"), "classes.A.access.read.owner: missing"},
    {OWNER("\"read\":{\"owner\":\"x\"}"), "classes.A.access.read.owner: expected @user, or a field"},
    {OWNER("\"read\":{\"owner\":\"n\"}"), "classes.A.access.read.owner: expected @user, or a field"},
    {OWNER("\"read\":{\"owner\":\"a\"}"), "classes.A.access.read.owner: expected @user, or a field"},
    {OWNER("\"read\":{\"owner\":\"a\",\"or\":1}"), "classes.A.access.read.or: unknown"},
    {OWNER("\"read\":{\"role\":1}"), "classes.A.access.read.role: expected a string"},
    {OWNER("\"read\":{\"role\":\"\"}"), "classes.A.access.read.role: expected 1 to 100 letters"},
    {OWNER("\"read\":{\"role\":\"a,b\"}"), "classes.A.access.read.role: expected 1 to 100 letters"},
    {OWNER("\"read\":{\"role\":\"e\",\"owner\":\"@user\"}"), "classes.A.access.read.owner: unknown"},
    {CLASS("\"access\":\"everyone\""), "classes.A.access: expected an object"},
    {CLASS("\"indexes\":{}"), "classes.A.indexes: expected an array"},
    {CLASS("\"indexes\":[\"f\"]"), "classes.A.indexes[0]: expected an object"},
    {INDEX("\"unique\":true"), "classes.A.indexes[1].fields: missing"},
    {INDEX("\"fields\":\"d\""), "classes.A.indexes[1].fields: expected an array"},
    {INDEX("\"fields\":[]"), "classes.A.indexes[1].fields: expected one string"},
    {INDEX("\"fields\":[\"d\",7]"), "classes.A.indexes[1].fields: expected one string"},
    {INDEX("\"fields\":[\"x\"]"), "classes.A.indexes[1].fields: A has no field x"},
    {INDEX("\"fields\":[\"ID\"]"), "classes.A.indexes[1].fields: A has no field ID"},
    {INDEX("\"fields\":[\"j\"]"), "classes.A.indexes[1].fields: j is json, list or toMany"},
    {INDEX("\"fields\":[\"d\",\"l\"]"), "classes.A.indexes[1].fields: l is json, list or toMany"},
    {INDEX("\"fields\":[\"d\",\"d\"]"), "classes.A.indexes[1].fields: d stands there twice"},
    {INDEX("\"fields\":[\"d\",\"p\"]"), "classes.A.indexes[1].fields: A has an index on these"},
    {INDEX("\"fields\":[\"p\"]"), "classes.A.indexes[1].fields: P has an index on these"},
    {INDEX("\"fields\":[\"d\"],\"unique\":1"), "classes.A.indexes[1].unique: expected a boolean"},
    {INDEX("\"fields\":[\"d\"],\"name\":\"n\""), "classes.A.indexes[1].name: unknown"},
    {FIELD("\"type\":\"string\",\"column\":7"), "classes.A.fields.f.column: expected a string"},
    {FIELD("\"type\":\"list\",\"target\":\"A\",\"column\":\"@v\""),
     "classes.A.fields.f.column: expected letters"},
    {FIELD("\"type\":\"string\",\"column\":\"s\""),
     "classes.A.fields.f.column: s has the values of s already"},
    {"{\"classes\":{\"P\":{\"fields\":{\"x\":{\"type\":\"date\",\"column\":\"y\"}}},"
     "\"A\":{\"parent\":\"P\",\"fields\":{\"y\":{\"type\":\"date\"}}}}}",
     "classes.A.fields.y.column: y has the values of x already"},
    // clang-format on
};

static void refused(const struct mistake *m)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    struct model *model = NULL;
    const char *found;

    ck_assert_msg(parse(m->json, &model, &problems) == ERR_CONFIG, "%s", m->json);
    ck_assert_ptr_null(model);
    found = strstr(text_str(&problems), m->told);
    ck_assert_msg(found && (found == problems.at || found[-1] == '\n'), "%s: told %s", m->json,
                  text_str(&problems));
    ck_assert_int_eq(problems.at[problems.size - 1], '\n');
}

START_TEST(a_mistake_is_told_with_its_path)
{
    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++)
        refused(&mistakes[i]);
}
END_TEST

START_TEST(a_name_that_stands_there_twice_is_refused)
{
    static const char *const files[] = {
        "{\"classes\":{\"A\":{},\"A\":{}}}",
        FIELDS("\"f\":{\"type\":\"string\"},\"f\":{\"type\":\"string\"}"),
        FIELDS("\"f\":{\"type\":\"string\",\"type\":\"date\"}"),
    };

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        _cleanup_(text_deinitp) struct text problems = {0};
        struct model *model = NULL;

        ck_assert_int_eq(parse(files[i], &model, &problems), ERR_CONFIG);
        ck_assert_ptr_nonnull(strstr(text_str(&problems), "second time"));
    }
}
END_TEST

START_TEST(all_mistakes_are_told_at_once)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    struct model *model = NULL;

    ck_assert_int_eq(
        parse(FIELDS("\"f\":{\"type\":\"x\"},\"g\":{\"type\":\"date\",\"default\":\"\"},"
                     "\"h\":{\"type\":\"list\",\"target\":\"C\"}"),
              &model, &problems),
        ERR_CONFIG);
    ck_assert_ptr_nonnull(strstr(text_str(&problems), "classes.A.fields.f.type: "));
    ck_assert_ptr_nonnull(strstr(text_str(&problems), "classes.A.fields.g.default: "));
    ck_assert_ptr_nonnull(strstr(text_str(&problems), "classes.A.fields.h.target: "));
}
END_TEST

UNIT_SUITE("model_wrong", a_mistake_is_told_with_its_path,
           a_name_that_stands_there_twice_is_refused, all_mistakes_are_told_at_once)
