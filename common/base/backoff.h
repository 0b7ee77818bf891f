#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * backoff - when to try again after a failure: after 0.1 s, doubling to 1.5 s, each with jitter, so
 * that a hundred workers do not all come back in the same instant, and each within 2 s.
 *
 * A zeroed struct backoff is due at once. Success is stated when it has lasted: a peer that accepts
 * us and drops us again must not be visited ten times a second.
 */

#define BACKOFF_FIRST_MS   100
#define BACKOFF_LONGEST_MS 1500

struct backoff {
    int64_t delay_ms;   /* of the last wait, without jitter; 0: none */
    int64_t due_ms;     /* clock_mono_ms() at which the next attempt is allowed */
    int64_t started_ms; /* clock_mono_ms() of the last success */
};

/* Milliseconds until the next attempt is allowed, 0 when it is. */
int64_t backoff_left_ms(const struct backoff *b);

/* An attempt succeeded. */
void backoff_succeeded(struct backoff *b);

/* An attempt failed, or what had succeeded is lost: wait, longer than the last time unless the
 * success in between lasted for BACKOFF_LONGEST_MS. */
void backoff_failed(struct backoff *b);
