/* test_header.c -- header sections, their fields and canonical forms. */
#include "dkim/header.h"

#include <criterion/criterion.h>
#include <wolfssl/wolfcrypt/ed25519.h>

#include "core/base/base64.h"
#include "core/base/check.h"

static const struct {
	struct slice message;
	size_t len; /* of the section */
	bool whole; /* known without more bytes */
} sections[] = {
    {SLICE("A: b\r\n\r\nbody"), 6, true},
    {SLICE("A: b\r\n c\r\nD:\r\n\r\n"), 14, true},
    {SLICE("A: b\r\nno field\r\n"), 6, true},
    {SLICE("A: b\r\n.c: d\r\n"), 6, true},
    {SLICE("A: b\r\n: d\r\n"), 6, true},
    {SLICE("A : b\r\nC d: e\r\n"), 7, true},
    {SLICE(" A: b\r\n\r\n"), 0, true},
    {SLICE("\r\nA: b\r\n"), 0, true},
    {SLICE("A: b\r\n"), 6, false},
    {SLICE("A: b\r\n c"), 8, false},
    {SLICE("A: b\r\nC: d"), 10, false},
    {SLICE("A: b\r\nC"), 6, false},
    {SLICE("A: b\r\nC "), 6, false},
    {SLICE(""), 0, false},
};

Test(header, ends_where_its_fields_end)
{
	for (size_t i = 0; i < COUNT(sections); i++) {
		struct slice m = sections[i].message;
		struct slice section;
		bool whole = dkim_header_section(m, false, &section);

		cr_assert_eq(whole, sections[i].whole, "case %zu", i);
		cr_assert(dkim_header_section(m, true, &section));
		cr_assert_eq(section.len, sections[i].len, "case %zu: %zu", i,
		    section.len);
	}
}

/* What is known from fewer bytes is what is known from all. */
Test(header, ends_at_the_same_place_however_it_is_cut)
{
	for (size_t i = 0; i < COUNT(sections); i++)
		for (size_t len = 0; len < sections[i].message.len; len++) {
			struct slice m = slice_of(sections[i].message.at, len);
			struct slice section;

			if (dkim_header_section(m, false, &section))
				cr_assert_eq(section.len, sections[i].len,
				    "case %zu cut at %zu", i, len);
		}
}

static const struct {
	struct slice field, simple, relaxed;
} forms[] = {
    /* RFC 6376, 3.4.5 */
    {SLICE("A: X\r\n"), SLICE("A: X\r\n"), SLICE("a:X\r\n")},
    {SLICE("B : Y\t\r\n\tZ  \r\n"), SLICE("B : Y\t\r\n\tZ  \r\n"),
	SLICE("b:Y Z\r\n")},
    {SLICE("Subject:\r\n"), SLICE("Subject:\r\n"), SLICE("subject:\r\n")},
    {SLICE("SUBJect: \r\n \r\n"), SLICE("SUBJect: \r\n \r\n"),
	SLICE("subject:\r\n")},
    {SLICE("x:a:b  c\xc3\xa9\r\n"), SLICE("x:a:b  c\xc3\xa9\r\n"),
	SLICE("x:a:b c\xc3\xa9\r\n")},
};

static void assert_hash(const struct dkim_field *field, enum dkim_canon canon,
    bool last, struct slice want)
{
	uint8_t got_hash[DKIM_HASH_LEN], want_hash[DKIM_HASH_LEN];
	wc_Sha256 sha256;

	wc_InitSha256(&sha256);
	dkim_field_hash(&sha256, field, canon, last);
	wc_Sha256Final(&sha256, got_hash);
	wc_InitSha256(&sha256);
	wc_Sha256Update(&sha256, want.at, want.len - (last ? 2 : 0));
	wc_Sha256Final(&sha256, want_hash);
	cr_assert_eq(memcmp(got_hash, want_hash, DKIM_HASH_LEN), 0, "%.*s",
	    (int)want.len, want.at);
}

Test(header, has_two_canonical_forms)
{
	for (size_t i = 0; i < COUNT(forms); i++) {
		struct slice rest = forms[i].field;
		struct dkim_field field;

		cr_assert(dkim_field_next(&rest, &field));
		cr_assert_eq(rest.len, 0);
		for (int last = 0; last <= 1; last++) {
			assert_hash(&field, DKIM_SIMPLE, last, forms[i].simple);
			assert_hash(
			    &field, DKIM_RELAXED, last, forms[i].relaxed);
		}
	}
}

/* RFC 8463, A.3, without the second signature. */
static const char rfc_signature[] =
    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
    " d=football.example.com; i=@football.example.com;\r\n"
    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
    " subject : date : message-id : from : subject : date;\r\n"
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
    " b=\r\n";
static const char rfc_header[] =
    "From: Joe SixPack <joe@football.example.com>\r\n"
    "To: Suzie Q <suzie@shopping.example.net>\r\n"
    "Subject: Is dinner ready?\r\n"
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n";

static size_t unbase64(const char *text, uint8_t *to, size_t room)
{
	struct buf out = buf_over(to, room);

	cr_assert(base64_decode(slice_of_str(text), &out));
	return out.len;
}

Test(header, is_hashed_as_the_rfc_signed_it)
{
	static const char *const names[] = {
	    "from", "to", "subject", "date", "message-id"};
	uint8_t key_bytes[32], signature[64], digest[32];
	struct slice own = slice_of_str(rfc_signature);
	struct dkim_field field;
	wc_Sha256 sha256;
	ed25519_key key;
	int good = 0;

	wc_InitSha256(&sha256);
	for (size_t i = 0; i < COUNT(names); i++) {
		cr_assert(dkim_field_find(
		    slice_of_str(rfc_header), slice_of_str(names[i]), &field));
		dkim_field_hash(&sha256, &field, DKIM_RELAXED, false);
	}
	cr_assert(dkim_field_next(&own, &field));
	dkim_field_hash(&sha256, &field, DKIM_RELAXED, true);
	wc_Sha256Final(&sha256, digest);
	unbase64("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", key_bytes,
	    sizeof(key_bytes));
	unbase64("/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus"
		 "Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==",
	    signature, sizeof(signature));
	wc_ed25519_init(&key);
	cr_assert_eq(wc_ed25519_import_public(key_bytes, 32, &key), 0);
	cr_assert_eq(wc_ed25519_verify_msg(
			 signature, 64, digest, sizeof(digest), &good, &key),
	    0);
	cr_assert_eq(good, 1);
	wc_ed25519_free(&key);
}
