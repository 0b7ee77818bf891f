#include "common/protocol/content.h"

#include <string.h>

#include "common/base/cleanup.h"

/* By their numbers in error codes. `changed` is the server's own request. */
static const struct {
    const char *cls, *operation;
} classes[] = {
    // clang-format off
    [1] = { "login",         "authenticate"  },
    [2] = { "reconnect",     "reconnect"     },
    [3] = { "logout",        "logout"        },
    [4] = { "get_content",   "get_content"   },
    [5] = { "get_children",  "get_children"  },
    [6] = { "patch_content", "patch_content" },
    [7] = { "add_child",     "add_child"     },
    [8] = { "subscribe",     "subscribe"     },
    [9] = { "revoke",        "revoke"        },
    /* 10 is the server's own request, `changed` */
    [11] = { "change_password",    "changePassword"   },
    [12] = { "end_other_sessions", "endOtherSessions" },
    [13] = { "delete_account",     "deleteAccount"    },
    // clang-format on
};

static const struct meaning {
    enum response_code code;
    int status, detail;
    const char *title;
} meanings[] = {
    // clang-format off
    { CODE_INTERNAL,        500, CONTENT_OTHER,             "Internal Error"      },
    { CODE_INVALID_CLIENT,  401, CONTENT_NOT_AUTHENTICATED, "Not Authenticated"   },
    { CODE_MISSING_CLASS,   404, CONTENT_UNKNOWN,           "Not Found"           },
    { CODE_NOT_IMPLEMENTED, 400, CONTENT_PLAIN,             "Not Served"          },
    { CODE_MALFORMED,       400, CONTENT_PLAIN,             "Format Error"        },
    { CODE_TIMEOUT,         503, CONTENT_PLAIN,             "No Answer In Time"   },
    { CODE_FORBIDDEN,       403, CONTENT_DENIED,            "Forbidden"           },
    { CODE_TOO_MANY,        429, CONTENT_PLAIN,             "Too Many Requests"   },
    { CODE_BACK_END_AWAY,   503, CONTENT_PLAIN,             "Service Unavailable" },
    { CODE_TOO_EXPENSIVE,   413, CONTENT_PLAIN,             "Too Large"           },
    { CODE_CREATE_FAILED,   422, CONTENT_UNFIT,             "Not Created"         },
    { CODE_UPDATE_FAILED,   422, CONTENT_UNFIT,             "Not Changed"         },
    { CODE_REMOVE_FAILED,   422, CONTENT_UNFIT,             "Not Removed"         },
    { CODE_MISSING_FIELD,   422, CONTENT_UNFIT,             "Missing Field"       },
    // clang-format on
};

/* An unknown code is an internal error: the first. */
static const struct meaning *meaning_of(enum response_code code)
{
    for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
        if (meanings[i].code == code)
            return &meanings[i];
    return &meanings[0];
}

const char *content_cls(const struct operation *o)
{
    return o && o->content_class ? classes[o->content_class].cls : NULL;
}

const struct operation *content_operation(const char *cls, size_t size)
{
    for (size_t i = 1; i < ARRAY_SIZE(classes); i++) {
        if (classes[i].cls && size == strlen(classes[i].cls) &&
            memcmp(cls, classes[i].cls, size) == 0)
            return operation_by_name(classes[i].operation, strlen(classes[i].operation));
    }
    return NULL;
}

static void begin(struct text *out, const char *type, const char *id, const char *cls)
{
    text_add(out, "{\"type\":");
    text_add_json_str(out, type);
    if (id) {
        text_add(out, ",\"id\":");
        text_add_json_str(out, id);
    }
    if (cls) {
        text_add(out, ",\"cls\":");
        text_add_json_str(out, cls);
    }
    text_add(out, ",\"status\":");
}

void content_add_result(struct text *out, const char *id, const char *cls, int status,
                        const char *data)
{
    begin(out, "result", id, cls);
    text_add_i64(out, status);
    if (data) {
        text_add(out, ",\"data\":");
        text_add(out, data);
    }
    text_add_char(out, '}');
}

void content_add_error(struct text *out, const char *id, const char *cls, int code, const char *msg)
{
    begin(out, "error", id, cls);
    text_add_i64(out, code / 10000);
    text_add(out, ",\"data\":{\"code\":");
    text_add_i64(out, code);
    text_add(out, ",\"msg\":");
    text_add_json_str(out, msg);
    text_add(out, "}}");
}

int content_code(const struct operation *o, int status, int detail)
{
    return status * 10000 + (o ? o->content_class : 0) * 100 + detail;
}

int content_code_of(const struct operation *o, enum response_code code)
{
    const struct meaning *meaning = meaning_of(code);
    bool of_no_class = !o || !o->content_class;

    /* What belongs to no class has no details: 5000000. */
    return content_code(o, meaning->status, of_no_class ? CONTENT_PLAIN : meaning->detail);
}

int content_status_of(enum response_code code)
{
    return meaning_of(code)->status;
}

void content_add_msg(struct text *out, enum response_code code, const char *desc)
{
    text_addf(out, "%s: %s", meaning_of(code)->title, desc);
}
