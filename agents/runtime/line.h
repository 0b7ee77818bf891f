#pragma once

#include <stddef.h>

/*
 * line - a growing array of pointers, first in first out; what the works of a worker wait in.
 * Borrows its items. A zeroed struct is empty. Running out of memory ends the process.
 */

struct line {
    void **at;
    size_t head, count, room;
};

void line_deinit(struct line *line);
void line_push(struct line *line, void *item);
void *line_first(const struct line *line);        /* NULL: empty */
void *line_at(const struct line *line, size_t i); /* i < count */
void *line_pop(struct line *line);                /* NULL: empty */
void line_clear(struct line *line);
