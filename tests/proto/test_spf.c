/* test_spf.c -- addresses that a domain's SPF record covers, and others; the
 * domains of RFC 7208's appendix A among them. */
#include "proto/spf.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>

#include "core/base/check.h"

/* A zone: name, type, and the records with '|' between them. */
static const struct {
	const char *name;
	uint16_t type;
	const char *records;
} zone[] = {
    /* RFC 7208, A */
    {"example.com", DNS_TYPE_MX, "mail-a.example.com|mail-b.example.com"},
    {"example.com", DNS_TYPE_A, "192.0.2.10|192.0.2.11"},
    {"mail-a.example.com", DNS_TYPE_A, "192.0.2.129"},
    {"mail-b.example.com", DNS_TYPE_A, "192.0.2.130"},
    {"example.org", DNS_TYPE_MX, "mail-c.example.org"},
    {"mail-c.example.org", DNS_TYPE_A, "192.0.2.140"},
    {"a1.example", DNS_TYPE_TXT, "v=spf1 +all"},
    {"a2.example", DNS_TYPE_TXT, "v=spf1 a:example.com -all"},
    {"a3.example", DNS_TYPE_TXT, "v=spf1 a:example.org -all"},
    {"a4.example", DNS_TYPE_TXT, "v=spf1 mx:example.com -all"},
    {"a5.example", DNS_TYPE_TXT, "v=spf1 mx:example.com mx:example.org -all"},
    {"a6.example", DNS_TYPE_TXT,
	"v=spf1 mx:example.com/30 mx:example.org/30 "
	"-all"},
    {"a7.example", DNS_TYPE_TXT, "v=spf1 ip4:192.0.2.128/28 -all"},
    /* ours */
    {"own.example", DNS_TYPE_TXT, "other text|v=spf1 a -all"},
    {"own.example", DNS_TYPE_A, "192.0.2.1"},
    {"own.example", DNS_TYPE_AAAA, "2001:db8::1"},
    {"six.example", DNS_TYPE_TXT,
	"v=spf1 ip6:2001:db8::/32 ip4:192.0.2.1 ~all"},
    {"six-a.example", DNS_TYPE_TXT, "v=spf1 a:own.example/8//64 -all"},
    {"case.example", DNS_TYPE_TXT, "V=SPF1 IP4:192.0.2.1 -ALL"},
    {"incl.example", DNS_TYPE_TXT, "v=spf1 include:a7.example ?all"},
    {"incl-neg.example", DNS_TYPE_TXT, "v=spf1 -include:a7.example +all"},
    {"incl2.example", DNS_TYPE_TXT, "v=spf1 include:incl.example -all"},
    {"incl-neg2.example", DNS_TYPE_TXT, "v=spf1 include:incl-neg.example ~all"},
    {"incl-none.example", DNS_TYPE_TXT, "v=spf1 include:none.example -all"},
    {"redir.example", DNS_TYPE_TXT, "v=spf1 redirect=a7.example"},
    {"redir-none.example", DNS_TYPE_TXT, "v=spf1 redirect=none.example"},
    {"redir-all.example", DNS_TYPE_TXT, "v=spf1 redirect=a1.example ~all"},
    {"redir2.example", DNS_TYPE_TXT,
	"v=spf1 redirect=a1.example "
	"redirect=a2.example"},
    {"in-redir.example", DNS_TYPE_TXT, "v=spf1 include:redir.example -all"},
    {"two.example", DNS_TYPE_TXT, "v=spf1 -all|v=spf1 +all"},
    {"empty.example", DNS_TYPE_TXT, "v=spf1"},
    {"v10.example", DNS_TYPE_TXT, "v=spf10 +all"},
    {"mod.example", DNS_TYPE_TXT, "v=spf1 exp=e.%{d} foo=bar  ip4:192.0.2.1  "},
    {"loop.example", DNS_TYPE_TXT, "v=spf1 include:loop.example +all"},
    {"redir-loop.example", DNS_TYPE_TXT, "v=spf1 redirect=redir-loop.example"},
    {"void.example", DNS_TYPE_TXT, "v=spf1 a:n1.example a:n2.example +all"},
    {"void3.example", DNS_TYPE_TXT,
	"v=spf1 a:n1.example mx:n2.example "
	"a:n3.example +all"},
    {"macro.example", DNS_TYPE_TXT, "v=spf1 ip4:192.0.2.1 a:%{i}.x -all"},
    {"exists.example", DNS_TYPE_TXT, "v=spf1 exists:%{ir}.x -all"},
    {"ptr.example", DNS_TYPE_TXT, "v=spf1 ptr -all"},
    {"down.example", DNS_TYPE_TXT, "v=spf1 a:fails.example +all"},
    {"fails.example", DNS_TYPE_A, "!"},
    {"fails.example", DNS_TYPE_TXT, "!"},
    {"many.example", DNS_TYPE_MX, "a|b|c|d|e|f|g|h|i|j|k"},
    {"many-mx.example", DNS_TYPE_TXT, "v=spf1 mx:many.example +all"},
    {"null-mx.example", DNS_TYPE_TXT, "v=spf1 mx -all"},
    {"null-mx.example", DNS_TYPE_MX, "."},
    {"bad1.example", DNS_TYPE_TXT, "v=spf1 +all ipv4:192.0.2.1"},
    {"bad2.example", DNS_TYPE_TXT, "v=spf1 ip4:192.0.2.1/33 -all"},
    {"bad3.example", DNS_TYPE_TXT, "v=spf1 include: -all"},
    {"bad4.example", DNS_TYPE_TXT, "v=spf1 ip4:192.0.2.256 -all"},
    {"bad5.example", DNS_TYPE_TXT, "v=spf1 all:x"},
    {"bad6.example", DNS_TYPE_TXT, "v=spf1 a/024 -all"},
    {"bad7.example", DNS_TYPE_TXT, "v=spf1 a: -all"},
    {"bad8.example", DNS_TYPE_TXT, "v=spf1 a/ -all"},
    {"bad10.example", DNS_TYPE_TXT, "v=spf1 a/24/ -all"},
    {"bad9.example", DNS_TYPE_TXT, "v=spf1 a/24/64 -all"},
};

static const struct {
	const char *domain, *address;
	enum spf_result result;
} cases[] = {
    {"a1.example", "192.0.2.200", SPF_PASS},
    {"a2.example", "192.0.2.11", SPF_PASS},
    {"a2.example", "192.0.2.129", SPF_FAIL},
    {"a3.example", "192.0.2.10", SPF_FAIL},
    {"a4.example", "192.0.2.129", SPF_PASS},
    {"a4.example", "192.0.2.130", SPF_PASS},
    {"a4.example", "192.0.2.10", SPF_FAIL},
    {"a5.example", "192.0.2.140", SPF_PASS},
    {"a6.example", "192.0.2.131", SPF_PASS},
    {"a6.example", "192.0.2.143", SPF_PASS},
    {"a6.example", "192.0.2.132", SPF_FAIL},
    {"a7.example", "192.0.2.128", SPF_PASS},
    {"a7.example", "192.0.2.65", SPF_FAIL},
    {"own.example", "192.0.2.1", SPF_PASS},
    {"own.example.", "2001:db8::1", SPF_PASS},
    {"own.example", "192.0.2.2", SPF_FAIL},
    {"six.example", "2001:db8:1::1", SPF_PASS},
    {"six.example", "2001:db9::1", SPF_SOFTFAIL},
    {"six-a.example", "192.200.0.1", SPF_PASS},
    {"six-a.example", "2001:db8::ffff", SPF_PASS},
    {"six-a.example", "2001:db8:0:1::1", SPF_FAIL},
    {"case.example", "192.0.2.1", SPF_PASS},
    {"incl.example", "192.0.2.129", SPF_PASS},
    {"incl.example", "192.0.2.1", SPF_NEUTRAL},
    {"incl-neg.example", "192.0.2.129", SPF_FAIL},
    {"incl-neg.example", "192.0.2.1", SPF_PASS},
    {"incl2.example", "192.0.2.129", SPF_PASS},
    {"incl2.example", "192.0.2.1", SPF_FAIL},
    {"incl-neg2.example", "192.0.2.129", SPF_SOFTFAIL},
    {"incl-neg2.example", "192.0.2.1", SPF_PASS},
    {"incl-none.example", "192.0.2.1", SPF_PERMERROR},
    {"redir.example", "192.0.2.129", SPF_PASS},
    {"redir.example", "192.0.2.1", SPF_FAIL},
    {"redir-none.example", "192.0.2.1", SPF_PERMERROR},
    {"redir-all.example", "192.0.2.1", SPF_SOFTFAIL},
    {"redir2.example", "192.0.2.1", SPF_PERMERROR},
    {"in-redir.example", "192.0.2.129", SPF_PASS},
    {"in-redir.example", "192.0.2.1", SPF_FAIL},
    {"none.example", "192.0.2.1", SPF_NONE},
    {"two.example", "192.0.2.1", SPF_PERMERROR},
    {"empty.example", "192.0.2.1", SPF_NEUTRAL},
    {"v10.example", "192.0.2.1", SPF_NONE},
    {"mod.example", "192.0.2.1", SPF_PASS},
    {"loop.example", "192.0.2.1", SPF_PERMERROR},
    {"redir-loop.example", "192.0.2.1", SPF_PERMERROR},
    {"void.example", "192.0.2.1", SPF_PASS},
    {"void3.example", "192.0.2.1", SPF_PERMERROR},
    {"macro.example", "192.0.2.1", SPF_PASS},
    {"macro.example", "192.0.2.2", SPF_UNKNOWN},
    {"exists.example", "192.0.2.2", SPF_UNKNOWN},
    {"ptr.example", "192.0.2.2", SPF_UNKNOWN},
    {"down.example", "192.0.2.1", SPF_TEMPERROR},
    {"fails.example", "192.0.2.1", SPF_TEMPERROR},
    {"many-mx.example", "192.0.2.1", SPF_PERMERROR},
    {"null-mx.example", "192.0.2.1", SPF_FAIL},
    {"bad1.example", "192.0.2.1", SPF_PERMERROR},
    {"bad2.example", "192.0.2.1", SPF_PERMERROR},
    {"bad3.example", "192.0.2.1", SPF_PERMERROR},
    {"bad4.example", "192.0.2.1", SPF_PERMERROR},
    {"bad5.example", "192.0.2.1", SPF_PERMERROR},
    {"bad6.example", "192.0.2.1", SPF_PERMERROR},
    {"bad7.example", "192.0.2.1", SPF_PERMERROR},
    {"bad8.example", "192.0.2.1", SPF_PERMERROR},
    {"bad9.example", "192.0.2.1", SPF_PERMERROR},
    {"bad10.example", "192.0.2.1", SPF_PERMERROR},
    {"", "192.0.2.1", SPF_NONE},
};

static void add(struct dns_answer *a, uint16_t type, struct slice text)
{
	struct dns_record *r = &a->records[a->count++];
	char name[64] = "";
	size_t len = text.len;

	memcpy(name, text.at, text.len < 63 ? text.len : 63);
	if (type == DNS_TYPE_A)
		len = inet_pton(AF_INET, name, a->room + a->room_len) * 4u;
	else if (type == DNS_TYPE_AAAA)
		len = inet_pton(AF_INET6, name, a->room + a->room_len) * 16u;
	else
		memcpy(a->room + a->room_len, text.at, text.len);
	r->data = slice_of(a->room + a->room_len, len);
	a->room_len += len;
}

static enum spf_answer look_up(
    const char *name, uint16_t type, struct dns_answer *a)
{
	*a = (struct dns_answer){0};
	for (size_t i = 0; i < COUNT(zone); i++) {
		struct slice rest = slice_of_str(zone[i].records);

		if (zone[i].type != type || strcmp(zone[i].name, name) != 0)
			continue;
		if (slice_eq(rest, SLICE("!")))
			return SPF_ANSWER_FAILED;
		while (rest.len > 0)
			add(a, type, slice_cut_at(&rest, '|'));
	}
	return a->count > 0 ? SPF_ANSWER_FOUND : SPF_ANSWER_NOTHING;
}

static void address_of(const char *text, uint8_t address[16])
{
	static const uint8_t prefix[16] = {[10] = 0xff, 0xff};

	memcpy(address, prefix, 16);
	if (inet_pton(AF_INET, text, address + 12) != 1)
		cr_assert_eq(inet_pton(AF_INET6, text, address), 1);
}

Test(spf, finds_who_is_covered)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		static struct spf s;
		static struct dns_answer answer;
		uint8_t address[16];
		unsigned questions = 0;

		address_of(cases[i].address, address);
		spf_init(&s, address, slice_of_str(cases[i].domain));
		while (spf_next(&s)) {
			cr_assert_lt(questions++, 120);
			spf_answer(
			    &s, look_up(s.name, s.type, &answer), &answer);
		}
		cr_assert_eq(s.result, cases[i].result, "%s %s: %s, %s",
		    cases[i].domain, cases[i].address, spf_word(s.result),
		    s.why);
		cr_assert_neq(s.why[0], '\0');
	}
}

Test(spf, says_which_term_it_was)
{
	static struct spf s;
	static struct dns_answer answer;
	uint8_t address[16];

	address_of("192.0.2.129", address);
	spf_init(&s, address, SLICE("incl2.example"));
	while (spf_next(&s))
		spf_answer(&s, look_up(s.name, s.type, &answer), &answer);
	cr_assert_str_eq(
	    s.why, "ip4:192.0.2.128/28 in the record of a7.example");
	cr_assert_eq(s.lookup_count, 2);
}
