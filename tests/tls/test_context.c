/* Contexts: what is refused, who gets which certificate, who is believed. */
#include "tests/tls/pair.h"
#include "tls/certificate.h"
#include "tls/wolfssl.h"

static struct pair p;

Test(context, says_what_is_wrong_with_a_certificate)
{
	static const struct {
		const char *crt, *key, *why;
	} cases[] = {
	    {"mx.pem", "second.key",
		"mx.pem: the private key does not belong to the certificate"},
	    {"mx.pem", "rsa.key", "mx.pem: the private key"},
	    {"make.sh", "mx.key", "make.sh: no certificate in PEM form"},
	    {"mx.pem", "make.sh", "mx.pem: no private key in PEM form"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct server_files files = {
		    {cases[i].crt}, {cases[i].key}, 1, NULL};
		char why[256] = "";

		/* 5.5.4, Debian 12's own, looks at no EC key; the handshake
		 * that core/config_check.c tries does. */
		if (i == 0 && wolfSSL_lib_version_hex() < 0x05006000)
			continue;
		cr_assert_null(server_try(&files, why, sizeof(why)));
		cr_assert_eq(strncmp(why, cases[i].why, strlen(cases[i].why)),
		    0, "%s", why);
	}
}

/* Whom a client believes, by name and by what the server shows. */
Test(context, verifies_chain_name_dates_and_use)
{
	static const struct {
		const char *crt, *key, *name, *why;
	} cases[] = {
	    {"mx-chain.pem", "mx.key", "mx.example.org", NULL},
	    {"mx-chain.pem", "mx.key", "MX.example.org.", NULL},
	    {"mx-chain.pem", "mx.key", "a.wild.example.org", NULL},
	    {"mx-chain.pem", "mx.key", "192.0.2.1", NULL},
	    {"mx-chain.pem", "mx.key", "2001:db8::1", NULL},
	    {"second.pem", "second.key", "xn--bcher-kva.example", NULL},
	    {"old-name.pem", "old-name.key", "old.example.org", NULL},
	    {"mx-chain.pem", "mx.key", "192.0.2.2", "another name"},
	    {"mx-chain.pem", "mx.key", "a.b.wild.example.org", "another name"},
	    {"mx-chain.pem", "mx.key", "wild.example.org", "another name"},
	    {"mx-chain.pem", "mx.key", NULL, "no name"},
	    {"mx.pem", "mx.key", "mx.example.org", "unknown authority"},
	    {"stranger.pem", "stranger.key", "mx.example.org",
		"unknown authority"},
	    {"self.pem", "self.key", "mx.example.org", "self-signed"},
	    {"expired.pem", "expired.key", "mx.example.org", "expired"},
	    {"client-only.pem", "client-only.key", "mx.example.org",
		"not for servers"},
	    {"false-chain.pem", "false.key", "mx.example.org",
		"unknown authority"},
	    {"deep-chain.pem", "deep.key", "mx.example.org",
		"unknown authority"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		for (int look = 0; look < 2; look++) {
			struct tls_context *server =
			    server_of(cases[i].crt, cases[i].key, NULL);
			struct tls_context *client =
			    client_of(FIXTURES "ca.pem");
			struct tls_peer peer = {.name = cases[i].name,
			    .verify = look ? TLS_VERIFY_LOOK : TLS_VERIFY_NAME};
			bool good = cases[i].why == NULL;

			pair_open(&p, client, server, &peer);
			pair_shake(&p, WIRE_MAX);
			const char *error = tls_error(p.client);

			cr_assert_eq(tls_is_verified(p.client), good, "%zu: %s",
			    i, error);
			cr_assert_eq(tls_state_of(p.client),
			    good || look ? TLS_OPEN : TLS_FAILED, "%zu: %s", i,
			    error);
			if (!good && !look)
				cr_assert(strstr(error, cases[i].why) != NULL,
				    "%zu: %s", i, error);
			pair_close(&p);
			tls_context_give(client);
			tls_context_give(server);
		}
	}
}

/* A chain that was only looked at leaves nothing behind: its authority is not
 * believed by the next connection of the same context. */
Test(context, a_strangers_authority_is_forgotten)
{
	struct tls_context *looked =
	    server_of("false-chain.pem", "false.key", NULL);
	struct tls_context *server = server_of("false.pem", "false.key", NULL);
	struct tls_context *client = client_of(FIXTURES "ca.pem");
	struct tls_peer peer = {
	    .name = "mx.example.org", .verify = TLS_VERIFY_LOOK};

	pair_open(&p, client, looked, &peer);
	pair_shake(&p, WIRE_MAX);
	cr_assert_eq(tls_state_of(p.client), TLS_OPEN);
	pair_close(&p);
	peer.verify = TLS_VERIFY_NAME;
	pair_open(&p, client, server, &peer);
	pair_shake(&p, WIRE_MAX);
	cr_assert_eq(tls_state_of(p.client), TLS_FAILED);
	pair_close(&p);
	tls_context_give(client);
	tls_context_give(server);
	tls_context_give(looked);
}

Test(context, chooses_by_name)
{
	struct server_files files = {{"mx-chain.pem", "second.pem", "rsa.pem"},
	    {"mx.key", "second.key", "rsa.key"}, 3, NULL};
	static const struct {
		const char *name;
		bool verified;
	} cases[] = {
	    {"mx.example.org", true},
	    {"second.example.org", true},
	    {"nobody.example.org", false},
	};
	char why[256];
	struct tls_context *server = server_try(&files, why, sizeof(why));
	struct tls_context *client = client_of(FIXTURES "ca.pem");

	cr_assert(server != NULL, "%s", why);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct tls_peer peer = {
		    .name = cases[i].name, .verify = TLS_VERIFY_LOOK};

		pair_open(&p, client, server, &peer);
		pair_shake(&p, WIRE_MAX);
		cr_assert_eq(tls_state_of(p.client), TLS_OPEN);
		cr_assert_eq(tls_is_verified(p.client), cases[i].verified);
		pair_close(&p);
	}
	tls_context_give(client);
	tls_context_give(server);
}

/* Two contexts with the same keys are two workers. */
Test(context, another_worker_resumes_and_a_stranger_does_not)
{
	struct tls_ticket_keys *keys = tls_ticket_keys_open();
	struct tls_context *one = server_of("mx-chain.pem", "mx.key", keys);
	struct tls_context *two = server_of("mx-chain.pem", "mx.key", keys);
	struct tls_context *other =
	    server_of("mx-chain.pem", "mx.key", tls_ticket_keys_open());
	struct tls_context *client = client_of(FIXTURES "ca.pem");
	struct tls_peer peer = {
	    .name = "mx.example.org", .verify = TLS_VERIFY_NAME};
	static uint8_t room[4096];
	struct buf session = buf_over(room, sizeof(room));
	char byte[1];

	pair_open(&p, client, one, &peer);
	pair_shake(&p, WIRE_MAX);
	cr_assert_eq(pair_read(p.client, &p.down, &p.up, byte, 1), 0);
	cr_assert(tls_session_put(p.client, &session));
	cr_assert_not(tls_is_resumed(p.client));
	pair_close(&p);
	struct tls_context *servers[] = {two, other};

	peer.session = session.at;
	peer.session_len = session.len;
	for (size_t i = 0; i < COUNT(servers); i++) {
		pair_open(&p, client, servers[i], &peer);
		pair_shake(&p, WIRE_MAX);
		cr_assert_eq(tls_state_of(p.client), TLS_OPEN, "%s",
		    tls_error(p.client));
		cr_assert_eq(tls_is_resumed(p.server), i == 0);
		cr_assert_eq(tls_is_resumed(p.client), i == 0);
		cr_assert(tls_is_verified(p.client));
		pair_close(&p);
	}
	tls_context_give(client);
	tls_context_give(one);
	tls_context_give(two);
	tls_context_give(other);
}
