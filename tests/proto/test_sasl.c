/* test_sasl.c -- both sides of each mechanism against each other. */
#include "proto/sasl.h"

#include <criterion/criterion.h>

#include "tests/proto/sasl_talk.h"

#define VERIFIER                                                               \
	"{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,"                        \
	"WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"                        \
	"wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
#define HASHED "$2b$04$abcdefghijklmnopqrstuu/FyAyuZSl3DbPdvio4KrIBdz2k2yhV2"
#define WHO(m, u, p, s) .mechanism = m, .user = u, .password = p, .stored = s
#define BOTH .client_binds = true, .server_binds = true

static const struct {
	struct talk talk;
	enum sasl_need need;
} logins[] = {
    {{WHO(SASL_PLAIN, "joe", "pencil", "pencil")}, SASL_GOOD},
    {{WHO(SASL_PLAIN, "joe", "pencil", VERIFIER)}, SASL_GOOD},
    {{WHO(SASL_PLAIN, "joe", "pencil", HASHED)}, SASL_GOOD},
    {{WHO(SASL_PLAIN, "joe", "pencils", HASHED)}, SASL_WRONG},
    {{WHO(SASL_PLAIN, "joe", "pencil", NULL)}, SASL_WRONG},
    {{WHO(SASL_PLAIN, "joe", "", "pencil")}, SASL_WRONG},
    {{WHO(SASL_LOGIN, "a@b.example", "x y", "x y")}, SASL_GOOD},
    {{WHO(SASL_LOGIN, "joe", "pencil", VERIFIER)}, SASL_GOOD},
    {{WHO(SASL_LOGIN, "joe", "pencil", HASHED)}, SASL_GOOD},
    {{WHO(SASL_LOGIN, "joe", "Pencil", "pencil")}, SASL_WRONG},
    {{WHO(SASL_LOGIN, "joe", "", "pencil")}, SASL_WRONG},
    {{WHO(SASL_CRAM_MD5, "joe of b", "pencil", "pencil")}, SASL_GOOD},
    {{WHO(SASL_CRAM_MD5, "joe", "pencil", "pencils")}, SASL_WRONG},
    {{WHO(SASL_CRAM_MD5, "joe", "pencil", VERIFIER)}, SASL_WRONG},
    {{WHO(SASL_CRAM_MD5, "joe", VERIFIER, VERIFIER)}, SASL_WRONG},
    {{WHO(SASL_CRAM_MD5, "joe", HASHED, HASHED)}, SASL_WRONG},
    {{WHO(SASL_CRAM_MD5, "joe", "", NULL)}, SASL_WRONG},
    {{WHO(SASL_DIGEST_MD5, "joe", "pencil", "pencil")}, SASL_GOOD},
    {{WHO(SASL_DIGEST_MD5, "a\"b\\c,d=e", "p", "p")}, SASL_GOOD},
    {{WHO(SASL_DIGEST_MD5, "j\xc3\xb6", "\xc3\xa4", "\xc3\xa4")}, SASL_GOOD},
    {{WHO(SASL_DIGEST_MD5, "joe", "\xe2\x82\xac", "\xe2\x82\xac")}, SASL_GOOD},
    {{WHO(SASL_DIGEST_MD5, "joe", "pencil", "pencils")}, SASL_WRONG},
    {{WHO(SASL_DIGEST_MD5, "joe", VERIFIER, VERIFIER)}, SASL_WRONG},
    {{WHO(SASL_DIGEST_MD5, "joe", "", NULL)}, SASL_WRONG},
    {{WHO(SASL_SCRAM_SHA_256, "joe", "pencil", "pencil")}, SASL_GOOD},
    {{WHO(SASL_SCRAM_SHA_256, "joe", "pencil", VERIFIER)}, SASL_GOOD},
    {{WHO(SASL_SCRAM_SHA_256, "a,b=c", "pencil", VERIFIER)}, SASL_GOOD},
    {{WHO(SASL_SCRAM_SHA_256, "joe", "a\xc2\xa0z", "a z")}, SASL_GOOD},
    {{WHO(SASL_SCRAM_SHA_256, "joe", "pencil", HASHED)}, SASL_WRONG},
    {{WHO(SASL_SCRAM_SHA_256, "joe", "pencil", "pencils")}, SASL_WRONG},
    {{WHO(SASL_SCRAM_SHA_256, "joe", "pencil", NULL)}, SASL_WRONG},
    {{WHO(SASL_SCRAM_SHA_256, "joe", "", NULL)}, SASL_WRONG},
    {{WHO(SASL_SCRAM_SHA_256, "joe", "pencil", VERIFIER), .client_binds = true},
	SASL_GOOD},
    /* RFC 5802, 6: somebody took -PLUS out of our offer */
    {{WHO(SASL_SCRAM_SHA_256, "joe", "pencil", VERIFIER), BOTH,
	 .plus_offered = true},
	SASL_WRONG},
    {{WHO(SASL_SCRAM_SHA_256, "joe", "pencil", VERIFIER), .server_binds = true,
	 .plus_offered = true},
	SASL_GOOD},
    {{WHO(SASL_SCRAM_SHA_256_PLUS, "joe", "pencil", VERIFIER), BOTH},
	SASL_GOOD},
    {{WHO(SASL_SCRAM_SHA_256_PLUS, "joe", "pencil", "pencil"), BOTH},
	SASL_GOOD},
    {{WHO(SASL_SCRAM_SHA_256_PLUS, "joe", "pencil", "pencil"), BOTH,
	 .bindings_differ = true},
	SASL_WRONG},
    {{WHO(SASL_SCRAM_SHA_256_PLUS, "joe", "pencil", "pencil"),
	 .client_binds = true},
	SASL_WRONG},
};

Test(sasl, both_sides_agree)
{
	for (size_t i = 0; i < COUNT(logins); i++) {
		struct talk t = logins[i].talk;
		enum sasl_need need = talk(&t);

		cr_assert_eq(need, logins[i].need, "login %zu: %d", i, need);
		if (need != SASL_GOOD)
			continue;
		cr_assert(t.satisfied && !t.client_gave_up, "login %zu", i);
		cr_assert_str_eq(t.name, t.user);
	}
}

/* Of each login that is good, each message is cut and changed at each byte.
 * DIGEST-MD5 may bear it where a field is concerned that has its default. */
Test(sasl, nothing_spoilt_is_good)
{
	for (size_t i = 0; i < COUNT(logins); i++) {
		struct talk whole = logins[i].talk;

		if (talk(&whole) != SASL_GOOD ||
		    whole.mechanism == SASL_DIGEST_MD5)
			continue;
		for (size_t m = 0; m < whole.count; m++) {
			for (size_t n = 0; n < 2 * whole.lens[m]; n++) {
				struct talk t = logins[i].talk;

				t.spoil = n % 2 == 0 ? TALK_CUT : TALK_FLIP;
				t.message = m;
				t.at = n / 2;
				/* Another name may have this password. */
				cr_assert(talk(&t) != SASL_GOOD ||
					      strcmp(t.name, t.user) != 0,
				    "login %zu, message %zu, byte %zu", i, m,
				    n / 2);
			}
		}
	}
}

Test(sasl, a_spoilt_digest_is_never_anybody_else)
{
	struct talk whole = {WHO(SASL_DIGEST_MD5, "joe", "pencil", "pencil")};

	cr_assert(talk(&whole) == SASL_GOOD);
	for (size_t n = 0; n < 2 * whole.lens[0]; n++) {
		struct talk t = {
		    WHO(SASL_DIGEST_MD5, "joe", "pencil", "pencil")};

		t.spoil = n % 2 == 0 ? TALK_CUT : TALK_FLIP;
		t.at = n / 2;
		if (talk(&t) == SASL_GOOD)
			cr_assert_str_eq(t.name, "joe");
	}
}

Test(sasl, knows_its_names)
{
	enum sasl_mechanism m;

	for (unsigned i = 0; i < SASL_MECHANISM_COUNT; i++) {
		cr_assert(sasl_find(
		    slice_of_str(sasl_name((enum sasl_mechanism)i)), &m));
		cr_assert_eq(m, i);
	}
	cr_assert(sasl_find(SLICE("scram-sha-256-plus"), &m));
	cr_assert_eq(m, SASL_SCRAM_SHA_256_PLUS);
	cr_assert_not(sasl_find(SLICE("SCRAM-SHA-25"), &m));
	cr_assert_not(sasl_find(SLICE(""), &m));
}

Test(sasl, takes_the_best)
{
	static const struct {
		unsigned offered;
		bool has_binding, clear_allowed;
		int best;
	} cases[] = {
	    {0x3f, true, true, SASL_SCRAM_SHA_256_PLUS},
	    {0x3f, false, true, SASL_SCRAM_SHA_256},
	    {0x0f, true, true, SASL_CRAM_MD5},
	    {0x0b, true, true, SASL_PLAIN},
	    {0x0b, true, false, SASL_DIGEST_MD5},
	    {0x02, true, true, SASL_LOGIN},
	    {0x03, true, false, -1},
	    {0x20, false, true, -1},
	    {0x00, true, true, -1},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		enum sasl_mechanism m;
		bool found = sasl_client_choose(cases[i].offered,
		    cases[i].has_binding, cases[i].clear_allowed, &m);

		cr_assert_eq(found ? (int)m : -1, cases[i].best, "%zu", i);
	}
}
