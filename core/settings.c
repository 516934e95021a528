/* settings.c -- from struct config to what each part wants to know. */
#include "core/settings.h"

#include <stdio.h>
#include <string.h>

#include "core/certificates.h"
#include "core/dkim_keys.h"
#include <stdlib.h>

#define ERROR_COUNT_MAX 20 /* as Postfix's smtpd_hard_error_limit */
#define QUEUE_COUNT_MAX 8000000
#define DESTINATION_COUNT_MAX 1000000

static void release(struct inbound_settings *inbound)
{
	struct settings *s = container_of(inbound, struct settings, inbound);

	if (s->in_use)
		return;
	if (s->inbound.tls != NULL)
		tls_context_give(s->inbound.tls);
	users_close(&s->users);
	sender_close(&s->senders);
	config_free(s->config);
	pool_give(s->pool, s);
}

/* Those that are allowed, and that somebody can use.  Without users all: who
 * asks for AUTH and forgot the users is told that the password is wrong. */
static unsigned mechanisms_of(const struct config *c, const struct users *users)
{
	if (users->count == 0)
		return c->auth ? c->auth_mechanisms : 0;
	return c->auth_mechanisms & users->mechanisms;
}

static void fill_inbound(struct settings *s, struct tls_context *tls)
{
	const struct config *c = s->config;

	s->inbound = (struct inbound_settings){
	    .smtp =
		{
		    .hostname = slice_of_str(c->hostname),
		    .size_max = c->message_size_limit,
		    .rcpt_count_max = c->recipient_limit,
		    .error_count_max = ERROR_COUNT_MAX,
		    .starttls_offered = c->tls.level != TLS_LEVEL_NONE,
		    .tls_required = c->tls.level == TLS_LEVEL_ENCRYPT,
		    .mechanisms = mechanisms_of(c, &s->users),
		    .auth_required = c->auth,
		    .auth_needs_tls = c->tls.auth_only,
		},
	    .allowed_networks = &c->allowed_networks,
	    .proxy_networks = &c->proxy_networks,
	    .tls = tls,
	    .users = &s->users,
	    .senders = &s->senders,
	    .command_ms = c->timeout.command * 1000,
	    .data_ms = c->timeout.data * 1000,
	    .client_connection_max = c->client_connection_limit,
	    .dkim_canons = dkim_keys_canons(c),
	    .release = release,
	};
}

static enum policy_level level_of(enum delivery_tls level)
{
	switch (level) {
	case DELIVERY_TLS_NONE: return POLICY_NONE;
	case DELIVERY_TLS_OPPORTUNISTIC: return POLICY_OPPORTUNISTIC;
	case DELIVERY_TLS_ENCRYPT: return POLICY_ENCRYPT;
	case DELIVERY_TLS_VERIFY: return POLICY_VERIFY;
	}
	return POLICY_VERIFY;
}

static void fill_outbound_tls(
    struct outbound_settings *out, const struct config *c)
{
	out->tls = (struct policy_settings){
	    .delivery = level_of(c->delivery.tls),
	    .relay_tls = c->relay.tls,
	    .relay_verify = c->relay.tls_verify,
	};
	/* As OpenSSL, and what is built on it, has it. */
	out->tls_ca_file = getenv("SSL_CERT_FILE");
	if (c->relay.host != NULL && c->relay.username != NULL) {
		out->relay_user = slice_of_str(c->relay.username);
		if (c->relay.password != NULL)
			out->relay_password = slice_of_str(c->relay.password);
	}
}

static void fill_outbound(struct outbound_settings *out, const struct config *c)
{
	const char *helo =
	    c->delivery.helo != NULL ? c->delivery.helo : c->hostname;

	*out = (struct outbound_settings){
	    .hostname = slice_of_str(c->hostname),
	    .helo = slice_of_str(helo),
	    .bind = (const char *const *)c->delivery.bind.at,
	    .bind_count = (unsigned)c->delivery.bind.count,
	    .port = c->delivery.port,
	    .messages_per_connection = c->delivery.messages_per_connection,
	    .timeout =
		{
		    .connect = c->timeout.connect * 1000,
		    .greeting = c->timeout.greeting * 1000,
		    .hello = c->timeout.greeting * 1000,
		    .mail = c->timeout.mail * 1000,
		    .rcpt = c->timeout.rcpt * 1000,
		    .data_init = c->timeout.data_init * 1000,
		    .data_block = c->timeout.data_block * 1000,
		    .data_end = c->timeout.data_end * 1000,
		},
	    .retry =
		{
		    .first_s = c->retry.first,
		    .max_s = c->retry.max,
		    .lifetime_s = c->retry.lifetime,
		    .bounce_lifetime_s = c->retry.bounce_lifetime,
		},
	};
	if (c->relay.host != NULL)
		out->relay_host = slice_of_str(c->relay.host);
	fill_outbound_tls(out, c);
}

static int open_rules(struct settings *s, const struct settings_common *common)
{
	const struct config *c = s->config;
	uint64_t seed;
	int err =
	    users_open(&s->users, c->users, c->user_count, common->users_key);

	if (err < 0)
		return err;
	memcpy(&seed, common->users_key, sizeof(seed));
	err =
	    sender_open(&s->senders, c->sender_restrictions, &c->domains, seed);
	if (err < 0)
		users_close(&s->users);
	return err;
}

/* What can go wrong: users, senders, certificates. */
static bool open_trust(struct settings *s, const struct settings_common *common,
    char *why, size_t why_len)
{
	const struct config *c = s->config;
	struct tls_context *tls = NULL;
	int err = open_rules(s, common);

	if (err < 0) {
		snprintf(why, why_len, "users: %s", strerror(-err));
		return false;
	}
	if (certificates_wanted(c)) {
		tls =
		    certificates_context(c, common->ticket_keys, why, why_len);
		if (tls == NULL) {
			users_close(&s->users);
			sender_close(&s->senders);
			return false;
		}
	}
	fill_inbound(s, tls);
	return true;
}

struct settings *settings_take(struct pool *pool, struct config *config,
    const struct settings_common *common, char *why, size_t why_len)
{
	struct settings *s = pool_take(pool);

	if (s == NULL) {
		snprintf(
		    why, why_len, "too many sessions with old configurations");
		return NULL;
	}
	*s = (struct settings){
	    .config = config,
	    .pool = pool,
	    .in_use = true,
	};
	if (!open_trust(s, common, why, why_len)) {
		pool_give(pool, s);
		return NULL;
	}
	fill_outbound(&s->outbound, config);
	return s;
}

enum loop_backend settings_loop(const struct config *c)
{
	switch (c->loop) {
	case LOOP_AUTO: return LOOP_BACKEND_AUTO;
	case LOOP_IO_URING: return LOOP_BACKEND_IO_URING;
	case LOOP_EPOLL: return LOOP_BACKEND_EPOLL;
	}
	return LOOP_BACKEND_AUTO;
}

void settings_scheduler(const struct config *c, struct ledger *ledger,
    unsigned column, unsigned connections_max, uint64_t seed,
    struct scheduler_options *options)
{
	*options = (struct scheduler_options){
	    .ledger = ledger,
	    .column = column,
	    .connections_max = c->delivery.connections,
	    .connections_all_max = connections_max,
	    .retry =
		{
		    .first_s = c->retry.first,
		    .max_s = c->retry.max,
		    .lifetime_s = c->retry.lifetime,
		    .bounce_lifetime_s = c->retry.bounce_lifetime,
		},
	    .entry_count_max = QUEUE_COUNT_MAX,
	    .destination_count_max = DESTINATION_COUNT_MAX,
	    .seed = seed,
	};
}
