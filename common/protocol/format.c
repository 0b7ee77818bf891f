#include "common/protocol/format.h"

#include "common/base/cleanup.h"

const struct format formats[] = {
    {FORMAT_BY_HAND, "identity may stand in the body instead of the headers"},
    {FORMAT_WRITTEN, "identity in the headers; logins sealed"},
};

const unsigned format_count = ARRAY_SIZE(formats);

bool format_is_read(uint32_t format)
{
    for (unsigned i = 0; i < format_count; i++)
        if (formats[i].number == format)
            return true;
    return false;
}
