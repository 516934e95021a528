/* test_key.c -- keys from PEM, their warnings, their TXT records. */
#include <criterion/criterion.h>

#include "core/base/base64.h"
#include "dkim/key.h"
#include "tests/dkim/keys.h"

static struct dkim *open_dkim(void)
{
	const char *why;
	struct dkim *d = dkim_open(&why);

	cr_assert_not_null(d, "%s", why);
	return d;
}

static const struct {
	const char *name, *pem;
	const char *why; /* NULL: good */
	bool warning;
	enum dkim_algorithm algorithm;
	const char *record;
} cases[] = {
    {"pkcs1", rsa2048_pem, NULL, false, DKIM_RSA_SHA256,
	"v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"},
    {"pkcs8", rsa1024_pem, NULL, true, DKIM_RSA_SHA256,
	"v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCB"},
    {"ed25519", ed25519_pem, NULL, false, DKIM_ED25519_SHA256,
	"v=DKIM1; k=ed25519; p="},
    {"short", rsa512_pem, "shorter than 1024 bits", false, 0, NULL},
    {"another algorithm", ec_pem, "no private key of RSA or Ed25519", false, 0,
	NULL},
    {"encrypted", encrypted_pem, "encrypted", false, 0, NULL},
    {"nothing", "", "empty", false, 0, NULL},
    {"no base64", "hello, this is no key", "base64", false, 0, NULL},
    {"half", "-----BEGIN RSA PRIVATE KEY-----\nMIIE", "no private key", false,
	0, NULL},
    {"cut",
	"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n"
	"-----END PRIVATE KEY-----\n",
	"not an RSA private key", false, 0, NULL},
    /* well-formed, but for one byte of the seed that is missing */
    {"short seed",
	"-----BEGIN PRIVATE KEY-----\n"
	"MC0CAQAwBQYDK2VwBCEEH51hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn8=\n"
	"-----END PRIVATE KEY-----\n",
	"not a private key of Ed25519", false, 0, NULL},
    /* Ed25519's identifier stands where an algorithm's name does not */
    {"name elsewhere",
	"-----BEGIN PRIVATE KEY-----\n"
	"MDICBQYDK2VwMAUGAytlbgQiBCCdYbGd7/1aYLqESvSS7CzEREnFaXsyaRlwO6wD"
	"HK5/YA==\n"
	"-----END PRIVATE KEY-----\n",
	"not an RSA private key", false, 0, NULL},
};

Test(key, is_opened_or_refused_with_a_reason)
{
	struct dkim *d = open_dkim();

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *why = NULL, *warning = NULL;
		struct dkim_key *key = dkim_key_open(
		    d, slice_of_str(cases[i].pem), &why, &warning);
		uint8_t room[4096];
		struct buf record = buf_over(room, sizeof(room));

		if (cases[i].why != NULL) {
			cr_assert_null(key, "%s", cases[i].name);
			cr_assert_not_null(strstr(why, cases[i].why), "%s: %s",
			    cases[i].name, why);
			continue;
		}
		cr_assert_not_null(key, "%s: %s", cases[i].name, why);
		cr_assert_eq(
		    warning != NULL, cases[i].warning, "%s", cases[i].name);
		cr_assert_eq(dkim_key_algorithm(key), cases[i].algorithm);
		dkim_key_record(key, &record);
		cr_assert(slice_starts_nocase(
		    buf_slice(&record), slice_of_str(cases[i].record)));
		dkim_key_close(key);
	}
	dkim_close(d);
}

/* OpenDKIM takes base64 without the lines around it. */
Test(key, may_be_base64_alone)
{
	struct dkim *d = open_dkim();
	const char *why, *warning;
	const char *begin = strchr(ed25519_pem, '\n') + 1;
	const char *end = strstr(begin, "-----");
	struct dkim_key *key = dkim_key_open(
	    d, slice_of(begin, (size_t)(end - begin)), &why, &warning);

	cr_assert_not_null(key, "%s", why);
	dkim_key_close(key);
	dkim_close(d);
}

/* RFC 8463, A.1: the key and what is published of it. */
Test(key, has_the_public_key_of_the_rfc)
{
	static const char pem[] =
	    "-----BEGIN PRIVATE KEY-----\n"
	    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
	    "-----END PRIVATE KEY-----\n";
	struct dkim *d = open_dkim();
	const char *why, *warning;
	struct dkim_key *key =
	    dkim_key_open(d, slice_of_str(pem), &why, &warning);
	uint8_t room[256];
	struct buf record = buf_over(room, sizeof(room));

	cr_assert_not_null(key, "%s", why);
	dkim_key_record(key, &record);
	cr_assert(slice_eq(buf_slice(&record),
	    SLICE("v=DKIM1; k=ed25519; "
		  "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")));
	dkim_key_close(key);
	dkim_close(d);
}
