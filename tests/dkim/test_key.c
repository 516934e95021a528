/* test_key.c -- keys from PEM, their warnings, their TXT records. */
#include <wolfssl/options.h>

#include <criterion/criterion.h>
#include <wolfssl/wolfcrypt/hash.h>

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
static const char rfc_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";

Test(key, has_the_public_key_of_the_rfc)
{
	struct dkim *d = open_dkim();
	const char *why, *warning;
	struct dkim_key *key =
	    dkim_key_open(d, slice_of_str(rfc_pem), &why, &warning);
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

/* RFC 8463, A.3: Ed25519 signs the same the same. */
Test(key, makes_the_signature_of_the_rfc)
{
	static const char signed_text[] =
	    "from:Joe SixPack <joe@football.example.com>\r\n"
	    "to:Suzie Q <suzie@shopping.example.net>\r\n"
	    "subject:Is dinner ready?\r\n"
	    "date:Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
	    "message-id:<20030712040037.46341.5F8J@football.example.com>\r\n"
	    "dkim-signature:v=1; a=ed25519-sha256; c=relaxed/relaxed; "
	    "d=football.example.com; i=@football.example.com; q=dns/txt; "
	    "s=brisbane; t=1528637909; h=from : to : subject : date : "
	    "message-id : from : subject : date; "
	    "bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=";
	struct dkim *d = open_dkim();
	const char *why, *warning;
	struct dkim_key *key =
	    dkim_key_open(d, slice_of_str(rfc_pem), &why, &warning);
	uint8_t digest[DKIM_HASH_LEN], signature[ED25519_SIGNATURE_LEN];
	uint8_t room[128];
	struct buf text = buf_over(room, sizeof(room));

	cr_assert_eq(wc_Sha256Hash((const uint8_t *)signed_text,
			 sizeof(signed_text) - 1, digest),
	    0);
	cr_assert(dkim_key_sign_ed25519(key, digest, signature));
	base64_encode(slice_of(signature, sizeof(signature)), &text);
	cr_assert(slice_eq(buf_slice(&text),
	    SLICE("/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3"
		  "bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==")));
	dkim_key_close(key);
	dkim_close(d);
}
