/* service.c -- what all inbound sessions of a worker share.
 *
 * Pools are as large as the number of sessions allows; their memory is taken
 * only as it is used, so an idle relay is small whatever its limits are. */
#include "core/inbound/service.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "core/inbound/inbound_parts.h"
#include "spool/envelope.h"

#define ACCEPT_AGAIN_MS 100
/* A session in a transaction has a page for a line that is not whole, and
 * mostly one or two for its envelope. */
#define PAGES_A_SESSION 8
#define PAGES_MIN 4096

static int open_pools(struct inbound_service *s)
{
	size_t n = s->session_count_max;
	size_t pages = n * PAGES_A_SESSION;
	int err;

	if (pages < PAGES_MIN)
		pages = PAGES_MIN;
	if ((err = pool_init(&s->session_pool, "sessions",
		 sizeof(struct inbound), n)) < 0 ||
	    (err = pool_init(&s->page_pool, "pages", ARENA_PAGE_LEN, pages)) <
		0 ||
	    (err = pool_init(&s->login_pool, "logins",
		 sizeof(struct inbound_login), n)) < 0 ||
	    (err = pool_init(
		 &s->response_pool, "responses", LINE_RESPONSE_MAX, n)) < 0 ||
	    (err = pool_init(
		 &s->out_pool, "replies", sizeof(struct inbound_out), n)) < 0 ||
	    (err = pool_init(&s->held_pool, "held", INBOUND_HELD_MAX, n)) < 0 ||
	    (err = pool_init(&s->message_pool, "messages",
		 sizeof(struct inbound_message), n)) < 0 ||
	    (err = inbound_clients_init(&s->clients, "clients", n)) < 0)
		return err;
	s->handshakers.by_network = true;
	return inbound_clients_init(
	    &s->handshakers, "handshakers", INBOUND_HANDSHAKES_MAX);
}

int inbound_service_open(struct inbound_service *s,
    const struct inbound_service_options *options,
    struct inbound_settings *settings)
{
	*s = (struct inbound_service){
	    .loop = options->loop,
	    .log = options->log,
	    .metrics = options->metrics,
	    .spool = options->spool,
	    .streams = options->streams,
	    .session_count_max = options->session_count_max,
	    .settings = settings,
	};
	list_init(&s->sessions);
	login_line_init(s);
	void *room = mmap(NULL, ENVELOPE_LEN_MAX, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (room == MAP_FAILED)
		return -ENOMEM;
	s->envelope = buf_over(room, ENVELOPE_LEN_MAX);
	int err = penalty_open(&s->penalty, options->seed);

	if (err < 0)
		return err;
	return open_pools(s);
}

void inbound_settings_give(struct inbound_settings *settings)
{
	check(settings->session_count > 0);
	settings->session_count--;
	if (settings->session_count == 0 && settings->retired)
		settings->release(settings);
}

void inbound_service_configure(
    struct inbound_service *s, struct inbound_settings *settings)
{
	struct inbound_settings *old = s->settings;

	s->settings = settings;
	old->retired = true;
	if (old->session_count == 0)
		old->release(old);
}

static void refuse_busy(struct inbound_service *s, int fd)
{
	static const char busy[] =
	    "421 4.3.2 too many connections, try again later\r\n";

	metric_inc(s->metrics, METRIC_REFUSED);
	/* A new connection's send buffer is empty: this does not wait. */
	(void)send(fd, busy, sizeof(busy) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	loop_close(s->loop, fd);
}

/* No descriptor or memory is left, mostly: said once, and tried again. */
static void accept_failed(struct listener *l, int err)
{
	struct inbound_service *s = l->service;

	if (!l->failing) {
		log_begin(s->log, LOG_ERROR, "accept_failed");
		log_str(s->log, "reply", strerror(-err));
		log_end(s->log);
	}
	l->failing = true;
	if (!l->accept.busy)
		timer_arm(loop_timers(s->loop), &l->again, ACCEPT_AGAIN_MS);
}

static void on_accepted(struct op *op, int result)
{
	struct listener *l = container_of(op, struct listener, accept);
	struct inbound_service *s = l->service;

	if (result < 0) {
		if (!s->draining && l->relooking && !op->busy)
			loop_accept(s->loop, op, l->fd, on_accepted);
		else if (!s->draining)
			accept_failed(l, result);
		l->relooking = false;
		return;
	}
	l->failing = false;
	metric_inc(s->metrics, METRIC_CONNECTIONS);
	if (s->draining)
		loop_close(s->loop, result);
	else if (s->session_count >= s->session_count_max)
		refuse_busy(s, result);
	else
		inbound_begin(s, result, l->kind);
}

static void on_again(struct timer *t)
{
	struct listener *l = container_of(t, struct listener, again);

	if (!l->accept.busy && !l->service->draining)
		loop_accept(l->service->loop, &l->accept, l->fd, on_accepted);
}

/* A listening socket that was another process's before, and that process was
 * killed: while the kernel takes its ring apart, the news of a connection may
 * go there and to nobody else, until the next one comes.  Whoever accepts anew
 * looks at the queue itself; so that is done a few times in the first seconds.
 */
static void on_relook(struct timer *t)
{
	static const uint16_t gaps_ms[] = {100, 300, 600, 1000, 2000, 4000};
	struct listener *l = container_of(t, struct listener, relook);
	struct inbound_service *s = l->service;

	if (s->draining || l->relook_count == COUNT(gaps_ms))
		return;
	if (l->accept.busy && l->relook_count > 0) {
		l->relooking = true;
		loop_cancel(s->loop, &l->accept);
	}
	timer_arm(loop_timers(s->loop), t, gaps_ms[l->relook_count++]);
}

void inbound_service_listen(
    struct inbound_service *s, int fd, enum listener_kind kind)
{
	check(s->listener_count < LISTENERS_MAX);
	struct listener *l = &s->listeners[s->listener_count++];

	*l = (struct listener){.service = s, .fd = fd, .kind = kind};
	timer_init(&l->again, on_again);
	timer_init(&l->relook, on_relook);
	on_relook(&l->relook);
	loop_accept(s->loop, &l->accept, fd, on_accepted);
}

void inbound_service_drain(struct inbound_service *s)
{
	s->draining = true;
	for (unsigned i = 0; i < s->listener_count; i++) {
		loop_cancel(s->loop, &s->listeners[i].accept);
		timer_disarm(&s->listeners[i].again);
		timer_disarm(&s->listeners[i].relook);
		loop_close(s->loop, s->listeners[i].fd);
	}
	LIST_EACH_SAFE (node, &s->sessions)
		inbound_drain(container_of(node, struct inbound, link));
}

void inbound_service_cut(struct inbound_service *s)
{
	LIST_EACH_SAFE (node, &s->sessions)
		inbound_cut(container_of(node, struct inbound, link));
}

void inbound_service_abort(struct inbound_service *s)
{
	LIST_EACH_SAFE (node, &s->sessions)
		inbound_abort(container_of(node, struct inbound, link));
}
