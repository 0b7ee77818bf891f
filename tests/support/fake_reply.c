#include "tests/support/fake_reply.h"

#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "common/base/text.h"

void fake_reply(struct redis_call *call, const char *protocol)
{
    redisReader *reader = redisReaderCreate();
    void *reply = NULL;

    if (call->reply)
        freeReplyObject(call->reply);
    if (redisReaderFeed(reader, protocol, strlen(protocol)) ||
        redisReaderGetReply(reader, &reply) || !reply)
        abort();
    call->reply = reply;
    redisReaderFree(reader);
}

void fake_reply_strings(struct redis_call *call, const char *const *strings)
{
    _cleanup_(text_deinitp) struct text protocol = {0};
    size_t count = 0;

    while (strings[count])
        count++;
    text_addf(&protocol, "*%zu\r\n", count);
    for (size_t i = 0; i < count; i++)
        text_addf(&protocol, "$%zu\r\n%s\r\n", strlen(strings[i]), strings[i]);
    fake_reply(call, protocol.at);
}
