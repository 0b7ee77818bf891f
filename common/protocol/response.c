#include "common/protocol/response.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/protocol/operations.h"

// clang-format off
const struct response_code_row response_codes[] = {
    { CODE_INVALID_CLIENT,   "invalidClient",         "not logged in, or the client is unknown" },
    { CODE_PROCESS_FAILED,   "Error Running Process", "the process failed; its own code and name, if it gives some, stand instead" },
    { CODE_MISSING_CLASS,    "missingMappedClass",    "a class that the model does not have" },
    { CODE_UNSUPPORTED,      "methodUnsupported",     "the class does not have what is asked for" },
    { CODE_NOT_IMPLEMENTED,  "methodNotImplemented",  "an operation that is unknown, or that nobody serves" },
    { CODE_INVALID_PROCESS,  "invalidProcessError",   "a process that is not declared" },
    { CODE_MALFORMED,        "malformedRequest",      "a malformed request: the text says which member, and what was expected" },
    { CODE_TIMEOUT,          "timeout",               "no answer in time; whether a write was done is unknown: the same message id asks again, and gets its result" },
    { CODE_FORBIDDEN,        "forbidden",             "the user may not" },
    { CODE_TOO_MANY,         "tooManyRequests",       "too many requests, or too much that waits for an answer" },
    { CODE_BACK_END_AWAY,    "backEndAway",           "the broker is away, or nothing more can wait for it: later" },
    { CODE_TOO_EXPENSIVE,    "tooExpensive",          "too expensive: the text names the limit, or the index that is missing" },
    { CODE_CREATE_FAILED,    "createObjectError",     "the object was not created" },
    { CODE_UPDATE_FAILED,    "updateObjectError",     "the object was not changed" },
    { CODE_REMOVE_FAILED,    "deleteObjectError",     "the object was not removed" },
    { CODE_MISSING_FIELD,    "missingRequiredField",  "a field that must be given is missing" },
    { CODE_INTERNAL,         "internalError",         "a fault of the server, which its log tells of" },
};
// clang-format on

const size_t response_code_count = ARRAY_SIZE(response_codes);

/* The eight members that every response has (spec 4.2), up to the subclass's. */
void response_begin(struct text *out, const struct response *head)
{
    text_add(out, "{\"cn\":");
    text_add_json_str(out, head->class_name);
    text_add(out, ",\"clientId\":");
    text_add_json_str(out, head->client);
    text_add(out, ",\"timestamp\":");
    text_add_i64(out, head->timestamp_ms ? head->timestamp_ms : clock_wall_ms());
    text_add(out, ",\"ids\":null,\"data\":");
    text_add(out, head->data ? head->data : "null");
    text_add(out, ",\"type\":null,\"correspondingMessageId\":");
    text_add_json_str(out, head->message_id);
    text_add(out, ",\"gatewayMessageId\":null");
}

void response_end(struct text *out)
{
    text_add_char(out, '}');
}

void response_connect(struct text *out, const char *client, const char *message_id,
                      const char *data)
{
    response_begin(out, &(struct response){.class_name = SYNC_CLASS("ConnectResponse"),
                                           .client = client,
                                           .message_id = message_id,
                                           .data = data});
    text_add(out, ",\"currentTimestamp\":");
    text_add_i64(out, clock_wall_ms());
    text_add(out, ",\"dataID\":null");
    response_end(out);
}

const char *response_code_name(enum response_code code)
{
    for (size_t i = 0; i < response_code_count; i++)
        if (response_codes[i].code == code)
            return response_codes[i].name;
    return "unknownError";
}

/* Codes travel as strings: "-115" (spec 4.2). */
static void add_code(struct text *out, enum response_code code)
{
    text_add_char(out, '"');
    text_add_i64(out, code);
    text_add_char(out, '"');
}

void response_fault(struct text *out, const char *client, const char *message_id,
                    const struct response_fault *fault)
{
    response_begin(out, &(struct response){.class_name = SYNC_CLASS("SyncErrorResponse"),
                                           .client = client,
                                           .message_id = message_id});
    text_add(out, ",\"errorName\":");
    text_add_json_str(out, fault->name);
    text_add(out, ",\"errorDesc\":");
    text_add_json(out, text_str(fault->desc), fault->desc->size);
    text_add(out, ",\"errorCode\":");
    text_add_json_str(out, fault->code);
    response_end(out);
}

void response_error(struct text *out, const char *client, const char *message_id,
                    enum response_code code, const char *desc)
{
    response_begin(out, &(struct response){.class_name = SYNC_CLASS("SyncErrorResponse"),
                                           .client = client,
                                           .message_id = message_id});
    text_add(out, ",\"errorName\":");
    text_add_json_str(out, response_code_name(code));
    text_add(out, ",\"errorDesc\":");
    text_add_json_str(out, desc);
    text_add(out, ",\"errorCode\":");
    add_code(out, code);
    response_end(out);
}

void response_data_error(struct text *out, enum response_code code, const char *message)
{
    text_add(out, "{\"cn\":\"" SYNC_CLASS("SyncDataError") "\",\"code\":");
    add_code(out, code);
    text_add(out, ",\"name\":");
    text_add_json_str(out, response_code_name(code));
    text_add(out, ",\"message\":");
    text_add_json_str(out, message);
    text_add_char(out, '}');
}
