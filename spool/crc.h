/* crc.h -- CRC32C (Castagnoli), by instruction where the processor has it. */
#ifndef SPOOL_CRC_H
#define SPOOL_CRC_H

#include <stddef.h>
#include <stdint.h>

/* Continues `crc` over the bytes.  Begins with any seed: crc32c(0, ...) is the
 * checksum that the world calls CRC32C. */
uint32_t crc32c(uint32_t crc, const void *at, size_t len);

/* The same by table, always; for the test. */
uint32_t crc32c_by_table(uint32_t crc, const void *at, size_t len);

#if defined(__x86_64__)
static inline int crc32c_has_instruction(void)
{
	return __builtin_cpu_supports("sse4.2");
}

/* Takes and gives the raw register. */
__attribute__((target("sse4.2"))) static inline uint32_t crc32c_by_instruction(
    uint32_t raw, const uint8_t *at, size_t len)
{
	uint64_t wide = raw;

	for (; len >= 8; at += 8, len -= 8) {
		uint64_t word;

		__builtin_memcpy(&word, at, 8);
		wide = __builtin_ia32_crc32di(wide, word);
	}
	raw = (uint32_t)wide;
	for (; len > 0; at++, len--)
		raw = __builtin_ia32_crc32qi(raw, *at);
	return raw;
}
#else
static inline int crc32c_has_instruction(void)
{
	return 0;
}

static inline uint32_t crc32c_by_instruction(
    uint32_t raw, const uint8_t *at, size_t len)
{
	(void)at;
	(void)len;
	return raw;
}
#endif

#endif
