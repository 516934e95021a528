/* service.c -- what all deliveries of a worker share.
 *
 * ready() makes entries of a message; dispatch asks the scheduler what to do
 * until it has nothing, or the turn's budget is used.  It runs as a deferred
 * operation, so that everything that happened in a turn is dispatched once. */
#include "core/outbound/service.h"

#include <errno.h>

#include "core/outbound/attempt.h"
#include "core/outbound/outbound.h"
#include "core/outbound/report.h"
#include "core/outbound/secure.h"

#define DISPATCH_BUDGET 256
/* Attempts that are being settled while their connection works on. */
#define ATTEMPTS_A_CONNECTION 4
#define WANTING_POLL_MS 100
#define NO_ROOM_MS 50

static void on_dispatch(struct op *op, int result);
static void on_wake(struct timer *t);
static void on_poll(struct timer *t);

int outbound_service_open(struct outbound_service *s,
    const struct outbound_service_options *options,
    const struct outbound_settings *settings)
{
	size_t n = options->connection_count_max;
	int err;

	*s = (struct outbound_service){
	    .loop = options->loop,
	    .log = options->log,
	    .metrics = options->metrics,
	    .streams = options->streams,
	    .scheduler = options->scheduler,
	    .rng = {options->seed},
	    .route = {.dns = options->dns, .use_v4 = true, .use_v6 = true},
	};
	s->route.rng = &s->rng;
	list_init(&s->connections);
	s->dispatch.done = on_dispatch;
	timer_init(&s->wake, on_wake);
	timer_init(&s->poll, on_poll);
	if ((err = pool_init(&s->connection_pool, "connections",
		 sizeof(struct outbound), n)) < 0 ||
	    (err = pool_init(
		 &s->route_pool, "routes", sizeof(struct route), n)) < 0 ||
	    (err = pool_init(&s->attempt_pool, "attempts",
		 sizeof(struct attempt), n * ATTEMPTS_A_CONNECTION)) < 0 ||
	    (err = pool_init(&s->report_pool, "reports", sizeof(struct report),
		 n * ATTEMPTS_A_CONNECTION)) < 0 ||
	    (err = pool_init(&s->held_pool, "held", OUTBOUND_HELD_MAX, n)) <
		0 ||
	    (err = pool_init(&s->login_pool, "logins",
		 sizeof(struct outbound_login), n)) < 0 ||
	    (err = tls_memory_open(&s->tls_memory, rng_next(&s->rng))) < 0)
		return err;
	err =
	    signer_init(&s->signer, s->loop, s->log, n * ATTEMPTS_A_CONNECTION);
	if (err < 0)
		return err;
	s->signer.metrics = s->metrics;
	outbound_service_configure(s, settings);
	return s->tls != NULL ? 0 : -EINVAL;
}

/* The files that say whom to trust may have changed, too; what was found good
 * by the old ones is looked at again. */
static void renew_tls(struct outbound_service *s)
{
	struct tls_client_options options = {
	    .ca_file = s->settings.tls_ca_file,
	};
	char why[200] = "";
	struct tls_context *fresh =
	    tls_client_context(&options, why, sizeof(why));

	if (fresh == NULL) {
		log_begin(s->log, LOG_ERROR, "trust_unreadable");
		log_str(s->log, "reply", why);
		log_end(s->log);
		return;
	}
	if (s->tls != NULL)
		tls_context_give(s->tls);
	s->tls = fresh;
	s->tls_made++;
	tls_memory_forget_all(&s->tls_memory);
}

void outbound_service_configure(
    struct outbound_service *s, const struct outbound_settings *settings)
{
	s->settings = *settings;
	s->route.port = settings->port;
	signer_configure(&s->signer, settings->dkim);
	renew_tls(s);
	if (settings->relay_user.len > 0 && !settings->tls.relay_tls) {
		log_begin(s->log, LOG_WARN, "relay_password_unprotected");
		log_slice(s->log, "relay", settings->relay_host);
		log_str(s->log, "reply",
		    "without config.relay.tls the password is sent in clear "
		    "to a relay host that does not offer TLS");
		log_end(s->log);
	}
}

struct slice outbound_destination_of(
    const struct outbound_service *s, struct slice recipient, char *room)
{
	size_t at = recipient.len;

	while (at > 0 && recipient.at[at - 1] != '@')
		at--;
	struct slice domain = slice_of(recipient.at + at, recipient.len - at);

	if (at == 0) /* <postmaster>: ours */
		domain = s->settings.hostname;
	if (domain.len > DESTINATION_NAME_MAX)
		domain.len = DESTINATION_NAME_MAX;
	for (size_t i = 0; i < domain.len; i++)
		room[i] = (char)byte_lower(domain.at[i]);
	return slice_of(room, domain.len);
}

/* Whether the message has an entry for that destination already. */
static bool has_entry(const struct message *m, struct slice destination)
{
	const struct entry *first = m->owner;
	const struct entry *e = first;

	if (first == NULL)
		return false;
	do {
		if (slice_eq(destination_name(e->destination), destination))
			return true;
		e = entry_sibling(e);
	} while (e != first);
	return false;
}

static bool add(struct outbound_service *s, struct message *m,
    struct slice destination, uint64_t now_s)
{
	if (has_entry(m, destination))
		return true;
	struct entry *e = scheduler_add(s->scheduler, destination, m, m->owner,
	    m->received_s, m->due_s, m->attempt_count, now_s);

	if (e != NULL)
		m->owner = e;
	return e != NULL;
}

bool outbound_service_add_domains(
    struct outbound_service *s, struct message *m, struct slice rcpts)
{
	uint64_t now_s = loop_wall_s(s->loop);
	struct envelope_rcpt r;
	char room[DESTINATION_NAME_MAX];

	for (uint32_t i = 0; envelope_get_rcpt(&rcpts, &r); i++) {
		if (message_rcpt_finished(m, i))
			continue;
		if (!add(s, m, outbound_destination_of(s, r.address, room),
			now_s))
			return false;
	}
	return rcpts.len == 0; /* else it is damaged */
}

/* An entry for each destination among the recipients that are left. */
static bool add_all(
    struct outbound_service *s, struct message *m, struct slice envelope)
{
	struct envelope e;
	struct slice rest;

	if (!envelope_get(envelope, &e, &rest))
		return false;
	if (s->settings.relay_host.len > 0)
		return add(s, m, OUTBOUND_RELAY_NAME, loop_wall_s(s->loop));
	return outbound_service_add_domains(s, m, rest);
}

void outbound_service_ready(void *arg, struct message *m, struct slice envelope)
{
	struct outbound_service *s = arg;

	if (!add_all(s, m, envelope)) {
		log_begin(s->log, LOG_ERROR, "not_scheduled");
		log_id(s->log, "id", m->id);
		log_str(s->log, "reply",
		    "the queue is full or the envelope unreadable: the message "
		    "stays in the spool until the next start");
		log_end(s->log);
	}
	outbound_service_dispatch(s);
}

void outbound_service_dispatch(struct outbound_service *s)
{
	if (!s->dispatch.busy && !s->draining)
		loop_defer(s->loop, &s->dispatch, 0);
}

static bool begin(struct outbound_service *s, struct destination *d)
{
	if (outbound_begin(s, d))
		return true;
	scheduler_disconnected(s->scheduler, d);
	return false;
}

static bool put_off(
    struct outbound_service *s, struct destination *d, struct entry *e)
{
	static const uint8_t status[3] = {4, 4, 1};
	char error[DESTINATION_ERROR_MAX + 1];

	memcpy(error, d->error, d->error_len);
	error[d->error_len] = '\0';
	struct outcome verdict =
	    outcome_of_error(OUTCOME_DEFERRED, status, true, error);

	if (d->error_status[0] != 0) {
		verdict.code = d->error_code;
		/* RFC 3463, 2: it may pass, whatever the host thinks of it. */
		verdict.status[1] = d->error_status[1];
		verdict.status[2] = d->error_status[2];
	}
	if (attempt_resolve(s, e, &verdict))
		return true;
	scheduler_untake(s->scheduler, e);
	return false;
}

/* `no_room_ms`: something is due for which there is no memory just now. */
static void arm_wake(struct outbound_service *s, uint64_t no_room_ms)
{
	uint64_t wait_s = scheduler_wait_s(s->scheduler, loop_wall_s(s->loop));
	uint64_t wait_ms = wait_s > 3600 ? 3600 * 1000 : wait_s * 1000;

	if (wait_ms < no_room_ms)
		wait_ms = no_room_ms;
	timer_arm(loop_timers(s->loop), &s->wake, wait_ms);
	/* Not put off by each dispatch: under load they never stop. */
	if (scheduler_wanting(s->scheduler) && !timer_armed(&s->poll))
		timer_arm(loop_timers(s->loop), &s->poll, WANTING_POLL_MS);
}

static struct outbound *an_idle(struct destination *d)
{
	check(!list_empty(&d->idle_connections));
	return container_of(
	    d->idle_connections.next, struct outbound, idle_link);
}

static void on_dispatch(struct op *op, int result)
{
	struct outbound_service *s =
	    container_of(op, struct outbound_service, dispatch);
	uint64_t now_s = loop_wall_s(s->loop);
	struct destination *d;
	struct entry *e;
	bool going = !s->draining;
	bool room = true;

	(void)result;
	for (int budget = DISPATCH_BUDGET; going; budget--) {
		if (budget == 0) {
			outbound_service_dispatch(s);
			return;
		}
		switch (scheduler_next(s->scheduler, now_s, &d, &e)) {
		case SCHEDULE_NOTHING: going = false; break;
		case SCHEDULE_USE_IDLE: outbound_wake(an_idle(d)); break;
		case SCHEDULE_CLOSE_IDLE: outbound_drain(an_idle(d)); break;
		case SCHEDULE_CONNECT: going = room = begin(s, d); break;
		case SCHEDULE_PUT_OFF: going = room = put_off(s, d, e); break;
		}
	}
	arm_wake(s, room ? 0 : NO_ROOM_MS);
}

static void on_wake(struct timer *t)
{
	struct outbound_service *s =
	    container_of(t, struct outbound_service, wake);

	outbound_service_dispatch(s);
}

static void on_poll(struct timer *t)
{
	struct outbound_service *s =
	    container_of(t, struct outbound_service, poll);

	scheduler_poke_wanting(s->scheduler);
	outbound_service_dispatch(s);
}

bool outbound_service_delete(struct outbound_service *s, struct message *m)
{
	const struct entry *first = m->owner;
	const struct entry *e = first;

	if (first != NULL) {
		do {
			if (e->state == ENTRY_TAKEN ||
			    e->state == ENTRY_REFUSED)
				return false;
			e = entry_sibling(e);
		} while (e != first);
		m->owner = scheduler_remove(s->scheduler, m->owner);
		check(m->owner == NULL);
	}
	spool_finish(outbound_spool_of(s, m), m);
	return true;
}

void outbound_service_drain(struct outbound_service *s)
{
	s->draining = true;
	timer_disarm(&s->wake);
	timer_disarm(&s->poll);
	LIST_EACH_SAFE (node, &s->connections)
		outbound_drain(container_of(node, struct outbound, link));
}
