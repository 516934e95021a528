#include <criterion/criterion.h>

#include "core/config/value.h"

static const struct {
	const char *text;
	int truth; /* -1: refused */
} bools[] = {
    {"true", 1},
    {"TRUE", 1},
    {"Yes", 1},
    {"on", 1},
    {"1", 1},
    {"false", 0},
    {"No", 0},
    {"OFF", 0},
    {"0", 0},
    {"", -1},
    {"y", -1},
    {"2", -1},
    {"truth", -1},
    {"true ", -1},
};

Test(value, a_boolean_has_eight_spellings)
{
	for (size_t i = 0; i < COUNT(bools); i++) {
		bool truth;
		bool good = value_bool(slice_of_str(bools[i].text), &truth);

		cr_expect_eq(good, bools[i].truth >= 0, "%s", bools[i].text);
		if (good)
			cr_expect_eq(truth, bools[i].truth == 1);
	}
}

static const struct {
	const char *text;
	bool good;
	uint64_t number;
	const char *shortest;
} sizes[] =
    {
	{"0", true, 0, "0"},
	{"1", true, 1, "1"},
	{"1000", true, 1000, "1000"},
	{"1024", true, 1024, "1K"},
	{"64K", true, 65536, "64K"},
	{"64k", true, 65536, "64K"},
	{"50M", true, 50 << 20, "50M"},
	{"1024M", true, 1 << 30, "1G"},
	{"3T", true, 3ull << 40, "3T"},
	{"18446744073709551615", true, UINT64_MAX, "18446744073709551615"},
	{"18446744073709551616", false, 0, NULL},
	{"16777216T", false, 0, NULL},
	{"", false, 0, NULL},
	{"K", false, 0, NULL},
	{"1.5G", false, 0, NULL},
	{"-1", false, 0, NULL},
	{"1 K", false, 0, NULL},
	{"1KB", false, 0, NULL},
	{"50X", false, 0, NULL},
},
  durations[] = {
      {"0s", true, 0, "0s"},
      {"30s", true, 30, "30s"},
      {"90s", true, 90, "90s"},
      {"5m", true, 300, "5m"},
      {"300s", true, 300, "5m"},
      {"4h", true, 14400, "4h"},
      {"5d", true, 432000, "5d"},
      {"2w", true, 1209600, "14d"},
      {"4H", true, 14400, "4h"},
      {"5", false, 0, NULL},
      {"", false, 0, NULL},
      {"s", false, 0, NULL},
      {"1h30m", false, 0, NULL},
      {"-1s", false, 0, NULL},
      {"1.5h", false, 0, NULL},
      {"99999999999999999999s", false, 0, NULL},
      {"99999999999999999d", false, 0, NULL},
};

Test(value, a_size_has_a_unit_of_1024s_or_none)
{
	for (size_t i = 0; i < COUNT(sizes); i++) {
		char text[32];
		struct buf b = buf_over(text, sizeof(text));
		uint64_t number;
		bool good = value_size(slice_of_str(sizes[i].text), &number);

		cr_expect_eq(good, sizes[i].good, "%s", sizes[i].text);
		if (!good || !sizes[i].good)
			continue;
		cr_expect_eq(number, sizes[i].number, "%s", sizes[i].text);
		value_size_put(&b, number);
		cr_expect(
		    slice_eq(buf_slice(&b), slice_of_str(sizes[i].shortest)),
		    "%s", sizes[i].text);
	}
}

Test(value, a_duration_always_has_its_unit)
{
	for (size_t i = 0; i < COUNT(durations); i++) {
		char text[32];
		struct buf b = buf_over(text, sizeof(text));
		uint64_t number;
		bool good =
		    value_duration(slice_of_str(durations[i].text), &number);

		cr_expect_eq(good, durations[i].good, "%s", durations[i].text);
		if (!good || !durations[i].good)
			continue;
		cr_expect_eq(number, durations[i].number);
		value_duration_put(&b, number);
		cr_expect(slice_eq(buf_slice(&b),
			      slice_of_str(durations[i].shortest)),
		    "%s", durations[i].text);
	}
}

#define LABEL_63                                                               \
	"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

struct verdict {
	const char *text;
	bool good;
};

static void judge(const struct verdict *verdicts, size_t count,
    bool (*reader)(struct slice text, const char **why))
{
	for (size_t i = 0; i < count; i++) {
		const char *why = NULL;
		bool good = reader(slice_of_str(verdicts[i].text), &why);

		cr_expect_eq(good, verdicts[i].good, "%s", verdicts[i].text);
		if (!good)
			cr_expect_not_null(why, "%s", verdicts[i].text);
	}
}

static const struct verdict hostnames[] = {
    {"relay.example.org", true},
    {"localhost.localdomain", true},
    {"smarthost", true},
    {"smarthost-0", true},
    {"a_b.example", true},
    {"1.example", true},
    {LABEL_63 ".example", true},
    {LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63, false},
    {LABEL_63 "x.example", false},
    {"", false},
    {".", false},
    {"relay.", false},
    {".relay", false},
    {"a..b", false},
    {"-a.example", false},
    {"a-.example", false},
    {"a b", false},
    {"a\r\nb", false},
    {"[192.0.2.1]", false},
    {"192.0.2.1", false},
    {"192.0.2.300", false},
    {"::1", false},
    {"42", false},
    {"m\xc3\xbcnchen.example", false},
    {"relay:25", false},
};

static const struct verdict helos[] = {
    {"relay.example.org", true},
    {"[192.0.2.1]", true},
    {"[IPv6:2001:db8::1]", true},
    {"[ipv6:::1]", true},
    {"[::1]", false},
    {"[IPv6:192.0.2.1]", false},
    {"[relay]", false},
    {"[", false},
    {"[]", false},
    {"192.0.2.1", false},
    {"", false},
};

static const struct verdict relay_hosts[] = {
    {"smtp.example.org", true},
    {"smtp.example.org:587", true},
    {"[smtp.example.org]", true},
    {"[smtp.example.org]:587", true},
    {"192.0.2.1", true},
    {"192.0.2.1:25", true},
    {"[192.0.2.1]:25", true},
    {"[::1]", true},
    {"[::1]:2525", true},
    {"mailhog:1025", true},
    {"", false},
    {"::1", false},
    {"::1:25", false},
    {"2001:db8::1:25", false},
    {":25", false},
    {"[]:25", false},
    {"smtp.example.org:", false},
    {"smtp.example.org:0", false},
    {"smtp.example.org:65536", false},
    {"smtp.example.org:smtp", false},
    {"smtp://smtp.example.org", false},
    {"user@smtp.example.org", false},
    {"[smtp.example.org", false},
    {"a b", false},
};

static const struct verdict dns_servers[] = {
    {"192.0.2.1", true},
    {"127.0.0.1@5353", true},
    {"2001:db8::1", true},
    {"::1@53", true},
    {"recursive", true},
    {"recursive@53", false},
    {"", false},
    {"@53", false},
    {"192.0.2.1@", false},
    {"192.0.2.1@0", false},
    {"192.0.2.1@65536", false},
    {"192.0.2.1:53", false},
    {"[::1]@53", false},
    {"dns.example.org", false},
};

Test(value, a_hostname_is_a_name)
{
	judge(hostnames, COUNT(hostnames), value_hostname);
}

Test(value, a_helo_is_a_name_or_an_address_literal)
{
	judge(helos, COUNT(helos), value_helo);
}

Test(value, a_relay_host_has_one_of_four_forms)
{
	judge(relay_hosts, COUNT(relay_hosts), value_relay_host);
}

Test(value, a_dns_server_is_an_address_with_or_without_port)
{
	judge(dns_servers, COUNT(dns_servers), value_dns_server);
}

static const struct {
	const char *text;
	uint16_t port; /* 0: refused */
	bool every;
	uint8_t last; /* byte of the address */
} endpoints[] = {
    {"*:587", 587, true, 0},
    {"127.0.0.1:8587", 8587, false, 1},
    {"0.0.0.0:1", 1, false, 0},
    {"[::1]:587", 587, false, 1},
    {"[::]:65535", 65535, false, 0},
    {"[192.0.2.7]:25", 25, false, 7},
    {"", 0, false, 0},
    {"587", 0, false, 0},
    {":587", 0, false, 0},
    {"*", 0, false, 0},
    {"*:", 0, false, 0},
    {"*:0", 0, false, 0},
    {"*:65536", 0, false, 0},
    {"*:smtp", 0, false, 0},
    {"::1:587", 0, false, 0},
    {"[::1]", 0, false, 0},
    {"[*]:587", 0, false, 0},
    {"localhost:587", 0, false, 0},
};

Test(value, an_endpoint_is_an_address_and_a_port)
{
	for (size_t i = 0; i < COUNT(endpoints); i++) {
		struct endpoint e;
		const char *why = NULL;
		bool good =
		    endpoint_parse(slice_of_str(endpoints[i].text), &e, &why);

		cr_expect_eq(
		    good, endpoints[i].port > 0, "%s", endpoints[i].text);
		if (!good) {
			cr_expect_not_null(why);
			continue;
		}
		cr_expect_eq(e.port, endpoints[i].port);
		cr_expect_eq(e.every, endpoints[i].every);
		cr_expect_eq(e.address[15], endpoints[i].last);
	}
}
