/* dial.h -- from a destination to a connection.  Within core/outbound. */
#ifndef CORE_OUTBOUND_DIAL_H
#define CORE_OUTBOUND_DIAL_H

#include "core/outbound/outbound.h"

/* Tries the route's next address (there is one). */
void outbound_next_address(struct outbound *c);
/* The same once more, with a new socket. */
void outbound_same_address(struct outbound *c);
/* Goes on with it when the old socket's operations are over. */
void outbound_connect(struct outbound *c);

#endif
