#include "gateway/broker/traffic.h"

#include <stdlib.h>

struct order *order_create(enum order_kind kind)
{
    size_t numbers = kind == ORDER_FORGET ? ORDER_FORGET_MAX : 0;
    struct order *o = calloc(1, sizeof(*o) + numbers * sizeof(o->numbers[0]));

    if (!o)
        err_out_of_memory();
    o->kind = kind;
    return o;
}

void order_destroy(void *order)
{
    struct order *o = order;

    msg_destroy(o->message);
    free(o);
}

struct news *news_create(enum news_kind kind)
{
    struct news *n = calloc(1, sizeof(*n));

    if (!n)
        err_out_of_memory();
    n->kind = kind;
    return n;
}

void news_destroy(void *news)
{
    struct news *n = news;

    msg_destroy(n->message);
    free(n);
}
