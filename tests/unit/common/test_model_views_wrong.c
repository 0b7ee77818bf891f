#include <string.h>

#include "common/model/model.h"
#include "tests/support/unit.h"

/* Mistakes in what a model says for the content protocol: each is told with its path. */

/* Class U stands for users. Class A, which a test fills, has a string s of x or y, a number n, a
 * json j; refers to B by b, to U by u; lists A and B in all, the hidden H in hidden, the nameless N
 * in nameless; T refers to it by a, which it shows as many. */
#define USERS                                                                           \
    "\"U\":{\"type\":\"u\",\"anchor\":\"id\",\"fields\":{\"id\":{\"type\":\"string\"}," \
    "\"b\":{\"type\":\"toOne\",\"target\":\"B\"},"                                      \
    "\"n\":{\"type\":\"toOne\",\"target\":\"N\"}},\"access\":{\"read\":\"signedIn\"}}"
#define OTHERS                                                                            \
    "\"B\":{\"type\":\"b\",\"fields\":{\"s\":{\"type\":\"integer\"}},"                    \
    "\"access\":{\"read\":\"everyone\"}},"                                                \
    "\"H\":{\"type\":\"h\",\"fields\":{\"u\":{\"type\":\"toOne\",\"target\":\"U\"}},"     \
    "\"access\":{\"read\":{\"owner\":\"u\"}}},"                                           \
    "\"N\":{\"access\":{\"read\":\"signedIn\"}},"                                         \
    "\"T\":{\"type\":\"t\",\"id\":\"array\",\"fields\":{"                                 \
    "\"a\":{\"type\":\"toOne\",\"target\":\"A\"}},\"access\":{\"read\":\"signedIn\"}},"   \
    "\"R\":{\"type\":\"r\",\"fields\":{\"s\":{\"type\":\"string\",\"required\":true}}},"  \
    "\"J\":{\"fields\":{\"a\":{\"type\":\"toOne\",\"target\":\"A\"},"                     \
    "\"u\":{\"type\":\"toOne\",\"target\":\"U\"},\"s\":{\"type\":\"string\"}}},"          \
    "\"JR\":{\"parent\":\"J\",\"fields\":{\"r\":{\"type\":\"date\",\"required\":true}}}," \
    "\"JI\":{\"id\":\"integer\",\"fields\":{\"a\":{\"type\":\"toOne\",\"target\":\"A\"}}}"
#define A_FIELDS                                                                         \
    "\"s\":{\"type\":\"string\",\"values\":[\"x\",\"y\"]},\"n\":{\"type\":\"integer\"}," \
    "\"j\":{\"type\":\"json\"},\"b\":{\"type\":\"toOne\",\"target\":\"B\"},"             \
    "\"u\":{\"type\":\"toOne\",\"target\":\"U\"},"                                       \
    "\"all\":{\"type\":\"list\",\"target\":[\"A\",\"B\"]},"                              \
    "\"hidden\":{\"type\":\"list\",\"target\":\"H\"},"                                   \
    "\"nameless\":{\"type\":\"list\",\"target\":\"N\"},"                                 \
    "\"many\":{\"type\":\"toMany\",\"target\":\"T\",\"inverse\":\"a\"}"
#define MODEL(a_type, a_fields, a_more, more)                                                 \
    "{\"classes\":{" USERS "," OTHERS ",\"A\":{" a_type "\"fields\":{" A_FIELDS a_fields "}," \
    "\"access\":{\"read\":\"signedIn\"}" a_more "}}" more "}"

#define FIELD(row)      MODEL("\"type\":\"a\",", ",\"f\":{" row "}", "", "")
#define CLASS(more)     MODEL("\"type\":\"a\",", "", "," more, "")
#define SUMMARY(value)  CLASS("\"summary\":" value)
#define CHILDREN(value) CLASS("\"children\":" value)
#define RELATION(name)  CHILDREN("{\"relation\":\"" name "\",\"views\":{}}")
#define VIEWS(value)    CHILDREN("{\"relation\":\"all\",\"views\":" value "}")
#define VIEW(value)     VIEWS("{\"v\":" value "}")
#define ORDER(value)    VIEW("{\"size\":1,\"order\":" value "}")
#define SORT(members)   ORDER("[{\"by\":\"n\"},{" members "}]")
#define ENTRIES(value)  MODEL("\"type\":\"a\",", "", "", ",\"entryPoints\":" value)
#define ENTRY(members)  ENTRIES("{\"e\":{" members "}}")
#define KEY(key)        ENTRY("\"key\":" key)
#define OBJECT(value)   ENTRY("\"key\":{\"type\":\"a\",\"id\":\"1\"},\"object\":" value)
#define EVERYONE(value) ENTRY("\"key\":{\"type\":\"a\",\"id\":\"1\"},\"everyone\":" value)
#define JOIN(c, here, user) \
    EVERYONE("{\"class\":\"" c "\",\"here\":\"" here "\",\"person\":\"" user "\"}")
/* U declares these fields, its parent P those. */
#define USER(own, inherited)                                                               \
    "{\"classes\":{\"P\":{\"fields\":{" inherited "}},\"U\":{\"parent\":\"P\",\"anchor\":" \
    "\"id\",\"fields\":{\"id\":{\"type\":\"string\"}" own "}}}}"
#define CONNECTED(name) "\"" name "\":{\"type\":\"boolean\",\"server\":\"connected\"}"

#define AT_F     "classes.A.fields.f.server: "
#define AT_SUM   "classes.A.summary: "
#define AT_CHILD "classes.A.children"
#define AT_V     AT_CHILD ".views.v"
#define AT_SORT  AT_V ".order[1]"
#define AT_E     "entryPoints.e"

static const struct {
    const char *json;
    const char *told; /* a line begins so */
} mistakes[] = {
    // clang-format off
    /* what the server sets */
    {FIELD("\"type\":\"string\",\"server\":\"creator\""), AT_F "unknown"},
    {FIELD("\"type\":\"date\",\"server\":true"), AT_F "expected a string, found a boolean"},
    {FIELD("\"type\":\"date\",\"server\":\"then\""), AT_F "expected creator, now or connected"},
    {FIELD("\"type\":\"date\",\"server\":\"creator\""), AT_F "only a toOne or list of the class"},
    {FIELD("\"type\":\"toOne\",\"target\":\"B\",\"server\":\"creator\""), AT_F "only a toOne or"},
    {FIELD("\"type\":\"list\",\"target\":[\"U\",\"B\"],\"server\":\"creator\""), AT_F "only a toOne"},
    {FIELD("\"type\":\"boolean\",\"server\":\"now\""), AT_F "only a date holds the time"},
    {FIELD("\"type\":\"date\",\"server\":\"now\",\"default\":1"), AT_F "never the default"},
    {FIELD("\"type\":\"boolean\",\"server\":\"connected\""), AT_F "only a boolean of the class that"},
    {USER(",\"f\":{\"type\":\"date\",\"server\":\"connected\"}", ""),
     "classes.U.fields.f.server: only a boolean"},
    {USER("", CONNECTED("f")), "classes.P.fields.f.server: only a boolean of the class that stands"},
    {USER("," CONNECTED("e") "," CONNECTED("f"), ""),
     "classes.U.fields.f.server: another field says so already"},
    {"{\"classes\":{\"A\":{\"fields\":{\"f\":{\"type\":\"toOne\",\"target\":\"A\",\"server\":"
     "\"creator\"}}}}}", AT_F "only a toOne or list"},
    /* rights */
    {"{\"classes\":{\"A\":{\"access\":{\"addChild\":\"me\"}}}}",
     "classes.A.access.addChild: expected nobody, everyone, signedIn, "},
    {"{\"classes\":{\"A\":{\"access\":{\"addChild\":{\"owner\":\"@me\"}}}}}",
     "classes.A.access.addChild.owner: expected @user, or a field"},
    {"{\"classes\":{\"A\":{\"access\":{\"create\":{\"owner\":\"@user\"}}}}}",
     "classes.A.access.create: what is not made yet belongs to nobody"},
    /* summaries */
    {SUMMARY("\"s\""), AT_SUM "expected an array, found a string"},
    {SUMMARY("[]"), AT_SUM "expected one string or more"},
    {SUMMARY("[\"s\",7]"), AT_SUM "expected one string or more, and nothing else"},
    {SUMMARY("[\"x\"]"), AT_SUM "A has no field x"},
    {SUMMARY("[\"s\",\"n\",\"s\"]"), AT_SUM "s stands there twice"},
    {SUMMARY("[\"many\"]"), AT_SUM "many is no part of the content"},
    {SUMMARY("[\"nameless\"]"), AT_SUM "nameless is no part of the content"},
    {CLASS("\"summary\":[\"all\"],\"children\":{\"relation\":\"all\",\"views\":{}}"),
     AT_SUM "all is no part of the content"},
    /* children */
    {CHILDREN("[]"), AT_CHILD ": expected an object, found an array"},
    {CHILDREN("{\"relation\":\"all\",\"views\":{},\"x\":1}"), AT_CHILD ".x: unknown"},
    {CHILDREN("{\"views\":{}}"), AT_CHILD ".relation: missing"},
    {CHILDREN("{\"relation\":7,\"views\":{}}"), AT_CHILD ".relation: expected a string"},
    {RELATION("x"), AT_CHILD ".relation: expected the name of a list or toMany of this class"},
    {RELATION("b"), AT_CHILD ".relation: expected the name of a list or toMany"},
    {RELATION("hidden"), AT_CHILD ".relation: not everyone who signs in may read H, and pages"},
    {RELATION("nameless"), AT_CHILD ".relation: N has no type, so its objects have no keys"},
    {MODEL("", "", ",\"children\":{\"relation\":\"many\",\"views\":{}}", ""),
     AT_CHILD ": A has no type, so nobody can ask for them"},
    {CHILDREN("{\"relation\":\"all\"}"), AT_CHILD ".views: missing"},
    {VIEWS("[]"), AT_CHILD ".views: expected an object, found an array"},
    {VIEWS("{\"a view\":{\"size\":1,\"order\":[{\"by\":\"n\"}]}}"),
     AT_CHILD ".views.a view: a view has a name of letters"},
    /* views */
    {VIEW("7"), AT_V ": expected an object"},
    {VIEW("{\"size\":1,\"order\":[{\"by\":\"n\"}],\"pages\":2}"), AT_V ".pages: unknown"},
    {VIEW("{\"order\":[{\"by\":\"n\"}]}"), AT_V ".size: expected an integer from 1 to 250"},
    {VIEW("{\"size\":0,\"order\":[{\"by\":\"n\"}]}"), AT_V ".size: expected an integer"},
    {VIEW("{\"size\":251,\"order\":[{\"by\":\"n\"}]}"), AT_V ".size: expected an integer"},
    {VIEW("{\"size\":\"5\",\"order\":[{\"by\":\"n\"}]}"), AT_V ".size: expected an integer"},
    {VIEW("{\"size\":1.5,\"order\":[{\"by\":\"n\"}]}"), AT_V ".size: expected an integer"},
    {VIEW("{\"size\":1}"), AT_V ".order: missing"},
    {ORDER("{}"), AT_V ".order: expected an array, found an object"},
    {ORDER("[]"), AT_V ".order: expected one step or more"},
    {ORDER("[{\"by\":\"n\"},\"n\"]"), AT_SORT ": expected an object"},
    {SORT("\"by\":\"n\",\"up\":true"), AT_SORT ".up: unknown"},
    {SORT(""), AT_SORT ".by: missing"},
    {SORT("\"by\":7"), AT_SORT ".by: expected a string, found a number"},
    {SORT("\"by\":[]"), AT_SORT ".by: expected one string or more"},
    {SORT("\"by\":[\"n\",7]"), AT_SORT ".by: expected one string or more"},
    {SORT("\"by\":[\"n\",\"n\"]"), AT_SORT ".by: n stands there twice"},
    {SORT("\"by\":\"x\""), AT_SORT ".by: no child has a field x"},
    {SORT("\"by\":[\"n\",\"x\"]"), AT_SORT ".by: no child has a field x"},
    {SORT("\"by\":\"j\""), AT_SORT ".by: j of A is json or a relation"},
    {SORT("\"by\":\"b\""), AT_SORT ".by: b of A is json or a relation"},
    {SORT("\"by\":\"all\""), AT_SORT ".by: all of A is json or a relation"},
    {SORT("\"by\":\"n\",\"descending\":1"), AT_SORT ".descending: expected a boolean"},
    {SORT("\"by\":\"n\",\"ranks\":\"x\""), AT_SORT ".ranks: expected an array"},
    {SORT("\"by\":\"n\",\"ranks\":[]"), AT_SORT ".ranks: expected one string or more"},
    {SORT("\"by\":\"n\",\"ranks\":[\"1\"]"), AT_SORT ".ranks: 1 is no value of n"},
    {CHILDREN("{\"relation\":\"many\",\"views\":{\"v\":{\"size\":1,\"order\":[{\"by\":\"a\"}]}}}"),
     AT_V ".order[0].by: a of T is json or a relation"},
    /* entry points */
    {ENTRIES("[]"), "entryPoints: expected an object, found an array"},
    {ENTRIES("{\"a b\":{\"self\":true}}"), "entryPoints.a b: an entry point has a name of"},
    {ENTRIES("{\"session\":{\"self\":true}}"), "entryPoints.session: an entry point has a name"},
    {ENTRIES("{\"config\":{\"self\":true}}"), "entryPoints.config: an entry point has a name"},
    {ENTRIES("{\"e\":7}"), AT_E ": expected an object with self, field, own or key"},
    {ENTRY(""), AT_E ": expected an object with self, field, own or key"},
    {ENTRY("\"self\":true,\"own\":\"a\""), AT_E ".own: unknown"},
    {ENTRY("\"own\":\"a\",\"object\":{}"), AT_E ".object: unknown"},
    {ENTRY("\"self\":false"), AT_E ".self: expected true"},
    {"{\"classes\":{},\"entryPoints\":{\"e\":{\"self\":true}}}",
     AT_E ".self: no class with a type stands for users"},
    {ENTRY("\"field\":7"), AT_E ".field: expected a string"},
    {ENTRY("\"field\":\"x\""), AT_E ".field: expected a toOne of the class that stands for users"},
    {ENTRY("\"field\":\"id\""), AT_E ".field: expected a toOne of the class that stands for users"},
    {ENTRY("\"field\":\"n\""), AT_E ".field: expected a toOne of the class that stands for users"},
    {ENTRY("\"own\":7"), AT_E ".own: expected a string"},
    {ENTRY("\"own\":\"A\""), AT_E ".own: no class has this type"},
    {ENTRY("\"own\":\"t\""), AT_E ".own: objects of T are made as children"},
    {ENTRY("\"own\":\"r\""), AT_E ".own: s of R is required and has no default"},
    {KEY("7"), AT_E ".key: expected an object, found a number"},
    {KEY("{\"type\":\"a\"}"), AT_E ".key.id: missing"},
    {KEY("{\"type\":\"x\",\"id\":1}"), AT_E ".key.type: no such type"},
    {KEY("{\"type\":\"a\",\"id\":1}"), AT_E ".key.id: no object of type a has such an id"},
    {OBJECT("[]"), AT_E ".object: expected an object"},
    {OBJECT("{\"x\":1}"), AT_E ".object.x: no such field"},
    {OBJECT("{\"n\":\"1\"}"), AT_E ".object.n: expected an integer, found a string"},
    {OBJECT("{\"cn\":\"A\"}"), AT_E ".object.cn: no such field"},
    {OBJECT("{\"@version\":1}"), AT_E ".object.@version: no such field"},
    {OBJECT("{\"many\":[]}"), AT_E ".object.many: derived, so it cannot be given"},
    {ENTRY("\"key\":{\"type\":\"r\",\"id\":\"1\"},\"object\":{}"),
     AT_E ".object: s of R is required and has no default"},
    {EVERYONE("[]"), AT_E ".everyone: expected an object"},
    {EVERYONE("{\"class\":\"J\",\"here\":\"a\",\"person\":\"u\",\"x\":1}"),
     AT_E ".everyone.x: unknown"},
    {EVERYONE("{\"class\":\"J\",\"here\":\"a\"}"), AT_E ".everyone.person: missing"},
    {EVERYONE("{\"class\":\"J\",\"person\":\"u\"}"), AT_E ".everyone.here: missing"},
    {EVERYONE("{\"here\":\"a\",\"person\":\"u\"}"), AT_E ".everyone.class: missing"},
    {JOIN("X", "a", "u"), AT_E ".everyone.class: no such class"},
    {JOIN("J", "x", "u"), AT_E ".everyone.here: expected a toOne of the join class"},
    {JOIN("J", "s", "u"), AT_E ".everyone.here: expected a toOne of the join class"},
    {JOIN("J", "u", "u"), AT_E ".everyone.here: does not refer to the entry point"},
    {JOIN("J", "a", "s"), AT_E ".everyone.person: expected a toOne of the join class"},
    {JOIN("J", "a", "a"), AT_E ".everyone.person: does not refer to the class that stands for"},
    {JOIN("JR", "a", "u"), AT_E ".everyone: r of JR is required and has no default"},
    {EVERYONE("{\"class\":\"T\",\"here\":\"a\",\"person\":\"a\"}"), AT_E ".everyone.class: expected"},
    /* words to clients */
    {"{\"classes\":{},\"clientConfig\":[]}", "clientConfig: expected an object, found an array"},
    // clang-format on
};

static const char *line_with(const char *problems, const char *told)
{
    const char *line = problems;

    while (line && strncmp(line, told, strlen(told)) != 0) {
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    return line;
}

START_TEST(a_mistake_is_told_with_its_path)
{
    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
        _cleanup_(text_deinitp) struct text content = {0}, problems = {0};
        struct model *model = NULL;

        text_add(&content, mistakes[i].json);
        ck_assert_msg(model_parse("test", &content, &model, &problems) == ERR_CONFIG, "%s",
                      mistakes[i].json);
        ck_assert_msg(line_with(text_str(&problems), mistakes[i].told),
                      "%s\nnot told: %s\ntold: %s", mistakes[i].json, mistakes[i].told,
                      problems.at);
    }
}
END_TEST

UNIT_SUITE("model_views_wrong", a_mistake_is_told_with_its_path)
