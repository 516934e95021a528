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
	return __builtin_cpu_supports("sse4.2") &&
	       __builtin_cpu_supports("pclmul");
}

/* The register as it would be CRC32C_STRIDE (or twice as many) zero bytes
 * later: times x^(8n) modulo the polynomial, by a product with x^(8n - 33) and
 * the instruction, which reduces it. */
#define CRC32C_STRIDE 512
#define CRC32C_LATER 0xdd7e3b0cu
#define CRC32C_TWICE_LATER 0x170076fau

__attribute__((target("sse4.2,pclmul"))) static inline uint64_t crc32c_later(
    uint64_t wide, uint32_t power)
{
	typedef long long pair __attribute__((vector_size(16)));
	pair product = __builtin_ia32_pclmulqdq128(
	    (pair){(long long)wide, 0}, (pair){(long long)power, 0}, 0);

	return __builtin_ia32_crc32di(0, (uint64_t)product[0]);
}

/* Takes and gives the raw register.  The instruction takes three cycles, and
 * each waits for the one before; so three stretches go at a time. */
__attribute__((target("sse4.2,pclmul"))) static inline uint32_t
crc32c_by_instruction(uint32_t raw, const uint8_t *at, size_t len)
{
	uint64_t wide = raw;
	uint64_t word[3];

	for (; len >= 3 * CRC32C_STRIDE; len -= 3 * CRC32C_STRIDE) {
		uint64_t second = 0, third = 0;

		for (size_t i = 0; i < CRC32C_STRIDE; i += 8, at += 8) {
			__builtin_memcpy(&word[0], at, 8);
			__builtin_memcpy(&word[1], at + CRC32C_STRIDE, 8);
			__builtin_memcpy(&word[2], at + 2 * CRC32C_STRIDE, 8);
			wide = __builtin_ia32_crc32di(wide, word[0]);
			second = __builtin_ia32_crc32di(second, word[1]);
			third = __builtin_ia32_crc32di(third, word[2]);
		}
		at += 2 * CRC32C_STRIDE;
		wide = crc32c_later(wide, CRC32C_TWICE_LATER) ^
		       crc32c_later(second, CRC32C_LATER) ^ third;
	}
	for (; len >= 8; at += 8, len -= 8) {
		__builtin_memcpy(&word[0], at, 8);
		wide = __builtin_ia32_crc32di(wide, word[0]);
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
