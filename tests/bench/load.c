#include "tests/bench/load.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

unsigned load_number(const char *argument)
{
    char *end;
    unsigned long number = strtoul(argument, &end, 10);

    if (*end || number < 1 || number > 1000000)
        measure_die("not a number from 1 to 1,000,000", argument);
    return (unsigned)number;
}

void load_init(struct load *load, char **arguments)
{
    load->depth = load_number(arguments[0]);
    load->expected = arguments[2];
    load->request = arguments[3];
    load->number = 0;
    load->asked_us = calloc(load->depth, sizeof(*load->asked_us));
    if (!load->asked_us || secret_init())
        measure_die("cannot start", "");
    secret_random_id(load->run);
    measure_init(&load->measure, load_number(arguments[1]));
}

void load_deinit(struct load *load)
{
    free(load->asked_us);
}

static void add_filled_in(struct text *out, const char *template, const char *id, unsigned slot)
{
    const char *mark;

    for (; (mark = strchr(template, '@')); template = mark) {
        text_add_bytes(out, template, (size_t)(mark - template));
        if (!strncmp(mark, "@ID@", 4)) {
            text_add(out, id);
            mark += 4;
        } else if (!strncmp(mark, "@SLOT@", 6)) {
            text_add_u64(out, slot);
            mark += 6;
        } else {
            text_add_char(out, *mark++);
        }
    }
    text_add(out, template);
}

void load_ask(struct load *load, unsigned slot, struct text *id, struct text *request)
{
    text_clear(id);
    text_addf(id, "%u-%" PRIu64 "-%s", slot, ++load->number, load->run);
    text_clear(request);
    add_filled_in(request, load->request, text_str(id), slot);
    load->asked_us[slot] = clock_mono_us();
}

unsigned load_answer(struct load *load, const char *id, const char *body, size_t size)
{
    char *end;
    unsigned long slot = strtoul(id, &end, 10);

    if (end == id || slot >= load->depth)
        measure_die("an answer to nothing that was asked", body);
    if (!memmem(body, size, load->expected, strlen(load->expected)))
        measure_die("an unexpected answer", body);
    measure_answer(&load->measure, load->asked_us[slot]);
    return (unsigned)slot;
}
