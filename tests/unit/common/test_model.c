#include <stdlib.h>
#include <string.h>

#include "common/model/model.h"
#include "tests/support/unit.h"

/* Requests' objects, pairs and IDs, against the example domain. */

static struct model *load_example(void)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    struct model *model = NULL;

    assert_ok(model_load(SOURCE_ROOT "/deploy/example/model.json", &model, &problems));
    return model;
}

#define EXAMPLE _cleanup_(model_destroyp) struct model *model = load_example()

static const struct model_class *class_of(const struct model *model, const char *name)
{
    const struct model_class *c = model_class(model, name, strlen(name));

    ck_assert_msg(c != NULL, "no class %s", name);
    return c;
}

static struct json_span checked(const char *json)
{
    static const struct json_limits limits = {.depth = 64, .number_chars = 1000};

    ck_assert_msg(json_check(json, strlen(json), &limits, NULL) == ERR_OK, "%s", json);
    return json_span_of(json);
}

/* The text of a field, or NULL if the object does not carry it. */
static const char *value_of(const struct model_object *object, const char *name)
{
    for (size_t i = 0; i < object->count; i++)
        if (strcmp(object->values[i].field->name, name) == 0) {
            ck_assert_uint_eq(strlen(object->values[i].text), object->values[i].size);
            return object->values[i].text;
        }
    return NULL;
}

#define TASK(members)   "{\"cn\":\"com.app.mo.Task\"," members "}"
#define PERSON(members) "{\"cn\":\"com.app.mo.Person\"," members "}"

/* ---- Objects that are right ---- */

START_TEST(an_object_is_read_with_its_id_and_values)
{
    EXAMPLE;
    _cleanup_(text_deinitp) struct text problem = {0};
    struct model_object object;

    assert_ok(
        model_read_object(model,
                          checked(TASK("\"ID\":\"t1\",\"done\":true,\"title\":\"a \\u00e9 \\/\","
                                       "\"priority\":9007199254740993,\"estimate\":1.10,"
                                       "\"due\":-1,\"assignee\":{\"className\":"
                                       "\"com.app.mo.Person\",\"ID\":\"7\",\"properties\":{}},"
                                       "\"text\":null,\"owner\":null")),
                          &object, &problem));
    ck_assert_ptr_eq(object.class_, class_of(model, "com.app.mo.Task"));
    ck_assert_str_eq(object.id, "t1");
    ck_assert_uint_eq(object.count, 8);
    ck_assert_str_eq(value_of(&object, "done"), "true");
    ck_assert_str_eq(value_of(&object, "title"), "\"a \xc3\xa9 /\"");
    ck_assert_str_eq(value_of(&object, "priority"), "9007199254740993");
    ck_assert_str_eq(value_of(&object, "estimate"), "1.10");
    ck_assert_str_eq(value_of(&object, "due"), "-1");
    ck_assert_str_eq(value_of(&object, "assignee"),
                     "{\"className\":\"com.app.mo.Person\",\"ID\":\"7\"}");
    ck_assert_str_eq(value_of(&object, "text"), "null");
    ck_assert_str_eq(value_of(&object, "owner"), "null");
    ck_assert_ptr_null(value_of(&object, "created"));
    ck_assert_uint_eq(problem.size, 0);
    model_object_deinit(&object);
}
END_TEST

START_TEST(json_values_stay_as_they_are)
{
    EXAMPLE;
    static const char *const values[][2] = {
        {"[]", "[]"},
        {"{}", "{}"},
        {"null", "null"},
        {"[ ]", "[]"},
        {"12345678901234567890123", "12345678901234567890123"},
        {"[1.0, 1e5, -0, 1E+2]", "[1.0,1e5,-0,1E+2]"},
        {"{ \"b\" : 1, \"a\" : {\"c\":[null,\"\\u0041\"]} }",
         "{\"b\":1,\"a\":{\"c\":[null,\"A\"]}}"},
        {"\"\"", "\"\""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        _cleanup_(text_deinitp) struct text json = {0}, problem = {0};
        struct model_object object;

        text_addf(&json, "{\"cn\":\"com.app.mo.Note\",\"body\":%s}", values[i][0]);
        assert_ok(model_read_object(model, checked(json.at), &object, &problem));
        ck_assert_str_eq(value_of(&object, "body"), values[i][1]);
        model_object_deinit(&object);
    }
}
END_TEST

START_TEST(an_id_that_is_absent_null_or_blank_is_none)
{
    EXAMPLE;
    static const char *const objects[] = {TASK("\"done\":true"), TASK("\"ID\":null"),
                                          TASK("\"ID\":\"\""), TASK("\"ID\":\" \\t \"")};

    for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
        _cleanup_(text_deinitp) struct text problem = {0};
        struct model_object object;

        assert_ok(model_read_object(model, checked(objects[i]), &object, &problem));
        ck_assert_ptr_null(object.id);
        model_object_deinit(&object);
    }
}
END_TEST

START_TEST(what_the_server_keeps_or_derives_is_ignored)
{
    EXAMPLE;
    _cleanup_(text_deinitp) struct text problem = {0};
    struct model_object object;

    assert_ok(model_read_object(model,
                                checked(PERSON("\"ID\":\"1\",\"userId\":7,\"connected\":{},"
                                               "\"status\":\"x\"")),
                                &object, &problem));
    ck_assert_uint_eq(object.count, 1);
    ck_assert_str_eq(value_of(&object, "status"), "\"x\"");
    model_object_deinit(&object);

    assert_ok(model_read_object(
        model, checked("{\"cn\":\"com.app.mo.Group\",\"ID\":\"1\",\"children\":7}"), &object,
        &problem));
    ck_assert_uint_eq(object.count, 0);
    model_object_deinit(&object);
}
END_TEST

START_TEST(a_list_is_read_pair_by_pair)
{
    EXAMPLE;
    static const char *const lists[][2] = {
        {"[]", "null"},
        {"null", "null"},
        {"[ {\"ID\":\"1\",\"className\":\"com.app.mo.Person\"},"
         "{\"className\":\"com.app.mo.Group\",\"ID\":\"-2\",\"properties\":null} ]",
         "[{\"className\":\"com.app.mo.Person\",\"ID\":\"1\"},"
         "{\"className\":\"com.app.mo.Group\",\"ID\":\"-2\"}]"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        _cleanup_(text_deinitp) struct text json = {0}, problem = {0};
        struct model_object object;

        text_addf(&json, "{\"cn\":\"com.app.mo.Favorites\",\"children\":%s}", lists[i][0]);
        assert_ok(model_read_object(model, checked(json.at), &object, &problem));
        ck_assert_str_eq(value_of(&object, "children"), lists[i][1]);
        model_object_deinit(&object);
    }
}
END_TEST

/* ---- Objects that are wrong ---- */

struct wrong {
    const char *json;
    enum err e;
    const char *told; /* the whole line */
};

static const struct wrong wrongs[] = {
    // clang-format off
    {"[]", ERR_TYPE, "theObject: expected an object, found an array"},
    {"null", ERR_TYPE, "theObject: expected an object, found null"},
    {"{}", ERR_MALFORMED, "theObject.cn: missing"},
    {"{\"cn\":7}", ERR_TYPE, "theObject.cn: expected a string, found a number"},
    {"{\"cn\":null}", ERR_TYPE, "theObject.cn: expected a string, found null"},
    {"{\"cn\":\"com.app.mo.Tas\"}", ERR_NOT_FOUND, "theObject.cn: no such class"},
    {"{\"cn\":\"com.app.mo.Task\\u0000\"}", ERR_NOT_FOUND, "theObject.cn: no such class"},
    {"{\"cn\":\"com.app.mo.Item\"}", ERR_NOT_FOUND, "theObject.cn: com.app.mo.Item is abstract"},
    {TASK("\"cn\":\"com.app.mo.Task\""), ERR_MALFORMED, "theObject.cn: stands there twice"},
    {TASK("\"ID\":null,\"ID\":\"x\""), ERR_MALFORMED, "theObject.ID: stands there twice"},
    {TASK("\"ID\":7"), ERR_TYPE, "theObject.ID: expected a string, found a number"},
    {TASK("\"ID\":\"a\\nb\""), ERR_RANGE, "theObject.ID: an ID holds no control characters"},
    {TASK("\"ID\":\"a\\u0000b\""), ERR_RANGE,
     "theObject.ID: an ID has 1 to 512 bytes and holds no control characters"},
    {PERSON("\"ID\":\"x\""), ERR_TYPE, "theObject.ID: expected the decimal text of a 64-bit integer"},
    {TASK("\"colour\":1"), ERR_MALFORMED, "theObject: com.app.mo.Task has no field \"colour\""},
    {TASK("\"done\\u0000\":true"), ERR_MALFORMED,
     "theObject: com.app.mo.Task has no field \"done\\u0000\""},
    {TASK("\"0123456789012345678901234567890123456789012345678901234567890123456789\":1"),
     ERR_MALFORMED, "theObject: com.app.mo.Task has no field of such a long name"},
    {TASK("\"done\":true,\"done\":true"), ERR_MALFORMED, "theObject.done: stands there twice"},
    {TASK("\"done\":true,\"d\\u006fne\":true"), ERR_MALFORMED, "theObject.done: stands there twice"},
    {PERSON("\"userId\":1,\"userId\":1"), ERR_MALFORMED, "theObject.userId: stands there twice"},
    {TASK("\"done\":\"true\""), ERR_TYPE, "theObject.done: expected a boolean, found a string"},
    {TASK("\"done\":0"), ERR_TYPE, "theObject.done: expected a boolean, found a number"},
    {TASK("\"title\":1"), ERR_TYPE, "theObject.title: expected a string, found a number"},
    {TASK("\"priority\":\"1\""), ERR_TYPE, "theObject.priority: expected an integer, found a string"},
    {TASK("\"priority\":1.0"), ERR_TYPE,
     "theObject.priority: expected an integer without fraction and exponent"},
    {TASK("\"priority\":1e3"), ERR_TYPE,
     "theObject.priority: expected an integer without fraction and exponent"},
    {TASK("\"priority\":9223372036854775808"), ERR_RANGE,
     "theObject.priority: outside the range of 64-bit integers"},
    {TASK("\"due\":true"), ERR_TYPE, "theObject.due: expected an integer, found a boolean"},
    {TASK("\"estimate\":\"1\""), ERR_TYPE, "theObject.estimate: expected a number, found a string"},
    {PERSON("\"presence\":\"away\""), ERR_RANGE,
     "theObject.presence: expected one of online, busy, offline"},
    {TASK("\"owner\":\"1\""), ERR_TYPE, "theObject.owner: expected an object, found a string"},
    {TASK("\"owner\":{}"), ERR_TYPE, "theObject.owner.className: expected a string, found nothing"},
    {TASK("\"owner\":{\"className\":\"x\",\"ID\":\"1\"}"), ERR_TYPE,
     "theObject.owner.className: no such class"},
    {TASK("\"owner\":{\"className\":\"com.app.mo.Note\",\"ID\":\"1\"}"), ERR_TYPE,
     "theObject.owner.className: objects of com.app.mo.Note cannot stand here"},
    {TASK("\"owner\":{\"className\":\"com.app.mo.Person\",\"ID\":\"x\"}"), ERR_TYPE,
     "theObject.owner.ID: expected the decimal text of a 64-bit integer"},
    {TASK("\"owner\":{\"className\":\"com.app.mo.Person\",\"ID\":\"1\",\"cn\":\"y\"}"), ERR_MALFORMED,
     "theObject.owner: a pair has the members className, ID and properties only"},
    {"{\"cn\":\"com.app.mo.Notebook\",\"children\":{}}", ERR_TYPE,
     "theObject.children: expected an array, found an object"},
    {"{\"cn\":\"com.app.mo.Notebook\",\"children\":[null]}", ERR_TYPE,
     "theObject.children[0]: expected an object, found null"},
    {"{\"cn\":\"com.app.mo.Notebook\",\"children\":[{\"className\":\"com.app.mo.Note\",\"ID\":\"n\"},"
     "{\"className\":\"com.app.mo.Item\",\"ID\":\"n\"}]}", ERR_TYPE,
     "theObject.children[1].className: objects of com.app.mo.Item cannot stand here"},
    // clang-format on
};

static void refused(const struct model *model, const struct wrong *w)
{
    _cleanup_(text_deinitp) struct text problem = {0};
    struct model_object object;
    enum err e = model_read_object(model, checked(w->json), &object, &problem);

    ck_assert_msg(e == w->e, "%s: %s", w->json, err_text(e));
    assert_text(&problem, w->told);
    ck_assert_ptr_null(object.id);
    ck_assert_ptr_null(object.values);
    ck_assert_uint_eq(object.count, 0);
}

START_TEST(a_wrong_object_is_refused_with_the_path)
{
    EXAMPLE;

    for (size_t i = 0; i < ARRAY_SIZE(wrongs); i++)
        refused(model, &wrongs[i]);
}
END_TEST

/* ---- IDs and pairs ---- */

START_TEST(an_id_is_of_its_class_kind)
{
    EXAMPLE;
    static const struct {
        const char *class_name, *id;
        enum err e;
    } ids[] = {
        // clang-format off
        {"com.app.mo.Task", "t:1 {x}", ERR_OK},      {"com.app.mo.Task", "", ERR_RANGE},
        {"com.app.mo.Task", "\x7f", ERR_RANGE},      {"com.app.mo.Task", "\xc3\xa9", ERR_OK},
        {"com.app.mo.Person", "0", ERR_OK},          {"com.app.mo.Person", "-9223372036854775808", ERR_OK},
        {"com.app.mo.Person", "-0", ERR_TYPE},       {"com.app.mo.Person", "9223372036854775808", ERR_TYPE},
        {"com.app.mo.Person", "01", ERR_TYPE},       {"com.app.mo.Person", "+1", ERR_TYPE},
        {"com.app.mo.Person", " 1", ERR_TYPE},       {"com.app.mo.Person", "1.0", ERR_TYPE},
        {"com.app.mo.Message", "[1,2]", ERR_OK},     {"com.app.mo.Message", "[\"a\",2]", ERR_OK},
        {"com.app.mo.Message", "[1, 2]", ERR_TYPE},  {"com.app.mo.Message", "[]", ERR_TYPE},
        {"com.app.mo.Message", "[1.5]", ERR_TYPE},   {"com.app.mo.Message", "[[1]]", ERR_TYPE},
        {"com.app.mo.Message", "[\"\\u0041\"]", ERR_TYPE}, {"com.app.mo.Message", "[1,2", ERR_TYPE},
        {"com.app.mo.Message", "7", ERR_TYPE},       {"com.app.mo.Message", "[null]", ERR_TYPE},
        {"com.app.mo.Message", "[-0]", ERR_TYPE},
        // clang-format on
    };

    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        const char *why = NULL;
        enum err e = model_check_id(class_of(model, ids[i].class_name), ids[i].id, &why);

        ck_assert_msg(e == ids[i].e, "%s: %s", ids[i].id, err_text(e));
        ck_assert(!e || why);
    }
}
END_TEST

START_TEST(an_id_has_512_bytes_at_most)
{
    EXAMPLE;
    char id[514] = {0};
    const char *why;

    memset(id, 'x', 512);
    ck_assert_int_eq(model_check_id(class_of(model, "com.app.mo.Task"), id, &why), ERR_OK);
    id[512] = 'x';
    ck_assert_int_eq(model_check_id(class_of(model, "com.app.mo.Task"), id, &why), ERR_RANGE);
}
END_TEST

START_TEST(a_pair_names_a_class_and_an_id)
{
    EXAMPLE;
    _cleanup_(text_deinitp) struct text problem = {0};
    const struct model_class *c = NULL;
    char *id = NULL;

    assert_ok(model_read_pair(model,
                              checked("{\"properties\":{\"a\":1},\"ID\":\"t\\/1\","
                                      "\"className\":\"com.app.mo.Item\"}"),
                              &c, &id, &problem));
    ck_assert_ptr_eq(c, class_of(model, "com.app.mo.Item"));
    ck_assert_str_eq(id, "t/1");
    free(id);
}
END_TEST

static const struct wrong wrong_pairs[] = {
    // clang-format off
    {"7", ERR_TYPE, ": expected an object, found a number"},
    {"{\"ID\":\"1\"}", ERR_TYPE, ".className: expected a string, found nothing"},
    {"{\"className\":\"x\",\"ID\":\"1\"}", ERR_NOT_FOUND, ".className: no such class"},
    {"{\"className\":\"com.app.mo.Task\"}", ERR_TYPE, ".ID: expected a string, found nothing"},
    {"{\"className\":\"com.app.mo.Task\",\"ID\":\"\"}", ERR_RANGE, ".ID: an ID has 1 to 512 bytes"},
    {"{\"className\":\"com.app.mo.Task\",\"ID\":\"1\",\"ID\":\"1\"}", ERR_MALFORMED,
     ".ID: stands there twice"},
    {"{\"className\":\"com.app.mo.Task\",\"ID\":\"1\",\"x\":1}", ERR_MALFORMED,
     ": a pair has the members className, ID and properties only"},
    // clang-format on
};

static void pair_refused(const struct model *model, const struct wrong *w)
{
    _cleanup_(text_deinitp) struct text problem = {0};
    const struct model_class *c = NULL;
    char *id = NULL;
    enum err e = model_read_pair(model, checked(w->json), &c, &id, &problem);

    ck_assert_msg(e == w->e, "%s: %s", w->json, err_text(e));
    assert_text(&problem, w->told);
    ck_assert_ptr_null(id);
}

START_TEST(a_wrong_pair_is_refused_with_the_path)
{
    EXAMPLE;

    for (size_t i = 0; i < ARRAY_SIZE(wrong_pairs); i++)
        pair_refused(model, &wrong_pairs[i]);
}
END_TEST

/* ---- Pairs that may name a parent ---- */

#define FAMILY                                                                                   \
    "{\"classes\":{\"Thing\":{\"abstract\":true},\"Box\":{\"parent\":\"Thing\"},"                \
    "\"Crate\":{\"parent\":\"Box\"},\"Only\":{\"abstract\":true},\"One\":{\"parent\":\"Only\"}," \
    "\"Shelf\":{\"fields\":{\"name\":{\"type\":\"string\"},"                                     \
    "\"top\":{\"type\":\"toOne\",\"target\":\"Thing\"},\"leaf\":{\"type\":\"toOne\",\"target\":" \
    "\"Crate\"},\"all\":{\"type\":\"list\",\"target\":\"Box\"}}}}}"

static struct model *parse_family(void)
{
    _cleanup_(text_deinitp) struct text content = {0}, problems = {0};
    struct model *model = NULL;

    text_add(&content, FAMILY);
    ck_assert_msg(!model_parse("family", &content, &model, &problems), "%s", text_str(&problems));
    return model;
}

START_TEST(a_family_is_what_has_a_common_ancestor)
{
    _cleanup_(model_destroyp) struct model *model = parse_family();
    const struct model_class *thing = class_of(model, "Thing");

    ck_assert_ptr_eq(model_family(class_of(model, "Crate")), thing);
    ck_assert_ptr_eq(model_family(class_of(model, "Box")), thing);
    ck_assert_ptr_null(model_family(class_of(model, "One")));
    ck_assert_ptr_null(model_family(class_of(model, "Shelf")));
    ck_assert(model_names_others(thing) && model_names_others(class_of(model, "Box")));
    ck_assert(model_names_others(class_of(model, "Only")));
    ck_assert(!model_names_others(class_of(model, "Crate")));
}
END_TEST

struct visited {
    struct text seen;
    const struct model_class *crate;
};

static const struct model_class *visit(void *arg, const struct model_class *named, const char *id)
{
    struct visited *visited = arg;

    text_addf(&visited->seen, "%s:%s ", named->name, id);
    return strcmp(id, "c") == 0 ? visited->crate : named;
}

START_TEST(a_pair_gets_the_class_that_the_visitor_says)
{
    _cleanup_(model_destroyp) struct model *model = parse_family();
    struct visited visited = {.crate = class_of(model, "Crate")};
    _cleanup_(text_deinitp) struct text problem = {0};
    struct model_object object;

    assert_ok(model_read_object(
        model,
        checked("{\"cn\":\"Shelf\",\"all\":[{\"className\":\"Box\",\"ID\":\"c\"},{\"className\":"
                "\"Crate\",\"ID\":\"x\"},{\"className\":\"Box\",\"ID\":\"b\"}],"
                "\"name\":\"n\",\"top\":{\"className\":\"Thing\",\"ID\":\"c\"},"
                "\"leaf\":{\"className\":\"Crate\",\"ID\":\"c\"}}"),
        &object, &problem));
    model_visit_pairs(model, &object, visit, &visited);
    ck_assert_str_eq(text_str(&visited.seen), "Box:c Box:b Thing:c ");
    ck_assert_str_eq(value_of(&object, "all"),
                     "[{\"className\":\"Crate\",\"ID\":\"c\"},{\"className\":\"Crate\",\"ID\":"
                     "\"x\"},{\"className\":\"Box\",\"ID\":\"b\"}]");
    ck_assert_str_eq(value_of(&object, "name"), "\"n\"");
    ck_assert_str_eq(value_of(&object, "top"), "{\"className\":\"Crate\",\"ID\":\"c\"}");
    ck_assert_str_eq(value_of(&object, "leaf"), "{\"className\":\"Crate\",\"ID\":\"c\"}");
    model_object_deinit(&object);
    text_deinit(&visited.seen);
}
END_TEST

START_TEST(relations_that_are_null_are_not_visited)
{
    _cleanup_(model_destroyp) struct model *model = parse_family();
    _cleanup_(text_deinitp) struct text problem = {0};
    struct visited visited = {0};
    struct model_object object;

    assert_ok(model_read_object(model, checked("{\"cn\":\"Shelf\",\"all\":[],\"top\":null}"),
                                &object, &problem));
    model_visit_pairs(model, &object, visit, &visited);
    ck_assert_uint_eq(visited.seen.size, 0);
    ck_assert_str_eq(value_of(&object, "all"), "null");
    ck_assert_str_eq(value_of(&object, "top"), "null");
    model_object_deinit(&object);
}
END_TEST

/* ---- Output ---- */

static const char *one_value(const void *arg, const struct model_field *field)
{
    return strcmp(field->name, arg) == 0 ? "\"x\"" : NULL;
}

START_TEST(an_object_is_written_with_every_field)
{
    EXAMPLE;
    _cleanup_(text_deinitp) struct text out = {0};

    model_add_object(&out, class_of(model, "com.app.mo.Room"), "7", one_value, "name");
    ck_assert_str_eq(out.at, "{\"cn\":\"com.app.mo.Room\",\"ID\":\"7\",\"name\":\"x\","
                             "\"members\":[],\"children\":[]}");
    text_clear(&out);
    model_add_object(&out, class_of(model, "com.app.mo.Membership"), "a\"b", one_value, "none");
    ck_assert_str_eq(out.at, "{\"cn\":\"com.app.mo.Membership\",\"ID\":\"a\\\"b\","
                             "\"group\":null,\"person\":null}");
}
END_TEST

/* ---- Examples of what is looked for ---- */

static const struct {
    const char *json, *field, *text; /* NULL: the field is left open */
} examples[] = {
    {TASK("\"title\":\"a\\n\\u0022\""), "title", "\"a\\n\\\"\""},
    {TASK("\"title\":\" \\t\""), "title", NULL},
    {TASK("\"title\":\"\""), "title", NULL},
    {TASK("\"title\":null"), "title", NULL},
    {TASK("\"done\":false"), "done", "false"},
    {TASK("\"priority\":0"), "priority", "0"},
    {TASK("\"priority\":null"), "priority", NULL},
    {TASK("\"due\":1"), "due", "1"},
    {TASK("\"due\":0"), "due", NULL},
    {TASK("\"due\":-5"), "due", NULL},
    {TASK("\"owner\":{\"ID\":\"7\",\"className\":\"com.app.mo.Person\"}"), "owner",
     "{\"className\":\"com.app.mo.Person\",\"ID\":\"7\"}"},
    {TASK("\"owner\":{\"className\":\"com.app.mo.Person\",\"ID\":\"\"}"), "owner", NULL},
    {TASK("\"owner\":{\"className\":\"com.app.mo.Person\",\"ID\":null}"), "owner", NULL},
    {TASK("\"owner\":{\"className\":\"com.app.mo.Person\"}"), "owner", NULL},
    {PERSON("\"userId\":\"u\""), "userId", "\"u\""}, /* read-only fields count */
    {"{\"cn\":\"com.app.mo.Index\",\"children\":[]}", "children", NULL},
    {"{\"cn\":\"com.app.mo.Index\",\"children\":[{\"className\":\"com.app.mo.Group\",\"ID\":\"1\"}]"
     "}",
     "children", "[{\"className\":\"com.app.mo.Group\",\"ID\":\"1\"}]"},
    {"{\"cn\":\"com.app.mo.Group\",\"children\":[]}", "children", NULL},
    {"{\"cn\":\"com.app.mo.Item\",\"title\":\"a\"}", "title", "\"a\""}, /* abstract */
};

START_TEST(an_example_has_the_fields_that_are_set)
{
    EXAMPLE;

    for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
        _cleanup_(model_object_deinit) struct model_object object = {0};
        _cleanup_(text_deinitp) struct text problem = {0};
        const char *text;

        ck_assert_msg(model_read_example(model, checked(examples[i].json), &object, &problem) ==
                          ERR_OK,
                      "%s: %s", examples[i].json, text_str(&problem));
        text = value_of(&object, examples[i].field);
        if (examples[i].text) {
            ck_assert_msg(text != NULL, "%s", examples[i].json);
            ck_assert_str_eq(text, examples[i].text);
        } else {
            ck_assert_msg(text == NULL, "%s: %s", examples[i].json, text);
            ck_assert_uint_eq(object.count, 0);
        }
    }
}
END_TEST

static const struct {
    const char *json, *problem;
    enum err e;
} wrong_examples[] = {
    {TASK("\"title\":7"), "theObject.title: expected a string", ERR_TYPE},
    {TASK("\"due\":\"now\""), "theObject.due: expected an integer", ERR_TYPE},
    {TASK("\"colour\":\"red\""), "has no field \"colour\"", ERR_MALFORMED},
    {TASK("\"owner\":{\"className\":\"com.app.mo.Task\",\"ID\":\"1\"}"), "theObject.owner",
     ERR_TYPE},
    {"{\"cn\":\"com.app.mo.Group\",\"children\":[7]}", "theObject.children: derived", ERR_TYPE},
    {"{\"cn\":\"no.Such\"}", "theObject.cn", ERR_NOT_FOUND},
    {"[]", "theObject: expected an object", ERR_TYPE},
};

START_TEST(a_wrong_example_is_refused_with_the_path)
{
    EXAMPLE;

    for (size_t i = 0; i < ARRAY_SIZE(wrong_examples); i++) {
        _cleanup_(text_deinitp) struct text problem = {0};
        struct model_object object;

        assert_err(model_read_example(model, checked(wrong_examples[i].json), &object, &problem),
                   wrong_examples[i].e);
        assert_contains(text_str(&problem), wrong_examples[i].problem);
    }
}
END_TEST

/* ---- Exports ---- */

START_TEST(an_export_has_read_only_fields_and_stamps)
{
    EXAMPLE;
    _cleanup_(text_deinitp) struct text problem = {0};
    struct model_object object;

    assert_ok(model_read_exported(
        model,
        checked(PERSON("\"ID\":\"7\",\"userId\":\"u\",\"@version\":3,\"@created\":1700000000000,"
                       "\"@user\":\"us\\u0065r\"")),
        &object, &problem));
    ck_assert_str_eq(object.user, "user");
    ck_assert_str_eq(value_of(&object, "userId"), "\"u\"");
    ck_assert_int_eq(object.version, 3);
    ck_assert_int_eq(object.created_ms, 1700000000000);
    model_object_deinit(&object);

    assert_ok(model_read_exported(model, checked(PERSON("\"ID\":\"7\"")), &object, &problem));
    ck_assert_int_eq(object.version, 0);
    ck_assert_int_eq(object.created_ms, 0);
    ck_assert_ptr_null(object.user);
    model_object_deinit(&object);
}
END_TEST

START_TEST(stamps_and_users_that_are_none_are_refused)
{
    static const char *const stamps[] = {"\"@version\":0",
                                         "\"@version\":9007199254740993",
                                         "\"@version\":1.5",
                                         "\"@created\":null",
                                         "\"@created\":1,\"@created\":1",
                                         "\"@user\":\"\"",
                                         "\"@user\":null",
                                         "\"@user\":\"a\\\"b\"",
                                         "\"@user\":\"a\\u0000\"",
                                         "\"@user\":\"a\\\\\"",
                                         "\"@user\":\"a\\n\"",
                                         "\"@user\":\"a\",\"@user\":\"a\""};
    EXAMPLE;

    for (size_t i = 0; i < ARRAY_SIZE(stamps); i++) {
        _cleanup_(text_deinitp) struct text problem = {0}, json = {0};
        struct model_object object;

        text_addf(&json, PERSON("%s"), stamps[i]);
        ck_assert(model_read_exported(model, checked(json.at), &object, &problem) != ERR_OK);
        ck_assert_msg(problem.at[0] == '@', "%s", problem.at);
    }
}
END_TEST

UNIT_SUITE("model", a_family_is_what_has_a_common_ancestor,
           a_pair_gets_the_class_that_the_visitor_says, relations_that_are_null_are_not_visited,
           an_export_has_read_only_fields_and_stamps, stamps_and_users_that_are_none_are_refused,
           an_example_has_the_fields_that_are_set, a_wrong_example_is_refused_with_the_path,
           an_object_is_read_with_its_id_and_values, json_values_stay_as_they_are,
           an_id_that_is_absent_null_or_blank_is_none, what_the_server_keeps_or_derives_is_ignored,
           a_list_is_read_pair_by_pair, a_wrong_object_is_refused_with_the_path,
           an_id_is_of_its_class_kind, an_id_has_512_bytes_at_most, a_pair_names_a_class_and_an_id,
           a_wrong_pair_is_refused_with_the_path, an_object_is_written_with_every_field)
