#pragma once

#include <stdint.h>

/*
 * clock - time in milliseconds.
 *
 * clock_mono_ms() is for deadlines and never jumps; clock_wall_ms() is for timestamps that leave
 * the process (milliseconds since 1970, as everywhere on the wire). clock_mono_us() is for
 * measuring latencies.
 */

int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);
int64_t clock_wall_ms(void);
