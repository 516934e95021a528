/* config_check.c -- whether what a configuration names can be used.
 *
 * A relay that has a key which it cannot use would put off all mail of a
 * domain, or greet no client: better that it does not start.  To try a key is
 * to sign with it (half a millisecond to some), so that a reload only tries
 * those that have changed. */
#include "core/config_check.h"

#include "core/inbound/users.h"
#include "dkim/dkim.h"
#include "tls/tls.h"

static bool check_users(const struct config *c, FILE *out)
{
	bool good = true;

	for (size_t i = 0; i < c->user_count; i++) {
		const char *why = users_judge(&c->users[i]);

		if (why == NULL)
			continue;
		fprintf(out, "%s: user %s: %s\n", c->users[i].source,
		    c->users[i].name, why);
		good = false;
	}
	return good;
}

static bool same_text(const struct config_text *a, const struct config_text *b)
{
	return slice_eq(a->text, b->text);
}

#define HANDSHAKE_ROOM 32768
#define HANDSHAKE_ROUNDS 16

struct end {
	struct tls *tls;
	enum tls_state state;
	uint8_t room[HANDSHAKE_ROOM];
	struct buf out;
};

static void turn(struct end *me, struct end *other)
{
	struct slice in = buf_slice(&other->out);
	size_t len = in.len;

	if (me->state == TLS_HANDSHAKE)
		me->state = tls_handshake(me->tls, &in, &me->out);
	buf_drop(&other->out, len - in.len);
}

/* Who wants to know whether a key belongs to a certificate lets one sign and
 * the other verify. */
static bool handshake_good(
    struct tls_context *server_context, struct tls_context *client_context)
{
	struct tls_peer peer = {.verify = TLS_VERIFY_NONE};
	struct end server = {.tls = tls_accept(server_context)};
	struct end client = {.tls = tls_connect(client_context, &peer)};
	bool good = server.tls != NULL && client.tls != NULL;

	server.out = buf_over(server.room, sizeof(server.room));
	client.out = buf_over(client.room, sizeof(client.room));
	for (unsigned i = 0; good && i < HANDSHAKE_ROUNDS; i++) {
		turn(&client, &server);
		turn(&server, &client);
	}
	good = good && server.state == TLS_OPEN && client.state == TLS_OPEN;
	if (server.tls != NULL)
		tls_free(server.tls);
	if (client.tls != NULL)
		tls_free(client.tls);
	return good;
}

static bool try_certificate(
    struct tls_context *server, const char *source, FILE *out)
{
	struct tls_client_options options = {0};
	char why[512] = "";
	struct tls_context *client =
	    tls_client_context(&options, why, sizeof(why));
	bool good = client != NULL && handshake_good(server, client);

	if (client == NULL)
		fprintf(out, "%s: %s\n", source, why);
	else if (!good)
		fprintf(out,
		    "%s: no handshake succeeds: the private key does not "
		    "belong to the certificate, or cannot be used with it\n",
		    source);
	if (client != NULL)
		tls_context_give(client);
	return good;
}

static bool check_certificate(const struct config_certificate *one, FILE *out)
{
	struct tls_certificate certificate = {
	    .crt = one->crt.text,
	    .key = one->key.text,
	    .source = one->crt.source,
	};
	struct tls_server_options options = {
	    .certificates = &certificate,
	    .certificate_count = 1,
	};
	char why[512] = "";
	struct tls_context *context =
	    tls_server_context(&options, why, sizeof(why));

	if (context == NULL) {
		fprintf(out, "%s\n", why);
		return false;
	}
	bool good = try_certificate(context, one->crt.source, out);

	tls_context_give(context);
	return good;
}

static bool check_certificates(
    const struct config *c, const struct config *before, FILE *out)
{
	bool good = true;

	for (size_t i = 0; i < c->tls.certificate_count; i++) {
		const struct config_certificate *one = &c->tls.certificates[i];
		const struct config_certificate *old =
		    before != NULL && i < before->tls.certificate_count
			? &before->tls.certificates[i]
			: NULL;

		if (old == NULL || !same_text(&one->crt, &old->crt) ||
		    !same_text(&one->key, &old->key))
			good &= check_certificate(one, out);
	}
	return good;
}

static bool check_key(
    struct dkim *dkim, const struct config_dkim_key *one, FILE *out)
{
	const char *why = "", *warning = NULL;
	struct dkim_key *key =
	    dkim_key_open(dkim, one->pem.text, &why, &warning);

	if (key == NULL) {
		fprintf(
		    out, "%s: key %s: %s\n", one->pem.source, one->name, why);
		return false;
	}
	if (warning != NULL)
		fprintf(out, "%s: warning: key %s: %s\n", one->pem.source,
		    one->name, warning);
	dkim_key_close(key);
	return true;
}

static bool check_keys(
    const struct config *c, const struct config *before, FILE *out)
{
	const struct config_dkim_key *last = NULL;
	struct dkim *dkim = NULL;
	const char *why = "";
	bool good = true;

	for (size_t i = 0; i < c->dkim_key_count; i++) {
		const struct config_dkim_key *one = &c->dkim_keys[i];

		if (before != NULL && i < before->dkim_key_count &&
		    same_text(&one->pem, &before->dkim_keys[i].pem))
			continue;
		/* One key for a row of domains. */
		if (last != NULL && same_text(&one->pem, &last->pem))
			continue;
		last = one;
		if (dkim == NULL && (dkim = dkim_open(&why)) == NULL) {
			fprintf(out, "%s: %s\n", one->pem.source, why);
			return false;
		}
		good &= check_key(dkim, one, out);
	}
	if (dkim != NULL)
		dkim_close(dkim);
	return good;
}

bool config_check(
    const struct config *c, const struct config *before, FILE *out)
{
	bool good = check_users(c, out);

	good &= check_certificates(c, before, out);
	good &= check_keys(c, before, out);
	return good;
}

struct config *config_load_checked(const struct config_arguments *arguments,
    const struct config *before, FILE *out)
{
	struct config *c = config_load(arguments, out);

	if (c == NULL || config_check(c, before, out))
		return c;
	config_free(c);
	return NULL;
}
