/* tls.c -- one TLS connection over the caller's buffers.
 *
 * wolfSSL asks for bytes and hands out bytes through two callbacks, which look
 * at the slice and the buffer of the call that is being made; outside of a call
 * there are none.  A record that came in part is kept by wolfSSL.
 *
 * A server's connection becomes one of wolfSSL's only when its ClientHello is
 * there: that decides the certificate, and until then a client costs what it
 * sent and no more.
 *
 * A peer's certificate is never wolfSSL's to judge: its callback hands us the
 * chain (or, in a resumed session, nothing, and what was found then counts
 * on).  Keying material is exported at the end of the handshake, since what it
 * is made of is given back then. */
#include "tls/tls.h"

#include <arpa/inet.h>

#include "tls/context.h"
#include "tls/io.h"
#include "tls/suite.h"

#define RECORD_MAX 16384
#define RECORD_EXTRA 64 /* header, nonce, content type, tag; rounded up */
#define RECORD_MIN 1024 /* rather wait for room than send less at a time */
#define TLS_NAME_MAX 255
#define EXPORTER_LABEL "EXPORTER-Channel-Binding" /* RFC 9266 */

struct tls {
	struct tls_context *context;
	WOLFSSL *ssl;	  /* NULL: a server that waits for a ClientHello */
	struct slice *in; /* of the call that is being made */
	struct buf *out;
	const char *error;
	uint8_t *hello; /* what came in pieces, until it is whole */
	uint32_t hello_len;
	uint32_t hello_read;
	enum tls_state state;
	enum tls_verify verify;
	bool is_server;
	bool verified;
	bool looked; /* this handshake showed a certificate */
	bool session_verified;
	bool resumed;
	bool exported;
	bool closed;
	bool spoke; /* an earlier call gave bytes for the peer */
	uint8_t exporter[32];
	uint8_t name_len;
	char name[]; /* the peer's, with a NUL */
};

int tls_io_recv(WOLFSSL *ssl, char *to, int room, void *arg)
{
	struct tls *t = arg;
	size_t left = t->hello_len - t->hello_read;
	size_t len = (size_t)room;

	(void)ssl;
	if (left > 0) {
		len = len < left ? len : left;
		memcpy(to, t->hello + t->hello_read, len);
		t->hello_read += (uint32_t)len;
		return (int)len;
	}
	if (t->in == NULL || t->in->len == 0)
		return WOLFSSL_CBIO_ERR_WANT_READ;
	len = len < t->in->len ? len : t->in->len;
	memcpy(to, slice_cut(t->in, len).at, len);
	return (int)len;
}

int tls_io_send(WOLFSSL *ssl, char *from, int len, void *arg)
{
	struct tls *t = arg;
	size_t count = (size_t)len;

	(void)ssl;
	if (t->out == NULL || buf_left(t->out) == 0)
		return WOLFSSL_CBIO_ERR_WANT_WRITE;
	if (count > buf_left(t->out))
		count = buf_left(t->out);
	memcpy(t->out->at + t->out->len, from, count);
	t->out->len += count;
	return (int)count;
}

static struct tls *tls_take(
    struct tls_context *c, const char *name, size_t name_len)
{
	struct tls *t = WOLFSSL_TAKE(sizeof(*t) + name_len + 1);

	if (t == NULL)
		return NULL;
	memset(t, 0, sizeof(*t));
	memcpy(t->name, name, name_len);
	t->name[name_len] = '\0';
	t->name_len = (uint8_t)name_len;
	t->context = c;
	tls_context_take(c);
	return t;
}

static bool open_ssl(struct tls *t, WOLFSSL_CTX *ctx)
{
	t->ssl = wolfSSL_new(ctx);
	if (t->ssl == NULL)
		return false;
	wolfSSL_SetIOReadCtx(t->ssl, t);
	wolfSSL_SetIOWriteCtx(t->ssl, t);
	wolfSSL_KeepArrays(t->ssl);
	return true;
}

struct tls *tls_accept(struct tls_context *c)
{
	struct tls *t = tls_take(c, "", 0);

	if (t != NULL)
		t->is_server = true;
	return t;
}

/* The leaf is the last that wolfSSL asks about.  What we answer ends the
 * handshake or lets it go on; nothing of the chain is kept. */
static int on_certificate(int preverified, WOLFSSL_X509_STORE_CTX *store)
{
	struct tls *t = store->userCtx;
	struct slice chain[TRUST_CHAIN_MAX];
	size_t count = 0;
	const char *why = NULL;
	const struct trust *trust;

	(void)preverified;
	if (store->error_depth != 0)
		return 1;
	for (int i = 0; i < store->totalCerts && count < COUNT(chain); i++)
		chain[count++] =
		    slice_of(store->certs[i].buffer, store->certs[i].length);
	trust = tls_context_trust(t->context, &why);
	if (trust != NULL)
		why = t->name_len == 0 ? "there is no name to verify"
				       : trust_verify(trust, chain, count,
					     slice_of(t->name, t->name_len));
	t->looked = true;
	t->verified = why == NULL;
	if (t->verified || t->verify == TLS_VERIFY_LOOK)
		return 1;
	t->error = why;
	/* In this mode alone it tells the peer. */
	wolfSSL_set_verify(t->ssl, WOLFSSL_VERIFY_PEER, on_certificate);
	return 0;
}

static bool is_address(const char *name)
{
	uint8_t address[16];

	return inet_pton(AF_INET, name, address) == 1 ||
	       inet_pton(AF_INET6, name, address) == 1;
}

/* What tls_session_put wrote: version, verified, length of the name, name, and
 * wolfSSL's.  One that is not for this peer, or was not verified and now must
 * be, is not used. */
#define SESSION_VERSION 1

static void resume(struct tls *t, struct slice session)
{
	if (session.len < 3 || session.at[0] != SESSION_VERSION ||
	    session.len - 3 < session.at[2])
		return;
	bool verified = session.at[1] != 0;
	struct slice name = slice_of(session.at + 3, session.at[2]);

	slice_cut(&session, 3u + name.len);
	if (!slice_eq_nocase(name, slice_of(t->name, t->name_len)) ||
	    (t->verify == TLS_VERIFY_NAME && !verified))
		return;
	const unsigned char *at = session.at;
	WOLFSSL_SESSION *s =
	    wolfSSL_d2i_SSL_SESSION(NULL, &at, (long)session.len);

	if (s == NULL)
		return;
	/* Fails when it is too old: then it is a full handshake. */
	if (wolfSSL_set_session(t->ssl, s) == WOLFSSL_SUCCESS)
		t->session_verified = verified;
	wolfSSL_SESSION_free(s);
}

struct tls *tls_connect(struct tls_context *c, const struct tls_peer *peer)
{
	const char *name = peer->name != NULL ? peer->name : "";
	size_t len = strlen(name);

	if (len > 0 && name[len - 1] == '.')
		len--;
	if (len > TLS_NAME_MAX)
		len = 0;
	struct tls *t = tls_take(c, name, len);

	if (t == NULL)
		return NULL;
	t->verify = peer->verify;
	if (!open_ssl(t, tls_context_client(c)))
		goto free;
	if (wolfSSL_UseKeyShare(t->ssl, WOLFSSL_ECC_X25519) != WOLFSSL_SUCCESS)
		goto free;
	/* RFC 6066, 3: names only, no address literals. */
	if (len > 0 && !is_address(t->name) &&
	    wolfSSL_UseSNI(t->ssl, WOLFSSL_SNI_HOST_NAME, t->name,
		(unsigned short)len) != WOLFSSL_SUCCESS)
		goto free;
	if (t->verify != TLS_VERIFY_NONE) {
		wolfSSL_set_verify(t->ssl, WOLFSSL_VERIFY_NONE, on_certificate);
		wolfSSL_SetCertCbCtx(t->ssl, t);
	}
	if (peer->session != NULL)
		resume(t, slice_of(peer->session, peer->session_len));
	return t;
free:
	tls_free(t);
	return NULL;
}

void tls_free(struct tls *t)
{
	wolfSSL_free(t->ssl);
	WOLFSSL_GIVE(t->hello);
	tls_context_give(t->context);
	explicit_bzero(t->exporter, sizeof(t->exporter));
	WOLFSSL_GIVE(t);
}

/* Alerts that peers send (RFC 8446, 6), in the words of the RFC. */
static const char *alert_text(int code)
{
	switch (code) {
	case 10: return "peer's alert: unexpected_message";
	case 20: return "peer's alert: bad_record_mac";
	case 40: return "peer's alert: handshake_failure";
	case 42: return "peer's alert: bad_certificate";
	case 43: return "peer's alert: unsupported_certificate";
	case 44: return "peer's alert: certificate_revoked";
	case 45: return "peer's alert: certificate_expired";
	case 46: return "peer's alert: certificate_unknown";
	case 47: return "peer's alert: illegal_parameter";
	case 48: return "peer's alert: unknown_ca";
	case 49: return "peer's alert: access_denied";
	case 50: return "peer's alert: decode_error";
	case 51: return "peer's alert: decrypt_error";
	case 70: return "peer's alert: protocol_version";
	case 71: return "peer's alert: insufficient_security";
	case 80: return "peer's alert: internal_error";
	case 90: return "peer's alert: user_canceled";
	case 109: return "peer's alert: missing_extension";
	case 112: return "peer's alert: unrecognized_name";
	case 116: return "peer's alert: certificate_required";
	default: return "peer's alert";
	}
}

/* wolfSSL says no for some reasons only.  A server that has said nothing yet
 * can do it in clear, in the place of what was to be said. */
static void tell_client(struct tls *t)
{
	static const uint8_t alert[] = {
	    21, 3, 3, 0, 2, 2, 40}; /* fatal, handshake_failure */

	if (!t->is_server || t->spoke || t->out == NULL ||
	    t->state != TLS_HANDSHAKE)
		return;
	buf_clear(t->out);
	(void)buf_put(t->out, slice_of(alert, sizeof(alert)));
}

static enum tls_state fail(struct tls *t, int err)
{
	WOLFSSL_ALERT_HISTORY history;
	bool known =
	    wolfSSL_get_alert_history(t->ssl, &history) == WOLFSSL_SUCCESS;
	bool alerted = known && history.last_rx.code >= 0;

	if (known && !alerted && history.last_tx.code < 0)
		tell_client(t);
	t->state = TLS_FAILED;
	if (t->error != NULL)
		return t->state;
	if (err == FATAL_ERROR && alerted)
		t->error = alert_text(history.last_rx.code);
	else
		t->error = wolfSSL_ERR_reason_error_string((unsigned long)err);
	return t->state;
}

static enum tls_state fail_with(struct tls *t, const char *why)
{
	t->error = why;
	t->state = TLS_FAILED;
	return t->state;
}

/* Bytes of a hello that is not whole yet. */
static bool keep_hello(struct tls *t, struct slice *in)
{
	if (t->hello == NULL) {
		t->hello = WOLFSSL_TAKE(HELLO_MAX);
		if (t->hello == NULL) {
			fail_with(t, "no memory");
			return false;
		}
	}
	size_t len = HELLO_MAX - t->hello_len;

	len = len < in->len ? len : in->len;
	memcpy(t->hello + t->hello_len, slice_cut(in, len).at, len);
	t->hello_len += (uint32_t)len;
	return true;
}

/* Whether the connection is wolfSSL's by now. */
static bool greet(struct tls *t, struct slice *in)
{
	uint8_t room[HELLO_MAX];
	struct hello hello;
	struct slice all = *in;
	enum hello_state state;

	if (t->hello != NULL) {
		if (!keep_hello(t, in))
			return false;
		all = slice_of(t->hello, t->hello_len);
	}
	state = hello_read(&hello, all, room);
	if (state == HELLO_MORE) {
		if (in->len > 0)
			(void)keep_hello(t, in);
		return false;
	}
	if (open_ssl(t, tls_context_choose(t->context, &hello)))
		return true;
	fail_with(t, "no memory");
	return false;
}

static void handshake_over(struct tls *t)
{
	t->state = TLS_OPEN;
	t->resumed = wolfSSL_session_reused(t->ssl) != 0;
	if (t->resumed && !t->looked)
		t->verified = t->session_verified;
	if (t->verify == TLS_VERIFY_NAME && !t->verified)
		fail_with(t, "the peer showed no certificate");
	/* Only TLS 1.3 binds what is exported to the whole handshake without
	 * further conditions (RFC 9266, 4.2). */
	if (wolfSSL_version(t->ssl) == TLS1_3_VERSION)
		t->exported = wolfSSL_export_keying_material(t->ssl,
				  t->exporter, sizeof(t->exporter),
				  EXPORTER_LABEL, sizeof(EXPORTER_LABEL) - 1,
				  (const uint8_t *)"", 0, 1) == WOLFSSL_SUCCESS;
	wolfSSL_FreeArrays(t->ssl);
	if (t->hello_read == t->hello_len) {
		WOLFSSL_GIVE(t->hello);
		t->hello = NULL;
		t->hello_len = 0;
		t->hello_read = 0;
	}
}

enum tls_state tls_state_of(const struct tls *t)
{
	return t->state;
}

enum tls_state tls_handshake(struct tls *t, struct slice *in, struct buf *out)
{
	if (t->state != TLS_HANDSHAKE)
		return t->state;
	if (t->ssl == NULL && !greet(t, in))
		return t->state;
	t->in = in;
	t->out = out;
	int result =
	    t->is_server ? wolfSSL_accept(t->ssl) : wolfSSL_connect(t->ssl);

	if (result == WOLFSSL_SUCCESS) {
		handshake_over(t);
	} else {
		int err = wolfSSL_get_error(t->ssl, result);

		if (err != WOLFSSL_ERROR_WANT_READ &&
		    err != WOLFSSL_ERROR_WANT_WRITE)
			fail(t, err);
	}
	t->spoke |= out->len > 0;
	t->in = NULL;
	t->out = NULL;
	return t->state;
}

static void read_on(struct tls *t, struct buf *plain)
{
	while (t->state == TLS_OPEN && buf_left(plain) > 0) {
		int room = buf_left(plain) < INT32_MAX ? (int)buf_left(plain)
						       : INT32_MAX;
		int count = wolfSSL_read(t->ssl, plain->at + plain->len, room);

		if (count > 0) {
			plain->len += (size_t)count;
			continue;
		}
		int err = wolfSSL_get_error(t->ssl, count);

		if (err == WOLFSSL_ERROR_WANT_READ)
			return;
		if (err == WOLFSSL_ERROR_ZERO_RETURN)
			t->state = TLS_ENDED;
		else if (err == WOLFSSL_ERROR_WANT_WRITE)
			fail_with(t, "the peer asks and does not listen");
		else
			fail(t, err);
	}
}

enum tls_state tls_read(
    struct tls *t, struct slice *in, struct buf *plain, struct buf *out)
{
	check(t->state != TLS_HANDSHAKE);
	t->in = in;
	t->out = out;
	read_on(t, plain);
	t->in = NULL;
	t->out = NULL;
	return t->state;
}

bool tls_pending(const struct tls *t)
{
	return t->ssl != NULL && t->state == TLS_OPEN &&
	       (t->hello_read < t->hello_len || wolfSSL_pending(t->ssl) > 0);
}

/* The largest piece whose record is sure to fit; 0: wait for more room. */
static size_t piece_len(struct slice plain, const struct buf *out)
{
	size_t left = buf_left(out);
	size_t len = plain.len < RECORD_MAX ? plain.len : RECORD_MAX;

	if (left < RECORD_EXTRA)
		return 0;
	if (len <= left - RECORD_EXTRA)
		return len;
	return left - RECORD_EXTRA >= RECORD_MIN ? left - RECORD_EXTRA : 0;
}

enum tls_state tls_write(struct tls *t, struct slice *plain, struct buf *out)
{
	check(t->state != TLS_HANDSHAKE && !t->closed);
	t->out = out;
	/* The peer may have closed its direction: ours is still open. */
	while (t->state != TLS_FAILED && plain->len > 0) {
		size_t len = piece_len(*plain, out);

		if (len == 0)
			break;
		int count = wolfSSL_write(t->ssl, plain->at, (int)len);

		if (count <= 0)
			fail(t, wolfSSL_get_error(t->ssl, count));
		else
			slice_cut(plain, (size_t)count);
	}
	t->out = NULL;
	return t->state;
}

void tls_close_notify(struct tls *t, struct buf *out)
{
	if (t->ssl == NULL || t->closed || t->state == TLS_HANDSHAKE ||
	    t->state == TLS_FAILED)
		return;
	t->closed = true;
	t->out = out;
	(void)wolfSSL_shutdown(t->ssl);
	t->out = NULL;
}

const char *tls_version(const struct tls *t)
{
	if (t->ssl == NULL)
		return "";
	return wolfSSL_version(t->ssl) == TLS1_3_VERSION ? "1.3" : "1.2";
}

const char *tls_cipher(const struct tls *t)
{
	int suite =
	    t->ssl != NULL ? wolfSSL_get_current_cipher_suite(t->ssl) : 0;

	return suite_name((uint8_t)(suite >> 8), (uint8_t)suite);
}

bool tls_is_verified(const struct tls *t)
{
	return t->verified;
}

bool tls_is_resumed(const struct tls *t)
{
	return t->resumed;
}

const char *tls_error(const struct tls *t)
{
	return t->error != NULL ? t->error : "";
}

bool tls_exporter(struct tls *t, uint8_t out[32])
{
	if (t->exported)
		memcpy(out, t->exporter, sizeof(t->exporter));
	return t->exported;
}

bool tls_session_put(struct tls *t, struct buf *out)
{
	if (t->is_server || t->ssl == NULL || t->state == TLS_HANDSHAKE ||
	    t->state == TLS_FAILED)
		return false;
	WOLFSSL_SESSION *s = wolfSSL_get1_session(t->ssl);
	struct buf before = *out;
	bool put = false;

	if (s == NULL)
		return false;
	int len = wolfSSL_i2d_SSL_SESSION(s, NULL);

	buf_put_byte(out, SESSION_VERSION);
	buf_put_byte(out, t->verified);
	buf_put_byte(out, t->name_len);
	buf_put(out, slice_of(t->name, t->name_len));
	if (len > 0 && !out->overflowed && (size_t)len <= buf_left(out)) {
		unsigned char *at = out->at + out->len;

		len = wolfSSL_i2d_SSL_SESSION(s, &at);
		put = len > 0;
	}
	if (put)
		out->len += (size_t)len;
	else
		*out = before;
	wolfSSL_SESSION_free(s);
	return put;
}
