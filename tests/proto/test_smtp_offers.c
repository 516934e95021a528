/* test_smtp_offers.c -- what a server offers. */
#include <criterion/criterion.h>

#include "core/base/check.h"
#include "proto/sasl.h"
#include "proto/smtp_offers.h"

Test(smtp_offers, are_read_line_by_line)
{
	struct smtp_offers o;

	smtp_offers_read(&o,
	    SLICE("mx STARTTLS\nPipelining\nSIZE 35882577\n8BITMIME\n"
		  "AUTH PLAIN LOGIN\nAUTH=CRAM-MD5\nCHUNKING\nXDSN\n SMTPUTF8"),
	    false);
	cr_assert(o.esmtp && o.pipelining && o.size && o.eightbitmime &&
		  o.chunking && o.smtputf8);
	cr_assert(!o.starttls && !o.dsn);
	cr_assert_eq(o.size_max, 35882577);
	cr_assert(o.auth_offered);
	cr_assert_eq(
	    o.auth, 1 << SASL_PLAIN | 1 << SASL_LOGIN | 1 << SASL_CRAM_MD5);
}

Test(smtp_offers, begin_after_the_servers_name)
{
	struct smtp_offers o;

	smtp_offers_read(&o, SLICE("PIPELINING"), false);
	cr_assert(o.esmtp);
	cr_assert(!o.pipelining);
}

Test(smtp_offers, of_a_size)
{
	static const struct {
		const char *text;
		uint64_t size_max;
	} cases[] = {{"mx\nSIZE", 0}, {"mx\nSIZE 0", 0}, {"mx\nSIZE 7", 7},
	    {"mx\nsize  7 ", 7}, {"mx\nSIZE -1", 0}, {"mx\nSIZE 7 8", 0},
	    {"mx\nSIZE 99999999999999999999", 0}};
	struct smtp_offers o;

	for (size_t i = 0; i < COUNT(cases); i++) {
		smtp_offers_read(&o, slice_of_str(cases[i].text), false);
		cr_assert(o.size, "%s", cases[i].text);
		cr_assert_eq(
		    o.size_max, cases[i].size_max, "%s", cases[i].text);
	}
}

Test(smtp_offers, do_not_count_the_line_that_was_cut)
{
	struct smtp_offers o;

	smtp_offers_read(&o, SLICE("mx\nDSN\nSIZE 100"), true);
	cr_assert(o.dsn);
	cr_assert(!o.size);
}

Test(smtp_offers, of_mechanisms_that_we_do_not_know)
{
	char text[1024] = "mx\nAUTH ";
	struct smtp_offers o;

	smtp_offers_read(&o, SLICE("mx\nAUTH GSSAPI NTLM"), false);
	cr_assert(o.auth_offered);
	cr_assert_eq(o.auth, 0);
	smtp_offers_read(&o, SLICE("mx\nAUTHENTIC PLAIN\nXAUTH PLAIN"), false);
	cr_assert(!o.auth_offered);

	/* However many stand before the ones that we know. */
	memset(text + strlen(text), 'X', 900);
	strcat(text, "  scram-sha-256-plus SCRAM-SHA-256 ");
	smtp_offers_read(&o, slice_of_str(text), false);
	cr_assert_eq(
	    o.auth, 1 << SASL_SCRAM_SHA_256_PLUS | 1 << SASL_SCRAM_SHA_256);
}
