/* hangup.c -- how a connection to a next hop ends, and what that means.
 *
 * For the address: the next one of the route is tried.  For the site, when no
 * address is left: it has failed.  For the attempt that hangs on it: its
 * recipients go with the attempt to the next address while none has an answer;
 * else each has its outcome, and the attempt is settled.
 *
 * Must hold: the object is given back when no operation of it is under way and
 * no attempt hangs on it. */
#include "core/outbound/hangup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/outbound/dial.h"
#include "core/outbound/secure.h"

void outbound_arm(struct outbound *c, uint64_t in_ms)
{
	timer_arm(loop_timers(c->service->loop), &c->timer, in_ms);
}

void outbound_give_held(struct outbound *c)
{
	if (c->held != NULL)
		pool_give(&c->service->held_pool, c->held);
	c->held = NULL;
	c->held_len = 0;
}

void outbound_give_route(struct outbound *c)
{
	if (c->route != NULL)
		pool_give(&c->service->route_pool, c->route);
	c->route = NULL;
}

void outbound_unidle(struct outbound *c)
{
	if (c->state != OUTBOUND_IDLE)
		return;
	list_remove(&c->idle_link);
	scheduler_idle_count(c->service->scheduler, c->destination, -1);
}

bool outbound_is_busy(const struct outbound *c)
{
	return c->connect.busy || stream_busy(&c->stream) ||
	       (c->route != NULL && c->route->busy) ||
	       (c->attempt != NULL && c->attempt->body_read.busy);
}

/* Settles the attempt that was given up.  False: its end comes to
 * outbound_finish by itself. */
static bool settle_last(struct outbound *c)
{
	struct attempt *a = c->attempt;

	c->unsettled = false;
	for (uint32_t i = 0; i < a->transaction.rcpt_count; i++)
		if (a->rcpts[i].outcome.kind == OUTCOME_OTHER_HOST ||
		    a->rcpts[i].outcome.kind == OUTCOME_NONE) {
			a->rcpts[i].outcome = c->last;
			a->rcpts[i].outcome.kind = OUTCOME_DEFERRED;
		}
	bool more = attempt_has_more(a);

	outbound_settle(c); /* with more of it, c may be gone now */
	return !more;
}

/* Comes here again with each completion until nothing is under way: the kernel
 * may still be sending from the attempt's memory. */
void outbound_finish(struct outbound *c)
{
	struct outbound_service *s = c->service;

	check(c->state == OUTBOUND_CLOSING);
	if (outbound_is_busy(c) || (c->unsettled && !settle_last(c)) ||
	    c->attempt != NULL)
		return;
	outbound_secure_end(c);
	if (c->stream.fd >= 0) {
		/* Its place in the ledger is free when it is closed, not
		 * earlier: another worker may take it at once. */
		stream_close(&c->stream, !c->mute);
		loop_submit(s->loop);
	}
	outbound_give_route(c);
	outbound_give_held(c);
	timer_disarm(&c->timer);
	list_remove(&c->link);
	scheduler_disconnected(s->scheduler, c->destination);
	s->connection_count--;
	pool_give(&s->connection_pool, c);
	outbound_service_dispatch(s);
}

/* Whether a completion has nothing to tell but that it is over. */
bool outbound_is_over(struct outbound *c)
{
	if (c->state == OUTBOUND_CLOSING) {
		outbound_finish(c);
		return true;
	}
	if (c->state == OUTBOUND_SWITCHING) {
		if (!outbound_is_busy(c))
			outbound_connect(c);
		return true;
	}
	return false;
}

void outbound_cancel(struct outbound *c)
{
	loop_cancel(c->service->loop, &c->connect);
	if (c->stream.fd >= 0)
		stream_cancel(&c->stream);
}

void outbound_close(struct outbound *c)
{
	outbound_unidle(c);
	c->state = OUTBOUND_CLOSING;
	outbound_cancel(c);
	outbound_finish(c);
}

/* Whether every recipient may still be taken by another host, or by a new
 * connection, in this same attempt. */
bool outbound_other_host(const struct attempt *a)
{
	for (uint32_t i = 0; i < a->transaction.rcpt_count; i++)
		if (a->rcpts[i].outcome.kind != OUTCOME_OTHER_HOST)
			return false;
	return a->transaction.rcpt_count > 0;
}

void outbound_site_failed(struct outbound *c)
{
	struct outbound_service *s = c->service;
	struct log *log = s->log;

	log_begin(log, LOG_WARN, "site_failed");
	log_slice(log, "site", destination_name(c->destination));
	if (c->last.code > 0)
		log_number(log, "code", c->last.code);
	log_slice(log, "reply", slice_of(c->last.text, c->last.text_len));
	log_end(log);
	scheduler_site_failed(s->scheduler, c->destination,
	    slice_of(c->last.text, c->last.text_len), loop_wall_s(s->loop));
	destination_explain(c->destination, c->last.code, c->last.status);
}

/* This connection will bring nothing more; an attempt that hangs on it gets
 * `c->last`. */
void outbound_give_up(struct outbound *c)
{
	c->unsettled = c->attempt != NULL;
	outbound_close(c);
}

/* This address failed with c->last: the next one, or the site has failed. */
void outbound_address_failed(struct outbound *c)
{
	if (c->route != NULL && outbound_secure_again(c)) {
		outbound_same_address(c);
		return;
	}
	if (c->route != NULL && c->address_next < c->route->address_count &&
	    !c->service->draining) {
		outbound_next_address(c);
		return;
	}
	if (c->last.site)
		outbound_site_failed(c);
	outbound_give_up(c);
}

void outbound_ended(struct outbound *c)
{
	struct attempt *a = c->attempt;

	if (a == NULL) {
		if (c->connected)
			outbound_close(c);
		else
			outbound_address_failed(c);
	} else if (!outbound_other_host(a)) {
		outbound_give_up(c);
	} else if (c->route != NULL) {
		outbound_address_failed(c);
	} else if (outbound_is_busy(c) || a->deferred_count > 0) {
		/* With deferred ones among the recipients before these, a new
		 * try at once would be one for those, too, and for ever. */
		outbound_give_up(c);
	} else {
		/* A used connection went away between two messages, as they
		 * do: that is no attempt. */
		c->attempt = NULL;
		attempt_untake(a);
		outbound_close(c);
	}
}

void outbound_lost(struct outbound *c, const struct outcome *why)
{
	c->last = *why;
	switch (c->state) {
	case OUTBOUND_ROUTING:
	case OUTBOUND_SWITCHING:
	case OUTBOUND_CONNECTING:
		metric_inc(c->service->metrics, METRIC_CONNECT_FAILED);
		outbound_address_failed(c);
		return;
	case OUTBOUND_IDLE:
	case OUTBOUND_LOADING:	/* nothing was sent: later, elsewhere */
	case OUTBOUND_SETTLING: /* the rest of its recipients: the same */
		outbound_close(c);
		return;
	case OUTBOUND_CLOSING: outbound_finish(c); return;
	case OUTBOUND_HANDSHAKE:
	case OUTBOUND_TALKING:
	case OUTBOUND_BODY: break;
	}
	if (c->held_len > 0) {
		/* What it answered while it did not take our bytes counts. */
		struct slice in = slice_of(c->held, c->held_len);

		(void)smtp_client_next(&c->client, &in, &c->out);
	}
	smtp_client_fail(&c->client, *why);
	outbound_ended(c);
}

void outbound_lost_because(
    struct outbound *c, const uint8_t status[3], const char *sentence)
{
	struct outcome why =
	    outcome_of_error(OUTCOME_OTHER_HOST, status, true, sentence);

	outbound_lost(c, &why);
}

void outbound_lost_errno(struct outbound *c, const char *what, int err)
{
	char sentence[600];

	snprintf(sentence, sizeof(sentence), "%s %s: %s", what, c->relay,
	    strerror(-err));
	outbound_lost_because(c, (const uint8_t[3]){4, 4, 1}, sentence);
}
