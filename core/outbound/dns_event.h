/* dns_event.h -- libunbound's events, on our loop. */
#ifndef CORE_OUTBOUND_DNS_EVENT_H
#define CORE_OUTBOUND_DNS_EVENT_H

#include "core/base/check.h"
#include "core/base/loop.h"

struct dns_events;
struct ub_event_base;

MUST_USE int dns_events_open(struct dns_events **events, struct loop *loop);

/* What ub_ctx_create_ub_event wants; for any number of contexts. */
struct ub_event_base *dns_events_base(struct dns_events *events);

/* After the contexts were deleted.  The memory is given back when the loop has
 * ended the last poll, or with the process. */
void dns_events_close(struct dns_events *events);

#endif
