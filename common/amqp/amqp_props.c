#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/amqp/amqp_private.h"

#define SHORT_TEXT_MAX    255   /* AMQP's limit for a text property */
#define HEADERS_MAX       65536 /* ours, half of a frame */
#define NUMBER_CHARS      21    /* of a 64-bit number and a NUL */
#define FIXED_OVERHEAD    256   /* frames, method, the properties that every message has */
#define FIELD_OVERHEAD    16    /* bytes that a field or header takes beside its name and text */
#define PERSISTENT        2     /* AMQP's delivery mode */
#define WIDEST_EXACT_REAL 9007199254740992.0

/* The properties that are plain texts. */
static const struct property {
    amqp_flags_t flag;
    size_t amqp_at; /* in amqp_basic_properties_t */
    size_t msg_at;  /* in struct msg */
} properties[] = {
// clang-format off
#define PROPERTY(flag, name)                                                                       \
    {flag, offsetof(amqp_basic_properties_t, name), offsetof(struct msg, name)}
    PROPERTY(AMQP_BASIC_TYPE_FLAG,           type),
    PROPERTY(AMQP_BASIC_MESSAGE_ID_FLAG,     message_id),
    PROPERTY(AMQP_BASIC_CORRELATION_ID_FLAG, correlation_id),
    PROPERTY(AMQP_BASIC_REPLY_TO_FLAG,       reply_to),
    PROPERTY(AMQP_BASIC_APP_ID_FLAG,         app_id),
#undef PROPERTY
    {AMQP_BASIC_CONTENT_ENCODING_FLAG, offsetof(amqp_basic_properties_t, content_encoding),
        offsetof(struct msg, encoding)},
    // clang-format on
};

enum header_kind { HEADER_TEXT, HEADER_U32, HEADER_64 };

/* The headers, by the names in common/amqp/msg.h. */
static const struct header {
    const char *name;
    enum header_kind kind;
    size_t msg_at; /* in struct msg */
} headers[] = {
    // clang-format off
    {"client",   HEADER_TEXT, offsetof(struct msg, client)},
    {"user",     HEADER_TEXT, offsetof(struct msg, user)},
    {"device",   HEADER_TEXT, offsetof(struct msg, device)},
    {"dialect",  HEADER_TEXT, offsetof(struct msg, dialect)},
    {"address",  HEADER_TEXT, offsetof(struct msg, address)},
    {"reason",   HEADER_TEXT, offsetof(struct msg, reason)},
    {"deadline", HEADER_64,   offsetof(struct msg, deadline_ms)},
    {"accepted", HEADER_64,   offsetof(struct msg, accepted_ms)},
    {"keep",     HEADER_U32,  offsetof(struct msg, keep)},
    {"code",     HEADER_64,   offsetof(struct msg, code)},
    {"v",        HEADER_U32,  offsetof(struct msg, format)},
    // clang-format on
};

_Static_assert(ARRAY_SIZE(headers) + 1 <= ARRAY_SIZE(((struct amqp_outgoing *)NULL)->headers),
               "room for all of them, and for the publish number");

/* ---- Outgoing ---- */

static void add_header(struct amqp_outgoing *out, const char *name, amqp_field_value_t value)
{
    amqp_table_t *table = &out->properties.headers;

    out->headers[table->num_entries++] =
        (amqp_table_entry_t){.key = amqp_bytes_of(name), .value = value};
    out->size += strlen(name) + FIELD_OVERHEAD;
}

static void add_text_header(struct amqp_outgoing *out, const char *name, const char *str)
{
    amqp_field_value_t value = {.kind = AMQP_FIELD_KIND_UTF8};

    value.value.bytes = amqp_bytes_of(str);
    add_header(out, name, value);
    out->size += value.value.bytes.len;
}

static void add_number_header(struct amqp_outgoing *out, const char *name, int64_t number)
{
    amqp_field_value_t value = {.kind = AMQP_FIELD_KIND_I64};

    value.value.i64 = number;
    add_header(out, name, value);
}

static const char *text_at(const struct msg *m, size_t at)
{
    const char *str;

    memcpy(&str, (const char *)m + at, sizeof(str));
    return str;
}

static int64_t number_at(const struct msg *m, const struct header *header)
{
    uint32_t narrow;
    int64_t wide;

    if (header->kind == HEADER_U32) {
        memcpy(&narrow, (const char *)m + header->msg_at, sizeof(narrow));
        return narrow;
    }
    memcpy(&wide, (const char *)m + header->msg_at, sizeof(wide));
    return wide;
}

static void fill_headers(struct amqp_outgoing *out, const struct msg *m, uint64_t number)
{
    out->properties.headers.entries = out->headers;
    for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
        const struct header *header = &headers[i];

        if (header->kind == HEADER_TEXT && text_at(m, header->msg_at))
            add_text_header(out, header->name, text_at(m, header->msg_at));
        else if (header->kind != HEADER_TEXT && number_at(m, header))
            add_number_header(out, header->name, number_at(m, header));
    }
    if (m->mandatory)
        add_number_header(out, AMQP_HEADER_NUMBER, (int64_t)number);
    if (out->properties.headers.num_entries)
        out->properties._flags |= AMQP_BASIC_HEADERS_FLAG;
}

static enum err fill_texts(struct amqp_outgoing *out, const struct msg *m)
{
    for (size_t i = 0; i < ARRAY_SIZE(properties); i++) {
        const struct property *property = &properties[i];
        const char *str = text_at(m, property->msg_at);
        amqp_bytes_t bytes;

        if (!str)
            continue;
        bytes = amqp_bytes_of(str);
        if (bytes.len > SHORT_TEXT_MAX)
            return ERR_RANGE;
        memcpy((char *)&out->properties + property->amqp_at, &bytes, sizeof(bytes));
        out->properties._flags |= property->flag;
        out->size += bytes.len + FIELD_OVERHEAD;
    }
    return ERR_OK;
}

static void fill_fixed(struct amqp_outgoing *out, const struct msg *m)
{
    amqp_basic_properties_t *p = &out->properties;

    p->_flags |= AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG;
    p->content_type = amqp_bytes_of(m->encoding ? "application/octet-stream" : "application/json");
    p->delivery_mode = m->persistent ? PERSISTENT : 1;
    if (m->timestamp_ms > 0) {
        p->_flags |= AMQP_BASIC_TIMESTAMP_FLAG;
        p->timestamp = (uint64_t)m->timestamp_ms / 1000;
    }
    if (m->expiration_ms) {
        (void)snprintf(out->expiration, sizeof(out->expiration), "%u", m->expiration_ms);
        p->_flags |= AMQP_BASIC_EXPIRATION_FLAG;
        p->expiration = amqp_bytes_of(out->expiration);
    }
}

enum err amqp_outgoing_fill(struct amqp_outgoing *out, const struct msg *m, uint64_t number)
{
    size_t exchange = m->exchange ? strlen(m->exchange) : 0, queue = strlen(m->queue);
    enum err e;

    memset(out, 0, sizeof(*out));
    out->size = FIXED_OVERHEAD + exchange + queue;
    if (exchange > SHORT_TEXT_MAX || queue > SHORT_TEXT_MAX)
        return ERR_RANGE;
    if ((e = fill_texts(out, m)))
        return e;
    fill_fixed(out, m);
    fill_headers(out, m, number);
    return out->size <= HEADERS_MAX ? ERR_OK : ERR_RANGE;
}

/* ---- Incoming: by our own programs, or by hand from the management UI with anything in it ---- */

/* Adds a copy to `texts`, which has room, so that what was added before does not move. NULL for
 * what is no C string: half an identity would be somebody else's. */
static const char *copy_text(struct text *texts, amqp_bytes_t bytes)
{
    size_t at = texts->size;

    if (bytes.len && memchr(bytes.bytes, 0, bytes.len))
        return NULL;
    text_add_bytes(texts, bytes.bytes, bytes.len);
    text_add_char(texts, '\0');
    return texts->at + at;
}

static int64_t digits_value(amqp_bytes_t bytes)
{
    char digits[NUMBER_CHARS];
    char *end;
    long long value;

    if (!bytes.len || bytes.len >= sizeof(digits))
        return 0;
    memcpy(digits, bytes.bytes, bytes.len);
    digits[bytes.len] = '\0';
    value = strtoll(digits, &end, 10);
    return *end ? 0 : value;
}

static int64_t real_value(double value)
{
    return value > -WIDEST_EXACT_REAL && value < WIDEST_EXACT_REAL ? (int64_t)value : 0;
}

static int64_t unsigned_value(uint64_t value)
{
    return value <= INT64_MAX ? (int64_t)value : 0;
}

static int64_t number_value(const amqp_field_value_t *field)
{
    switch (field->kind) {
    case AMQP_FIELD_KIND_I8:
        return field->value.i8;
    case AMQP_FIELD_KIND_U8:
        return field->value.u8;
    case AMQP_FIELD_KIND_I16:
        return field->value.i16;
    case AMQP_FIELD_KIND_U16:
        return field->value.u16;
    case AMQP_FIELD_KIND_I32:
        return field->value.i32;
    case AMQP_FIELD_KIND_U32:
        return field->value.u32;
    case AMQP_FIELD_KIND_I64:
        return field->value.i64;
    case AMQP_FIELD_KIND_U64:
    case AMQP_FIELD_KIND_TIMESTAMP:
        return unsigned_value(field->value.u64);
    case AMQP_FIELD_KIND_F32:
        return real_value(field->value.f32);
    case AMQP_FIELD_KIND_F64:
        return real_value(field->value.f64);
    case AMQP_FIELD_KIND_UTF8:
    case AMQP_FIELD_KIND_BYTES:
        return digits_value(field->value.bytes);
    default:
        return 0;
    }
}

static bool is_text(const amqp_field_value_t *field)
{
    return field->kind == AMQP_FIELD_KIND_UTF8 || field->kind == AMQP_FIELD_KIND_BYTES;
}

/* A number where a text belongs is its digits, so that a user id 7 may be typed as such. */
static const char *text_value(const amqp_field_value_t *field, struct text *texts)
{
    char digits[NUMBER_CHARS];
    int64_t number;

    if (is_text(field))
        return copy_text(texts, field->value.bytes);
    number = number_value(field);
    if (!number)
        return NULL;
    (void)snprintf(digits, sizeof(digits), "%lld", (long long)number);
    return copy_text(texts, amqp_bytes_of(digits));
}

static bool is_named(const amqp_table_entry_t *entry, const char *name)
{
    return entry->key.len == strlen(name) && !memcmp(entry->key.bytes, name, entry->key.len);
}

static void read_header(const amqp_table_entry_t *entry, const struct header *header,
                        struct text *texts, struct msg *out)
{
    char *at = (char *)out + header->msg_at;
    const char *str;
    int64_t wide;
    uint32_t narrow;

    if (header->kind == HEADER_TEXT) {
        str = text_value(&entry->value, texts);
        memcpy(at, &str, sizeof(str));
        return;
    }
    wide = number_value(&entry->value);
    if (wide < 0)
        wide = 0; /* there are no negative times, numbers or codes */
    if (header->kind == HEADER_64) {
        memcpy(at, &wide, sizeof(wide));
        return;
    }
    narrow = wide <= UINT32_MAX ? (uint32_t)wide : UINT32_MAX;
    memcpy(at, &narrow, sizeof(narrow));
}

static void read_headers(const amqp_table_t *table, struct text *texts, struct msg *out)
{
    for (int i = 0; i < table->num_entries; i++)
        for (size_t j = 0; j < ARRAY_SIZE(headers); j++)
            if (is_named(&table->entries[i], headers[j].name))
                read_header(&table->entries[i], &headers[j], texts, out);
}

/* Only where the message says no reason itself. */
static void read_broker_reason(const amqp_table_t *table, struct text *texts, struct msg *out)
{
    static const struct header first_death = {"x-first-death-reason", HEADER_TEXT,
                                              offsetof(struct msg, reason)};

    for (int i = 0; i < table->num_entries && !out->reason; i++)
        if (is_named(&table->entries[i], first_death.name))
            read_header(&table->entries[i], &first_death, texts, out);
}

static void read_texts(const amqp_basic_properties_t *p, struct text *texts, struct msg *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(properties); i++) {
        const struct property *property = &properties[i];
        amqp_bytes_t bytes;
        const char *str;

        if (!(p->_flags & property->flag))
            continue;
        memcpy(&bytes, (const char *)p + property->amqp_at, sizeof(bytes));
        str = copy_text(texts, bytes);
        memcpy((char *)out + property->msg_at, &str, sizeof(str));
    }
}

void amqp_incoming_fill(const amqp_basic_properties_t *p, struct text *texts, struct msg *out)
{
    int64_t expiration = 0;

    read_texts(p, texts, out);
    if (p->_flags & AMQP_BASIC_HEADERS_FLAG) {
        read_headers(&p->headers, texts, out);
        read_broker_reason(&p->headers, texts, out);
    }
    if (p->_flags & AMQP_BASIC_EXPIRATION_FLAG)
        expiration = digits_value(p->expiration);
    if (expiration > 0 && expiration <= UINT32_MAX)
        out->expiration_ms = (uint32_t)expiration;
    if (p->_flags & AMQP_BASIC_TIMESTAMP_FLAG && p->timestamp <= INT64_MAX / 1000)
        out->timestamp_ms = (int64_t)p->timestamp * 1000;
    out->persistent = p->_flags & AMQP_BASIC_DELIVERY_MODE_FLAG && p->delivery_mode == PERSISTENT;
}

size_t amqp_incoming_room(size_t properties_size)
{
    /* A text has its encoded length and a NUL; the digits of a number, which nowhere take three
     * times the bytes of header name and value, are the worst. */
    return properties_size * 3;
}

uint64_t amqp_returned_number(const amqp_basic_properties_t *p)
{
    if (!(p->_flags & AMQP_BASIC_HEADERS_FLAG))
        return 0;
    for (int i = 0; i < p->headers.num_entries; i++)
        if (is_named(&p->headers.entries[i], AMQP_HEADER_NUMBER))
            return (uint64_t)number_value(&p->headers.entries[i].value);
    return 0;
}
