#include <string.h>

#include "common/model/model.h"
#include "tests/support/unit.h"

/* What a model says for the content protocol: summaries, children and their views, who may add
 * some, what the server sets, entry points. */

static struct model *load(const char *json)
{
    _cleanup_(text_deinitp) struct text content = {0}, problems = {0};
    struct model *model = NULL;

    text_add(&content, json);
    ck_assert_msg(model_parse("test", &content, &model, &problems) == ERR_OK, "%s",
                  text_str(&problems));
    return model;
}

#define MODEL(json) _cleanup_(model_destroyp) struct model *model = load(json)

static const struct model_class *class_of(const struct model *model, const char *name)
{
    const struct model_class *c = model_class(model, name, strlen(name));

    ck_assert_msg(c != NULL, "no class %s", name);
    return c;
}

static const struct model_field *field_of(const struct model_class *c, const char *name)
{
    return model_field(c, name, strlen(name));
}

static const struct model_view *view_of(const struct model_class *c, const char *name)
{
    return model_view(c, name, strlen(name));
}

/* Class A of users, a class B of shelves for them; then what else a test brings. */
#define READ ",\"access\":{\"read\":\"signedIn\"}"
#define PERSON                                                               \
    "\"A\":{\"type\":\"a\",\"id\":\"integer\",\"anchor\":\"u\",\"fields\":{" \
    "\"u\":{\"type\":\"string\"},\"n\":{\"type\":\"string\"},"               \
    "\"p\":{\"type\":\"string\",\"values\":[\"on\",\"off\"]},"               \
    "\"b\":{\"type\":\"toOne\",\"target\":\"B\"}}" READ "}"
#define SHELF(more)                                                                        \
    "\"B\":{\"type\":\"b\",\"id\":\"integer\",\"fields\":{"                                \
    "\"name\":{\"type\":\"string\"},\"all\":{\"type\":\"list\",\"target\":[\"A\",\"B\"]}," \
    "\"one\":{\"type\":\"toOne\",\"target\":\"A\"},"                                       \
    "\"us\":{\"type\":\"list\",\"target\":\"A\"}}" more "}"
#define CHILDREN(views) ",\"children\":{\"relation\":\"all\",\"views\":{" views "}}"
#define WITH(classes)   "{\"classes\":{" PERSON "," classes "}}"

/* ---- Children and views ---- */

START_TEST(views_are_as_the_file_has_them)
{
    MODEL(WITH(SHELF(READ CHILDREN(
        "\"up\":{\"size\":50,\"order\":[{\"by\":\"n\"}]},"
        "\"on-first\":{\"size\":5,\"order\":[{\"by\":\"p\",\"ranks\":[\"on\",\"off\"]},"
        "{\"by\":[\"n\",\"name\"],\"descending\":true}]}"))));
    const struct model_class *shelf = class_of(model, "B"), *person = class_of(model, "A");
    const struct model_view *view;

    ck_assert_ptr_eq(shelf->children->relation, field_of(shelf, "all"));
    ck_assert_ptr_eq(shelf->children->members[0], person);
    ck_assert_ptr_eq(shelf->children->members[1], shelf);
    ck_assert_ptr_null(shelf->children->members[2]);
    ck_assert_uint_eq(shelf->children->view_count, 2);
    ck_assert_str_eq(shelf->children->views[0].name, "up");

    view = view_of(shelf, "on-first");
    ck_assert_uint_eq(view->size, 5);
    ck_assert_uint_eq(view->sort_count, 2);
    ck_assert_str_eq(view->sorts[0].ranks[0], "on");
    ck_assert_ptr_null(view->sorts[0].ranks[2]);
    ck_assert(!view->sorts[0].descending && view->sorts[1].descending);
    ck_assert_ptr_null(view->sorts[1].ranks);
    ck_assert_ptr_null(view_of(shelf, "on"));
    ck_assert_ptr_null(view_of(person, "up"));
    ck_assert_ptr_null(person->children);
}
END_TEST

START_TEST(a_child_is_sorted_by_the_first_field_that_it_has)
{
    MODEL(WITH(SHELF(
        READ CHILDREN("\"v\":{\"size\":1,\"order\":[{\"by\":\"p\"},{\"by\":[\"name\",\"n\"]}]}"))));
    const struct model_class *shelf = class_of(model, "B"), *person = class_of(model, "A");
    const struct model_view *view = view_of(shelf, "v");

    ck_assert_ptr_eq(model_sort_field(&view->sorts[0], person), field_of(person, "p"));
    ck_assert_ptr_null(model_sort_field(&view->sorts[0], shelf));
    ck_assert_ptr_eq(model_sort_field(&view->sorts[1], person), field_of(person, "n"));
    ck_assert_ptr_eq(model_sort_field(&view->sorts[1], shelf), field_of(shelf, "name"));
}
END_TEST

START_TEST(children_and_summaries_are_inherited)
{
    MODEL(WITH(SHELF(",\"summary\":[\"name\",\"one\"]" READ CHILDREN(
        "")) ","
             "\"C\":{\"parent\":\"B\",\"type\":\"c\",\"fields\":{\"x\":{\"type\":\"json\"}}},"
             "\"D\":{\"parent\":\"C\",\"type\":\"d\",\"summary\":[\"x\"]}"));
    const struct model_class *c = class_of(model, "C"), *d = class_of(model, "D");

    ck_assert_ptr_eq(c->children->relation, field_of(c, "all"));
    ck_assert_ptr_eq(d->children->relation, field_of(d, "all"));
    ck_assert_ptr_eq(c->summary[0], field_of(c, "name"));
    ck_assert_ptr_eq(c->summary[1], field_of(c, "one"));
    ck_assert_ptr_null(c->summary[2]);
    ck_assert_ptr_eq(d->summary[0], field_of(d, "x"));
    ck_assert_ptr_null(d->summary[1]);
    ck_assert_ptr_null(class_of(model, "A")->summary);
}
END_TEST

/* ---- Rules ---- */

START_TEST(who_may_update_may_add_children_unless_it_is_said)
{
    MODEL(
        WITH(SHELF(",\"access\":{\"update\":\"signedIn\"}") ","
                                                            "\"C\":{\"parent\":\"B\",\"access\":{"
                                                            "\"update\":{\"owner\":\"us\"}}},"
                                                            "\"D\":{\"parent\":\"C\",\"access\":{"
                                                            "\"addChild\":{\"owner\":\"@user\"}}},"
                                                            "\"E\":{\"parent\":\"D\",\"access\":{"
                                                            "\"update\":\"nobody\"}}"));

    ck_assert_str_eq(class_of(model, "A")->rules[ACTION_ADD_CHILD].text, "nobody");
    ck_assert_str_eq(class_of(model, "B")->rules[ACTION_ADD_CHILD].text, "signedIn");
    ck_assert_str_eq(class_of(model, "C")->rules[ACTION_ADD_CHILD].text, "owner:us");
    ck_assert_str_eq(class_of(model, "D")->rules[ACTION_UPDATE].text, "owner:us");
    ck_assert_str_eq(class_of(model, "D")->rules[ACTION_ADD_CHILD].text,
                     "owner:" MODEL_USER_COLUMN);
    ck_assert_str_eq(class_of(model, "E")->rules[ACTION_UPDATE].text, "nobody");
    ck_assert_str_eq(class_of(model, "E")->rules[ACTION_ADD_CHILD].text,
                     "owner:" MODEL_USER_COLUMN);
}
END_TEST

/* ---- What the server sets ---- */

START_TEST(what_the_server_sets_is_read_only_but_for_lists)
{
    MODEL("{\"classes\":{\"A\":{\"anchor\":\"u\",\"fields\":{\"u\":{\"type\":\"string\"},"
          "\"on\":{\"type\":\"boolean\",\"server\":\"connected\",\"default\":false}}},"
          "\"B\":{\"fields\":{\"by\":{\"type\":\"toOne\",\"target\":\"A\",\"server\":\"creator\"},"
          "\"us\":{\"type\":\"list\",\"target\":\"A\",\"server\":\"creator\"},"
          "\"ours\":{\"type\":\"list\",\"target\":\"A\",\"server\":\"creator\",\"readOnly\":true},"
          "\"at\":{\"type\":\"date\",\"server\":\"now\"},\"x\":{\"type\":\"date\"}}}}}");
    const struct model_class *b = class_of(model, "B");

    ck_assert_int_eq(field_of(class_of(model, "A"), "on")->server, SERVER_CONNECTED);
    ck_assert(field_of(class_of(model, "A"), "on")->read_only);
    ck_assert_int_eq(field_of(b, "by")->server, SERVER_CREATOR);
    ck_assert(field_of(b, "by")->read_only);
    ck_assert_int_eq(field_of(b, "us")->server, SERVER_CREATOR);
    ck_assert(!field_of(b, "us")->read_only && field_of(b, "ours")->read_only);
    ck_assert_int_eq(field_of(b, "at")->server, SERVER_NOW);
    ck_assert_int_eq(field_of(b, "x")->server, SERVER_NONE);
    ck_assert(!field_of(b, "x")->read_only);
}
END_TEST

/* ---- Entry points ---- */

#define JOIN                                                          \
    "\"J\":{\"fields\":{\"s\":{\"type\":\"toOne\",\"target\":\"B\"}," \
    "\"p\":{\"type\":\"toOne\",\"target\":\"A\"}}}"
#define ENTRIES(classes, entries) \
    "{\"classes\":{" PERSON "," classes "," JOIN "},\"entryPoints\":{" entries "}}"

START_TEST(entry_points_are_in_the_order_of_the_file)
{
    MODEL(ENTRIES(SHELF(READ),
                  "\"me\":{\"self\":true},\"desk\":{\"field\":\"b\"},\"shelf\":{\"own\":\"b\"},"
                  "\"hall\":{\"key\":{\"type\":\"b\",\"id\":7}},"
                  "\"home\":{\"key\":{\"id\":8,\"type\":\"b\"},\"object\":{\"name\":\"Home\"},"
                  "\"everyone\":{\"class\":\"J\",\"here\":\"s\",\"person\":\"p\"}}"));
    const struct model_class *shelf = class_of(model, "B"), *join = class_of(model, "J");
    const struct model_entry *e;
    size_t count;

    e = model_entries(model, &count);
    ck_assert_uint_eq(count, 5);
    ck_assert_str_eq(e[0].name, "me");
    ck_assert_int_eq(e[0].kind, ENTRY_SELF);
    ck_assert_int_eq(e[1].kind, ENTRY_FIELD);
    ck_assert_ptr_eq(e[1].field, field_of(model_anchor(model), "b"));
    ck_assert_int_eq(e[2].kind, ENTRY_OWN);
    ck_assert_ptr_eq(e[2].class_, shelf);
    ck_assert_int_eq(e[3].kind, ENTRY_FIXED);
    ck_assert_ptr_eq(e[3].class_, shelf);
    ck_assert_str_eq(e[3].id, "7");
    ck_assert_ptr_null(e[3].object);
    ck_assert_ptr_null(e[3].join);
    ck_assert_str_eq(e[4].object, "{\"cn\":\"B\",\"ID\":\"8\",\"name\":\"Home\"}");
    ck_assert_ptr_eq(e[4].join, join);
    ck_assert_ptr_eq(e[4].here, field_of(join, "s"));
    ck_assert_ptr_eq(e[4].person, field_of(join, "p"));
}
END_TEST

START_TEST(a_fixed_object_may_have_nothing_but_its_id)
{
    MODEL(ENTRIES(SHELF(READ), "\"e\":{\"key\":{\"type\":\"b\",\"id\":7},\"object\":{}}"));
    size_t count;

    ck_assert_str_eq(model_entries(model, &count)->object, "{\"cn\":\"B\",\"ID\":\"7\"}");
}
END_TEST

START_TEST(clients_are_told_what_the_file_says)
{
    {
        MODEL("{\"classes\":{},\"clientConfig\":{ \"a\" : [1.10, null] }}");
        size_t count;

        ck_assert_str_eq(model_client_config(model), "{\"a\":[1.10,null]}");
        (void)model_entries(model, &count);
        ck_assert_uint_eq(count, 0);
    }
    {
        MODEL("{\"classes\":{}}");

        ck_assert_str_eq(model_client_config(model), "{}");
    }
}
END_TEST

/* ---- The example ---- */

static const struct {
    const char *name, *summary; /* "field " */
    const char *views;          /* "name size: order, ", ranks as "?", descending as "-" */
} example[] = {
    {"Person", "display_name picture presence connected ", ""},
    {"Task", "title done ", ""},
    {"Note", "title created ", ""},
    {"Group", "name ",
     "asc 50: display_name, desc 50: -display_name, asc_pres_first 5: ?presence display_name, "
     "desc_pres_first 5: ?presence -display_name, "},
    {"Index", "",
     "asc 50: name, desc 50: -name, asc_pres_first 5: name, desc_pres_first 5: -name, "},
    {"Favorites", "",
     "asc 50: display_name|name, desc 50: -display_name|name, "
     "asc_pres_first 5: ?presence display_name|name, "
     "desc_pres_first 5: ?presence -display_name|name, "},
    {"Rooms", "",
     "asc 50: name, desc 50: -name, asc_pres_first 5: name, desc_pres_first 5: -name, "},
    {"Conversations", "",
     "asc 50: name, desc 50: -name, asc_pres_first 5: name, desc_pres_first 5: -name, "},
    {"Notebook", "", "asc 50: title, desc 50: -title, "},
    {"Room", "name members ", "asc 50: time, desc 50: -time, "},
    {"Message", "sender time text read ", ""},
};

static void add_sort(struct text *out, const struct model_sort *sort)
{
    text_addf(out, " %s%s%s", sort->ranks ? "?" : "", sort->descending ? "-" : "", sort->by[0]);
    for (size_t i = 1; sort->by[i]; i++)
        text_addf(out, "|%s", sort->by[i]);
}

static void add_views(struct text *out, const struct model_class *c)
{
    for (size_t i = 0; c->children && i < c->children->view_count; i++) {
        const struct model_view *view = &c->children->views[i];

        text_addf(out, "%s %zu:", view->name, view->size);
        for (size_t j = 0; j < view->sort_count; j++)
            add_sort(out, &view->sorts[j]);
        text_add(out, ", ");
    }
}

START_TEST(the_example_has_the_views_and_summaries_of_the_contract)
{
    _cleanup_(text_deinitp) struct text problems = {0}, name = {0}, summary = {0}, views = {0};
    _cleanup_(model_destroyp) struct model *model = NULL;

    assert_ok(model_load(SOURCE_ROOT "/deploy/example/model.json", &model, &problems));
    for (size_t i = 0; i < ARRAY_SIZE(example); i++) {
        const struct model_class *c;

        text_clear(&name);
        text_clear(&summary);
        text_clear(&views);
        text_addf(&name, "com.app.mo.%s", example[i].name);
        c = class_of(model, name.at);
        for (size_t j = 0; c->summary && c->summary[j]; j++)
            text_addf(&summary, "%s ", c->summary[j]->name);
        add_views(&views, c);
        assert_text(&summary, example[i].summary);
        assert_text(&views, example[i].views);
    }
}
END_TEST

START_TEST(the_example_has_the_entry_points_of_the_contract)
{
    static const char *const names[] = {"self", "rooms",         "fav",  "root",
                                        "home", "conversations", "notes"};
    _cleanup_(text_deinitp) struct text problems = {0};
    _cleanup_(model_destroyp) struct model *model = NULL;
    const struct model_entry *entries;
    size_t count;

    assert_ok(model_load(SOURCE_ROOT "/deploy/example/model.json", &model, &problems));
    entries = model_entries(model, &count);
    ck_assert_uint_eq(count, ARRAY_SIZE(names));
    for (size_t i = 0; i < count; i++)
        ck_assert_str_eq(entries[i].name, names[i]);
    ck_assert_int_eq(entries[0].kind, ENTRY_SELF);
    ck_assert_str_eq(entries[1].class_->name, "com.app.mo.Rooms");
    ck_assert_str_eq(entries[3].object, "{\"cn\":\"com.app.mo.Index\",\"ID\":\"1\",\"children\":"
                                        "[{\"className\":\"com.app.mo.Group\",\"ID\":\"1\"}]}");
    ck_assert_str_eq(entries[4].join->name, "com.app.mo.Membership");
    ck_assert_str_eq(entries[6].class_->name, "com.app.mo.Notebook");
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(entries[i].unnamed, !strcmp(entries[i].name, "conversations"));
}
END_TEST

UNIT_SUITE("model_views", views_are_as_the_file_has_them,
           a_child_is_sorted_by_the_first_field_that_it_has, children_and_summaries_are_inherited,
           who_may_update_may_add_children_unless_it_is_said,
           what_the_server_sets_is_read_only_but_for_lists,
           entry_points_are_in_the_order_of_the_file, a_fixed_object_may_have_nothing_but_its_id,
           clients_are_told_what_the_file_says,
           the_example_has_the_views_and_summaries_of_the_contract,
           the_example_has_the_entry_points_of_the_contract)
