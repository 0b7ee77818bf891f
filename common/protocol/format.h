#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * format - which formats gateways and agents speak with each other: the one place that says so.
 *
 * A message says its own in the header "v", which speaks for the whole of it: headers, and the
 * bodies that gateways and agents make (pushes, announcements, receipts, their answers; those say
 * it once more as member "v", for who sees a body alone). A job in Redis says it in its field "v".
 * During an upgrade old and new programs run side by side, so every program reads what the release
 * before it writes, and refuses what it does not know, rather than guess: a request is answered
 * with -119, and one with effects becomes a dead letter with the reason, to be published again when
 * agents know it; a reply fails its request; a push is dropped, its marks bring it again; a job is
 * left to agents that know it.
 *
 * A new format is needed where somebody who does not know of a change would misread: not for a
 * header, member or operation more, which may be ignored. It is introduced in three releases, each
 * of which runs beside the one before:
 *   1. It is read: a row in format.c, and whoever takes such a message reads both shapes.
 *      FORMAT_WRITTEN stays.
 *   2. It is written: FORMAT_WRITTEN is the new number, and so may be the member and field "v".
 *   3. The oldest is read no more: its row goes, with the code that read it. Not before dead
 *      letters and jobs of it are gone.
 */

#define FORMAT_WRITTEN 1 /* by us */
#define FORMAT_BY_HAND 0 /* says none: published by hand, by a worker; a job of format 1 */

struct format {
    uint32_t number;
    const char *what; /* for a person to read */
};

extern const struct format formats[];
extern const unsigned format_count;

/* May a message or job of this format be read as if it were of the one that we write? */
bool format_is_read(uint32_t format);
