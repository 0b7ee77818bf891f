#include <stdlib.h>
#include <string.h>

#include "common/model/model_content.h"
#include "tests/support/unit.h"

/* Keys and content of the content protocol, both ways. */

static const char model_json[] =
    "{\"classes\":{"
    "\"Person\":{\"type\":\"user\",\"id\":\"integer\",\"anchor\":\"userId\",\"fields\":{"
    "\"userId\":{\"type\":\"string\",\"readOnly\":true},"
    "\"name\":{\"type\":\"string\",\"required\":true},"
    "\"connected\":{\"type\":\"boolean\",\"server\":\"connected\"}},"
    "\"access\":{\"read\":\"signedIn\"}},"
    "\"Note\":{\"type\":\"note\",\"fields\":{"
    "\"state\":{\"type\":\"string\",\"values\":[\"new\",\"old\"]},"
    "\"size\":{\"type\":\"integer\",\"column\":\"bytes\"},"
    "\"share\":{\"type\":\"double\"},"
    "\"made\":{\"type\":\"date\",\"server\":\"now\"},"
    "\"body\":{\"type\":\"json\"},"
    "\"maker\":{\"type\":\"toOne\",\"target\":\"Person\",\"server\":\"creator\"},"
    "\"about\":{\"type\":\"toOne\",\"target\":[\"Person\",\"Note\",\"Part\"]},"
    "\"readers\":{\"type\":\"list\",\"target\":\"Person\",\"server\":\"creator\"},"
    "\"mark\":{\"type\":\"toOne\",\"target\":\"Mark\"}},"
    "\"access\":{\"read\":\"signedIn\"}},"
    "\"Mark\":{\"fields\":{\"note\":{\"type\":\"toOne\",\"target\":\"Note\"}}},"
    "\"Part\":{\"type\":\"part\",\"id\":\"array\",\"fields\":{"
    "\"shelf\":{\"type\":\"toOne\",\"target\":\"Shelf\"}},\"access\":{\"read\":\"signedIn\"}},"
    "\"Shelf\":{\"type\":\"shelf\",\"id\":\"integer\",\"fields\":{"
    "\"notes\":{\"type\":\"list\",\"target\":\"Note\"},"
    "\"parts\":{\"type\":\"toMany\",\"target\":\"Part\",\"inverse\":\"shelf\",\"listed\":true},"
    "\"more\":{\"type\":\"toMany\",\"target\":\"Part\",\"inverse\":\"shelf\"}},"
    "\"children\":{\"relation\":\"notes\",\"views\":{}}}}}";

static struct model *load(void)
{
    _cleanup_(text_deinitp) struct text content = {0}, problems = {0};
    struct model *model = NULL;

    text_add(&content, model_json);
    ck_assert_msg(model_parse("test", &content, &model, &problems) == ERR_OK, "%s",
                  text_str(&problems));
    return model;
}

#define MODEL _cleanup_(model_destroyp) struct model *model = load()

static const struct model_class *class_of(const struct model *model, const char *name)
{
    return model_class(model, name, strlen(name));
}

static const struct model_field *field_of(const struct model *model, const char *class_name,
                                          const char *name)
{
    return model_field(class_of(model, class_name), name, strlen(name));
}

static struct json_span checked(const char *json)
{
    static const struct json_limits limits = {.depth = 64, .number_chars = 1000};

    ck_assert_msg(json_check(json, strlen(json), &limits, NULL) == ERR_OK, "%s", json);
    return json_value(json, strlen(json));
}

/* ---- Keys ---- */

/* The class's name, the id as the store has it, the key. */
static const char *const keys[][3] = {
    {"Person", "5", "{\"type\":\"user\",\"id\":5}"},
    {"Person", "-9223372036854775808", "{\"type\":\"user\",\"id\":-9223372036854775808}"},
    {"Note", "5", "{\"type\":\"note\",\"id\":\"5\"}"},
    {"Note", "a\"b\\\xc3\xa9", "{\"type\":\"note\",\"id\":\"a\\\"b\\\\\xc3\xa9\"}"},
    {"Part", "[7,\"x\"]", "{\"type\":\"part\",\"id\":[7,\"x\"]}"},
};

START_TEST(a_key_is_read_as_it_was_printed)
{
    MODEL;

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        _cleanup_(text_deinitp) struct text key = {0}, problem = {0};
        const struct model_class *c = NULL;
        char *id = NULL;

        model_add_key(&key, class_of(model, keys[i][0]), keys[i][1]);
        ck_assert_str_eq(key.at, keys[i][2]);
        assert_ok(model_read_key(model, checked(key.at), &c, &id, &problem));
        ck_assert_str_eq(c->name, keys[i][0]);
        ck_assert_str_eq(id, keys[i][1]);
        free(id);
    }
}
END_TEST

START_TEST(a_key_may_be_written_in_other_ways)
{
    static const char *const written[][2] = {
        {" { \"id\" : 5 , \"type\" : \"user\" } ", "5"},
        {"{\"\\u0074ype\":\"us\\u0065r\",\"id\":-0}", "0"},
        {"{\"type\":\"note\",\"id\":\"\\u0041\"}", "A"},
        {"{\"type\":\"part\",\"id\":[ -0 , \"\\u0041\" ]}", "[0,\"A\"]"},
    };
    MODEL;

    for (size_t i = 0; i < ARRAY_SIZE(written); i++) {
        _cleanup_(text_deinitp) struct text problem = {0};
        const struct model_class *c = NULL;
        char *id = NULL;

        assert_ok(model_read_key(model, checked(written[i][0]), &c, &id, &problem));
        ck_assert_str_eq(id, written[i][1]);
        free(id);
    }
}
END_TEST

static const struct {
    const char *key;
    enum err e;
    const char *problem;
} wrong_keys[] = {
    {"7", ERR_MALFORMED, ": expected an object, found a number"},
    {"null", ERR_MALFORMED, ": expected an object, found null"},
    {"[]", ERR_MALFORMED, ": expected an object, found an array"},
    {"{}", ERR_MALFORMED, ".id: missing"},
    {"{\"id\":5}", ERR_MALFORMED, ".type: expected a string"},
    {"{\"type\":\"user\"}", ERR_MALFORMED, ".id: missing"},
    {"{\"type\":7,\"id\":5}", ERR_MALFORMED, ".type: expected a string"},
    {"{\"type\":\"user\",\"id\":5,\"x\":1}", ERR_MALFORMED,
     ": a key has the members type and id only"},
    {"{\"type\":\"user\",\"id\":5,\"id\":5}", ERR_MALFORMED, ".id: stands there twice"},
    {"{\"type\":\"user\",\"type\":\"user\",\"id\":5}", ERR_MALFORMED, ".type: stands there twice"},
    {"{\"type\":\"user\",\"id\":null}", ERR_MALFORMED,
     ".id: expected an integer, a string, or an array of these"},
    {"{\"type\":\"user\",\"id\":true}", ERR_MALFORMED, ".id: expected an integer,"},
    {"{\"type\":\"user\",\"id\":{}}", ERR_MALFORMED, ".id: expected an integer,"},
    {"{\"type\":\"user\",\"id\":1.5}", ERR_MALFORMED, ".id: expected an integer,"},
    {"{\"type\":\"user\",\"id\":1e3}", ERR_MALFORMED, ".id: expected an integer,"},
    {"{\"type\":\"part\",\"id\":[]}", ERR_MALFORMED, ".id: expected an integer,"},
    {"{\"type\":\"part\",\"id\":[null]}", ERR_MALFORMED, ".id: expected an integer,"},
    {"{\"type\":\"part\",\"id\":[[1]]}", ERR_MALFORMED, ".id: expected an integer,"},
    {"{\"type\":\"part\",\"id\":[1,1.5]}", ERR_MALFORMED, ".id: expected an integer,"},
    /* Also where the type is unknown. */
    {"{\"type\":\"nothing\",\"id\":null}", ERR_MALFORMED, ".id: expected an integer,"},
    {"{\"type\":\"nothing\",\"id\":5}", ERR_NOT_FOUND, ".type: no such type"},
    {"{\"type\":\"user\\u0000\",\"id\":5}", ERR_NOT_FOUND, ".type: no such type"},
    {"{\"type\":\"Person\",\"id\":5}", ERR_NOT_FOUND, ".type: no such type"},
    {"{\"type\":\"user\",\"id\":\"5\"}", ERR_NOT_FOUND,
     ".id: no object of type user has such an id"},
    {"{\"type\":\"user\",\"id\":[5]}", ERR_NOT_FOUND, ".id: no object of type user"},
    {"{\"type\":\"user\",\"id\":9223372036854775808}", ERR_NOT_FOUND, ".id: no object of type"},
    {"{\"type\":\"note\",\"id\":5}", ERR_NOT_FOUND, ".id: no object of type note"},
    {"{\"type\":\"note\",\"id\":\"\"}", ERR_NOT_FOUND, ".id: no object of type note"},
    {"{\"type\":\"note\",\"id\":\"a\\u0000b\"}", ERR_NOT_FOUND, ".id: no object of type note"},
    {"{\"type\":\"note\",\"id\":\"a\\nb\"}", ERR_NOT_FOUND, ".id: no object of type note"},
    {"{\"type\":\"part\",\"id\":5}", ERR_NOT_FOUND, ".id: no object of type part"},
    {"{\"type\":\"part\",\"id\":[9223372036854775808]}", ERR_NOT_FOUND, ".id: no object of type"},
};

START_TEST(what_is_no_key_is_told)
{
    MODEL;

    for (size_t i = 0; i < ARRAY_SIZE(wrong_keys); i++) {
        _cleanup_(text_deinitp) struct text problem = {0};
        const struct model_class *c = NULL;
        char *id = NULL;
        enum err e = model_read_key(model, checked(wrong_keys[i].key), &c, &id, &problem);

        ck_assert_msg(e == wrong_keys[i].e, "%s: %s", wrong_keys[i].key, err_text(e));
        ck_assert_msg(strstr(text_str(&problem), wrong_keys[i].problem) == problem.at, "%s: %s",
                      wrong_keys[i].key, text_str(&problem));
        ck_assert_ptr_null(id);
    }
}
END_TEST

START_TEST(the_longest_id_is_still_one)
{
    MODEL;

    for (int size = 512; size <= 513; size++) {
        _cleanup_(text_deinitp) struct text key = {0}, problem = {0};
        const struct model_class *c = NULL;
        char *id = NULL;

        text_addf(&key, "{\"type\":\"note\",\"id\":\"%0*d\"}", size, 7);
        ck_assert_int_eq(model_read_key(model, checked(key.at), &c, &id, &problem),
                         size == 512 ? ERR_OK : ERR_NOT_FOUND);
        free(id);
    }
}
END_TEST

START_TEST(a_new_key_may_lack_its_id)
{
    MODEL;
    _cleanup_(text_deinitp) struct text problem = {0};
    const struct model_class *c = NULL;
    char *id = NULL;

    assert_ok(model_read_new_key(model, checked("{\"type\":\"user\"}"), &c, &id, &problem));
    ck_assert_ptr_eq(c, class_of(model, "Person"));
    ck_assert_ptr_null(id);
    assert_ok(
        model_read_new_key(model, checked("{\"type\":\"note\",\"id\":\"n\"}"), &c, &id, &problem));
    ck_assert_str_eq(id, "n");
    free(id);
    ck_assert_int_eq(
        model_read_new_key(model, checked("{\"type\":\"note\",\"id\":null}"), &c, &id, &problem),
        ERR_MALFORMED);
    ck_assert_int_eq(model_read_new_key(model, checked("{}"), &c, &id, &problem), ERR_MALFORMED);
}
END_TEST

/* ---- Content for clients ---- */

/* The texts of a Note, by column. */
static const char *note_text(const void *arg, const struct model_field *field)
{
    static const char *const texts[][2] = {
        {"state", "\"new\""},
        {"bytes", "9007199254740993"},
        {"share", "1.10"},
        {"body", "{\"a\":[]}"},
        {"maker", "{\"className\":\"Person\",\"ID\":\"5\"}"},
        {"about", "{\"className\":\"Part\",\"ID\":\"[1,\\\"x\\\"]\"}"},
        {"readers", "[{\"className\":\"Person\",\"ID\":\"5\"},{\"className\":\"Person\",\"ID\":"
                    "\"-6\"}]"},
        {"mark", "{\"className\":\"Mark\",\"ID\":\"m\"}"},
    };

    (void)arg;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        if (!strcmp(texts[i][0], field->column))
            return texts[i][1];
    }
    return NULL;
}

static const char *nothing(const void *arg, const struct model_field *field)
{
    (void)arg;
    (void)field;
    return NULL;
}

START_TEST(content_is_every_field_in_its_order)
{
    MODEL;
    _cleanup_(text_deinitp) struct text out = {0};

    model_add_content(&out, class_of(model, "Note"), note_text, NULL);
    ck_assert_str_eq(out.at, "{\"state\":\"new\",\"size\":9007199254740993,\"share\":1.10,"
                             "\"made\":null,\"body\":{\"a\":[]},"
                             "\"maker\":{\"key\":{\"type\":\"user\",\"id\":5}},"
                             "\"about\":{\"key\":{\"type\":\"part\",\"id\":[1,\"x\"]}},"
                             "\"readers\":[{\"key\":{\"type\":\"user\",\"id\":5}},"
                             "{\"key\":{\"type\":\"user\",\"id\":-6}}]}");
}
END_TEST

START_TEST(null_and_empty_lists_are_shown)
{
    MODEL;
    _cleanup_(text_deinitp) struct text out = {0};

    model_add_content(&out, class_of(model, "Note"), nothing, NULL);
    ck_assert_str_eq(out.at, "{\"state\":null,\"size\":null,\"share\":null,\"made\":null,"
                             "\"body\":null,\"maker\":null,\"about\":null,\"readers\":[]}");
}
END_TEST

START_TEST(children_unlisted_and_unnameable_relations_are_no_content)
{
    MODEL;
    const struct model_class *shelf = class_of(model, "Shelf");
    _cleanup_(text_deinitp) struct text out = {0};

    model_add_content(&out, shelf, nothing, NULL);
    ck_assert_str_eq(out.at, "{\"parts\":[]}");
    ck_assert(!model_in_content(shelf, field_of(model, "Shelf", "notes")));
    ck_assert(model_in_content(shelf, field_of(model, "Shelf", "parts")));
    ck_assert(!model_in_content(shelf, field_of(model, "Shelf", "more")));
    ck_assert(!model_in_content(class_of(model, "Note"), field_of(model, "Note", "mark")));
}
END_TEST

START_TEST(references_to_what_the_model_does_not_know_are_left_out)
{
    MODEL;
    _cleanup_(text_deinitp) struct text out = {0};

    model_add_content_value(&out, field_of(model, "Note", "about"),
                            "{\"className\":\"Gone\",\"ID\":\"1\"}");
    ck_assert_str_eq(out.at, "null");
    text_clear(&out);
    model_add_content_value(&out, field_of(model, "Note", "readers"),
                            "[{\"className\":\"Gone\",\"ID\":\"1\"},{\"className\":\"Person\","
                            "\"ID\":\"2\"},{\"className\":\"Gone\",\"ID\":\"3\"},{\"className\":"
                            "\"Person\",\"ID\":\"4\"}]");
    ck_assert_str_eq(out.at, "[{\"key\":{\"type\":\"user\",\"id\":2}},"
                             "{\"key\":{\"type\":\"user\",\"id\":4}}]");
}
END_TEST

/* ---- Content from clients ---- */

static const char *value_of(const struct model_object *object, const char *name)
{
    for (size_t i = 0; i < object->count; i++) {
        if (!strcmp(object->values[i].field->name, name)) {
            ck_assert_uint_eq(strlen(object->values[i].text), object->values[i].size);
            return object->values[i].text;
        }
    }
    return NULL;
}

START_TEST(some_members_become_values)
{
    MODEL;
    _cleanup_(text_deinitp) struct text problem = {0};
    struct model_object object;

    assert_ok(model_read_content(
        model, class_of(model, "Note"),
        checked("{\"state\":\"old\",\"size\":-0,\"share\":1.10,\"body\":{ \"a\" : 1.0 },"
                "\"about\":{\"name\":\"a summary\",\"key\":{\"id\":[ 1 ],\"type\":\"part\"}},"
                "\"readers\":[{\"key\":{\"type\":\"user\",\"id\":5}},"
                "{\"key\":{\"type\":\"user\",\"id\":6},\"name\":null}]}"),
        &object, &problem));
    ck_assert_ptr_eq(object.class_, class_of(model, "Note"));
    ck_assert_ptr_null(object.id);
    ck_assert_uint_eq(object.count, 6);
    ck_assert_str_eq(value_of(&object, "state"), "\"old\"");
    ck_assert_str_eq(value_of(&object, "size"), "0");
    ck_assert_str_eq(value_of(&object, "share"), "1.10");
    ck_assert_str_eq(value_of(&object, "body"), "{\"a\":1.0}");
    ck_assert_str_eq(value_of(&object, "about"), "{\"className\":\"Part\",\"ID\":\"[1]\"}");
    ck_assert_str_eq(value_of(&object, "readers"), "[{\"className\":\"Person\",\"ID\":\"5\"},"
                                                   "{\"className\":\"Person\",\"ID\":\"6\"}]");
    model_object_deinit(&object);
}
END_TEST

START_TEST(null_clears_and_an_empty_list_is_null)
{
    MODEL;
    _cleanup_(text_deinitp) struct text problem = {0};
    struct model_object object;

    assert_ok(model_read_content(model, class_of(model, "Note"),
                                 checked("{\"state\":null,\"about\":null,\"readers\":[]}"), &object,
                                 &problem));
    ck_assert_str_eq(value_of(&object, "state"), "null");
    ck_assert_str_eq(value_of(&object, "about"), "null");
    ck_assert_str_eq(value_of(&object, "readers"), "null");
    model_object_deinit(&object);
    assert_ok(model_read_content(model, class_of(model, "Note"), checked("{}"), &object, &problem));
    ck_assert_uint_eq(object.count, 0);
    model_object_deinit(&object);
}
END_TEST

static const struct {
    const char *class_name, *members;
    enum err e;
    const char *problem;
} wrong_contents[] = {
    {"Note", "[]", ERR_TYPE, ": expected an object, found an array"},
    {"Note", "{\"nothing\":1}", ERR_MALFORMED, ": Note has no field \"nothing\""},
    {"Note", "{\"key\":{}}", ERR_MALFORMED, ": Note has no field \"key\""},
    {"Note", "{\"bytes\":1}", ERR_MALFORMED, ": Note has no field \"bytes\""},
    {"Note", "{\"size\":1,\"size\":1}", ERR_MALFORMED, ".size: stands there twice"},
    {"Note", "{\"size\":\"1\"}", ERR_TYPE, ".size: expected an integer, found a string"},
    {"Note", "{\"state\":\"bad\"}", ERR_RANGE, ".state: expected one of new, old"},
    {"Note", "{\"made\":5}", ERR_TYPE, ".made: set by the server"},
    {"Note", "{\"maker\":null}", ERR_TYPE, ".maker: set by the server"},
    {"Note", "{\"mark\":null}", ERR_MALFORMED, ".mark: no part of the content"},
    {"Shelf", "{\"notes\":[]}", ERR_MALFORMED, ".notes: no part of the content"},
    {"Shelf", "{\"more\":[]}", ERR_MALFORMED, ".more: no part of the content"},
    {"Shelf", "{\"parts\":[]}", ERR_TYPE, ".parts: set by the server"},
    {"Person", "{\"userId\":\"me\"}", ERR_TYPE, ".userId: set by the server"},
    {"Person", "{\"connected\":true}", ERR_TYPE, ".connected: set by the server"},
    {"Person", "{\"name\":null}", ERR_TYPE, ".name: required, so it cannot be null"},
    {"Note", "{\"about\":7}", ERR_TYPE, ".about: expected an object, found a number"},
    {"Note", "{\"about\":{}}", ERR_TYPE, ".about.key: expected an object, found nothing"},
    {"Note", "{\"about\":{\"type\":\"user\",\"id\":5}}", ERR_TYPE, ".about.key: expected"},
    {"Note", "{\"about\":{\"key\":{\"type\":\"user\"}}}", ERR_TYPE, ".about.key.id: missing"},
    {"Note", "{\"about\":{\"key\":{\"type\":\"x\",\"id\":5}}}", ERR_TYPE,
     ".about.key.type: no such type"},
    {"Note", "{\"about\":{\"key\":{\"type\":\"shelf\",\"id\":5}}}", ERR_TYPE,
     ".about.key.type: objects of type shelf cannot stand here"},
    {"Note", "{\"about\":{\"key\":1,\"key\":{\"type\":\"user\",\"id\":5}}}", ERR_MALFORMED,
     ".about.key: stands there twice"},
    {"Note", "{\"readers\":{}}", ERR_TYPE, ".readers: expected an array, found an object"},
    {"Note", "{\"readers\":[{\"key\":{\"type\":\"user\",\"id\":5}},null]}", ERR_TYPE,
     ".readers[1]: expected an object, found null"},
    {"Note", "{\"readers\":[{\"key\":{\"type\":\"user\",\"id\":\"5\"}}]}", ERR_TYPE,
     ".readers[0].key.id: no object of type user has such an id"},
};

START_TEST(what_the_model_does_not_allow_is_told)
{
    MODEL;

    for (size_t i = 0; i < ARRAY_SIZE(wrong_contents); i++) {
        _cleanup_(text_deinitp) struct text problem = {0};
        struct model_object object;
        enum err e = model_read_content(model, class_of(model, wrong_contents[i].class_name),
                                        checked(wrong_contents[i].members), &object, &problem);

        ck_assert_msg(e == wrong_contents[i].e, "%s: %s", wrong_contents[i].members, err_text(e));
        ck_assert_msg(strstr(text_str(&problem), wrong_contents[i].problem) == problem.at, "%s: %s",
                      wrong_contents[i].members, text_str(&problem));
        ck_assert_ptr_null(object.values);
    }
}
END_TEST

UNIT_SUITE("model_content", a_key_is_read_as_it_was_printed, a_key_may_be_written_in_other_ways,
           what_is_no_key_is_told, the_longest_id_is_still_one, a_new_key_may_lack_its_id,
           content_is_every_field_in_its_order, null_and_empty_lists_are_shown,
           children_unlisted_and_unnameable_relations_are_no_content,
           references_to_what_the_model_does_not_know_are_left_out, some_members_become_values,
           null_clears_and_an_empty_list_is_null, what_the_model_does_not_allow_is_told)
