#include "agents/runtime/line.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"

void line_deinit(struct line *line)
{
    free(line->at);
    memset(line, 0, sizeof(*line));
}

static void grow(struct line *line)
{
    size_t room = line->room ? line->room * 2 : 64;
    void **at = calloc(room, sizeof(*at));

    if (!at)
        err_out_of_memory();
    for (size_t i = 0; i < line->count; i++)
        at[i] = line->at[(line->head + i) & (line->room - 1)];
    free(line->at);
    line->at = at;
    line->head = 0;
    line->room = room;
}

void line_push(struct line *line, void *item)
{
    if (line->count == line->room)
        grow(line);
    line->at[(line->head + line->count++) & (line->room - 1)] = item;
}

void *line_at(const struct line *line, size_t i)
{
    return line->at[(line->head + i) & (line->room - 1)];
}

void *line_first(const struct line *line)
{
    return line->count ? line->at[line->head] : NULL;
}

void *line_pop(struct line *line)
{
    void *item = line_first(line);

    if (item) {
        line->head = (line->head + 1) & (line->room - 1);
        line->count--;
    }
    return item;
}

void line_clear(struct line *line)
{
    line->head = line->count = 0;
}
