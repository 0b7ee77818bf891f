#pragma once

/*
 * management - calls of RabbitMQ's management API, at MANAGEMENT_URL, in the virtual host of
 * AMQP_URL; for what an operator does by hand and our links never do.
 */

/* One call; `path` begins behind /api, and "{vhost}" in it is replaced. `body` may be NULL.
 * Returns the HTTP status. */
int management_call(const char *method, const char *path, const char *body);
