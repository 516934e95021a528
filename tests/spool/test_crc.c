#include <criterion/criterion.h>

#include "core/base/check.h"
#include "spool/crc.h"

static const struct {
	const char *bytes;
	size_t len;
	uint32_t crc;
} cases[] = {
    {"", 0, 0},
    {"123456789", 9, 0xe3069283}, /* the check value of the CRC catalogue */
    /* RFC 3720, B.4 */
    {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32,
	0x8a9136aa},
    {"\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377"
     "\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377",
	32, 0x62a8ab43},
};

Test(crc, is_the_one_of_iscsi)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		cr_assert_eq(
		    crc32c(0, cases[i].bytes, cases[i].len), cases[i].crc);
		cr_assert_eq(crc32c_by_table(0, cases[i].bytes, cases[i].len),
		    cases[i].crc);
	}
}

Test(crc, instruction_and_table_agree_however_the_bytes_are_cut)
{
	uint8_t bytes[100];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37 + 11);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		uint32_t want = crc32c_by_table(77, bytes, len);

		for (size_t cut = 0; cut <= len; cut++) {
			uint32_t crc = crc32c(77, bytes, cut);

			cr_assert_eq(crc32c(crc, bytes + cut, len - cut), want);
		}
	}
}

/* Around the lengths at which three stretches go at a time. */
Test(crc, instruction_and_table_agree_on_long_runs)
{
	static uint8_t bytes[5000];
	uint32_t x = 1;

	for (size_t i = 0; i < sizeof(bytes); i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(x >> 24);
	}
	for (size_t from = 0; from < 9; from++)
		for (size_t len = 1500; len < sizeof(bytes) - from; len += 19)
			cr_assert_eq(crc32c((uint32_t)len, bytes + from, len),
			    crc32c_by_table((uint32_t)len, bytes + from, len),
			    "%zu from %zu", len, from);
	cr_assert_eq(crc32c(0, bytes, 1536), crc32c_by_table(0, bytes, 1536));
	cr_assert_eq(crc32c(0, bytes, 4608), crc32c_by_table(0, bytes, 4608));
}
