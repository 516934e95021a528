/* test_secret.c -- passwords as they are stored. */
#include "proto/secret.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "core/base/check.h"
#include "proto/sasl.h"

#define CLEAR 0x3f
#define VERIFIER                                                               \
	(1u << SASL_PLAIN | 1u << SASL_LOGIN | 1u << SASL_SCRAM_SHA_256 |      \
	    1u << SASL_SCRAM_SHA_256_PLUS)
#define HASHED (1u << SASL_PLAIN | 1u << SASL_LOGIN)

/* gsasl --mkpasswd -m SCRAM-SHA-256 -p pencil
 * --scram-salt W22ZaJ0SNY7soEsUEjb6gQ== -i 4096; openssl passwd -6 and -5;
 * mkpasswd -m yescrypt and bcrypt: all of "pencil". */
#define SALT "W22ZaJ0SNY7soEsUEjb6gQ=="
#define STORED "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
#define SERVER "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

static const struct {
	const char *text, *password;
	unsigned mechanisms;
} good[] = {
    {"pencil", "pencil", CLEAR},
    {"$ecret", "$ecret", CLEAR},
    {"{curly}", "{curly}", CLEAR},
    {" a b ", " a b ", CLEAR},
    {"\xe4\xff latin", "\xe4\xff latin", CLEAR},
    {"a\xc2\xa0z", "a z", CLEAR}, /* RFC 4013 */
    {"I\xc2\xadX", "IX", CLEAR},
    {"{SCRAM-SHA-256}4096," SALT "," STORED "," SERVER, "pencil", VERIFIER},
    {"{scram-sha-256}4096," SALT ":" STORED ":" SERVER, "pencil", VERIFIER},
    {"{SCRAM-SHA-256}4096:" SALT "$" STORED ":" SERVER, "pencil", VERIFIER},
    {"@6", "pencil", HASHED},
    {"@5", "pencil", HASHED},
    {"@y", "pencil", HASHED},
    {"@b", "pencil", HASHED},
};

static const char *const hashes[][2] = {
    {"@6", "$6$abcdefgh$BPABm5D7ZFU2YVfMLyE5XRqe91qwdcZ6APg7kB/"
	   "YBeADxUUqXXhg3mlHBbjpyHcrE9xl/9BuqqivCjN2qGEi30"},
    {"@5", "$5$abcdefgh$2fBC4A6a5zMUaFynrzCXz1gz3QtUtBsVxjmcncJUE67"},
    {"@y", "$y$j75$k2XAnEHBqQ1Ct2aMXFKNa/"
	   "HAmA1BpMnBsYHMWB4NZN4$dqgG9zrZweFW4teF21rE/qwtWbeW9df6jiAdZMrZJ19"},
    {"@b", "$2b$04$abcdefghijklmnopqrstuu/FyAyuZSl3DbPdvio4KrIBdz2k2yhV2"},
};

static struct sasl_secret parse(const char *text)
{
	struct sasl_secret secret;
	const char *why;

	for (size_t i = 0; i < COUNT(hashes); i++)
		if (strcmp(text, hashes[i][0]) == 0)
			text = hashes[i][1];
	cr_assert(secret_parse(slice_of_str(text), &secret, &why), "%s", text);
	return secret;
}

Test(secret, fits_its_password_and_no_other)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		struct sasl_secret secret = parse(good[i].text);
		char other[64];

		cr_assert_eq(secret_mechanisms(&secret), good[i].mechanisms);
		cr_assert(
		    secret_matches(&secret, slice_of_str(good[i].password)),
		    "%s", good[i].text);
		snprintf(other, sizeof(other), "%sx", good[i].password);
		cr_assert_not(
		    secret_matches(&secret, slice_of_str(other)), "%s", other);
		cr_assert_not(secret_matches(&secret,
		    slice_of(good[i].password, strlen(good[i].password) - 1)));
		cr_assert_not(secret_matches(&secret, SLICE("")));
		cr_assert_not(secret_matches(&secret, SLICE("pencil\0")));
		secret.is_decoy = true;
		cr_assert_not(
		    secret_matches(&secret, slice_of_str(good[i].password)));
	}
}

Test(secret, remembers_only_what_fitted)
{
	static const uint8_t key[HASH_SHA256_LEN] = {1};

	for (size_t i = 0; i < COUNT(good); i++) {
		struct sasl_secret secret = parse(good[i].text);
		struct slice password = slice_of_str(good[i].password);
		struct secret_memo memo = {0};

		secret.memo = &memo;
		secret.key = key;
		cr_assert_not(secret_matches(&secret, SLICE("wrong")));
		cr_assert_not(memo.has_password);
		cr_assert(secret_matches(&secret, password));
		cr_assert(memo.has_password == (secret.kind != SECRET_CLEAR));
		cr_assert(secret_matches(&secret, password));
		cr_assert_not(secret_matches(&secret, SLICE("wrong")));
		cr_assert_not(secret_matches(&secret, SLICE("")));
	}
}

static const char *const bad[] = {
    "",
    "{SCRAM-SHA-256}",
    "{SCRAM-SHA-256}pencil",
    "{SCRAM-SHA-256}0," SALT "," STORED "," SERVER,
    "{SCRAM-SHA-256}-1," SALT "," STORED "," SERVER,
    "{SCRAM-SHA-256}1000001," SALT "," STORED "," SERVER,
    "{SCRAM-SHA-256}4096,," STORED "," SERVER,
    "{SCRAM-SHA-256}4096," SALT "," STORED,
    "{SCRAM-SHA-256}4096," SALT "," STORED "," SERVER ",",
    "{SCRAM-SHA-256}4096," SALT "," STORED "," SALT,
    "{SCRAM-SHA-256}4096," SALT "," STORED "," SERVER "x",
    "{SCRAM-SHA-1}4096,c2FsdA==,c2FsdA==,c2FsdA==",
    "{SSHA}abcdef",
    "{CRYPT}$6$abc$def",
    "$6$",
    "$6$salt",
    "$y$j9T$salt",
};

Test(secret, says_what_it_cannot_use)
{
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct sasl_secret secret;
		const char *why = NULL;

		cr_assert_not(secret_parse(slice_of_str(bad[i]), &secret, &why),
		    "%s", bad[i]);
		cr_assert(why != NULL && why[0] != '\0');
	}
}

Test(secret, writes_what_it_reads)
{
	static const uint8_t salt[SECRET_SALT_LEN] = {0x5b, 0x6d, 0x99, 0x68,
	    0x9d, 0x12, 0x35, 0x8e, 0xec, 0xa0, 0x4b, 0x14, 0x12, 0x36, 0xfa,
	    0x81};
	uint8_t room[SECRET_SCRAM_LEN];
	struct buf b = buf_over(room, sizeof(room));

	secret_put_scram(SLICE("pencil"), salt, &b);
	cr_assert(!b.overflowed);
	cr_assert(slice_eq(buf_slice(&b),
	    SLICE("{SCRAM-SHA-256}4096," SALT "," STORED "," SERVER)));
}

Test(secret, has_one_salt_for_a_name)
{
	static const uint8_t key[HASH_SHA256_LEN] = {1}, other[32] = {2};
	struct sasl_secret a = parse("pencil"), b = parse("else");

	secret_season(&a, SLICE("joe"), key);
	secret_season(&b, SLICE("joe"), key);
	cr_assert(memcmp(a.salt, b.salt, SECRET_SALT_LEN) == 0);
	secret_season(&b, SLICE("jon"), key);
	cr_assert(memcmp(a.salt, b.salt, SECRET_SALT_LEN) != 0);
	secret_season(&b, SLICE("joe"), other);
	cr_assert(memcmp(a.salt, b.salt, SECRET_SALT_LEN) != 0);
	/* A verifier has its own, and only a decoy of it gets another. */
	b = parse("{SCRAM-SHA-256}4096," SALT "," STORED "," SERVER);
	a = b;
	secret_season(&b, SLICE("joe"), key);
	cr_assert(memcmp(a.salt, b.salt, SECRET_SALT_LEN) == 0);
	b.is_decoy = true;
	secret_season(&b, SLICE("joe"), key);
	cr_assert(memcmp(a.salt, b.salt, SECRET_SALT_LEN) != 0);
	cr_assert(b.salt_len == a.salt_len && b.iterations == a.iterations);
}
