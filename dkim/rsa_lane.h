/* rsa_lane.h -- a vector of 64-bit lanes: 8 (zmm) or 4 (ymm) of them.
 *
 * To be included by rsa_kernel.h alone.  All operations work within a lane:
 * nothing that belongs to one signature ever reaches another's. */
#ifndef DKIM_RSA_LANE_H
#define DKIM_RSA_LANE_H

#include <immintrin.h>
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))
#define KERNEL static __attribute__((noinline))

/* f & (a ^ b) and the like as truth tables of three inputs. */
#define OR_AND_NOT 0xF4	   /* a | (b & ~c) */
#define SECOND_IF_SET 0xD8 /* c ? b : a */

#if LANES == 8
typedef __m512i lanes;
#define LANES_OP(name) _mm512_##name
#define lanes_and(a, b) _mm512_and_si512(a, b)
#define lanes_or(a, b) _mm512_or_si512(a, b)
#define lanes_xor(a, b) _mm512_xor_si512(a, b)
#define lanes_zero() _mm512_setzero_si512()
#define lanes_all(x) _mm512_set1_epi64((long long)(x))
#else
typedef __m256i lanes;
#define LANES_OP(name) _mm256_##name
#define lanes_and(a, b) _mm256_and_si256(a, b)
#define lanes_or(a, b) _mm256_or_si256(a, b)
#define lanes_xor(a, b) _mm256_xor_si256(a, b)
#define lanes_zero() _mm256_setzero_si256()
#define lanes_all(x) _mm256_set1_epi64x((long long)(x))
#endif
#define lanes_add(a, b) LANES_OP(add_epi64)(a, b)
#define lanes_sub(a, b) LANES_OP(sub_epi64)(a, b)
/* Shifts right by a constant; the second one keeps the sign. */
#define lanes_shift(a, n) LANES_OP(srli_epi64)(a, n)
#define lanes_shift_signed(a, n) LANES_OP(srai_epi64)(a, n)
/* sum + the low (the high) 52 bits of the 104-bit product of the low 52 bits of
 * a and b. */
#define lanes_mul_low(sum, a, b) LANES_OP(madd52lo_epu64)(sum, a, b)
#define lanes_mul_high(sum, a, b) LANES_OP(madd52hi_epu64)(sum, a, b)
#define lanes_logic(a, b, c, table) LANES_OP(ternarylogic_epi64)(a, b, c, table)

/* One lane of a vector in memory. */
INLINE uint64_t lane_of(const lanes *v, unsigned lane)
{
	return ((const uint64_t __attribute__((may_alias)) *)v)[lane];
}

INLINE void lane_set(lanes *v, unsigned lane, uint64_t x)
{
	((uint64_t __attribute__((may_alias)) *)v)[lane] = x;
}

/* Neither of these two emits an instruction.  Without the first gcc holds whole
 * operands in registers across rows, and spills the sums instead; without the
 * second it loads the same operand twice. */
#define FORGET_MEMORY __asm__ volatile("" ::: "memory")
#define HOLD(x) __asm__("" : "+v"(x))

/* Rows are a loop: unrolled they are 4 % faster and twenty times as long. */
#define UNROLL _Pragma("GCC unroll 64")
#define ROLL _Pragma("GCC unroll 1")

#endif
