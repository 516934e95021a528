/* secure.c -- what makes a connection to a next hop a safe one: TLS and AUTH.
 *
 * policy.c says what the hop gets, the machine asks for it, here it is done.
 *
 * Where TLS fails -- between STARTTLS and the first reply that comes through it
 * -- the same address is tried again at once: without the old session, if there
 * was one; then, where TLS is opportunistic, in clear, and if that goes well
 * the host is remembered as one to try no TLS with.  Where TLS is a must there
 * is no such way: the next address, or later. */
#include "core/outbound/secure.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "core/outbound/hangup.h"

static const uint8_t status_handshake[3] = {4, 7, 5};

static struct tls_memory_key key_of(const struct outbound *c)
{
	return (struct tls_memory_key){
	    .name = slice_of_str(c->tls_name),
	    .address = &c->address,
	    .level = c->tls_level,
	};
}

static enum smtp_client_tls wanted(struct outbound *c)
{
	struct outbound_service *s = c->service;
	struct tls_memory_key key = key_of(c);

	switch (c->tls_level) {
	case POLICY_NONE: return CLIENT_TLS_NONE;
	case POLICY_OPPORTUNISTIC:
		if (c->in_clear || tls_memory_is_broken(&s->tls_memory, &key,
				       loop_wall_s(s->loop)))
			return CLIENT_TLS_NONE;
		return CLIENT_TLS_MAY;
	case POLICY_ENCRYPT:
	case POLICY_VERIFY: return CLIENT_TLS_MUST;
	}
	return CLIENT_TLS_MUST;
}

static struct slice copy(uint8_t *room, size_t room_len, struct slice from)
{
	if (from.len > room_len)
		from.len = room_len;
	memcpy(room, from.at, from.len);
	return slice_of(room, from.len);
}

static void give_login(struct outbound *c)
{
	if (c->login == NULL)
		return;
	smtp_client_login_wipe(&c->login->login);
	explicit_bzero(c->login, sizeof(*c->login));
	pool_give(&c->service->login_pool, c->login);
	c->login = NULL;
	c->client.login = NULL;
}

static bool take_login(struct outbound *c)
{
	const struct outbound_settings *settings = &c->service->settings;
	struct outbound_login *l = pool_take(&c->service->login_pool);

	check(l != NULL); /* one for each connection */
	memset(&l->login, 0, sizeof(l->login));
	c->login = l;
	l->login.options = (struct sasl_client_options){
	    .user = copy(l->user, sizeof(l->user), settings->relay_user),
	    .password = copy(
		l->password, sizeof(l->password), settings->relay_password),
	    .hostname = slice_of_str(c->relay_name),
	};
	l->login.clear_allowed = !settings->tls.relay_tls;
	c->client.login = &l->login;
	return getrandom(l->login.options.nonce, sizeof(l->login.options.nonce),
		   GRND_NONBLOCK) == sizeof(l->login.options.nonce);
}

bool outbound_secure_begin(struct outbound *c)
{
	struct outbound_service *s = c->service;
	const struct route *r = c->route;
	struct socket_address_text address = socket_address_format(&c->address);
	const char *literal = r->literal ? address.at : NULL;
	const struct policy_hop hop = {
	    .host = literal != NULL ? literal : c->relay_name,
	    .relay = !r->relay	       ? NULL
		     : literal != NULL ? literal
				       : r->name,
	    .mx_secure = r->mx_secure,
	};
	struct policy policy = policy_of(&s->settings.tls, &hop);

	give_login(c);
	c->tls_level = policy.level;
	snprintf(c->tls_name, sizeof(c->tls_name), "%s", policy.name);
	c->session_used = false;
	c->session_kept = false;
	c->client.tls = wanted(c);
	if (!r->relay || s->settings.relay_user.len == 0 || take_login(c))
		return true;
	outbound_lost_errno(c, "no random numbers for", -EAGAIN);
	return false;
}

static void on_handshake(struct stream *stream, int result)
{
	struct outbound *c = container_of(stream, struct outbound, stream);
	char sentence[OUTCOME_TEXT_MAX];

	if (outbound_is_over(c))
		return;
	metric_inc(c->service->metrics,
	    result < 0 ? METRIC_TLS_CLIENT_FAILED : METRIC_TLS_CLIENT);
	if (result < 0) {
		snprintf(sentence, sizeof(sentence),
		    "TLS handshake with %s: %s", c->relay,
		    result == -EPROTO ? tls_error(stream->tls)
				      : strerror(-result));
		outbound_lost_because(c, status_handshake, sentence);
		return;
	}
	if (c->login != NULL)
		c->login->login.options.has_binding =
		    tls_exporter(stream->tls, c->login->login.options.binding);
	smtp_client_tls_started(&c->client);
	c->state = OUTBOUND_TALKING;
	outbound_run(c, (struct slice){NULL, 0});
}

void outbound_secure_handshake(struct outbound *c)
{
	struct outbound_service *s = c->service;
	struct tls_memory_key key = key_of(c);
	struct slice session = {NULL, 0};

	if (!c->session_refused)
		session = tls_memory_session(
		    &s->tls_memory, &key, loop_wall_s(s->loop));
	c->session_used = session.len > 0;
	struct tls_peer peer = {
	    .name = c->tls_name,
	    .verify = c->tls_level == POLICY_VERIFY ? TLS_VERIFY_NAME
						    : TLS_VERIFY_LOOK,
	    .session = session.len > 0 ? session.at : NULL,
	    .session_len = session.len,
	};

	c->state = OUTBOUND_HANDSHAKE;
	c->tls_made = s->tls_made;
	outbound_arm(c, s->settings.timeout.greeting);
	stream_connect_tls(&c->stream, s->tls, &peer, on_handshake);
}

/* For the next connections to this host.  The server's tickets came before its
 * first reply, mostly; some send them later.  A resumed connection has none to
 * give: a server that lets a ticket be used again may not have sent another,
 * and what it would be used with has changed. */
static void keep_session(struct outbound *c)
{
	struct outbound_service *s = c->service;
	struct tls_memory_key key = key_of(c);
	uint8_t room[TLS_MEMORY_SESSION_MAX];
	struct buf session = buf_over(room, sizeof(room));

	if (c->session_kept || c->stream.tls == NULL || !c->client.tls_proven ||
	    tls_is_resumed(c->stream.tls) || s->tls_made != c->tls_made ||
	    !tls_session_put(c->stream.tls, &session) || session.overflowed)
		return;
	c->session_kept = true;
	tls_memory_keep(
	    &s->tls_memory, &key, buf_slice(&session), loop_wall_s(s->loop));
	explicit_bzero(room, session.len);
}

void outbound_secure_opened(struct outbound *c)
{
	struct outbound_service *s = c->service;
	struct tls_memory_key key = key_of(c);

	if (c->in_clear)
		tls_memory_break(&s->tls_memory, &key, loop_wall_s(s->loop));
	keep_session(c);
	if (c->login != NULL) {
		/* The password lay in what was sent. */
		if (!stream_sending(&c->stream))
			explicit_bzero(c->out_room, sizeof(c->out_room));
		give_login(c);
	}
}

/* Where it was a session that failed, TLS may do without one; where TLS is
 * opportunistic, no TLS may do. */
bool outbound_secure_again(struct outbound *c)
{
	struct outbound_service *s = c->service;
	struct tls_memory_key key = key_of(c);

	if (!smtp_client_tls_in_doubt(&c->client) || s->draining)
		return false;
	tls_memory_forget(&s->tls_memory, &key);
	if (c->session_used && !c->session_refused) {
		c->session_refused = true;
		return true;
	}
	if (c->tls_level != POLICY_OPPORTUNISTIC || c->in_clear)
		return false;
	log_begin(s->log, LOG_WARN, "tls_failed");
	log_slice(s->log, "site", destination_name(c->destination));
	log_str(s->log, "relay", c->relay);
	log_slice(s->log, "reply", slice_of(c->last.text, c->last.text_len));
	log_str(s->log, "next", "the same host without TLS");
	log_end(s->log);
	c->in_clear = true;
	return true;
}

void outbound_secure_end(struct outbound *c)
{
	keep_session(c);
	if (c->login != NULL)
		explicit_bzero(c->out_room, sizeof(c->out_room));
	give_login(c);
}

void outbound_secure_tell(struct outbound *c, struct attempt *a)
{
	const struct tls *tls = c->stream.tls;
	bool on = tls != NULL && c->client.tls_on;

	snprintf(a->tls, sizeof(a->tls), "%s", on ? tls_version(tls) : "none");
	snprintf(a->tls_cipher, sizeof(a->tls_cipher), "%s",
	    on ? tls_cipher(tls) : "");
	a->tls_verified = on && tls_is_verified(tls);
}
