#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/model/model.h"
#include "tests/support/model_texts.h"
#include "tests/support/unit.h"

/* From a file to the model. */

/* Loads a model from `json`, through a file of its own. */
static enum err load(const char *json, struct model **out, struct text *problems)
{
    char path[] = "/tmp/activestack-model-XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    enum err e;

    ck_assert_ptr_nonnull(file);
    fputs(json, file);
    fclose(file);
    e = model_load(path, out, problems);
    unlink(path);
    return e;
}

static const struct model_class *class_of(const struct model *model, const char *name)
{
    const struct model_class *c = model_class(model, name, strlen(name));

    ck_assert_msg(c != NULL, "no class %s", name);
    return c;
}

static const struct model_field *field_of(const struct model_class *c, const char *name)
{
    const struct model_field *field = model_field(c, name, strlen(name));

    ck_assert_msg(field != NULL, "no field %s.%s", c->name, name);
    return field;
}

START_TEST(a_rule_has_a_text_for_the_scripts)
{
    _cleanup_(model_destroyp) struct model *model = NULL;
    _cleanup_(text_deinitp) struct text problems = {0};
    const struct model_class *c;

    assert_ok(load(CLASS("\"access\":{\"read\":\"everyone\",\"create\":\"signedIn\",\"update\":"
                         "{\"role\":\"chief.editor_2-a\"},\"addChild\":{\"owner\":\"@user\"}}"),
                   &model, &problems));
    c = class_of(model, "A");
    ck_assert_ptr_nonnull(model_rule_has(&c->rules[ACTION_UPDATE], RULE_ROLE));
    ck_assert_ptr_null(model_rule_has(&c->rules[ACTION_UPDATE], RULE_OWNER));
    ck_assert_str_eq(c->rules[ACTION_READ].text, "everyone");
    ck_assert_str_eq(c->rules[ACTION_CREATE].text, "signedIn");
    ck_assert_str_eq(c->rules[ACTION_UPDATE].text, "role:chief.editor_2-a");
    ck_assert_str_eq(c->rules[ACTION_REMOVE].text, "nobody");
    ck_assert_str_eq(c->rules[ACTION_ADD_CHILD].text, "owner:@u");
}
END_TEST

START_TEST(a_file_that_is_not_there_or_not_json_is_told)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    struct model *model = NULL;

    ck_assert_int_eq(model_load("/nonexistent/model.json", &model, &problems), ERR_IO);
    ck_assert_ptr_nonnull(strstr(text_str(&problems), "/nonexistent/model.json"));
    text_clear(&problems);
    ck_assert_int_eq(load("{\"classes\":", &model, &problems), ERR_CONFIG);
    ck_assert_uint_gt(problems.size, 0);
}
END_TEST

START_TEST(an_empty_model_is_a_model)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    _cleanup_(model_destroyp) struct model *model = NULL;

    ck_assert_int_eq(load("{\"classes\":{}}", &model, &problems), ERR_OK);
    ck_assert_uint_eq(model_class_count(model), 0);
    ck_assert_ptr_null(model_anchor(model));
    ck_assert_ptr_null(model_class(model, "A", 1));
    ck_assert_ptr_null(model_class_by_type(model, "a"));
}
END_TEST

START_TEST(defaults_are_kept_as_they_are_written)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    _cleanup_(model_destroyp) struct model *model = NULL;
    const struct model_class *c;

    ck_assert_int_eq(load(FIELDS("\"i\":{\"type\":\"integer\",\"default\":9007199254740993},"
                                 "\"d\":{\"type\":\"double\",\"default\":1.10},"
                                 "\"s\":{\"type\":\"string\",\"default\":\"a\\/\\u00e9\"},"
                                 "\"j\":{\"type\":\"json\",\"default\":{\"a\" : [ ]}},"
                                 "\"n\":{\"type\":\"json\",\"default\":null}"),
                          &model, &problems),
                     ERR_OK);
    c = class_of(model, "A");
    ck_assert_str_eq(field_of(c, "i")->initial, "9007199254740993");
    ck_assert_str_eq(field_of(c, "d")->initial, "1.10");
    ck_assert_str_eq(field_of(c, "s")->initial, "\"a/\xc3\xa9\"");
    ck_assert_str_eq(field_of(c, "j")->initial, "{\"a\":[]}");
    ck_assert_ptr_null(field_of(c, "n")->initial);
}
END_TEST

START_TEST(a_child_that_stands_first_has_fields_id_and_rules_of_its_parents)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    _cleanup_(model_destroyp) struct model *model = NULL;
    const struct model_class *child, *top;

    ck_assert_int_eq(load("{\"classes\":{"
                          "\"C\":{\"parent\":\"B\",\"fields\":{\"c\":{\"type\":\"date\"}},"
                          "\"access\":{\"remove\":\"nobody\"}},"
                          "\"B\":{\"parent\":\"A\",\"abstract\":true},"
                          "\"A\":{\"id\":\"array\",\"fields\":{\"z\":{\"type\":\"string\"},"
                          "\"y\":{\"type\":\"date\"}},"
                          "\"access\":{\"read\":\"everyone\",\"update\":{\"owner\":\"z\"},"
                          "\"remove\":\"signedIn\"}}}}",
                          &model, &problems),
                     ERR_OK);
    child = class_of(model, "C");
    top = class_of(model, "A");
    ck_assert_uint_eq(child->field_count, 3);
    ck_assert_str_eq(child->fields[0].name, "z");
    ck_assert_str_eq(child->fields[1].name, "y");
    ck_assert_str_eq(child->fields[2].name, "c");
    ck_assert_int_eq(child->id, ID_ARRAY);
    ck_assert_str_eq(child->rules[ACTION_READ].text, "everyone");
    ck_assert_str_eq(child->rules[ACTION_CREATE].text, "nobody");
    ck_assert_str_eq(child->rules[ACTION_REMOVE].text, "nobody");
    ck_assert_str_eq(child->rules[ACTION_UPDATE].text, "owner:z");
    ck_assert(model_is_a(child, top) && !model_is_a(top, child));
    ck_assert_uint_eq(top->concrete_count, 2);
    ck_assert_ptr_eq(top->concrete[0], child);
    ck_assert_ptr_eq(top->concrete[1], top);
}
END_TEST

START_TEST(a_required_field_may_be_left_out_but_not_be_null)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    _cleanup_(model_destroyp) struct model *model = NULL;
    struct model_object object;

    ck_assert_int_eq(load(FIELDS("\"f\":{\"type\":\"json\",\"required\":true}"), &model, &problems),
                     ERR_OK);
    ck_assert_int_eq(model_read_object(model, json_span_of("{\"cn\":\"A\"}"), &object, &problems),
                     ERR_OK);
    model_object_deinit(&object);
    ck_assert_int_eq(
        model_read_object(model, json_span_of("{\"cn\":\"A\",\"f\":null}"), &object, &problems),
        ERR_TYPE);
    ck_assert_str_eq(problems.at, "theObject.f: required, so it cannot be null");
}
END_TEST

/* ---- The example ---- */

struct expected {
    const char *name, *type;
    enum id_kind id;
    const char *fields; /* "name:type ", the type as in enum field_type */
};

static const struct expected example[] = {
    // clang-format off
    {"Person", "user", ID_INTEGER, "userId:0 first_name:0 last_name:0 display_name:0 picture:0 status:0 "
                                   "presence:0 connected:3 "},
    {"Item", NULL, ID_STRING, "title:0 text:0 created:4 owner:6 "},
    {"Task", "task", ID_STRING, "title:0 text:0 created:4 owner:6 done:3 priority:1 estimate:2 due:4 "
                                "assignee:6 "},
    {"Note", "note", ID_STRING, "title:0 text:0 created:4 owner:6 body:5 "},
    {"Group", "unit", ID_INTEGER, "name:0 children:8 "},
    {"Membership", NULL, ID_STRING, "group:6 person:6 "},
    {"Index", "index", ID_INTEGER, "children:7 "},
    {"Favorites", "fav", ID_INTEGER, "children:7 "},
    {"Rooms", "rooms", ID_INTEGER, "children:7 "},
    {"Conversations", "conversations", ID_INTEGER, "children:7 "},
    {"Notebook", "notes", ID_INTEGER, "children:7 "},
    {"Room", "room", ID_INTEGER, "name:0 members:7 children:8 "},
    {"Message", "msg", ID_ARRAY, "sender:6 time:4 text:0 read:3 "},
    // clang-format on
};

static struct model *load_example(void)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    struct model *model = NULL;
    enum err e = model_load(SOURCE_ROOT "/deploy/example/model.json", &model, &problems);

    ck_assert_msg(e == ERR_OK, "%s", text_str(&problems));
    return model;
}

static void is_as_expected(const struct model_class *c, const struct expected *x)
{
    _cleanup_(text_deinitp) struct text name = {0}, fields = {0};

    text_addf(&name, "com.app.mo.%s", x->name);
    ck_assert_str_eq(c->name, name.at);
    ck_assert_pstr_eq(c->type, x->type);
    ck_assert_int_eq(c->id, x->id);
    ck_assert_int_eq(c->abstract, strcmp(x->name, "Item") == 0);
    for (size_t i = 0; i < c->field_count; i++)
        text_addf(&fields, "%s:%d ", c->fields[i].name, (int)c->fields[i].type);
    ck_assert_str_eq(fields.at, x->fields);
}

START_TEST(the_example_has_the_classes_and_fields_of_the_contract)
{
    _cleanup_(model_destroyp) struct model *model = load_example();

    ck_assert_uint_eq(model_class_count(model), ARRAY_SIZE(example));
    for (size_t i = 0; i < ARRAY_SIZE(example); i++) {
        const struct model_class *c = model_class_at(model, i);

        is_as_expected(c, &example[i]);
        ck_assert_ptr_eq(class_of(model, c->name), c);
        if (c->type)
            ck_assert_ptr_eq(model_class_by_type(model, c->type), c);
    }
}
END_TEST

/* Who may create, update, remove, add children. */
static const char *const rights[][5] = {
    {"Person", "nobody", "owner:userId", "nobody", "owner:userId"},
    {"Item", "signedIn", "signedIn", "signedIn", "signedIn"},
    {"Task", "signedIn", "signedIn", "signedIn", "signedIn"},
    {"Note", "signedIn", "signedIn", "signedIn", "signedIn"},
    {"Group", "nobody", "nobody", "nobody", "nobody"},
    {"Membership", "owner:person", "nobody", "owner:person", "nobody"},
    {"Index", "nobody", "nobody", "nobody", "nobody"},
    {"Favorites", "nobody", "owner:@u", "nobody", "owner:@u"},
    {"Rooms", "nobody", "owner:@u", "nobody", "owner:@u"},
    {"Conversations", "nobody", "owner:@u", "nobody", "owner:@u"},
    {"Notebook", "nobody", "owner:@u", "nobody", "owner:@u"},
    {"Room", "signedIn", "owner:members", "nobody", "owner:members"},
    {"Message", "signedIn", "signedIn", "nobody", "signedIn"},
};

START_TEST(the_example_has_the_rights_of_the_contract)
{
    _cleanup_(model_destroyp) struct model *model = load_example();

    ck_assert_uint_eq(model_class_count(model), ARRAY_SIZE(rights));
    for (size_t i = 0; i < ARRAY_SIZE(rights); i++) {
        const struct model_class *c = model_class_at(model, i);

        ck_assert_str_eq(strrchr(c->name, '.') + 1, rights[i][0]);
        ck_assert_str_eq(c->rules[ACTION_READ].text, "signedIn");
        ck_assert_str_eq(c->rules[ACTION_CREATE].text, rights[i][1]);
        ck_assert_str_eq(c->rules[ACTION_UPDATE].text, rights[i][2]);
        ck_assert_str_eq(c->rules[ACTION_REMOVE].text, rights[i][3]);
        ck_assert_str_eq(c->rules[ACTION_ADD_CHILD].text, rights[i][4]);
    }
    ck_assert_str_eq(model_anchor(model)->name, "com.app.mo.Person");
    ck_assert_str_eq(model_anchor(model)->anchor_field->name, "userId");
}
END_TEST

START_TEST(the_example_has_the_values_and_relations_of_the_contract)
{
    _cleanup_(model_destroyp) struct model *model = load_example();
    const struct model_class *person = class_of(model, "com.app.mo.Person");
    const struct model_field *presence = field_of(person, "presence");
    const struct model_field *f;

    ck_assert_str_eq(presence->initial, "\"offline\"");
    ck_assert_str_eq(presence->values[0], "online");
    ck_assert_str_eq(presence->values[2], "offline");
    ck_assert_ptr_null(presence->values[3]);
    ck_assert(field_of(person, "connected")->read_only && field_of(person, "userId")->read_only);

    f = field_of(class_of(model, "com.app.mo.Message"), "read");
    ck_assert_str_eq(f->initial, "false");
    f = field_of(class_of(model, "com.app.mo.Group"), "children");
    ck_assert_ptr_eq(f->targets[0], person);
    ck_assert_ptr_eq(f->through, class_of(model, "com.app.mo.Membership"));
    ck_assert_str_eq(f->inverse, "group");
    ck_assert_str_eq(f->onward, "person");
    ck_assert(!f->listed);
    f = field_of(class_of(model, "com.app.mo.Favorites"), "children");
    ck_assert_ptr_eq(f->targets[0], person);
    ck_assert_ptr_eq(f->targets[1], class_of(model, "com.app.mo.Group"));
    ck_assert_ptr_null(f->targets[2]);
    f = field_of(class_of(model, "com.app.mo.Room"), "children");
    ck_assert_str_eq(f->inverse, "ID");
    for (size_t i = 0; i < model_class_count(model); i++)
        for (size_t j = 0; j < model_class_at(model, i)->field_count; j++)
            ck_assert(!model_class_at(model, i)->fields[j].required);
}
END_TEST

static void assert_names(const struct model_class *const *classes, const char *names)
{
    for (; *names; names++, classes++) {
        ck_assert_ptr_nonnull(*classes);
        ck_assert_int_eq((*classes)->name[0], *names);
    }
    ck_assert_ptr_null(*classes);
}

/* `sources` and `members`: the names of the classes, which have one letter each. */
static void assert_listing(const char *json, const char *sources, const char *members)
{
    _cleanup_(model_destroyp) struct model *model = NULL;
    _cleanup_(text_deinitp) struct text problems = {0};
    const struct model_listing *listing;
    size_t count;

    ck_assert_int_eq(load(json, &model, &problems), ERR_OK);
    listing = model_listings(model, &count)[0];
    ck_assert_uint_eq(count, 1); /* the field of D is that of A */
    ck_assert_ptr_eq(listing->owner, class_of(model, "A"));
    ck_assert_ptr_eq(listing->field, field_of(listing->owner, "f"));
    assert_names(listing->sources, sources);
    assert_names(listing->members, members);
    for (size_t i = 0; i < model_class_count(model); i++) {
        const struct model_class *c = model_class_at(model, i);
        const bool is_source = strchr(sources, c->name[0]) != NULL;

        ck_assert_uint_eq(c->listing_count, is_source);
        ck_assert(!is_source || c->listings[0] == listing);
    }
}

START_TEST(a_listed_field_knows_who_makes_it_up)
{
    assert_listing(LISTED("\"signedIn\"", "a", ""), "BC", "BC");
    assert_listing(LISTED("\"everyone\"", "l", ""), "BC", "BC");
    assert_listing(LISTED("\"signedIn\"", "a", THROUGH("b")), "J", "BC");
}
END_TEST

START_TEST(a_class_has_the_indexes_of_its_parents_and_its_own)
{
    _cleanup_(model_destroyp) struct model *model = NULL;
    _cleanup_(text_deinitp) struct text problems = {0};
    const struct model_class *a, *p;

    ck_assert_int_eq(load(INDEX("\"fields\":[\"p\",\"d\"],\"unique\":true"), &model, &problems),
                     ERR_OK);
    a = class_of(model, "A");
    p = class_of(model, "P");
    ck_assert_uint_eq(p->index_count, 1);
    ck_assert_uint_eq(a->index_count, 3);
    ck_assert_str_eq(a->indexes[0].name, "p");
    ck_assert_ptr_eq(a->indexes[0].owner, p);
    ck_assert_str_eq(a->indexes[1].name, "d+p");
    ck_assert(!a->indexes[1].unique);
    ck_assert_str_eq(a->indexes[2].name, "p+d");
    ck_assert_ptr_eq(a->indexes[2].owner, a);
    ck_assert(a->indexes[2].unique);
    ck_assert_uint_eq(a->indexes[2].field_count, 2);
    ck_assert_str_eq(a->indexes[2].fields[0], "p");
    ck_assert_str_eq(a->indexes[2].fields[1], "d");
}
END_TEST

START_TEST(a_field_that_was_renamed_keeps_its_column)
{
    _cleanup_(model_destroyp) struct model *model = NULL;
    _cleanup_(text_deinitp) struct text problems = {0};
    const struct model_class *a;

    ck_assert_int_eq(load(CLASS("\"fields\":{\"done\":{\"type\":\"boolean\",\"column\":\"ok\"},"
                                "\"ok\":{\"type\":\"string\",\"column\":\"done\"}},"
                                "\"indexes\":[{\"fields\":[\"done\",\"ok\"]}]"),
                          &model, &problems),
                     ERR_OK);
    a = class_of(model, "A");
    ck_assert_str_eq(field_of(a, "done")->column, "ok");
    ck_assert_str_eq(field_of(a, "ok")->column, "done");
    ck_assert_str_eq(a->indexes[0].name, "done+ok");
    ck_assert_str_eq(a->indexes[0].columns, "ok+done");
}
END_TEST

START_TEST(models_that_mean_the_same_have_one_digest)
{
    static const char *const files[] = {FIELDS("\"n\":{\"type\":\"double\",\"default\":1.10}"),
                                        " {\"classes\" : {\"A\":\n{\"fields\":{\"n\":"
                                        "{\"type\":\"double\", \"default\":1.10}}}}}\n",
                                        FIELDS("\"n\":{\"type\":\"double\",\"default\":1.2}")};
    struct model *models[ARRAY_SIZE(files)];

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        _cleanup_(text_deinitp) struct text content = {0}, problems = {0};

        text_add(&content, files[i]);
        ck_assert_int_eq(model_parse("model", &content, &models[i], &problems), ERR_OK);
    }
    ck_assert_str_eq(model_text(models[1]), files[0]);
    ck_assert_str_eq(model_digest(models[1]), model_digest(models[0]));
    ck_assert_str_ne(model_digest(models[2]), model_digest(models[0]));
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        model_destroy(models[i]);
}
END_TEST

START_TEST(a_class_has_the_history_of_its_parents)
{
    _cleanup_(model_destroyp) struct model *model = NULL;
    _cleanup_(text_deinitp) struct text problems = {0};

    ck_assert_int_eq(load("{\"classes\":{\"C\":{\"parent\":\"B\",\"history\":false},"
                          "\"B\":{\"parent\":\"A\",\"history\":true},\"A\":{}}}",
                          &model, &problems),
                     ERR_OK);
    ck_assert(class_of(model, "C")->history);
    ck_assert(class_of(model, "B")->history);
    ck_assert(!class_of(model, "A")->history);
}
END_TEST

UNIT_SUITE("model_load", a_rule_has_a_text_for_the_scripts, a_class_has_the_history_of_its_parents,
           a_class_has_the_indexes_of_its_parents_and_its_own, a_listed_field_knows_who_makes_it_up,
           a_file_that_is_not_there_or_not_json_is_told, an_empty_model_is_a_model,
           defaults_are_kept_as_they_are_written,
           a_child_that_stands_first_has_fields_id_and_rules_of_its_parents,
           a_field_that_was_renamed_keeps_its_column, models_that_mean_the_same_have_one_digest,
           a_required_field_may_be_left_out_but_not_be_null,
           the_example_has_the_classes_and_fields_of_the_contract,
           the_example_has_the_rights_of_the_contract,
           the_example_has_the_values_and_relations_of_the_contract)
