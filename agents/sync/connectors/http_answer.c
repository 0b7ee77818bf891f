#include "agents/sync/connectors/http_answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/json/json_scan.h"

#define WORDS_BYTES 512

static const struct json_limits limits = {.depth = 64, .number_chars = 1000};

static const char *name_of(enum http_failure failure)
{
    switch (failure) {
    case HTTP_INVALID_URI:
        return "Invalid URI";
    case HTTP_UNREACHABLE:
        return "Unable to Reach Host";
    case HTTP_UNPROCESSABLE:
        break;
    }
    return "Unable to process the response";
}

void http_fail(struct answer *answer, enum http_failure failure, const char *format, ...)
{
    char words[WORDS_BYTES];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    text_clear(&answer->body);
    text_add(&answer->body, words);
    answer->failed = true;
    answer->code = failure;
    answer->name = name_of(failure);
}

/* application/json, text/json and whatever ends in +json (RFC 6839), with or without parameters. */
static bool is_json_type(const struct text *type)
{
    const char *at = text_str(type);
    const size_t size = strcspn(at, "; \t");

    return (size == 16 && strncasecmp(at, "application/json", 16) == 0) ||
           (size == 9 && strncasecmp(at, "text/json", 9) == 0) ||
           (size > 5 && strncasecmp(at + size - 5, "+json", 5) == 0);
}

static void answer_json(const struct text *body, struct answer *answer)
{
    struct json_fault fault;

    if (json_check(text_str(body), body->size, &limits, &fault))
        http_fail(answer, HTTP_UNPROCESSABLE, "what the server answered is no JSON: byte %zu: %s",
                  fault.offset, fault.what);
    else
        json_add_canonical(&answer->body, json_value(body->at, body->size));
}

static void answer_text(const struct text *body, struct answer *answer)
{
    const char *at = text_str(body);
    size_t left = body->size, size;

    while ((size = text_utf8_size(at, left))) {
        at += size;
        left -= size;
    }
    if (left > 0)
        http_fail(answer, HTTP_UNPROCESSABLE, "what the server answered is not UTF-8: byte %zu",
                  body->size - left);
    else
        text_add_json(&answer->body, text_str(body), body->size);
}

void http_answer(const struct http_operation *operation, const struct http_reply *reply,
                 struct answer *answer)
{
    const bool is_json = operation->type == HTTP_AS_JSON ||
                         (operation->type == HTTP_AS_TYPED && is_json_type(&reply->type));

    if (reply->status < 200 || reply->status > 299)
        http_fail(answer, HTTP_UNREACHABLE, "the server answered with status %ld", reply->status);
    else if (reply->coding.size && strcasecmp(reply->coding.at, "identity") != 0)
        http_fail(answer, HTTP_UNPROCESSABLE,
                  "what the server answered is compressed, which it was not asked for");
    else if (reply->body.size == 0 && operation->type != HTTP_AS_TEXT)
        text_add(&answer->body, "null");
    else if (is_json)
        answer_json(&reply->body, answer);
    else
        answer_text(&reply->body, answer);
}
