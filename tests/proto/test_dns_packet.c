#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/check.h"
#include "proto/dns_packet.h"

/* The question of every packet below is for "a.example"; its name lies at
 * offset 12, "example" at 14.  After it come the records at 27. */
#define QUESTION                                                               \
	"\001a\007example\0"                                                   \
	"\0\017\0\1"
#define Q "\300\014" /* pointer to a.example */
#define E "\300\016" /* pointer to example */
#define FIRST 27     /* offset of the first record */
#define RR(type, ttl) "\0" type "\0\1\0\0\0" ttl
#define BYTES(literal)                                                         \
	{                                                                      \
		(const uint8_t *)literal, sizeof(literal) - 1                  \
	}

struct packet_case {
	const char *what;
	uint8_t rcode;
	uint8_t record_count;
	struct slice records;
	uint16_t type;
	bool good;
	const char *want; /* the records, as show() writes them */
	uint32_t ttl_s;
};

static const struct packet_case cases[] = {
    {"no record", 0, 0, BYTES(""), DNS_TYPE_MX, true, "", 0},
    {"no such name", 3, 0, BYTES(""), DNS_TYPE_MX, true, "", 0},
    {"MX, two", 0, 2,
	BYTES(Q RR("\017", "\074") "\0\012\0\012\005MAIL1" E Q RR(
	    "\017", "\036") "\0\010\0\024\003mx2" E),
	DNS_TYPE_MX, true, "10 mail1.example,20 mx2.example,", 30},
    {"null MX", 0, 1, BYTES(Q RR("\017", "\001") "\0\003\0\0\0"), DNS_TYPE_MX,
	true, "0 .,", 1},
    {"MX without a name", 0, 1, BYTES(Q RR("\017", "\1") "\0\002\0\0"),
	DNS_TYPE_MX, false, "", 0},
    {"MX whose name ends before its data", 0, 1,
	BYTES(Q RR("\017", "\1") "\0\004\0\0\0\0"), DNS_TYPE_MX, false, "", 0},
    {"MX whose name ends behind its data", 0, 1,
	BYTES(Q RR("\017", "\1") "\0\004\0\0\003abc\0"), DNS_TYPE_MX, false, "",
	0},
    {"A", 0, 1, BYTES(Q RR("\001", "\5") "\0\004\177\0\0\1"), DNS_TYPE_A, true,
	"7f000001,", 5},
    {"A of another type's question", 0, 1,
	BYTES(Q RR("\001", "\5") "\0\004\177\0\0\1"), DNS_TYPE_AAAA, true, "",
	0},
    {"A of five bytes", 0, 1, BYTES(Q RR("\001", "\5") "\0\005\177\0\0\1\2"),
	DNS_TYPE_A, false, "", 0},
    {"A of another class", 0, 1, BYTES(Q "\0\001\0\3\0\0\0\5\0\004\177\0\0\1"),
	DNS_TYPE_A, true, "", 0},
    {"A of another name", 0, 1,
	BYTES("\001b" E RR("\001", "\5") "\0\004\177\0\0\1"), DNS_TYPE_A, true,
	"", 0},
    {"A whose name is written in capitals", 0, 1,
	BYTES("\001A\007EXAMPLE\0" RR("\001", "\5") "\0\004\177\0\0\1"),
	DNS_TYPE_A, true, "7f000001,", 5},
    {"AAAA", 0, 1,
	BYTES(Q RR("\034", "\5") "\0\020\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16"
				 "\17"),
	DNS_TYPE_AAAA, true, "000102030405060708090a0b0c0d0e0f,", 5},
    {"AAAA of four bytes", 0, 1, BYTES(Q RR("\034", "\5") "\0\004\177\0\0\1"),
	DNS_TYPE_AAAA, false, "", 0},
    {"a chain of two", 0, 3,
	BYTES(Q RR("\005", "\7") "\0\004\001b" E "\001b" E RR("\005",
	    "\4") "\0\004\001c" E "\001c" E RR("\001", "\6") "\0\004\1\2\3\4"),
	DNS_TYPE_A, true, "01020304,", 4},
    {"a chain in the wrong order", 0, 3,
	BYTES("\001c" E RR(
	    "\001", "\6") "\0\004\1\2\3\4"
			  "\001b" E RR("\005", "\4") "\0\004\001c" E Q RR(
			      "\005", "\7") "\0\004\001b" E),
	DNS_TYPE_A, true, "01020304,", 4},
    {"a chain that leads nowhere", 3, 1,
	BYTES(Q RR("\005", "\7") "\0\004\001b" E), DNS_TYPE_A, true, "", 7},
    {"a chain in a circle", 0, 2,
	BYTES(Q RR("\005", "\7") "\0\004\001b" E
				 "\001b" E RR("\005", "\4") "\0\002" Q),
	DNS_TYPE_A, false, "", 0},
    {"an alias of itself", 0, 1, BYTES(Q RR("\005", "\7") "\0\002" Q),
	DNS_TYPE_A, false, "", 0},
    {"TXT of two strings", 0, 1,
	BYTES(Q RR("\020", "\1") "\0\007\003abc\002de"), DNS_TYPE_TXT, true,
	"abcde,", 1},
    {"TXT of an empty string", 0, 1, BYTES(Q RR("\020", "\1") "\0\001\0"),
	DNS_TYPE_TXT, true, ",", 1},
    {"TXT without a string", 0, 1, BYTES(Q RR("\020", "\1") "\0\0"),
	DNS_TYPE_TXT, false, "", 0},
    {"TXT whose string is longer than its data", 0, 1,
	BYTES(Q RR("\020", "\1") "\0\003\003ab"), DNS_TYPE_TXT, false, "", 0},
    {"PTR", 0, 1, BYTES(Q RR("\014", "\1") "\0\004\001B" E), DNS_TYPE_PTR, true,
	"b.example,", 1},
    {"TLSA", 0, 1, BYTES(Q RR("\064", "\1") "\0\005\3\1\1\252\273"),
	DNS_TYPE_TLSA, true, "030101aabb,", 1},
    {"TLSA of three bytes", 0, 1, BYTES(Q RR("\064", "\1") "\0\003\3\1\1"),
	DNS_TYPE_TLSA, false, "", 0},
    {"TTL with its upper bit set", 0, 1,
	BYTES(Q "\0\001\0\1\377\0\0\5\0\004\1\2\3\4"), DNS_TYPE_A, true,
	"01020304,", 0},
    {"bytes that are not letters", 0, 1,
	BYTES(Q RR("\014", "\1") "\0\010\005.\\ \0\377" E), DNS_TYPE_PTR, true,
	"\\.\\\\\\032\\000\\255.example,", 1},
    {"a pointer to itself", 0, 1,
	BYTES("\300\033" RR("\001", "\6") "\0\004\1\2\3\4"), DNS_TYPE_A, false,
	"", 0},
    {"a pointer forward", 0, 1,
	BYTES("\300\053" RR("\001", "\6") "\0\004\1\2\3\4"), DNS_TYPE_A, false,
	"", 0},
    {"a label of a kind that does not exist", 0, 1,
	BYTES("\100a" E RR("\001", "\6") "\0\004\1\2\3\4"), DNS_TYPE_A, false,
	"", 0},
    {"fewer records than promised", 0, 2,
	BYTES(Q RR("\001", "\5") "\0\004\177\0\0\1"), DNS_TYPE_A, false, "", 0},
};

static void show(struct buf *out, uint16_t type, const struct dns_answer *a)
{
	for (unsigned i = 0; i < a->count; i++) {
		struct slice data = a->records[i].data;

		if (type == DNS_TYPE_MX)
			buf_printf(out, "%u ", a->records[i].preference);
		if (type == DNS_TYPE_A || type == DNS_TYPE_AAAA ||
		    type == DNS_TYPE_TLSA) {
			for (size_t k = 0; k < data.len; k++)
				buf_printf(out, "%02x", data.at[k]);
		} else {
			buf_put(out, data);
		}
		buf_put_str(out, ",");
	}
}

static void packet_put(
    struct buf *out, uint8_t rcode, unsigned record_count, struct slice records)
{
	const uint8_t head[12] = {0, 0, 0x81, (uint8_t)(0x80 | rcode), 0, 1,
	    (uint8_t)(record_count >> 8), (uint8_t)record_count};

	buf_put(out, slice_of(head, sizeof(head)));
	buf_put(out, SLICE(QUESTION));
	cr_assert_eq(out->len, FIRST);
	buf_put(out, records);
}

/* The first `len` bytes, with nothing behind them. */
static bool read_exactly(const struct buf *packet, size_t len, uint16_t type,
    struct dns_answer *answer)
{
	uint8_t *alone = malloc(len == 0 ? 1 : len);

	memcpy(alone, packet->at, len);
	bool good = dns_packet_read(slice_of(alone, len), type, answer);

	free(alone);
	return good;
}

Test(dns_packet, takes_the_records_and_refuses_every_cut)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct packet_case *c = &cases[i];
		uint8_t room[512], shown_room[512];
		struct buf packet = buf_over(room, sizeof(room));
		struct buf shown = buf_over(shown_room, sizeof(shown_room));
		struct dns_answer answer;

		packet_put(&packet, c->rcode, c->record_count, c->records);
		for (size_t len = 0; len < packet.len; len++)
			cr_expect(!read_exactly(&packet, len, c->type, &answer),
			    "%s, cut at %zu", c->what, len);
		cr_expect_eq(
		    read_exactly(&packet, packet.len, c->type, &answer),
		    c->good, "%s", c->what);
		if (!c->good)
			continue;
		show(&shown, c->type, &answer);
		buf_put_byte(&shown, 0);
		cr_expect_str_eq((char *)shown.at, c->want, "%s", c->what);
		cr_expect_eq(answer.rcode, c->rcode, "%s", c->what);
		cr_expect_eq(
		    answer.ttl_s, c->ttl_s, "%s: %u", c->what, answer.ttl_s);
		cr_expect(!answer.truncated, "%s", c->what);
	}
}

Test(dns_packet, leaves_out_what_has_no_room)
{
	static uint8_t records_room[65536], room[65536];
	struct buf records = buf_over(records_room, sizeof(records_room));
	struct buf packet = buf_over(room, sizeof(room));
	struct dns_answer answer;

	for (unsigned i = 0; i < DNS_RECORDS_MAX + 1; i++)
		buf_put(&records, SLICE(Q RR("\001", "\5") "\0\004\1\2\3\4"));
	packet_put(&packet, 0, DNS_RECORDS_MAX + 1, buf_slice(&records));
	cr_assert(dns_packet_read(buf_slice(&packet), DNS_TYPE_A, &answer));
	cr_assert_eq(answer.count, DNS_RECORDS_MAX);
	cr_assert(answer.truncated);

	buf_clear(&records);
	buf_clear(&packet);
	for (unsigned i = 0; i < 20; i++) {
		buf_put(&records, SLICE(Q RR("\020", "\5") "\1\0\377"));
		for (unsigned k = 0; k < 255; k++)
			buf_put_byte(&records, 'x');
	}
	packet_put(&packet, 0, 20, buf_slice(&records));
	cr_assert(dns_packet_read(buf_slice(&packet), DNS_TYPE_TXT, &answer));
	cr_assert_eq(answer.count, DNS_ROOM / 255);
	cr_assert(answer.truncated);
}

/* A chain of `count` links from a.example over l1.example, l2.example, ... */
static bool read_chain(unsigned count)
{
	static uint8_t records_room[4096], room[4096];
	struct buf records = buf_over(records_room, sizeof(records_room));
	struct buf packet = buf_over(room, sizeof(room));
	struct dns_answer answer;

	for (unsigned i = 0; i < count; i++) {
		if (i == 0)
			buf_put(&records, SLICE(Q));
		else
			buf_printf(&records, "\003l%02u\300\016", i);
		buf_put(&records, SLICE(RR("\005", "\5") "\0\006"));
		buf_printf(&records, "\003l%02u\300\016", i + 1);
	}
	packet_put(&packet, 0, count, buf_slice(&records));
	return dns_packet_read(buf_slice(&packet), DNS_TYPE_A, &answer);
}

Test(dns_packet, follows_a_chain_only_so_far)
{
	cr_expect(read_chain(DNS_LINKS_MAX));
	cr_expect(!read_chain(DNS_LINKS_MAX + 1));
}

/* Labels that together are `len` bytes of text, in a PTR record. */
static bool read_long_name(size_t len)
{
	uint8_t name_room[512], records_room[512], room[1024];
	struct buf name = buf_over(name_room, sizeof(name_room));
	struct buf records = buf_over(records_room, sizeof(records_room));
	struct buf packet = buf_over(room, sizeof(room));
	struct dns_answer answer;

	while (len > 0) {
		size_t label_len = len > 63 ? 63 : len;

		buf_put_byte(&name, (uint8_t)label_len);
		for (size_t i = 0; i < label_len; i++)
			buf_put_byte(&name, 'x');
		len -= label_len == len ? len : label_len + 1;
	}
	buf_put_byte(&name, 0);
	buf_put(&records, SLICE(Q RR("\014", "\5")));
	buf_put_byte(&records, (uint8_t)(name.len >> 8));
	buf_put_byte(&records, (uint8_t)name.len);
	buf_put(&records, buf_slice(&name));
	packet_put(&packet, 0, 1, buf_slice(&records));
	if (!dns_packet_read(buf_slice(&packet), DNS_TYPE_PTR, &answer))
		return false;
	cr_assert_eq(answer.count, 1);
	return true;
}

Test(dns_packet, refuses_a_name_that_is_too_long)
{
	cr_expect(read_long_name(DNS_NAME_MAX));
	cr_expect(!read_long_name(DNS_NAME_MAX + 1));
	cr_expect(!read_long_name(400));
}

Test(dns_packet, wants_exactly_one_question)
{
	uint8_t room[64];
	struct buf packet = buf_over(room, sizeof(room));
	struct dns_answer answer;

	packet_put(&packet, 0, 0, SLICE(""));
	packet.at[5] = 0;
	cr_expect(!dns_packet_read(buf_slice(&packet), DNS_TYPE_A, &answer));
	packet.at[5] = 2;
	cr_expect(!dns_packet_read(buf_slice(&packet), DNS_TYPE_A, &answer));
}
