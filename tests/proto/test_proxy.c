/* test_proxy.c -- PROXY headers, every prefix of each. */
#include "proto/proxy.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/check.h"

#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define ADDRESSES_4 "\xc0\x00\x02\x01\xc6\x33\x64\x07\xdc\x04\x00\x19"
#define ADDRESSES_6                                                            \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"                           \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\xdc\x04\x00\x19"
#define TLVS "\x03\x00\x04\x01\x02\x03\x04\x04\x00\x01\x00"
#define ZEROES_54                                                              \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"               \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

static const struct {
	struct slice header;
	enum proxy_result result;
	const char *client; /* "address port address port" */
} good[] = {
    {SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 56324 25\r\n"), PROXY_KNOWN,
	"192.0.2.1 56324 198.51.100.7 25"},
    {SLICE("PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n"), PROXY_KNOWN,
	"0.0.0.0 0 255.255.255.255 65535"},
    {SLICE("PROXY TCP6 2001:db8::1 ::1 56324 25\r\n"), PROXY_KNOWN,
	"2001:db8::1 56324 ::1 25"},
    {SLICE("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff1 "
	   "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	PROXY_KNOWN,
	"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff1 65535 "
	"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535"},
    {SLICE("PROXY UNKNOWN\r\n"), PROXY_LOCAL, NULL},
    {SLICE("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	   "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	PROXY_LOCAL, NULL},
    {SLICE(V2 "\x21\x11\x00\x0c" ADDRESSES_4), PROXY_KNOWN,
	"192.0.2.1 56324 198.51.100.7 25"},
    {SLICE(V2 "\x21\x11\x00\x17" ADDRESSES_4 TLVS), PROXY_KNOWN,
	"192.0.2.1 56324 198.51.100.7 25"},
    {SLICE(V2 "\x21\x21\x00\x24" ADDRESSES_6), PROXY_KNOWN,
	"2001:db8::1 56324 ::1 25"},
    {SLICE(V2 "\x21\x21\x00\x2f" ADDRESSES_6 TLVS), PROXY_KNOWN,
	"2001:db8::1 56324 ::1 25"},
    {SLICE(V2 "\x20\x00\x00\x00"), PROXY_LOCAL, NULL},
    {SLICE(V2 "\x20\x11\x00\x0c" ADDRESSES_4), PROXY_LOCAL, NULL},
    {SLICE(V2 "\x20\x11\x00\x03xyz"), PROXY_LOCAL, NULL},
    {SLICE(V2 "\x21\x00\x00\x03xyz"), PROXY_LOCAL, NULL},
    {SLICE(V2 "\x21\x31\x00\xd8" ZEROES_54 ZEROES_54 ZEROES_54 ZEROES_54),
	PROXY_LOCAL, NULL},
};

static void put_endpoint(char *text, size_t room,
    const struct sockaddr_storage *address, const char *end)
{
	const struct sockaddr_in *in = (const void *)address;
	const struct sockaddr_in6 *in6 = (const void *)address;
	char host[INET6_ADDRSTRLEN];
	size_t len = strlen(text);

	if (address->ss_family == AF_INET)
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
	else
		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
	snprintf(text + len, room - len, "%s %u%s", host,
	    ntohs(
		address->ss_family == AF_INET ? in->sin_port : in6->sin6_port),
	    end);
}

Test(proxy, knows_a_header_from_its_last_byte_on)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		struct slice header = good[i].header;
		struct proxy_client client;
		char text[256] = "";
		size_t len = 99;

		for (size_t cut = 0; cut < header.len; cut++) {
			uint8_t *exact = malloc(cut + 1);

			memcpy(exact, header.at, cut);
			cr_assert_eq(
			    proxy_decode(slice_of(exact, cut), &client, &len),
			    PROXY_MORE, "case %zu, %zu bytes", i, cut);
			free(exact);
		}
		cr_assert_eq(
		    proxy_decode(header, &client, &len), good[i].result);
		cr_assert_eq(len, header.len, "case %zu", i);
		if (good[i].client == NULL)
			continue;
		put_endpoint(text, sizeof(text), &client.address, " ");
		put_endpoint(text, sizeof(text), &client.destination, "");
		cr_assert_str_eq(text, good[i].client);
	}
}

Test(proxy, leaves_what_follows)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		uint8_t room[512];
		struct buf b = buf_over(room, sizeof(room));
		struct proxy_client client;
		size_t len;

		buf_put(&b, good[i].header);
		buf_put_str(&b, "EHLO x\r\nPROXY TCP4\n");
		cr_assert_eq(
		    proxy_decode(buf_slice(&b), &client, &len), good[i].result);
		cr_assert_eq(len, good[i].header.len, "case %zu", i);
	}
}

static const struct slice bad[] = {
    SLICE("EHLO x\r\n"),
    SLICE("proxy TCP4 192.0.2.1 198.51.100.7 56324 25\r\n"),
    SLICE("PROXY\r\n"),
    SLICE("PROXY \r\n"),
    SLICE("PROXY  TCP4 192.0.2.1 198.51.100.7 56324 25\r\n"),
    SLICE("PROXY TCP4 192.0.2.1  198.51.100.7 56324 25\r\n"),
    SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 56324 25 \r\n"),
    SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 56324 25 1\r\n"),
    SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 56324\r\n"),
    SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 56324 \r\n"),
    SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 56324 25\n"),
    SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 56324 25\rx"),
    SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 65536 25\r\n"),
    SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 +1 25\r\n"),
    SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 025 25\r\n"),
    SLICE("PROXY TCP4 192.0.2.01 198.51.100.7 25 25\r\n"),
    SLICE("PROXY TCP4 192.0.2 198.51.100.7 25 25\r\n"),
    SLICE("PROXY TCP4 ::1 198.51.100.7 25 25\r\n"),
    SLICE("PROXY TCP4 192.0.2.1\0 198.51.100.7 25 25\r\n"),
    SLICE("PROXY TCP6 192.0.2.1 ::1 25 25\r\n"),
    SLICE("PROXY TCP6 ::1%eth0 ::1 25 25\r\n"),
    SLICE("PROXY UDP4 192.0.2.1 198.51.100.7 25 25\r\n"),
    SLICE("PROXY UNKNOWNX\r\n"),
    SLICE(V2 "\x11\x11\x00\x0c" ADDRESSES_4), /* version */
    SLICE(V2 "\x22\x11\x00\x0c" ADDRESSES_4), /* command */
    SLICE(V2 "\x21\x12\x00\x0c" ADDRESSES_4), /* datagrams */
    SLICE(V2 "\x21\x41\x00\x0c" ADDRESSES_4), /* family */
    SLICE(V2 "\x21\x11\x00\x0b" ADDRESSES_4), /* too short */
    SLICE(V2 "\x21\x21\x00\x23" ADDRESSES_6),
    SLICE(V2 "\x21\x31\x00\xd7" ZEROES_54 ZEROES_54 ZEROES_54 ZEROES_54),
    SLICE(V2 "\x21\x11\x08\x01" ADDRESSES_4), /* 2065 bytes in all */
    SLICE(V2 "\x20\x11\xff\xff"),
    SLICE("\r\n\r\nX"),
};

Test(proxy, refuses_what_is_no_header)
{
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct proxy_client client;
		size_t len;

		cr_assert_eq(proxy_decode(bad[i], &client, &len), PROXY_BAD,
		    "case %zu", i);
	}
}

Test(proxy, bounds_both_versions)
{
	uint8_t room[PROXY_HEADER_MAX];
	struct proxy_client client;
	size_t len;

	/* The specification has 107 for version 1, CR LF included. */
	memset(room, 'x', sizeof(room));
	memcpy(room, "PROXY UNKNOWN ", 14);
	cr_assert_eq(
	    proxy_decode(slice_of(room, 106), &client, &len), PROXY_MORE);
	cr_assert_eq(
	    proxy_decode(slice_of(room, 107), &client, &len), PROXY_BAD);
	memcpy(room + 105, "\r\n", 2);
	cr_assert_eq(
	    proxy_decode(slice_of(room, 107), &client, &len), PROXY_LOCAL);

	memcpy(room, V2 "\x21\x11\x08\x00" ADDRESSES_4, 28);
	cr_assert_eq(
	    proxy_decode(slice_of(room, PROXY_HEADER_MAX - 1), &client, &len),
	    PROXY_MORE);
	cr_assert_eq(
	    proxy_decode(slice_of(room, PROXY_HEADER_MAX), &client, &len),
	    PROXY_KNOWN);
	cr_assert_eq(len, PROXY_HEADER_MAX);
}
