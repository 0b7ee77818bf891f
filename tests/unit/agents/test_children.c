#include <string.h>

#include "agents/runtime/children.h"
#include "agents/runtime/view.h"
#include "tests/support/unit.h"

static struct model *model;

static void set_up(void)
{
    struct text problems = {0};

    ck_assert_int_eq(model_load(CHILDREN_MODEL, &model, &problems), ERR_OK);
}

static void tear_down(void)
{
    model_destroy(model);
}

static const struct model_class *class_of(const char *name)
{
    return model_class(model, name, strlen(name));
}

/* The arguments of a write of this class, each behind a space. */
static void add_args_of(struct text *out, const char *name)
{
    _cleanup_(children_destroyp) struct children *children = children_create(model);
    struct redis_call call = {0};
    size_t from = 0;

    redis_call_begin(&call, NULL);
    children_add_args(&call, children, class_of(name));
    for (size_t i = 0; i < call.count; i++) {
        text_add_char(out, ' ');
        text_add_bytes(out, call.args.at + from, call.ends[i] - from);
        from = call.ends[i];
    }
    redis_call_deinit(&call);
}

START_TEST(a_class_is_told_of_the_relations_that_it_takes_part_in)
{
    static const struct {
        const char *name, *args;
    } cases[] = {
        {"com.kin.Person", " 0"},
        {"com.kin.Log", " 1 com.kin.Log integer id 0 1 com.kin.Line 0"},
        {"com.kin.Line",
         " 1 com.kin.Log integer id 0 1 com.kin.Line 1 com.kin.Line 2 text day 1 text"},
        {"com.kin.Ticket", " 1 com.kin.Club string through 3 com.kin.Ticket club member 3 "
                           "com.kin.Fruit com.kin.Leaf com.kin.Needle 0"},
        {"com.kin.Grove", " 1 com.kin.Grove string inverse 6 com.kin.Leaf trees  com.kin.Needle "
                          "trees  2 com.kin.Leaf com.kin.Needle 0"},
    };
    _cleanup_(text_deinitp) struct text args = {0};

    add_args_of(&args, cases[_i].name);
    ck_assert_str_eq(args.at, cases[_i].args);
}
END_TEST

START_TEST(a_view_says_how_each_class_is_sorted)
{
    const struct model_class *c = class_of("com.kin.Tree");
    struct view_definition definition;

    view_define(&definition, model, c, model_view(c, "plain", strlen("plain")));
    ck_assert_str_eq(definition.text.at,
                     "{\"orders\":[{\"descending\":false}],\"classes\":{"
                     "\"com.kin.Fruit\":{\"place\":1,\"id\":\"integer\",\"columns\":[\"label\"],"
                     "\"kinds\":[\"string\"]},"
                     "\"com.kin.Leaf\":{\"place\":2,\"id\":\"string\",\"columns\":[\"name\"],"
                     "\"kinds\":[\"string\"]},"
                     "\"com.kin.Needle\":{\"place\":3,\"id\":\"string\",\"columns\":[\"label\"],"
                     "\"kinds\":[\"string\"]}}}");
    ck_assert_uint_eq(strlen(definition.digest), 16);
    ck_assert_uint_eq(strlen(definition.shape), 8);
    view_definition_deinit(&definition);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("children");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, a_class_is_told_of_the_relations_that_it_takes_part_in, 0, 5);
    tcase_add_test(tests, a_view_says_how_each_class_is_sorted);
    return unit_run_case("children", tests);
}
