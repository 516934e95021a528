/* hangup.h -- how a connection to a next hop ends.  Within core/outbound. */
#ifndef CORE_OUTBOUND_HANGUP_H
#define CORE_OUTBOUND_HANGUP_H

#include "core/outbound/outbound.h"

/* The time-out of what is waited for now. */
void outbound_arm(struct outbound *c, uint64_t in_ms);
void outbound_give_held(struct outbound *c);
void outbound_give_route(struct outbound *c);
/* No longer idle; harmless in other states. */
void outbound_unidle(struct outbound *c);
bool outbound_is_busy(const struct outbound *c);
void outbound_cancel(struct outbound *c);
/* For a completion: whether it has nothing to tell but that it is over. */
bool outbound_is_over(struct outbound *c);

/* Gives the connection back once nothing is under way; comes here again with
 * each completion until then. */
void outbound_finish(struct outbound *c);
/* Without another word to the server; no attempt hangs on it that could still
 * have an outcome. */
void outbound_close(struct outbound *c);
/* Closes; an attempt's recipients without an outcome get c->last, deferred, and
 * it is settled. */
void outbound_give_up(struct outbound *c);
/* This address failed with c->last: the next one, or the site has failed. */
void outbound_address_failed(struct outbound *c);
/* The destination is paused because of c->last. */
void outbound_site_failed(struct outbound *c);

/* The session is over because of c->last; the attempt that hangs on it has what
 * outcomes the machine could give. */
void outbound_ended(struct outbound *c);
/* The connection is lost, or does not come about. */
void outbound_lost(struct outbound *c, const struct outcome *why);
void outbound_lost_because(
    struct outbound *c, const uint8_t status[3], const char *sentence);
/* `what` and the relay's name stand before the error's text. */
void outbound_lost_errno(struct outbound *c, const char *what, int err);

/* Whether every recipient of the attempt may still be taken by another host,
 * or by a new connection, in this same attempt. */
bool outbound_other_host(const struct attempt *a);

#endif
