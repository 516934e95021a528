/* context.c -- what many connections share.
 *
 * A server has a WOLFSSL_CTX for each certificate; which of them a connection
 * is made of is decided by its ClientHello: those whose names fit (or fit where
 * the first one's do, when none does), and of these the one whose key signs
 * quickest among those that the client can check.  All of them seal their
 * tickets with the same keys.
 *
 * wolfSSL decides nothing about certificates of peers: trust.c does. */
#include "tls/context.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>

#include "tls/io.h"
#include "tls/pem.h"
#include "tls/suite.h"
#include "tls/ticket.h"

struct server_certificate {
	WOLFSSL_CTX *ctx;
	struct certificate facts;
	uint8_t *der;
	char *source;
};

struct tls_context {
	uint32_t holders;
	bool tried_trust;
	WOLFSSL_CTX *client; /* NULL: of a server */
	char *ca_file;
	struct trust *trust;
	const char *no_trust; /* why there is none */
	size_t count;
	struct server_certificate certificates[];
};

__attribute__((format(printf, 3, 4))) static void explain(
    char *why, size_t why_len, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, why_len, format, args);
	va_end(args);
}

static void *copy(const void *at, size_t len)
{
	void *to = WOLFSSL_TAKE(len);

	if (to != NULL)
		memcpy(to, at, len);
	return to;
}

/* X25519 first: its handshake costs less than half of P-256's in builds
 * without assembly, and no more in the others. */
static bool set_groups(WOLFSSL_CTX *ctx)
{
	int groups[] = {
	    WOLFSSL_ECC_X25519, WOLFSSL_ECC_SECP256R1, WOLFSSL_ECC_SECP384R1};

	return wolfSSL_CTX_set_groups(ctx, groups, COUNT(groups)) ==
	       WOLFSSL_SUCCESS;
}

static WOLFSSL_CTX *context_new(WOLFSSL_METHOD *method, const char *suites)
{
	WOLFSSL_CTX *ctx = wolfSSL_CTX_new(method);

	if (ctx == NULL)
		return NULL;
	if (wolfSSL_CTX_SetMinVersion(ctx, WOLFSSL_TLSV1_2) !=
		WOLFSSL_SUCCESS ||
	    wolfSSL_CTX_set_cipher_list(ctx, suites) != WOLFSSL_SUCCESS ||
	    !set_groups(ctx)) {
		wolfSSL_CTX_free(ctx);
		return NULL;
	}
	/* Sessions live in tickets, and clients' with their owner. */
	wolfSSL_CTX_set_session_cache_mode(ctx, WOLFSSL_SESS_CACHE_OFF);
	wolfSSL_CTX_set_verify(ctx, WOLFSSL_VERIFY_NONE, NULL);
	wolfSSL_CTX_SetIORecv(ctx, tls_io_recv);
	wolfSSL_CTX_SetIOSend(ctx, tls_io_send);
	return ctx;
}

static bool set_tickets(WOLFSSL_CTX *ctx, struct tls_ticket_keys *keys)
{
	if (keys == NULL) {
		wolfSSL_CTX_no_ticket_TLSv13(ctx);
		return wolfSSL_CTX_NoTicketTLSv12(ctx) == WOLFSSL_SUCCESS;
	}
	return wolfSSL_CTX_set_TicketEncCb(ctx, ticket_seal) ==
		   WOLFSSL_SUCCESS &&
	       wolfSSL_CTX_set_TicketEncCtx(ctx, keys) == WOLFSSL_SUCCESS &&
	       wolfSSL_CTX_set_TicketHint(ctx, TICKET_KEY_S) == WOLFSSL_SUCCESS;
}

/* The leaf, which stands first. */
static bool read_leaf(struct server_certificate *s, struct slice text)
{
	uint8_t room[PEM_CERTIFICATE_MAX];
	struct buf der = buf_over(room, sizeof(room));

	if (pem_certificate(&text, &der) != PEM_FOUND)
		return false;
	s->der = copy(der.at, der.len);
	return s->der != NULL &&
	       certificate_read(&s->facts, slice_of(s->der, der.len));
}

/* What is wrong with it, or NULL. */
static const char *load(
    struct server_certificate *s, const struct tls_certificate *from)
{
	if (!read_leaf(s, from->crt))
		return "no certificate in PEM form";
	if (wolfSSL_CTX_use_certificate_chain_buffer(
		s->ctx, from->crt.at, (long)from->crt.len) != WOLFSSL_SUCCESS)
		return "the certificate, or its chain, cannot be used";
	if (wolfSSL_CTX_use_PrivateKey_buffer(s->ctx, from->key.at,
		(long)from->key.len, WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS)
		return "no private key in PEM form (one with a password "
		       "cannot be used)";
	if (wolfSSL_CTX_check_private_key(s->ctx) != WOLFSSL_SUCCESS)
		return "the private key does not belong to the certificate";
	return NULL;
}

static bool open_certificate(struct server_certificate *s,
    const struct tls_certificate *from, struct tls_ticket_keys *keys,
    const char *suites, char *why, size_t why_len)
{
	s->source = copy(from->source, strlen(from->source) + 1);
	s->ctx = context_new(wolfSSLv23_server_method(), suites);
	if (s->source == NULL || s->ctx == NULL || !set_tickets(s->ctx, keys)) {
		explain(why, why_len, "%s: no memory", from->source);
		return false;
	}
	const char *flaw = load(s, from);

	if (flaw == NULL)
		return true;
	explain(why, why_len, "%s: %s", from->source, flaw);
	return false;
}

static struct tls_context *context_take(size_t count, struct buf *suites)
{
	size_t len = sizeof(struct tls_context) +
		     count * sizeof(struct server_certificate);
	struct tls_context *c;

	if (wolfSSL_Init() != WOLFSSL_SUCCESS)
		return NULL;
	c = WOLFSSL_TAKE(len);
	if (c == NULL)
		return NULL;
	memset(c, 0, len);
	c->holders = 1;
	suite_list(suites, suite_aes_is_fast());
	check(!suites->overflowed);
	return c;
}

struct tls_context *tls_server_context(
    const struct tls_server_options *options, char *why, size_t why_len)
{
	char room[SUITE_LIST_MAX];
	struct buf suites = buf_over(room, sizeof(room));
	struct tls_context *c;

	check(options->certificate_count > 0);
	c = context_take(options->certificate_count, &suites);
	if (c == NULL) {
		explain(why, why_len, "no memory for TLS");
		return NULL;
	}
	for (size_t i = 0; i < options->certificate_count; i++) {
		c->count++;
		if (!open_certificate(&c->certificates[i],
			&options->certificates[i], options->ticket_keys, room,
			why, why_len)) {
			tls_context_give(c);
			return NULL;
		}
	}
	return c;
}

struct tls_context *tls_client_context(
    const struct tls_client_options *options, char *why, size_t why_len)
{
	char room[SUITE_LIST_MAX];
	struct buf suites = buf_over(room, sizeof(room));
	struct tls_context *c = context_take(0, &suites);

	if (c == NULL)
		goto no_memory;
	c->client = context_new(wolfSSLv23_client_method(), room);
	if (c->client == NULL ||
	    wolfSSL_CTX_UseSessionTicket(c->client) != WOLFSSL_SUCCESS)
		goto give;
	if (options->ca_file == NULL)
		return c;
	c->ca_file = copy(options->ca_file, strlen(options->ca_file) + 1);
	if (c->ca_file == NULL)
		goto give;
	/* A file that was named is looked at now, to complain in time. */
	const char *flaw;

	if (tls_context_trust(c, &flaw) != NULL)
		return c;
	explain(why, why_len, "%s: %s", c->ca_file, flaw);
	tls_context_give(c);
	return NULL;
give:
	tls_context_give(c);
no_memory:
	explain(why, why_len, "no memory for TLS");
	return NULL;
}

void tls_context_take(struct tls_context *c)
{
	check(c->holders > 0);
	c->holders++;
}

void tls_context_give(struct tls_context *c)
{
	check(c->holders > 0);
	if (--c->holders > 0)
		return;
	for (size_t i = 0; i < c->count; i++) {
		wolfSSL_CTX_free(c->certificates[i].ctx);
		WOLFSSL_GIVE(c->certificates[i].der);
		WOLFSSL_GIVE(c->certificates[i].source);
	}
	wolfSSL_CTX_free(c->client);
	WOLFSSL_GIVE(c->ca_file);
	if (c->trust != NULL)
		trust_close(c->trust);
	WOLFSSL_GIVE(c);
	wolfSSL_Cleanup();
}

uint64_t tls_context_expires_s(const struct tls_context *c, const char **source)
{
	uint64_t first = UINT64_MAX;

	*source = "";
	for (size_t i = 0; i < c->count; i++)
		if (c->certificates[i].facts.not_after_s < first) {
			first = c->certificates[i].facts.not_after_s;
			*source = c->certificates[i].source;
		}
	return first;
}

const struct trust *tls_context_trust(struct tls_context *c, const char **why)
{
	if (!c->tried_trust) {
		c->tried_trust = true;
		c->trust = trust_open(c->ca_file, &c->no_trust);
	}
	*why = c->no_trust;
	return c->trust;
}

/* A name of the first certificate stands for clients that name none, or one
 * that nobody has. */
static bool is_beside(
    const struct certificate *c, const struct certificate *first)
{
	return c == first ||
	       (first->has_names && slice_eq(c->names, first->names)) ||
	       (first->common_name.len > 0 &&
		   certificate_is_for(c, first->common_name));
}

/* Cheapest for us first. */
static int worth(enum key_kind key)
{
	switch (key) {
	case KEY_P256: return 5;
	case KEY_ED25519: return 4;
	case KEY_P384: return 3;
	case KEY_RSA: return 2;
	case KEY_P521: return 1;
	case KEY_OTHER: return 0;
	}
	return 0;
}

WOLFSSL_CTX *tls_context_choose(
    const struct tls_context *c, const struct hello *hello)
{
	const struct server_certificate *first = &c->certificates[0];
	const struct server_certificate *best = NULL;
	bool named = false;

	check(c->count > 0);
	for (size_t i = 0; i < c->count && hello->name.len > 0; i++)
		if (certificate_is_for(&c->certificates[i].facts, hello->name))
			named = true;
	for (size_t i = 0; i < c->count; i++) {
		const struct server_certificate *s = &c->certificates[i];
		bool fits = named ? certificate_is_for(&s->facts, hello->name)
				  : is_beside(&s->facts, &first->facts);

		if (fits && (hello->key_kinds & 1u << s->facts.key) != 0 &&
		    (best == NULL ||
			worth(s->facts.key) > worth(best->facts.key)))
			best = s;
	}
	return best != NULL ? best->ctx : first->ctx;
}

WOLFSSL_CTX *tls_context_client(const struct tls_context *c)
{
	check(c->client != NULL);
	return c->client;
}
