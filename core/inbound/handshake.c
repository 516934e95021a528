/* handshake.c -- a session goes into TLS: after STARTTLS, or before anything.
 *
 * A handshake costs memory and time before we know whom we talk to.  So there
 * is a maximum of those in progress, for all of a worker and for each client,
 * and each has its own
 * time, in all, not for each of its steps; how many steps are done in a turn is
 * the stream's to bound.
 *
 * Must hold: a reservation is given back exactly once. */
#include <errno.h>

#include "core/inbound/inbound_parts.h"

#define HANDSHAKE_MS 30000

/* Nobody gets all of them. */
static bool count_client(struct inbound *c)
{
	if (c->settings->client_connection_max > 0)
		return true;
	c->shaking = inbound_client_take(&c->service->handshakers, &c->client,
	    INBOUND_HANDSHAKES_CLIENT_MAX);
	return c->shaking != NULL;
}

bool handshake_reserve(struct inbound *c)
{
	struct inbound_service *s = c->service;

	check(!c->handshaking);
	if (c->settings->tls == NULL ||
	    s->handshake_count >= INBOUND_HANDSHAKES_MAX || !count_client(c))
		return false;
	s->handshake_count++;
	c->handshaking = true;
	return true;
}

void handshake_forget(struct inbound *c)
{
	if (c->handshaking)
		c->service->handshake_count--;
	inbound_client_give(&c->service->handshakers, c->shaking);
	c->shaking = NULL;
	c->handshaking = false;
}

static void log_failed(struct inbound *c, const char *why)
{
	struct log *log = c->service->log;

	metric_inc(c->service->metrics, METRIC_TLS_SERVER_FAILED);
	log_begin(log, LOG_INFO, "tls_failed");
	log_address(log, "client", &c->client);
	log_str(log, "reply", why);
	log_end(log);
}

void handshake_log(struct log *log, const struct inbound *c)
{
	if (c->stream.tls == NULL)
		return;
	log_str(log, "tls", tls_version(c->stream.tls));
	log_str(log, "cipher", tls_cipher(c->stream.tls));
}

static void log_done(struct inbound *c)
{
	struct log *log = c->service->log;

	metric_inc(c->service->metrics, METRIC_TLS_SERVER);
	log_begin(log, LOG_DEBUG, "tls");
	log_address(log, "client", &c->client);
	handshake_log(log, c);
	log_str(log, "resumed", tls_is_resumed(c->stream.tls) ? "yes" : "no");
	log_end(log);
}

/* SCRAM-SHA-256-PLUS needs one; nobody else asks. */
static bool has_binding(struct inbound *c)
{
	uint8_t binding[32];
	unsigned plus = 1u << SASL_SCRAM_SHA_256_PLUS;
	bool has = (c->settings->smtp.mechanisms & plus) != 0 &&
		   tls_exporter(c->stream.tls, binding);

	explicit_bzero(binding, sizeof(binding));
	return has;
}

static void on_handshake(struct stream *stream, int result)
{
	struct inbound *c = container_of(stream, struct inbound, stream);

	handshake_forget(c);
	if (c->state == INBOUND_CLOSING) {
		inbound_finish(c);
		return;
	}
	if (result < 0) {
		log_failed(c, result == -EPROTO && stream->tls != NULL
				  ? tls_error(stream->tls)
				  : strerror(-result));
		inbound_abort(c);
		return;
	}
	log_done(c);
	timer_disarm(&c->timer);
	c->state = INBOUND_TALKING;
	smtp_server_tls_started(&c->smtp, has_binding(c));
	if (c->admitted)
		inbound_run(c, (struct slice){NULL, 0});
	else
		door_admit(c, (struct slice){NULL, 0});
}

void handshake_sent(struct inbound *c)
{
	stream_accept_tls(&c->stream, c->settings->tls, on_handshake);
}

void handshake_begin(struct inbound *c)
{
	check(c->handshaking);
	check(!stream_receiving(&c->stream));
	c->state = INBOUND_HANDSHAKE;
	inbound_arm(c, HANDSHAKE_MS);
	inbound_flush(c);
	if (!stream_sending(&c->stream))
		handshake_sent(c);
}

void handshake_timeout(struct inbound *c)
{
	log_failed(c, "it takes too long");
	inbound_abort(c);
}
