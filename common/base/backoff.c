#include "common/base/backoff.h"

#include <sys/random.h>

#include "common/base/clock.h"

/* 1/2 to 1 of `ms`. Without randomness the whole wait will do. */
static int64_t with_jitter(int64_t ms)
{
    uint32_t random = 0;

    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
        random = 0;
    return ms - ms * (random % 512) / 1024;
}

int64_t backoff_left_ms(const struct backoff *b)
{
    int64_t left = b->due_ms - clock_mono_ms();

    return left > 0 ? left : 0;
}

void backoff_succeeded(struct backoff *b)
{
    b->started_ms = clock_mono_ms();
}

void backoff_failed(struct backoff *b)
{
    int64_t now = clock_mono_ms();

    if (b->started_ms && now - b->started_ms >= BACKOFF_LONGEST_MS)
        b->delay_ms = 0;
    b->started_ms = 0;
    b->delay_ms = b->delay_ms ? b->delay_ms * 2 : BACKOFF_FIRST_MS;
    if (b->delay_ms > BACKOFF_LONGEST_MS)
        b->delay_ms = BACKOFF_LONGEST_MS;
    b->due_ms = now + with_jitter(b->delay_ms);
}
