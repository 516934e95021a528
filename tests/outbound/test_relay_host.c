#include <criterion/criterion.h>

#include "core/base/check.h"
#include "core/outbound/relay_host.h"

struct relay_case {
	const char *text;
	const char *host; /* NULL = refused */
	uint16_t port;
	bool use_mx;
};

static const struct relay_case cases[] = {
    {"example.com", "example.com", 25, true},
    {" example.com\t", "example.com", 25, true},
    {"example.com.", "example.com", 25, true},
    {"example.com:587", "example.com", 587, true},
    {"example.com:submission", "example.com", 587, true},
    {"example.com:SMTPS", "example.com", 465, true},
    {"[example.com]", "example.com", 25, false},
    {"[example.com]:2525", "example.com", 2525, false},
    {"[example.com]:submissions", "example.com", 465, false},
    {"mailpit:1025", "mailpit", 1025, true},
    {"my_service.ns", "my_service.ns", 25, true},
    {"192.0.2.1", "192.0.2.1", 25, false},
    {"192.0.2.1:26", "192.0.2.1", 26, false},
    {"[192.0.2.1]:26", "192.0.2.1", 26, false},
    {"[::1]:25", "::1", 25, false},
    {"[2001:db8::1]", "2001:db8::1", 25, false},
    {"2001:db8::1", "2001:db8::1", 25, false},
    {"[IPv6:2001:db8::1]:24", "2001:db8::1", 24, false},
    {"localhost:65535", "localhost", 65535, true},
    {"", NULL, 0, false},
    {" ", NULL, 0, false},
    {"[", NULL, 0, false},
    {"[]", NULL, 0, false},
    {"[]:25", NULL, 0, false},
    {"[a", NULL, 0, false},
    {"[a]25", NULL, 0, false},
    {"[a]:", NULL, 0, false},
    {"[a]:25x", NULL, 0, false},
    {"[IPv6:1.2.3.4]", NULL, 0, false},
    {"IPv6:2001:db8::1", NULL, 0, false},
    {"a:", NULL, 0, false},
    {":25", NULL, 0, false},
    {"a:0", NULL, 0, false},
    {"a:65536", NULL, 0, false},
    {"a:-1", NULL, 0, false},
    {"a:25:26", NULL, 0, false},
    {"::1:70000000", NULL, 0, false},
    {"a..b", NULL, 0, false},
    {".a", NULL, 0, false},
    {".", NULL, 0, false},
    {"a b", NULL, 0, false},
    {"smtp://a", NULL, 0, false},
    {"a@b", NULL, 0, false},
    {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", NULL,
	0, false},
};

Test(relay_host, takes_the_forms_of_postfix_and_nothing_else)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct relay_case *c = &cases[i];
		struct relay_host relay;
		bool good = relay_host_parse(slice_of_str(c->text), &relay);

		cr_expect_eq(good, c->host != NULL, "'%s'", c->text);
		if (!good || c->host == NULL)
			continue;
		cr_expect(slice_eq(relay.host, slice_of_str(c->host)),
		    "'%s': '%.*s'", c->text, (int)relay.host.len,
		    relay.host.at);
		cr_expect_eq(relay.port, c->port, "'%s'", c->text);
		cr_expect_eq(relay.use_mx, c->use_mx, "'%s'", c->text);
	}
}

Test(relay_host, is_not_misled_by_a_zero_byte)
{
	struct relay_host relay;

	cr_expect_not(relay_host_parse(SLICE("127.0.0.1\0x"), &relay));
	cr_expect_not(relay_host_parse(SLICE("a\0b"), &relay));
}
