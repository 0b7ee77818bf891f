#pragma once

#include "common/redis/redis_link.h"

/* scripts - steps in Redis that agents of all kinds take: runtime/store/<name>.lua. */

extern const struct redis_script script_presence;
