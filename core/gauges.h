/* gauges.h -- what a worker measures of itself for /metrics, a second old at
 * most; an idle worker is not woken for it. */
#ifndef CORE_GAUGES_H
#define CORE_GAUGES_H

#include <stdbool.h>

#include "core/base/loop.h"
#include "core/base/metrics.h"
#include "core/inbound/service.h"
#include "core/outbound/service.h"

struct gauges {
	struct metrics *metrics;
	struct loop *loop;
	const struct inbound_service *inbound;
	const struct outbound_service *outbound;
	const struct spool *own;
	struct timer timer; /* armed by whatever happens */
	bool measured;	    /* in this turn */
};

/* The other members are set.  Measures for the first time. */
void gauges_begin(struct gauges *g);
/* After each turn of the loop: there may be something new. */
void gauges_turned(struct gauges *g);
/* Before what they measure is closed: the loop may still turn. */
void gauges_end(struct gauges *g);

#endif
