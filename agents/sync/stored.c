#include "agents/sync/stored.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct stored_ref stored_ref(const struct model *model, const char *ref)
{
    const char *colon = strchr(ref, ':');

    if (!colon)
        return (struct stored_ref){0};
    return (struct stored_ref){model_class(model, ref, (size_t)(colon - ref)), colon + 1};
}

/* What is stored under this name, or NULL. */
static const char *find(const struct redis_reply *fields, const char *name)
{
    for (size_t i = 0; i + 1 < redis_count(fields); i += 2) {
        if (!strcmp(redis_str(redis_item(fields, i)), name))
            return redis_str(redis_item(fields, i + 1));
    }
    return NULL;
}

const char *stored_column(const struct redis_reply *fields, const char *column)
{
    const char *value = find(fields, column);
    const char *text = value ? strchr(value, ' ') : NULL;

    text = text ? strchr(text + 1, ' ') : NULL;
    return text ? text + 1 : NULL;
}

const char *stored_text(const struct redis_reply *fields, const struct model_field *field)
{
    return stored_column(fields, field->column);
}

int64_t stored_field_version(const struct redis_reply *fields, const struct model_field *field)
{
    const char *value = find(fields, field->column);

    return value ? strtoll(value, NULL, 10) : 0;
}

const char *stored_shown(const void *fields, const struct model_field *field)
{
    const char *value = find(fields, field->column);

    return model_is_hidden(value) ? value : stored_text(fields, field);
}

void stored_add_object(struct text *out, struct stored_ref ref, const struct redis_reply *fields)
{
    model_add_object(out, ref.class_, ref.id, stored_shown, fields);
}

int64_t stored_version(const struct redis_reply *fields)
{
    const char *value = find(fields, "@v");

    return value ? strtoll(value, NULL, 10) : 0;
}

/* Fields have "<version> <put time> <text>", of what begins with "@" some are times. */
static int64_t time_of(const char *name, const char *value)
{
    static const char *const times[] = {"@b", "@c", "@d"};
    const char *space = strchr(value, ' ');

    if (name[0] != '@')
        return space ? strtoll(space + 1, NULL, 10) : 0;
    for (size_t i = 0; i < ARRAY_SIZE(times); i++)
        if (strcmp(name, times[i]) == 0)
            return strtoll(value, NULL, 10);
    return 0;
}

int64_t stored_time(const struct redis_reply *fields)
{
    int64_t newest = 0;

    for (size_t i = 0; i + 1 < redis_count(fields); i += 2) {
        const int64_t time =
            time_of(redis_str(redis_item(fields, i)), redis_str(redis_item(fields, i + 1)));

        if (time > newest)
            newest = time;
    }
    return newest;
}

const char *stored_birth(const struct redis_reply *fields)
{
    const char *birth = find(fields, "@b");

    return birth ? birth : find(fields, "@c");
}

void stored_add_exported(struct text *out, struct stored_ref ref, const struct redis_reply *fields)
{
    const char *created = find(fields, "@c"), *user = stored_column(fields, MODEL_USER_COLUMN);

    text_add(out, "{\"cn\":");
    text_add_json_str(out, ref.class_->name);
    text_add(out, ",\"ID\":");
    text_add_json_str(out, ref.id);
    for (size_t i = 0; i < ref.class_->field_count; i++) {
        const struct model_field *field = &ref.class_->fields[i];
        const char *text = stored_text(fields, field);

        if (field->type == FIELD_TO_MANY || field->server == SERVER_CONNECTED)
            continue;
        text_add_char(out, ',');
        text_add_json_str(out, field->name);
        text_add_char(out, ':');
        text_add(out, text ? text : field->type == FIELD_LIST ? "[]" : "null");
    }
    if (user)
        text_addf(out, ",\"@user\":%s", user);
    text_addf(out, ",\"@version\":%" PRId64 ",\"@created\":%s}", stored_version(fields),
              created ? created : "0");
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void stored_add_updated(struct text *out, struct stored_ref ref, const struct redis_reply *fields,
                        int64_t since)
{
    const char **names = calloc(ref.class_->field_count + 1, sizeof(*names));
    size_t count = 0;

    for (size_t i = 0; names && i < ref.class_->field_count; i++) {
        const char *value = find(fields, ref.class_->fields[i].column);

        if (value && !model_is_hidden(value) && strtoll(value, NULL, 10) >= since)
            names[count++] = ref.class_->fields[i].name;
    }
    if (count)
        qsort(names, count, sizeof(*names), compare_names);
    text_add_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i)
            text_add_char(out, ',');
        text_add_json_str(out, names[i]);
    }
    text_add_char(out, ']');
    free(names);
}

bool stored_next_line(const char **lines, int64_t *version, struct text *ref)
{
    const char *end = strchrnul(*lines, '\n');
    char *space;

    if (end == *lines)
        return false;
    *version = strtoll(*lines, &space, 10);
    text_clear(ref);
    text_add_bytes(ref, space + 1, (size_t)(end - space - 1));
    *lines = *end ? end + 1 : end;
    return true;
}
