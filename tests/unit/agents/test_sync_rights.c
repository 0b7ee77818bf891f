#include <string.h>

#include "agents/sync/rights.h"
#include "tests/support/unit.h"

/* Rules as arguments of scripts. */

static const char json[] =
    "{\"classes\":{"
    "\"Open\":{\"fields\":{\"f\":{\"type\":\"date\",\"access\":{\"read\":\"signedIn\"}}},"
    "\"access\":{\"read\":\"everyone\"}},"
    "\"Plain\":{\"fields\":{\"f\":{\"type\":\"date\",\"access\":{\"update\":\"nobody\"}},"
    "\"same\":{\"type\":\"date\",\"access\":{\"read\":\"signedIn\"}}},"
    "\"access\":{\"read\":\"signedIn\"}},"
    "\"Base\":{\"abstract\":true,\"fields\":{"
    "\"free\":{\"type\":\"string\"},"
    "\"pay\":{\"type\":\"integer\",\"column\":\"p\",\"default\":1,"
    "\"access\":{\"read\":{\"role\":\"r\"},\"update\":{\"role\":\"u\"}}},"
    "\"note\":{\"type\":\"string\",\"access\":{\"update\":\"nobody\"}}}},"
    "\"Kid\":{\"parent\":\"Base\",\"access\":{\"read\":\"signedIn\"}},"
    "\"Hidden\":{\"parent\":\"Base\",\"fields\":{\"seen\":{\"type\":\"date\",\"access\":"
    "{\"read\":\"everyone\"}}},\"access\":{\"read\":[{\"role\":\"a\"},{\"owner\":\"free\"}]}}}}";

static struct model *model;
static struct redis_call call;
static const struct redis_script script = {"none", ""};

static void set_up(void)
{
    _cleanup_(text_deinitp) struct text text = {0}, problems = {0};

    text_add(&text, json);
    ck_assert_msg(model_parse("model", &text, &model, &problems) == ERR_OK, "%s",
                  text_str(&problems));
    redis_call_begin(&call, &script);
}

static void tear_down(void)
{
    redis_call_deinit(&call);
    model_destroy(model);
}

static const struct model_class *class_of(const char *name)
{
    return model_class(model, name, strlen(name));
}

/* The arguments so far, "|" behind each. */
static void assert_args(const char *expected)
{
    _cleanup_(text_deinitp) struct text args = {0};
    size_t from = 0;

    for (size_t i = 0; i < call.count; from = call.ends[i++]) {
        text_add_bytes(&args, call.args.at + from, call.ends[i] - from);
        text_add_char(&args, '|');
    }
    assert_text(&args, expected);
}

START_TEST(a_class_is_told_of_unless_all_who_sign_in_may_read_it_whole)
{
    rights_add_restricted(&call, model);
    assert_args("3|Open|everyone|1|f|signedIn|Kid|signedIn|1|p|role:r|"
                "Hidden|role:a|owner:free|1|p|role:r|");
}
END_TEST

START_TEST(of_what_was_asked_for_all_classes_are_told)
{
    rights_add_restricted_of(&call, class_of("Base"));
    rights_add_restricted_of(&call, class_of("Plain"));
    assert_args("2|Kid|signedIn|1|p|role:r|Hidden|role:a|owner:free|1|p|role:r|"
                "1|Plain|signedIn|0|");
}
END_TEST

/* An object of Kid with these members, of which the first `given` were asked for; -1: it is there.
 */
static void add_guards(const char *members, int given)
{
    _cleanup_(text_deinitp) struct text text = {0}, problem = {0};
    struct model_object object;

    text_addf(&text, "{\"cn\":\"Kid\",\"ID\":\"1\"%s}", members);
    ck_assert_int_eq(model_read_object(model, json_span_text(&text), &object, &problem), ERR_OK);
    if (given < 0)
        rights_add_guards(&call, &object);
    else
        rights_add_guards_new(&call, &object, (size_t)given);
    model_object_deinit(&object);
}

START_TEST(a_put_is_guarded_by_the_rules_of_its_fields)
{
    add_guards(",\"free\":\"a\"", -1);
    add_guards(",\"note\":null,\"free\":\"a\",\"pay\":1", -1);
    assert_args("0|8|note|note|nobody||p|pay|role:u|role:r|");
}
END_TEST

START_TEST(a_new_object_is_guarded_where_it_is_given_more_than_it_would_have)
{
    add_guards(",\"note\":null,\"pay\":1", 2);
    add_guards(",\"note\":\"a\",\"pay\":null", 2);
    add_guards(",\"note\":\"a\",\"pay\":2", 1);
    assert_args("0|8|note|note|nobody||p|pay|role:u|role:r|4|note|note|nobody||");
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("rights");

    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, a_class_is_told_of_unless_all_who_sign_in_may_read_it_whole);
    tcase_add_test(c, of_what_was_asked_for_all_classes_are_told);
    tcase_add_test(c, a_put_is_guarded_by_the_rules_of_its_fields);
    tcase_add_test(c, a_new_object_is_guarded_where_it_is_given_more_than_it_would_have);
    return unit_run_case("sync_rights", c);
}
