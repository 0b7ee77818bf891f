#pragma once

#include "common/process/config.h"

/* config_private - what the loading and the printing of settings share. */

/* Adds the environment name of a row: ACTIVESTACK_AMQP_URL. */
void config_add_variable(struct text *out, const struct config_row *row);

/* Adds what a row allows: "a number from 1 to 65535". */
void config_add_allowed(struct text *out, const struct config_row *row);
