#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base/text.h"

/*
 * response - how answers to clients look (spec 4.2, 4.4): every member is always there, in the
 * order of the seed, null when unset.
 *
 * A response is begun, gets the members of its class, and is ended:
 *
 *     response_begin(&out, &(struct response){.class_name = SYNC_CLASS("PutResponse"), ...});
 *     text_add(&out, ",\"result\":true");
 *     response_end(&out);
 */

struct response {
    const char *class_name; /* full */
    const char *client;     /* client id; NULL: null */
    const char *message_id; /* of the request; NULL: null */
    const char *data;       /* JSON text of "data"; NULL: null */
    int64_t timestamp_ms;   /* 0: now */
};

void response_begin(struct text *out, const struct response *head);
void response_end(struct text *out);

/* A whole ConnectResponse (spec 3.3). Without a client id it is a refusal, and `data` (JSON text)
 * says why. */
void response_connect(struct text *out, const char *client, const char *message_id,
                      const char *data);

/* Codes of SyncErrorResponse (contract, "SyncErrorResponse codes"; spec 8.8). */
enum response_code {
    CODE_INVALID_CLIENT = -100,
    CODE_PROCESS_FAILED = -101,
    CODE_MISSING_CLASS = -104,
    CODE_UNSUPPORTED = -105,
    CODE_NOT_IMPLEMENTED = -106,
    CODE_INVALID_PROCESS = -113,
    CODE_MALFORMED = -115,
    CODE_TIMEOUT = -116,
    CODE_FORBIDDEN = -117,
    CODE_TOO_MANY = -118,
    CODE_BACK_END_AWAY = -119,
    CODE_TOO_EXPENSIVE = -120,
    CODE_CREATE_FAILED = -200,
    CODE_UPDATE_FAILED = -201,
    CODE_REMOVE_FAILED = -202,
    CODE_MISSING_FIELD = -251,
    CODE_INTERNAL = 0
};

struct response_code_row {
    enum response_code code;
    const char *name;
    const char *meaning;
};

/* All there is to know of each; the page of codes is printed from it. */
extern const struct response_code_row response_codes[];
extern const size_t response_code_count;

/* The name that goes with a code: "invalidClient", ... ; never NULL. */
const char *response_code_name(enum response_code code);

/* An error as its response tells it; `code` and the rest are texts of any content. */
struct response_fault {
    const char *name, *code;
    const struct text *desc;
};

/* A whole SyncErrorResponse whose words are somebody else's. */
void response_fault(struct text *out, const char *client, const char *message_id,
                    const struct response_fault *fault);

/* A whole SyncErrorResponse. `desc` says which member and what was expected; for the client's eyes.
 */
void response_error(struct text *out, const char *client, const char *message_id,
                    enum response_code code, const char *desc);

/* A SyncDataError, the value of "data" in a refused write (spec 4.5). */
void response_data_error(struct text *out, enum response_code code, const char *message);
