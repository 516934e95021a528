/* test_generate.c -- new keys are keys, and no two are the same. */
#include "dkim/generate.h"

#include <criterion/criterion.h>

static void assert_key(enum dkim_algorithm algorithm, unsigned bits)
{
	uint8_t rooms[2][DKIM_PEM_MAX];
	struct buf pems[2];
	const char *why, *warning;
	struct dkim *d = dkim_open(&why);

	cr_assert_not_null(d, "%s", why);
	for (unsigned i = 0; i < 2; i++) {
		pems[i] = buf_over(rooms[i], sizeof(rooms[i]));
		why = dkim_generate(algorithm, bits, &pems[i]);
		cr_assert_null(why, "%s", why);
		struct dkim_key *key =
		    dkim_key_open(d, buf_slice(&pems[i]), &why, &warning);

		cr_assert_not_null(key, "%s", why);
		cr_assert_eq(dkim_key_algorithm(key), algorithm);
		dkim_key_close(key);
	}
	cr_assert(!slice_eq(buf_slice(&pems[0]), buf_slice(&pems[1])));
	dkim_close(d);
}

Test(generate, makes_rsa_keys)
{
	assert_key(DKIM_RSA_SHA256, 1024);
	assert_key(DKIM_RSA_SHA256, 2048);
}

Test(generate, makes_ed25519_keys)
{
	assert_key(DKIM_ED25519_SHA256, 0);
}

Test(generate, says_when_there_is_no_room)
{
	uint8_t room[100];
	struct buf pem = buf_over(room, sizeof(room));

	cr_assert_not_null(dkim_generate(DKIM_ED25519_SHA256, 0, &pem));
}
