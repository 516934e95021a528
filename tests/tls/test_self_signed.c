/* A certificate of our own making: read back, and used. */
#include <time.h>

#include "tests/tls/pair.h"
#include "tls/certificate.h"
#include "tls/pem.h"
#include "tls/self_signed.h"

static char crt_room[SELF_SIGNED_MAX], key_room[SELF_SIGNED_MAX];
static uint8_t der_room[PEM_CERTIFICATE_MAX];

static struct certificate make(
    struct buf *crt, struct buf *key, const char *hostname, uint64_t now_s)
{
	struct buf der = buf_over(der_room, sizeof(der_room));
	struct certificate c;
	struct slice text;

	*crt = buf_over(crt_room, sizeof(crt_room));
	*key = buf_over(key_room, sizeof(key_room));
	cr_assert(self_signed_make(slice_of_str(hostname), now_s, crt, key));
	text = buf_slice(crt);
	cr_assert_eq(pem_certificate(&text, &der), PEM_FOUND);
	cr_assert(certificate_read(&c, buf_slice(&der)));
	return c;
}

Test(self_signed, says_what_it_should)
{
	struct buf crt, key;
	struct certificate c =
	    make(&crt, &key, "relay.example.org", 1700000000);

	cr_assert_eq(c.key, KEY_P256);
	cr_assert(slice_eq(c.common_name, SLICE("relay.example.org")));
	cr_assert(slice_eq(c.issuer, c.subject));
	cr_assert(certificate_is_for(&c, SLICE("relay.example.org")));
	cr_assert(certificate_is_for(&c, SLICE("LOCALHOST")));
	cr_assert(certificate_is_for(&c, SLICE("127.0.0.1")));
	cr_assert_not(certificate_is_for(&c, SLICE("127.0.0.2")));
	cr_assert_not(c.is_ca);
	cr_assert_eq(c.not_before_s, 1700000000u - 86400);
	cr_assert_eq(c.not_after_s, 1700000000u + 3650u * 86400);
	/* Beyond 2049 the form of the time is another. */
	c = make(&crt, &key, "relay.example.org", 2500000000u);
	cr_assert_eq(c.not_after_s, 2500000000u + 3650u * 86400);
}

Test(self_signed, names_of_every_length)
{
	char name[300];

	memset(name, 'a', sizeof(name));
	for (size_t len = 1; len <= 253; len += 21) {
		struct buf crt, key;

		name[len] = '\0';
		struct certificate c =
		    make(&crt, &key, name, (uint64_t)time(NULL));

		cr_assert(certificate_is_for(&c, slice_of_str(name)));
		name[len] = 'a';
	}
}

Test(self_signed, has_no_place_for_too_little_room)
{
	struct buf crt = buf_over(crt_room, 300);
	struct buf key = buf_over(key_room, sizeof(key_room));

	cr_assert_not(
	    self_signed_make(SLICE("a.example"), 1700000000, &crt, &key));
}

Test(self_signed, serves_a_client_that_asks_for_nothing_more)
{
	static struct pair p;
	struct buf crt, key;
	char why[256] = "";
	const char *source;

	make(&crt, &key, "relay.example.org", (uint64_t)time(NULL));
	struct tls_certificate certificate = {
	    buf_slice(&crt), buf_slice(&key), "self-signed"};
	struct tls_server_options options = {
	    .certificates = &certificate, .certificate_count = 1};
	struct tls_context *server =
	    tls_server_context(&options, why, sizeof(why));

	cr_assert(server != NULL, "%s", why);
	cr_assert_gt(tls_context_expires_s(server, &source), time(NULL));
	cr_assert_str_eq(source, "self-signed");
	struct tls_context *client = client_of(FIXTURES "ca.pem");
	struct tls_peer peer = {
	    .name = "relay.example.org", .verify = TLS_VERIFY_LOOK};

	pair_open(&p, client, server, &peer);
	pair_shake(&p, WIRE_MAX);
	cr_assert_eq(
	    tls_state_of(p.client), TLS_OPEN, "%s", tls_error(p.client));
	cr_assert_eq(tls_state_of(p.server), TLS_OPEN);
	cr_assert_not(tls_is_verified(p.client));
	pair_close(&p);
	tls_context_give(client);
	tls_context_give(server);
}
