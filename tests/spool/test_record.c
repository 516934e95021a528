#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "spool/crc.h"
#include "spool/record.h"

#define SEED 0x12345678u

/* A MSG with an envelope of 5 bytes, a head of 3 and a tail of 4. */
static struct record *make(void)
{
	struct record *r = calloc(1, 80);

	r->type = RECORD_MSG;
	r->id = 42;
	r->content_len = 7;
	r->rcpt_count = 1;
	r->envelope_len = 5;
	r->head_len = 3;
	r->len = record_len(r);
	memcpy(r + 1, "envelheatail", 12);
	r->envelope_crc = crc32c(0, r + 1, 5);
	r->content_crc = crc32c(0, (uint8_t *)(r + 1) + 5, 7);
	record_seal(r, SEED);
	return r;
}

Test(record, knows_its_own)
{
	struct record *r = make();

	cr_assert_eq(r->len, 80);
	cr_assert(record_good(r, 80, SEED));
	cr_assert(record_envelope_good(r));
	cr_assert(record_refs_good(r));
	cr_assert(record_content_good(r));
	cr_assert_not(record_good(r, 79, SEED));
	cr_assert_not(record_good(r, 80, SEED + 1));
	free(r);
}

Test(record, any_bit_that_flips_is_noticed)
{
	struct record *r = make();
	uint8_t *bytes = (uint8_t *)r;

	for (size_t bit = 0; bit < 76 * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		cr_assert_not(record_good(r, 80, SEED) &&
				  record_envelope_good(r) &&
				  record_content_good(r),
		    "bit %zu", bit);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	free(r);
}

/* Numbers that make no sense, under a checksum that is right. */
static const struct {
	const char *why;
	struct record r;
} senseless[] = {
    {"no such type", {.type = 9, .len = 64}},
    {"type 0", {.type = 0, .len = 64}},
    {"length too small", {.type = RECORD_DONE, .len = 56}},
    {"length too large", {.type = RECORD_DONE, .len = 72}},
    {"envelope beyond its limit",
	{.type = RECORD_MSG,
	    .envelope_len = RECORD_ENVELOPE_LEN_MAX + 1,
	    .len = 64 + RECORD_ENVELOPE_LEN_MAX + 8}},
    {"less content than head",
	{.type = RECORD_MSG, .content_len = 2, .head_len = 3, .len = 64}},
    {"more than a piece without chunks",
	{.type = RECORD_MSG,
	    .content_len = RECORD_PIECE_LEN + 1,
	    .len = 64 + RECORD_PIECE_LEN + 8}},
    {"fewer bytes than chunks",
	{.type = RECORD_MSG, .content_len = 100, .count = 2, .len = 64 + 32}},
    {"too many chunks",
	{.type = RECORD_MSG,
	    .content_len = (uint64_t)(RECORD_COUNT_MAX + 1) * RECORD_PIECE_LEN,
	    .count = RECORD_COUNT_MAX + 1,
	    .len = 64 + (RECORD_COUNT_MAX + 1) * 16}},
    {"indices that do not add up",
	{.type = RECORD_NOTE, .envelope_len = 8, .count = 1, .len = 72}},
    {"a short chunk",
	{.type = RECORD_CHUNK, .content_len = 1, .len = 64 + 65536}},
};

Test(record, refuses_what_makes_no_sense)
{
	for (size_t i = 0; i < COUNT(senseless); i++) {
		struct record r = senseless[i].r;

		record_seal(&r, SEED);
		cr_assert_not(
		    record_head_good(&r, SEED), "%s", senseless[i].why);
	}
}

Test(segment_block, refuses_what_makes_no_sense)
{
	static const struct segment_block good = {.number = 5,
	    .oldest = 2,
	    .segment_len = 4u << 20,
	    .seal_offset = 8192,
	    .seal_len = 100};
	static const struct {
		bool good;
		struct segment_block b;
	} cases[] = {
	    {true, {.number = 1, .segment_len = 1 << 20}},
	    {false, {.number = 0, .segment_len = 1 << 20}},
	    {false, {.number = 1, .oldest = 2, .segment_len = 1 << 20}},
	    {false, {.number = 1, .segment_len = 4096}},
	    {false, {.number = 1, .segment_len = (1 << 20) + 1}},
	    {false, {.number = 1, .segment_len = (uint64_t)1 << 40}},
	    {false, {.number = 1,
			.segment_len = 1 << 20,
			.seal_len = 1,
			.seal_offset = 100}},
	    {false, {.number = 1,
			.segment_len = 1 << 20,
			.seal_len = 4097,
			.seal_offset = (1 << 20) - 8192}},
	    {false, {.number = 1,
			.segment_len = 1 << 20,
			.seal_len = UINT32_MAX,
			.seal_offset = 4096}},
	};
	struct segment_block b = good;

	for (size_t i = 0; i < COUNT(cases); i++) {
		b = cases[i].b;
		segment_block_seal(&b);
		cr_assert_eq(segment_block_good(&b), cases[i].good, "%zu", i);
	}
	b = good;
	segment_block_seal(&b);
	cr_assert(segment_block_good(&b));
	for (size_t bit = 0; bit < sizeof(b) * 8; bit++) {
		((uint8_t *)&b)[bit / 8] ^= (uint8_t)(1u << bit % 8);
		cr_assert_not(segment_block_good(&b), "bit %zu", bit);
		((uint8_t *)&b)[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

Test(seal, cut_anywhere_it_ends_there)
{
	struct record *r = make();
	uint32_t len = record_entry_len(r);
	uint8_t *seal = aligned_alloc(8, 2 * len);
	struct seal_entry entry = {.offset = 4160, .len = len};
	struct seal_entry got;
	const struct record *record;

	cr_assert_eq(len, 88);
	memset(seal, 0, 2 * len);
	for (size_t i = 0; i < 2; i++) {
		memcpy(seal + i * len, &entry, sizeof(entry));
		memcpy(seal + i * len + sizeof(entry), r, sizeof(*r) + 5);
	}
	for (size_t cut = 0; cut <= 2 * len; cut++) {
		struct slice bytes = slice_of(seal, cut);
		size_t count = 0;

		while (seal_next(&bytes, SEED, &got, &record)) {
			cr_assert_eq(got.offset, 4160);
			cr_assert_eq(record->id, 42);
			count++;
		}
		cr_assert_eq(count, cut / len);
		cr_assert_eq(bytes.len, cut % len);
	}
	free(seal);
	free(r);
}
