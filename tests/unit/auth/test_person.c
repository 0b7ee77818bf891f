#include <string.h>

#include "agents/auth/person.h"
#include "tests/support/unit.h"

static const struct account account = {
    .id = "ada@example.org", .first_name = "Ada", .last_name = "\"X\"", .email = "ada@example.org"};

static const struct model_class owner = {.name = "mo.Person"};
static const struct model_class item = {.name = "mo.Item"};
static const struct model_field user_id = {
    .name = "userId", .column = "userId", .type = FIELD_STRING};

/* The arguments, each with a "|" behind it. */
static void add_args(struct text *out, const struct model_class *anchor)
{
    struct redis_call call = {0};
    size_t start = 0;

    redis_call_begin(&call, NULL);
    person_add_args(&call, anchor, &account, 100);
    for (size_t i = 0; i < call.count; start = call.ends[i++]) {
        text_add_bytes(out, call.args.at + start, call.ends[i] - start);
        text_add_char(out, '|');
    }
    redis_call_deinit(&call);
}

START_TEST(a_person_begins_with_names_and_defaults)
{
    static const struct model_field fields[] = {
        {.name = "userId", .column = "user", .type = FIELD_STRING},
        {.name = "first_name", .column = "first_name", .type = FIELD_STRING},
        {.name = "last_name", .column = "surname", .type = FIELD_STRING},
        {.name = "display_name", .column = "display_name", .type = FIELD_STRING},
        {.name = "firstName", .column = "firstName", .type = FIELD_JSON}, /* not a string */
        {.name = "picture", .column = "picture", .type = FIELD_STRING},
        {.name = "presence", .column = "presence", .type = FIELD_STRING, .initial = "\"offline\""},
        {.name = "connected", .column = "connected", .type = FIELD_BOOLEAN, .initial = "false"},
    };
    const struct model_index of_user = {
        .name = "userId", .columns = "user", .unique = true, .owner = &owner};
    const struct model_class person = {.name = "mo.Person",
                                       .id = ID_INTEGER,
                                       .parent = &item,
                                       .fields = fields,
                                       .field_count = ARRAY_SIZE(fields),
                                       .indexes = &of_user,
                                       .index_count = 1,
                                       .anchor_field = &fields[0]};
    _cleanup_(text_deinitp) struct text args = {0};

    add_args(&args, &person);
    assert_text(&args, "1||user|1|0|2|mo.Person|mo.Item|15|"
                       "first_name|\"Ada\"||surname|\"\\\"X\\\"\"||"
                       "display_name|\"Ada \\\"X\\\"\"||presence|\"offline\"||connected|false||"
                       "1|mo.Person|user|userId|1|");
}
END_TEST

START_TEST(a_person_with_a_text_for_an_id_gets_a_random_one)
{
    const struct model_class person = {.name = "P", .id = ID_STRING, .anchor_field = &user_id};
    _cleanup_(text_deinitp) struct text args = {0}, again = {0};

    add_args(&args, &person);
    add_args(&again, &person);
    ck_assert_uint_eq(strcspn(args.at + strlen("1|"), "|"), 36);
    ck_assert_str_ne(args.at, again.at);
}
END_TEST

START_TEST(no_person_is_made_where_no_class_stands_for_users)
{
    _cleanup_(text_deinitp) struct text args = {0};

    add_args(&args, NULL);
    assert_text(&args, "0|");
}
END_TEST

START_TEST(a_class_whose_ids_nobody_can_make_cannot_stand_for_users)
{
    const struct model_class person = {.name = "mo.Person", .id = ID_ARRAY};
    _cleanup_(text_deinitp) struct text problems = {0};

    assert_err(person_check(&person, &problems), ERR_CONFIG);
    assert_contains(text_str(&problems), "mo.Person: ");
    assert_ok(person_check(NULL, &problems));
}
END_TEST

static const struct {
    const char *fields[3];
    bool unique;
    enum err e;
} person_indexes[] = {
    {{"userId", NULL}, true, ERR_OK},
    {{"display_name", "userId", NULL}, true, ERR_OK},
    {{"display_name", NULL}, false, ERR_OK},
    {{"display_name", NULL}, true, ERR_CONFIG},
};

START_TEST(nobody_is_kept_from_logging_in_by_a_name_that_somebody_has)
{
    for (size_t i = 0; i < ARRAY_SIZE(person_indexes); i++) {
        const struct model_index index = {.name = "display_name",
                                          .fields = person_indexes[i].fields,
                                          .field_count = person_indexes[i].fields[1] ? 2 : 1,
                                          .unique = person_indexes[i].unique};
        const struct model_class person = {
            .name = "mo.Person", .anchor_field = &user_id, .indexes = &index, .index_count = 1};
        _cleanup_(text_deinitp) struct text problems = {0};

        assert_err(person_check(&person, &problems), person_indexes[i].e);
        if (person_indexes[i].e)
            assert_contains(text_str(&problems), "the unique index on display_name must have");
    }
}
END_TEST

UNIT_SUITE("person", nobody_is_kept_from_logging_in_by_a_name_that_somebody_has,
           a_person_begins_with_names_and_defaults,
           a_person_with_a_text_for_an_id_gets_a_random_one,
           no_person_is_made_where_no_class_stands_for_users,
           a_class_whose_ids_nobody_can_make_cannot_stand_for_users)
