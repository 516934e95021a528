/* login.c -- a client says who it is: AUTH, by the machines of proto/sasl.
 *
 * What an exchange needs is taken from a pool when it begins and given back
 * when it ends, so that nobody else pays for it.  A wrong answer costs time:
 * the next one to the same address waits (penalty.h), and after
 * LOGIN_FAILURES_MAX of them the session ends.  While an answer waits nothing
 * is received.
 *
 * To look at a password against a crypt(3) hash takes as long as 50 ms, in
 * which the worker does nothing else.  So those stand in a line of their own:
 * one a turn, and then a pause three times as long as it took.  The line has an
 * end. One that was good before takes no time, and makes no pause.
 *
 * Must hold: nothing secret is logged; it is wiped when the exchange ends. */
#include <sys/random.h>
#include <time.h>

#include "core/inbound/inbound_parts.h"

#define LOGIN_FAILURES_MAX 5 /* in one session */

static struct reply wrong_reply(const struct inbound *c)
{
	if (c->failure_count >= LOGIN_FAILURES_MAX)
		return reply_of(421, "4.7.0", "too many failed logins");
	return reply_of(535, "5.7.8", "user or password is wrong");
}

static void log_login(struct inbound *c, const char *event)
{
	struct log *log = c->service->log;
	const struct inbound_login *l = c->login;

	log_begin(log, LOG_INFO, event);
	log_address(log, "client", &c->client);
	log_slice(log, "user", slice_of(l->sasl.user, l->sasl.user_len));
	log_str(log, "mechanism", sasl_name(c->smtp.mechanism));
	log_str(log, "tls",
	    c->stream.tls == NULL ? "no" : tls_version(c->stream.tls));
	log_end(log);
}

/* A password that anybody on the way can read. */
static void warn_clear(struct inbound *c)
{
	struct log *log = c->service->log;
	bool readable =
	    c->smtp.mechanism == SASL_PLAIN || c->smtp.mechanism == SASL_LOGIN;

	if (!readable || c->stream.tls != NULL || c->service->clear_said ||
	    socket_address_is_loopback(&c->client))
		return;
	c->service->clear_said = true;
	log_begin(log, LOG_WARN, "password_in_clear");
	log_address(log, "client", &c->client);
	log_str(log, "reply",
	    "PLAIN and LOGIN without TLS: set config.tls.auth_only, or leave "
	    "them out of config.auth_mechanisms; said once");
	log_end(log);
}

void login_forget(struct inbound *c)
{
	struct inbound_login *l = c->login;

	if (l == NULL)
		return;
	sasl_server_wipe(&l->sasl);
	check(!l->lined_up);
	explicit_bzero(l->room, sizeof(l->room));
	pool_give(&c->service->login_pool, l);
	c->login = NULL;
}

void login_answer(struct inbound *c)
{
	c->waiting = c->delayed = false;
	if (c->login->good)
		smtp_server_accept(&c->smtp, SLICE(""));
	else
		smtp_server_refuse(&c->smtp, wrong_reply(c));
	login_forget(c);
}

/* It is decided.  True: the answer has to wait, the good one as long as the
 * wrong one. */
static bool decided(struct inbound *c, bool good)
{
	struct inbound_service *s = c->service;
	struct inbound_login *l = c->login;
	uint64_t now_ms = loop_now_ms(s->loop);
	uint64_t delay_ms = penalty_delay_ms(&s->penalty, &c->client, now_ms);

	l->good = good;
	log_login(c, good ? "authenticated" : "auth_failed");
	warn_clear(c);
	if (good) {
		metric_inc(s->metrics, METRIC_AUTH);
		c->user = users_find(c->settings->users,
		    slice_of(l->sasl.user, l->sasl.user_len));
		check(c->user != NULL);
	} else {
		metric_inc(s->metrics, METRIC_AUTH_FAILED);
		c->failure_count++;
		penalty_failed(&s->penalty, &c->client, now_ms);
	}
	if (delay_ms == 0) {
		login_answer(c);
		return false;
	}
	c->waiting = c->delayed = true;
	inbound_arm(c, delay_ms);
	return true;
}

/* Whether it takes long to look at. */
static bool secret(struct inbound *c)
{
	struct sasl_server *sasl = &c->login->sasl;
	struct sasl_secret room;
	const struct sasl_secret *s = users_secret(
	    c->settings->users, slice_of(sasl->user, sasl->user_len), &room);
	bool is_slow = s->kind == SECRET_CRYPT;

	sasl_server_secret(sasl, s);
	explicit_bzero(&room, sizeof(room));
	return is_slow;
}

static void arm_line(struct inbound_service *s)
{
	uint64_t now_ms = loop_now_ms(s->loop);

	if (!list_empty(&s->logins) && !timer_armed(&s->login_turn))
		timer_arm(loop_timers(s->loop), &s->login_turn,
		    s->login_next_ms > now_ms ? s->login_next_ms - now_ms : 0);
}

/* False: the line is full. */
static bool line_up(struct inbound *c)
{
	struct inbound_service *s = c->service;

	if (s->login_count == INBOUND_LOGINS_MAX)
		return false;
	s->login_count++;
	c->waiting = true;
	c->login->session = c;
	c->login->lined_up = true;
	list_push_back(&s->logins, &c->login->link);
	arm_line(s);
	return true;
}

void login_leave_line(struct inbound *c)
{
	if (c->login == NULL || !c->login->lined_up)
		return;
	list_remove(&c->login->link);
	c->login->lined_up = false;
	c->waiting = false;
	c->service->login_count--;
}

static void no(struct inbound *c, const char *enhanced, const char *text)
{
	smtp_server_refuse(&c->smtp, reply_of(501, enhanced, text));
	login_forget(c);
}

static bool proceed(struct inbound *c, enum sasl_need need, struct buf *out)
{
	struct inbound_login *l = c->login;

	while (need == SASL_NEED_SECRET) {
		if (secret(c)) {
			if (line_up(c))
				return true;
			smtp_server_refuse(&c->smtp,
			    reply_of(454, "4.7.0",
				"too many are logging in, try again later"));
			login_forget(c);
			return false;
		}
		need = sasl_server_next(&l->sasl, SLICE(""), out);
	}
	if (out->overflowed)
		need = SASL_MALFORMED;
	switch (need) {
	case SASL_NEED_SECRET: check(false);
	case SASL_NEED_RESPONSE:
		smtp_server_challenge(&c->smtp, buf_slice(out));
		return false;
	case SASL_GOOD: return decided(c, true);
	case SASL_WRONG: return decided(c, false);
	case SASL_MALFORMED:
		no(c, "5.5.2", "that is not what the mechanism says");
		return false;
	case SASL_CANCELLED: /* RFC 4954, 4 */
		no(c, "5.7.0", "cancelled");
		return false;
	}
	return false;
}

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void on_line(struct timer *t)
{
	struct inbound_service *s =
	    container_of(t, struct inbound_service, login_turn);

	if (list_empty(&s->logins))
		return;
	struct inbound_login *l =
	    container_of(s->logins.next, struct inbound_login, link);
	struct inbound *c = l->session;
	struct buf out = buf_over(l->room, sizeof(l->room));
	uint64_t begun_ms = clock_ms();

	login_leave_line(c);
	enum sasl_need need = sasl_server_next(&l->sasl, SLICE(""), &out);
	uint64_t ended_ms = clock_ms();

	s->login_next_ms = ended_ms + 3 * (ended_ms - begun_ms);
	if (!proceed(c, need, &out) && !stream_sending(&c->stream))
		inbound_run_held(c);
	arm_line(s);
}

void login_line_init(struct inbound_service *s)
{
	list_init(&s->logins);
	timer_init(&s->login_turn, on_line);
}

bool login_begin(struct inbound *c)
{
	struct inbound_service *s = c->service;
	struct sasl_server_options options = {
	    .hostname = c->settings->smtp.hostname,
	    .wall_s = loop_wall_s(s->loop),
	};
	struct inbound_login *l;
	struct buf out;

	/* An exchange that the machine itself has ended: a line that was none.
	 */
	login_forget(c);
	l = pool_take(&s->login_pool);
	check(l != NULL); /* one for each session */
	c->login = l;
	l->lined_up = false;
	out = buf_over(l->room, sizeof(l->room));
	if (getrandom(options.nonce, sizeof(options.nonce), 0) !=
	    sizeof(options.nonce)) {
		smtp_server_refuse(&c->smtp,
		    reply_of(454, "4.7.0", "no random numbers, try later"));
		login_forget(c);
		return false;
	}
	options.plus_offered =
	    c->smtp.has_binding &&
	    (c->settings->smtp.mechanisms & 1u << SASL_SCRAM_SHA_256_PLUS) != 0;
	options.has_binding =
	    c->smtp.has_binding && tls_exporter(c->stream.tls, options.binding);
	sasl_server_init(&l->sasl, c->smtp.mechanism, &options);
	return proceed(c,
	    sasl_server_start(
		&l->sasl, c->smtp.has_initial, c->smtp.piece, &out),
	    &out);
}

bool login_next(struct inbound *c)
{
	struct inbound_login *l = c->login;
	struct buf out = buf_over(l->room, sizeof(l->room));

	return proceed(
	    c, sasl_server_next(&l->sasl, c->smtp.piece, &out), &out);
}
