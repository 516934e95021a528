/* door.c -- how a session begins: who comes, and may he?
 *
 * Behind a proxy the PROXY header says who; on a TLS listener the handshake
 * comes before the first word of ours, even of those that are no welcome.  Then
 * the allowed networks are asked, and the SMTP session begins with a greeting
 * or with a refusal. */
#include "core/inbound/inbound_parts.h"

/* How many the client's address has already.  False: one too many. */
static bool count(struct inbound *c)
{
	uint32_t max = c->settings->client_connection_max;

	if (c->counted == NULL)
		c->counted =
		    inbound_client_take(&c->service->clients, &c->client, max);
	return c->counted != NULL || max == 0;
}

void door_admit(struct inbound *c, struct slice in)
{
	struct inbound_service *s = c->service;
	uint8_t room[160];
	struct buf why = buf_over(room, sizeof(room));
	struct reply no = {0};
	struct socket_address_text text = socket_address_format(&c->client);

	c->state = INBOUND_TALKING;
	c->admitted = true;
	if (!network_list_has(c->settings->allowed_networks, &c->client.any)) {
		buf_printf(
		    &why, "client [%s] is not in an allowed network", text.at);
		no = (struct reply){554, "5.7.1", buf_slice(&why)};
	} else if (!count(c)) {
		buf_printf(&why, "too many connections from [%s]", text.at);
		no = (struct reply){421, "4.7.0", buf_slice(&why)};
	}
	log_begin(s->log, LOG_INFO, no.code == 0 ? "connect" : "refused");
	log_str(s->log, "client", text.at);
	log_number(s->log, "port", ntohs(c->client.v4.sin_port));
	if (no.code != 0) {
		metric_inc(s->metrics, METRIC_REFUSED);
		log_number(s->log, "code", no.code);
		log_slice(s->log, "reply", no.text);
		c->polite = true;
		smtp_server_end(&c->smtp, no);
	}
	log_end(s->log);
	inbound_run(c, in);
}

static void refuse(struct inbound *c, const char *why)
{
	struct log *log = c->service->log;

	metric_inc(c->service->metrics, METRIC_REFUSED);
	log_begin(log, LOG_INFO, "refused");
	log_address(log, "client", &c->client);
	log_str(log, "reply", why);
	log_end(log);
	inbound_abort(c);
}

/* A proxy that listens on :: gives IPv4 clients as ::ffff:a.b.c.d. */
static void unmap(union socket_address *a)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};

	if (a->any.sa_family != AF_INET6 ||
	    !IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr))
		return;
	v4.sin_port = a->v6.sin6_port;
	memcpy(&v4.sin_addr, a->v6.sin6_addr.s6_addr + 12, 4);
	a->v4 = v4;
}

/* Bytes before the PROXY header is whole; all of them so far. */
void door_proxy(struct inbound *c, struct slice in)
{
	struct proxy_client client;
	size_t header_len = 0;

	switch (proxy_decode(in, &client, &header_len)) {
	case PROXY_MORE:
		if (in.len > PROXY_HEADER_MAX) {
			refuse(c, "endless PROXY header");
			return;
		}
		inbound_hold(c, in);
		inbound_receive(c);
		return;
	case PROXY_BAD: refuse(c, "no PROXY header"); return;
	case PROXY_KNOWN:
		memcpy(&c->client, &client.address, sizeof(c->client));
		unmap(&c->client);
		break;
	case PROXY_LOCAL: break;
	}
	slice_cut(&in, header_len);
	door_admit(c, in);
}

/* Who has too many connections need not make us work for one more. */
static void tls_first(struct inbound *c)
{
	if (!count(c))
		refuse(c, "too many connections");
	else if (!handshake_reserve(c))
		refuse(c, "no TLS now: too many handshakes");
	else
		handshake_begin(c);
}

void inbound_begin(struct inbound_service *s, int fd, enum listener_kind kind)
{
	union socket_address peer = {0};
	socklen_t len = sizeof(peer);
	struct inbound *c = NULL;

	if (getpeername(fd, &peer.any, &len) == 0)
		c = pool_take(&s->session_pool);
	if (c == NULL) {
		loop_close(s->loop, fd);
		return;
	}
	*c = (struct inbound){
	    .service = s,
	    .settings = s->settings,
	    .client = peer,
	    .state = INBOUND_PROXY,
	};
	s->session_count++;
	s->settings->session_count++;
	stream_init(&c->stream, s->streams, fd);
	list_init(&c->link);
	list_push_back(&s->sessions, &c->link);
	timer_init(&c->timer, inbound_timer);
	smtp_server_init(
	    &c->smtp, &s->settings->smtp, &s->page_pool, &s->response_pool);
	if (kind == LISTENER_TLS) {
		tls_first(c);
	} else if (kind == LISTENER_SMTP) {
		door_admit(c, (struct slice){NULL, 0});
	} else if (!network_list_has(c->settings->proxy_networks, &peer.any)) {
		refuse(c, "may not speak the PROXY protocol");
	} else {
		inbound_arm(c, c->settings->command_ms < PROXY_TIMEOUT_MS
				   ? c->settings->command_ms
				   : PROXY_TIMEOUT_MS);
		inbound_receive(c);
	}
}
