#pragma once

/*
 * model_texts - models for tests, as texts. Names are single letters.
 */

/* A class A with these members; a class A with these fields. */
#define CLASS(members)  "{\"classes\":{\"A\":{" members "}}}"
#define FIELDS(members) CLASS("\"fields\":{" members "}")
/* Class A with a listed field f towards B: who may read B, the inverse, and what else f has. */
#define LISTED(read, inverse, more)                                                              \
    "{\"classes\":{\"A\":{\"id\":\"integer\",\"fields\":{\"f\":{\"type\":\"toMany\",\"listed\":" \
    "true,"                                                                                      \
    "\"target\":\"B\",\"inverse\":\"" inverse "\"" more "}}},\"D\":{\"parent\":\"A\"},"          \
    "\"J\":{\"fields\":{\"a\":{\"type\":\"toOne\",\"target\":\"A\"},"                            \
    "\"l\":{\"type\":\"list\",\"target\":\"A\"},\"b\":{\"type\":\"toOne\",\"target\":\"B\"}}},"  \
    "\"B\":{\"id\":\"array\",\"fields\":{\"a\":{\"type\":\"toOne\",\"target\":\"A\"},"           \
    "\"l\":{\"type\":\"list\",\"target\":\"A\"},\"u\":{\"type\":\"string\"}},"                   \
    "\"access\":{\"read\":" read "}},\"C\":{\"parent\":\"B\"}}}"
#define THROUGH(onward) ",\"through\":\"J\",\"onward\":\"" onward "\""

/* Class A with this index and another one before; its parent P has one on p. */
#define INDEX(members)                                                                     \
    "{\"classes\":{\"P\":{\"fields\":{\"p\":{\"type\":\"string\"}},"                       \
    "\"indexes\":[{\"fields\":[\"p\"]}]},\"A\":{\"parent\":\"P\",\"fields\":{"             \
    "\"d\":{\"type\":\"date\"},\"j\":{\"type\":\"json\"},"                                 \
    "\"l\":{\"type\":\"list\",\"target\":\"A\"}},\"indexes\":[{\"fields\":[\"d\",\"p\"]}," \
    "{" members "}]}}}"
