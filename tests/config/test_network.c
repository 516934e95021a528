#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>

#include "core/base/check.h"
#include "core/config/network.h"

static const struct {
	const char *text;
	const char *formatted; /* NULL: refused */
} texts[] = {
    {"10.0.0.0/8", "10.0.0.0/8"},
    {"0.0.0.0/0", "0.0.0.0/0"},
    {"192.0.2.1", "192.0.2.1"},
    {"192.0.2.1/32", "192.0.2.1"},
    {"192.0.2.128/25", "192.0.2.128/25"},
    {"::/0", "::/0"},
    {"::1", "::1"},
    {"::1/128", "::1"},
    {"[::1]", "::1"},
    {"[fe80::]/10", "fe80::/10"},
    {"2001:DB8::/32", "2001:db8::/32"},
    {"::ffff:192.0.2.0/120", "192.0.2.0/24"},
    {"::ffff:0:0/96", "0.0.0.0/0"},
    {"", NULL},
    {"*", NULL},
    {"/8", NULL},
    {"10", NULL},
    {"10.0.0", NULL},
    {"10.0.0.0/", NULL},
    {"10.0.0.0/33", NULL},
    {"10.0.0.0/-1", NULL},
    {"10.0.0.0/8/8", NULL},
    {"10.0.0.0/255.0.0.0", NULL},
    {"10.0.0.1/8", NULL},
    {"010.0.0.1", NULL},
    {" 10.0.0.1", NULL},
    {"256.0.0.1", NULL},
    {"::1/129", NULL},
    {"::1/64", NULL},
    {"fe80::1%eth0", NULL},
    {"::ffff:0:0/95", NULL},
    {"[::1", NULL},
    {"[[::1]]", NULL},
    {"example.org", NULL},
    {"1111:2222:3333:4444:5555:6666:7777:8888:9999", NULL},
};

Test(network, reads_what_is_one_and_writes_it_again)
{
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct network n;
		const char *why = NULL;
		bool good =
		    network_parse(slice_of_str(texts[i].text), &n, &why);

		cr_expect_eq(
		    good, texts[i].formatted != NULL, "%s", texts[i].text);
		if (!good) {
			cr_expect_not_null(why, "%s", texts[i].text);
			continue;
		}
		char text[NETWORK_TEXT_MAX];
		network_format(&n, text);
		cr_expect_str_eq(text, texts[i].formatted);
	}
}

static const struct {
	const char *network;
	const char *address;
	bool in;
} members[] = {
    {"10.0.0.0/8", "10.255.255.255", true},
    {"10.0.0.0/8", "11.0.0.0", false},
    {"10.0.0.0/8", "9.255.255.255", false},
    {"10.0.0.0/8", "::ffff:10.1.2.3", true},
    {"10.0.0.0/8", "::10.1.2.3", false},
    {"10.0.0.0/8", "a00::", false},
    {"172.16.0.0/12", "172.31.255.255", true},
    {"172.16.0.0/12", "172.32.0.0", false},
    {"192.0.2.1", "192.0.2.1", true},
    {"192.0.2.1", "192.0.2.2", false},
    {"0.0.0.0/0", "192.0.2.1", true},
    {"0.0.0.0/0", "::ffff:192.0.2.1", true},
    {"0.0.0.0/0", "2001:db8::1", false},
    {"::/0", "2001:db8::1", true},
    {"::/0", "192.0.2.1", false},
    {"::/0", "::ffff:192.0.2.1", false},
    {"::1", "::1", true},
    {"::1", "127.0.0.1", false},
    {"fe80::/10", "febf::1", true},
    {"fe80::/10", "fec0::1", false},
    {"2001:db8::/33", "2001:db8:7fff::", true},
    {"2001:db8::/33", "2001:db8:8000::", false},
};

union any_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static union any_address address_of(const char *text)
{
	union any_address a = {0};

	if (inet_pton(AF_INET, text, &a.v4.sin_addr) == 1)
		a.any.sa_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &a.v6.sin6_addr) == 1)
		a.any.sa_family = AF_INET6;
	return a;
}

Test(network, has_the_addresses_of_its_own_family)
{
	for (size_t i = 0; i < COUNT(members); i++) {
		struct network n;
		const char *why;
		union any_address a = address_of(members[i].address);

		cr_assert(
		    network_parse(slice_of_str(members[i].network), &n, &why));
		struct network_list list = {&n, 1};
		cr_expect_eq(network_list_has(&list, &a.any), members[i].in,
		    "%s in %s", members[i].address, members[i].network);
	}
}

Test(network, an_empty_list_has_nobody)
{
	union any_address a = address_of("127.0.0.1");

	cr_expect_not(network_list_has(&(struct network_list){0}, &a.any));
}

Test(network, no_other_family_is_in_any)
{
	struct network n[2];
	const char *why;
	struct sockaddr local = {.sa_family = AF_UNIX};

	cr_assert(network_parse(SLICE("0.0.0.0/0"), &n[0], &why));
	cr_assert(network_parse(SLICE("::/0"), &n[1], &why));
	struct network_list everyone = {n, 2};
	cr_expect_not(network_list_has(&everyone, &local));
}
