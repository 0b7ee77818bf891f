#include "tests/bench/load.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"

unsigned load_number(const char *argument)
{
    char *end;
    unsigned long number = strtoul(argument, &end, 10);

    if (*end || number < 1 || number > 1000000)
        measure_die("not a number from 1 to 1,000,000", argument);
    return (unsigned)number;
}

void load_init(struct load *load, char **arguments, unsigned request_count)
{
    load->depth = load_number(arguments[0]);
    load->expected = arguments[2];
    load->requests = arguments + 3;
    load->request_count = request_count;
    load->number = 0;
    load->slots = calloc(load->depth, sizeof(*load->slots));
    if (!load->slots || secret_init())
        measure_die("cannot start", "");
    secret_random_id(load->run);
    measure_init(&load->measure, load_number(arguments[1]));
}

void load_deinit(struct load *load)
{
    free(load->slots);
}

static void add_id(struct text *out, const struct load *load, unsigned slot, uint64_t number)
{
    text_addf(out, "%u-%" PRIu64 "-%s", slot, number, load->run);
}

static bool starts_with(const char *text, const char *start)
{
    return !strncmp(text, start, strlen(start));
}

/* Adds what a mark at `at` stands for; returns what is behind it. Other text is added as it is. */
static const char *add_mark(struct text *out, const struct load *load, unsigned slot,
                            const char *at)
{
    char *end;
    unsigned long below = strtoul(at + 1, &end, 10);

    if (starts_with(at, "@ID@")) {
        add_id(out, load, slot, load->number);
        return at + 4;
    }
    if (starts_with(at, "@LAST@")) {
        add_id(out, load, slot, load->slots[slot].number);
        return at + 6;
    }
    if (starts_with(at, "@SLOT@")) {
        text_add_u64(out, slot);
        return at + 6;
    }
    if (below && *end == '@') {
        text_add_u64(out, (uint64_t)random() % below);
        return end + 1;
    }
    text_add_char(out, '@');
    return at + 1;
}

static void add_filled_in(struct text *out, const struct load *load, unsigned slot,
                          const char *request)
{
    const char *at;

    for (; (at = strchr(request, '@')); request = add_mark(out, load, slot, at))
        text_add_bytes(out, request, (size_t)(at - request));
    text_add(out, request);
}

void load_ask(struct load *load, unsigned slot_number, struct text *id, struct text *request)
{
    struct load_slot *slot = &load->slots[slot_number];

    load->number++;
    text_clear(id);
    add_id(id, load, slot_number, load->number);
    text_clear(request);
    add_filled_in(request, load, slot_number, load->requests[slot->next]);
    slot->next = (slot->next + 1) % load->request_count;
    slot->number = load->number;
    slot->asked_us = clock_mono_us();
}

unsigned load_answer(struct load *load, const char *id, const char *body, size_t size)
{
    char *end;
    unsigned long slot = strtoul(id, &end, 10);

    if (end == id || slot >= load->depth)
        measure_die("an answer to nothing that was asked", body);
    if (!memmem(body, size, load->expected, strlen(load->expected)))
        measure_die("an unexpected answer", body);
    measure_answer(&load->measure, load->slots[slot].asked_us);
    return (unsigned)slot;
}
