#include "gateway/door/rate.h"

#define ONE 1000 /* a rate per second is one of thousandths per millisecond */

/* More than a burst may have been spent at another rate. */
static int64_t spent_by(const struct bucket *b, const struct rate *r, int64_t now_ms)
{
    const int64_t regained = (now_ms - b->at_ms) * r->per_s;
    const int64_t spent = b->spent < r->burst * ONE ? b->spent : r->burst * ONE;

    return spent > regained ? spent - regained : 0;
}

bool bucket_take(struct bucket *b, const struct rate *r, int64_t now_ms)
{
    if (r->per_s == 0)
        return true;
    b->spent = spent_by(b, r, now_ms);
    b->at_ms = now_ms;
    if (b->spent + ONE > r->burst * ONE)
        return false;
    b->spent += ONE;
    return true;
}
