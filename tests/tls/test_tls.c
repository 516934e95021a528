/* A client and a server over memory: handshakes, data, ends. */
#include "tests/tls/pair.h"

static struct pair p;

static void open_both(const char *crt, const char *key)
{
	struct tls_context *server = server_of(crt, key, NULL);
	struct tls_context *client = client_of(FIXTURES "ca.pem");
	struct tls_peer peer = {
	    .name = "mx.example.org", .verify = TLS_VERIFY_NAME};

	pair_open(&p, client, server, &peer);
	tls_context_give(client);
	tls_context_give(server);
}

static void talk(void)
{
	char got[64];

	pair_write(p.client, &p.up, "EHLO me\r\n", 9);
	cr_assert_eq(pair_read(p.server, &p.up, &p.down, got, 64), 9);
	cr_assert_eq(memcmp(got, "EHLO me\r\n", 9), 0);
	pair_write(p.server, &p.down, "250 hi\r\n", 8);
	cr_assert_eq(pair_read(p.client, &p.down, &p.up, got, 64), 8);
	cr_assert_eq(memcmp(got, "250 hi\r\n", 8), 0);
}

Test(tls, shakes_hands_and_talks)
{
	open_both("mx-chain.pem", "mx.key");
	pair_shake(&p, WIRE_MAX);
	cr_assert(tls_is_verified(p.client), "%s", tls_error(p.client));
	cr_assert_str_eq(tls_version(p.client), "1.3");
	cr_assert_str_eq(tls_version(p.server), "1.3");
	cr_assert_str_eq(tls_cipher(p.server), tls_cipher(p.client));
	cr_assert_eq(strncmp(tls_cipher(p.server), "TLS_", 4), 0);
	talk();
	pair_close(&p);
}

Test(tls, exports_the_same_on_both_sides_and_another_each_time)
{
	uint8_t a[32], b[32], c[32];

	open_both("rsa.pem", "rsa.key");
	cr_assert_not(tls_exporter(p.client, a));
	pair_shake(&p, WIRE_MAX);
	cr_assert(tls_exporter(p.client, a));
	cr_assert(tls_exporter(p.server, b));
	cr_assert_eq(memcmp(a, b, 32), 0);
	pair_close(&p);
	open_both("rsa.pem", "rsa.key");
	pair_shake(&p, WIRE_MAX);
	cr_assert(tls_exporter(p.server, c));
	cr_assert_neq(memcmp(a, c, 32), 0);
	pair_close(&p);
}

Test(tls, every_byte_for_itself)
{
	open_both("mx-chain.pem", "mx.key");
	pair_shake(&p, 1);
	cr_assert(tls_is_verified(p.client), "%s", tls_error(p.client));
	talk();
	pair_close(&p);
}
