#include "common/amqp/msg.h"

#include <stdlib.h>
#include <string.h>

/* The texts of a message; the body is apart, because it has a size. */
static const size_t text_fields[] = {
    offsetof(struct msg, queue),      offsetof(struct msg, type),
    offsetof(struct msg, message_id), offsetof(struct msg, correlation_id),
    offsetof(struct msg, reply_to),   offsetof(struct msg, app_id),
    offsetof(struct msg, client),     offsetof(struct msg, user),
    offsetof(struct msg, device),     offsetof(struct msg, dialect),
    offsetof(struct msg, reason),     offsetof(struct msg, exchange),
    offsetof(struct msg, address),    offsetof(struct msg, encoding),
};

static const char *get_text(const struct msg *m, size_t i)
{
    const char *text;

    memcpy(&text, (const char *)m + text_fields[i], sizeof(text));
    return text;
}

static void set_text(struct msg *m, size_t i, const char *text)
{
    memcpy((char *)m + text_fields[i], &text, sizeof(text));
}

enum err msg_create(const struct msg *fields, struct msg **out)
{
    size_t sizes[ARRAY_SIZE(text_fields)]; /* with their NULs */
    size_t total = sizeof(struct msg) + fields->size + 1;
    struct msg *m;
    char *at;

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        const char *text = get_text(fields, i);

        sizes[i] = text ? strlen(text) + 1 : 0;
        total += sizes[i];
    }

    m = malloc(total);
    if (!m)
        return ERR_NOMEM;
    *m = *fields;
    at = (char *)(m + 1);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        if (sizes[i] == 0)
            continue;
        set_text(m, i, memcpy(at, get_text(fields, i), sizes[i]));
        at += sizes[i];
    }
    m->body = at;
    if (fields->size > 0)
        memcpy(at, fields->body, fields->size);
    at[fields->size] = '\0';

    *out = m;
    return ERR_OK;
}

void msg_destroy(struct msg *m)
{
    if (m && m->encoding) /* it may have been opened */
        explicit_bzero((char *)m + (m->body - (const char *)m), m->size);
    free(m);
}
