/* dial.c -- from a destination to a connection: its route, and address after
 * address until one answers.
 *
 * An address that fails while an old socket's operations are still ending waits
 * for them (OUTBOUND_SWITCHING): the operations are embedded here and cannot be
 * begun again before they are over. */
#include "core/outbound/dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/outbound/hangup.h"
#include "core/outbound/secure.h"

/* Our name as this session says it, whatever a reload makes of it. */
static struct slice own_name(struct outbound *c)
{
	struct slice helo = c->service->settings.helo;

	if (helo.len > sizeof(c->helo))
		helo.len = sizeof(c->helo);
	memcpy(c->helo, helo.at, helo.len);
	return slice_of(c->helo, helo.len);
}

static void on_connected(struct op *op, int result_code)
{
	struct outbound *c = container_of(op, struct outbound, connect);

	if (outbound_is_over(c))
		return;
	if (result_code < 0) {
		outbound_lost_errno(c, "connecting to",
		    result_code == -ECANCELED ? -ETIMEDOUT : result_code);
		return;
	}
	metric_inc(c->service->metrics, METRIC_CONNECTED);
	c->state = OUTBOUND_TALKING;
	if (outbound_secure_begin(c))
		outbound_run(c, (struct slice){NULL, 0});
}

static void name_relay(struct outbound *c, const struct route_address *to)
{
	struct socket_address_text text = socket_address_format(&to->address);
	const struct route_host *host = &c->route->hosts[to->host];

	snprintf(c->relay, sizeof(c->relay), "%s[%s]:%u", host->name, text.at,
	    ntohs(to->address.v4.sin_port));
	snprintf(c->relay_name, sizeof(c->relay_name), "%s", host->name);
}

/* A source address of the same family, when one is configured. */
static int bind_source(struct outbound *c, int fd, int family)
{
	const struct outbound_settings *settings = &c->service->settings;

	for (unsigned i = 0; i < settings->bind_count; i++) {
		union socket_address from = {0};
		socklen_t len = sizeof(from.v4);

		if (family == AF_INET && inet_pton(AF_INET, settings->bind[i],
					     &from.v4.sin_addr) == 1) {
			from.v4.sin_family = AF_INET;
		} else if (family == AF_INET6 &&
			   inet_pton(AF_INET6, settings->bind[i],
			       &from.v6.sin6_addr) == 1) {
			from.v6.sin6_family = AF_INET6;
			len = sizeof(from.v6);
		} else {
			continue;
		}
		return bind(fd, &from.any, len) == 0 ? 0 : -errno;
	}
	return 0;
}

static int open_socket(struct outbound *c, int family)
{
	int one = 1;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	int err = bind_source(c, fd, family);

	if (err < 0) {
		close(fd);
		return err;
	}
	return fd;
}

/* The old socket, if any, is idle by now. */
void outbound_connect(struct outbound *c)
{
	struct outbound_service *s = c->service;

	if (c->stream.fd >= 0)
		stream_close(&c->stream, false);
	outbound_give_held(c);
	c->state = OUTBOUND_CONNECTING;
	c->mute = false;
	c->connected = false;
	/* Nothing that the last one said counts for this one. */
	smtp_client_init(&c->client, own_name(c));
	c->out = buf_over(c->out_room, sizeof(c->out_room));
	c->turn_seen = UINT32_MAX;
	int fd = open_socket(c, c->address.any.sa_family);

	if (fd < 0) {
		outbound_lost_errno(c, "socket for", fd);
		return;
	}
	stream_init(&c->stream, s->streams, fd);
	outbound_arm(c, s->settings.timeout.connect);
	loop_connect(s->loop, &c->connect, fd, &c->address, on_connected);
}

void outbound_same_address(struct outbound *c)
{
	c->state = OUTBOUND_SWITCHING;
	outbound_cancel(c);
	if (!outbound_is_busy(c))
		outbound_connect(c);
}

void outbound_next_address(struct outbound *c)
{
	const struct route_address *to = &c->route->addresses[c->address_next];

	c->address_next++;
	c->address = to->address;
	c->in_clear = false;
	c->session_refused = false;
	name_relay(c, to);
	outbound_same_address(c);
}

static void on_reroute(struct attempt *a, void *arg)
{
	(void)arg;
	attempt_reroute(a);
}

/* There was a relay host when these were queued, and there is none now: each
 * goes to its recipients' domains. */
static void reroute_all(struct outbound *c)
{
	struct outbound_service *s = c->service;
	struct entry *e;

	while ((e = scheduler_take(s->scheduler, c->destination,
		    loop_wall_s(s->loop))) != NULL) {
		if (attempt_begin(s, e, on_reroute, NULL) == NULL) {
			scheduler_untake(s->scheduler, e);
			return;
		}
	}
}

/* The DNS says that no mail can ever go there: everybody hears of it. */
static void resolve_all(struct outbound *c, const struct outcome *verdict)
{
	struct outbound_service *s = c->service;
	struct entry *e;

	/* The DNS did answer; a site on probation gives one entry at a time. */
	scheduler_site_good(s->scheduler, c->destination);
	while ((e = scheduler_take(s->scheduler, c->destination,
		    loop_wall_s(s->loop))) != NULL) {
		if (!attempt_resolve(s, e, verdict)) {
			scheduler_untake(s->scheduler, e);
			return;
		}
	}
}

static void on_routed(struct route *r)
{
	struct outbound *c = r->owner;

	if (c->state == OUTBOUND_CLOSING) {
		outbound_finish(c);
		return;
	}
	bool for_relay =
	    slice_eq(destination_name(c->destination), OUTBOUND_RELAY_NAME);

	if (for_relay &&
	    (!r->relay || c->service->settings.relay_host.len == 0)) {
		/* Or it is there again: then the next connection knows. */
		if (c->service->settings.relay_host.len == 0)
			reroute_all(c);
		outbound_close(c);
		return;
	}
	if (r->failure.kind == OUTCOME_NONE) {
		outbound_next_address(c);
		return;
	}
	c->last = r->failure;
	if (r->failure.kind == OUTCOME_FAILED)
		resolve_all(c, &r->failure);
	else
		outbound_site_failed(c);
	outbound_close(c);
}

bool outbound_begin(struct outbound_service *s, struct destination *d)
{
	struct outbound *c = pool_take(&s->connection_pool);

	if (c == NULL)
		return false;
	memset(c, 0, offsetof(struct outbound, out_room));
	c->service = s;
	c->destination = d;
	c->stream.fd = -1;
	c->state = OUTBOUND_ROUTING;
	list_init(&c->link);
	list_init(&c->idle_link);
	list_push_back(&s->connections, &c->link);
	s->connection_count++;
	timer_init(&c->timer, outbound_timer);
	c->out = buf_over(c->out_room, sizeof(c->out_room));
	c->route = pool_take(&s->route_pool);
	check(c->route != NULL); /* one for each connection */
	memset(c->route, 0, sizeof(*c->route));
	c->route->done = on_routed;
	c->route->owner = c;
	bool relay = s->settings.relay_host.len > 0;

	route_find(&s->route,
	    relay ? s->settings.relay_host : destination_name(d), relay,
	    c->route);
	return true;
}
