/* rsa_kernel.h -- a kernel: private operations side by side, one in a lane.
 *
 * A template: included by rsa_kernel_BxL.c, which set BLOCK (limbs of a block)
 * and LANES before; compiled for AVX-512 IFMA and never run without.  Primes of
 * 512 bits are a block of 10 limbs, 1024: 20, 1536: 2 of 15, 2048: 2 of 20.
 *
 * Exponents are read in windows of five bits, all of them, zeros too: five
 * squarings and one product each.  The entry of the table is selected by
 * reading the whole table (rsa_block.h).
 *
 * Signatures are joined from their halves by Garner's formula,
 * s = b + q ((a - b)/q mod p), for a < p and b < q.  Here p and q have exactly
 * the same length, so b < 2 p and 0 < a - b + 2 p < 3 p: a factor as
 * rsa_number.h allows it.  s <= q - 1 + q (p - 1) < n.
 *
 * All intermediate values are in the work area, which the caller wipes; what
 * compilers keep on the stack is wiped there too. */
#ifndef DKIM_RSA_KERNEL_H
#define DKIM_RSA_KERNEL_H

#include "dkim/rsa_number.h"

_Static_assert(BLOCK % WINDOW == 0, "pieces of equal length");
_Static_assert(ENTRIES_A_ROW *ENTRY_ROWS == ENTRIES, "every entry is read");
_Static_assert(ENTRY_ROWS <= BLOCK, "within one reduction");

/* Pieces of the work area, one after the other. */
INLINE lanes *cut(lanes **work, size_t len)
{
	*work += len;
	return *work - len;
}

/* limbs[k] of a lane's number to a lane. */
INLINE void gather(
    lanes *to, unsigned lane, const uint64_t *limbs, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		lane_set(&to[i], lane, limbs[i]);
}

INLINE void scatter(
    uint64_t *limbs, const lanes *from, unsigned lane, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		limbs[i] = lane_of(&from[i], lane);
}

/* What power() cuts; the others, with numbers twice as long, take fourteen
 * primes' lengths and a block. */
static size_t work_len(unsigned blocks)
{
	size_t len = (size_t)blocks * BLOCK;

	return sizeof(lanes) *
	       (len * (ENTRIES + 6) + ENTRIES + RSA_DIGITS_MAX + BLOCK);
}

/* Nothing of a secret stays in a register. */
INLINE void forget_registers(void)
{
	__asm__ volatile("vzeroall\n\t"
			 "vpxorq %%zmm16, %%zmm16, %%zmm16\n\t"
			 "vpxorq %%zmm17, %%zmm17, %%zmm17\n\t"
			 "vpxorq %%zmm18, %%zmm18, %%zmm18\n\t"
			 "vpxorq %%zmm19, %%zmm19, %%zmm19\n\t"
			 "vpxorq %%zmm20, %%zmm20, %%zmm20\n\t"
			 "vpxorq %%zmm21, %%zmm21, %%zmm21\n\t"
			 "vpxorq %%zmm22, %%zmm22, %%zmm22\n\t"
			 "vpxorq %%zmm23, %%zmm23, %%zmm23\n\t"
			 "vpxorq %%zmm24, %%zmm24, %%zmm24\n\t"
			 "vpxorq %%zmm25, %%zmm25, %%zmm25\n\t"
			 "vpxorq %%zmm26, %%zmm26, %%zmm26\n\t"
			 "vpxorq %%zmm27, %%zmm27, %%zmm27\n\t"
			 "vpxorq %%zmm28, %%zmm28, %%zmm28\n\t"
			 "vpxorq %%zmm29, %%zmm29, %%zmm29\n\t"
			 "vpxorq %%zmm30, %%zmm30, %%zmm30\n\t"
			 "vpxorq %%zmm31, %%zmm31, %%zmm31"
			 :
			 :
			 : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
			 "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
			 "xmm12", "xmm13", "xmm14", "xmm15", "xmm16", "xmm17",
			 "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23",
			 "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29",
			 "xmm30", "xmm31", "memory");
}

/* unwanted[e] = 0 in the lanes whose digit is e, all ones elsewhere. */
KERNEL void make_masks(lanes *unwanted, const lanes *digit)
{
	lanes d = *digit;

	for (int e = 0; e < ENTRIES; e++) {
		unwanted[e] = lanes_shift_signed(
		    lanes_or(d, lanes_sub(lanes_zero(), d)), 63);
		d = lanes_sub(d, lanes_all(1));
	}
}

/* Entry e of the table, between a number and its pieces. */
INLINE lanes *piece_of(lanes *table, unsigned piece, unsigned e)
{
	return table + ((size_t)piece * ENTRIES + e) * PIECE;
}

INLINE void table_put(lanes *table, unsigned e, const lanes *x, unsigned blocks)
{
	for (unsigned i = 0; i < blocks * WINDOW; i++)
		copy(piece_of(table, i, e), x + i * PIECE, PIECE);
}

INLINE void table_get(lanes *x, lanes *table, unsigned e, unsigned blocks)
{
	for (unsigned i = 0; i < blocks * WINDOW; i++)
		copy(x + i * PIECE, piece_of(table, i, e), PIECE);
}

/* Entry e = x^e * R, all below 2 p; x * R is in x. */
static void make_table(
    const struct modulus *m, lanes *table, const lanes *one, lanes *x, lanes *y)
{
	table_put(table, 0, one, m->blocks);
	table_put(table, 1, x, m->blocks);
	for (unsigned e = 2; e < ENTRIES; e += 2) {
		table_get(y, table, e / 2, m->blocks);
		square(m, y, y);
		table_put(table, e, y, m->blocks);
		multiply(m, y, y, x);
		table_put(table, e + 1, y, m->blocks);
	}
}

static void power(
    void *area, const struct rsa_power *lane, unsigned blocks, unsigned digits)
{
	unsigned len = blocks * BLOCK;
	lanes *work = area, *n = cut(&work, len), *raised = cut(&work, len);
	lanes *x = cut(&work, len), *y = cut(&work, len);
	lanes *unwanted = cut(&work, ENTRIES), *digit = cut(&work, digits);
	lanes *table = cut(&work, (size_t)len * ENTRIES);
	struct modulus m = {.n = n, .blocks = blocks, .q = cut(&work, BLOCK)};

	m.t = cut(&work, 2 * len);
	for (unsigned l = 0; l < LANES; l++) {
		gather(n, l, lane[l].prime.n, len);
		gather(raised, l, lane[l].prime.raised, len);
		gather(y, l, lane[l].prime.one, len);
		gather(m.t, l, lane[l].base, 2 * len);
		lane_set(&m.inverse, l, lane[l].prime.inverse);
		for (unsigned i = 0; i < digits; i++)
			lane_set(&digit[i], l, lane[l].digits[i]);
	}
	FORGET_MEMORY;
	/* base / R < 2 p since base < 2 n = 2 p q < p R. */
	reduce(&m, x);
	multiply(&m, x, x, raised);
	make_table(&m, table, y, x, raised);

	make_masks(unwanted, &digit[digits - 1]);
	for (unsigned i = 0; i < blocks * WINDOW; i++)
		block_select(x + i * PIECE, piece_of(table, i, 0), unwanted);
	for (unsigned d = digits - 1; d-- > 0;) {
		make_masks(unwanted, &digit[d]);
		for (unsigned s = 0; s < WINDOW; s++)
			square_select(&m, x, x, y + s * blocks * PIECE,
			    piece_of(table, s * blocks, 0), unwanted);
		multiply(&m, x, x, y);
	}
	/* x / R: at most p. */
	copy(m.t, x, len);
	clear(m.t + len, len);
	reduce(&m, x);
	subtract_once(x, n, len, y);
	FORGET_MEMORY;
	for (unsigned l = 0; l < LANES; l++)
		scatter(lane[l].result, x, l, len);
	forget_registers();
}

/* The modulus n of all lanes, and room; twice as many blocks as a prime. */
INLINE struct modulus public_modulus(
    lanes **work, const struct rsa_lane *lane, unsigned blocks)
{
	unsigned len = 2 * blocks * BLOCK;
	lanes *n = cut(work, len);
	struct modulus m = {.n = n, .blocks = 2 * blocks};

	m.q = cut(work, BLOCK);
	m.t = cut(work, 2 * len);
	for (unsigned l = 0; l < LANES; l++) {
		gather(n, l, lane[l].n.n, len);
		lane_set(&m.inverse, l, lane[l].n.inverse);
	}
	return m;
}

static void mask(void *area, const struct rsa_lane *lane, unsigned blocks)
{
	unsigned len = 2 * blocks * BLOCK;
	lanes *work = area;
	struct modulus m = public_modulus(&work, lane, blocks);
	lanes *a = cut(&work, len), *b = cut(&work, len);
	lanes *c = cut(&work, len);

	for (unsigned l = 0; l < LANES; l++) {
		gather(a, l, lane[l].mask, len);
		gather(b, l, lane[l].unmask, len);
		gather(c, l, lane[l].padded, len);
	}
	FORGET_MEMORY;
	square(&m, a, a);
	square(&m, b, b);
	multiply(&m, c, c, a);
	FORGET_MEMORY;
	for (unsigned l = 0; l < LANES; l++) {
		scatter(lane[l].mask, a, l, len);
		scatter(lane[l].unmask, b, l, len);
		scatter(lane[l].base, c, l, len);
	}
	forget_registers();
}

static void enter(void *area, const struct rsa_lane *lane, unsigned blocks)
{
	unsigned len = 2 * blocks * BLOCK;
	lanes *work = area;
	struct modulus m = public_modulus(&work, lane, blocks);
	lanes *a = cut(&work, len), *b = cut(&work, len);
	lanes *raised = cut(&work, len);

	for (unsigned l = 0; l < LANES; l++) {
		gather(a, l, lane[l].mask, len);
		gather(b, l, lane[l].unmask, len);
		gather(raised, l, lane[l].n.raised, len);
	}
	FORGET_MEMORY;
	multiply(&m, a, a, raised);
	multiply(&m, b, b, raised);
	FORGET_MEMORY;
	for (unsigned l = 0; l < LANES; l++) {
		scatter(lane[l].mask, a, l, len);
		scatter(lane[l].unmask, b, l, len);
	}
	forget_registers();
}

static void join(void *area, const struct rsa_lane *lane, unsigned blocks)
{
	unsigned len = blocks * BLOCK;
	lanes *work = area, *p = cut(&work, len), *q = cut(&work, len);
	lanes *a = cut(&work, len), *b = cut(&work, len);
	lanes *inverse = cut(&work, len), *s = cut(&work, 2 * len);
	struct modulus m = {.n = p, .blocks = blocks, .q = cut(&work, BLOCK)};

	m.t = cut(&work, 2 * len);
	for (unsigned l = 0; l < LANES; l++) {
		gather(p, l, lane[l].p.n, len);
		gather(q, l, lane[l].q.n, len);
		gather(a, l, lane[l].by_p, len);
		gather(b, l, lane[l].by_q, len);
		gather(inverse, l, lane[l].q_inverse, len);
		lane_set(&m.inverse, l, lane[l].p.inverse);
	}
	FORGET_MEMORY;
	for (unsigned i = 0; i < len; i++)
		a[i] = lanes_sub(lanes_add(a[i], lanes_add(p[i], p[i])), b[i]);
	carry(a, a, len);
	multiply(&m, a, a, inverse);
	subtract_once(a, p, len, s);
	copy(m.t, b, len);
	clear(m.t + len, len);
	for (unsigned i = 0; i < blocks; i++)
		for (unsigned j = 0; j < blocks; j++)
			block_multiply(m.t + (i + j) * BLOCK, a + i * BLOCK,
			    q + j * BLOCK);
	carry(s, m.t, 2 * len);
	FORGET_MEMORY;
	for (unsigned l = 0; l < LANES; l++)
		scatter(lane[l].result, s, l, 2 * len);
	forget_registers();
}

static unsigned unmask(void *area, const struct rsa_lane *lane, unsigned blocks)
{
	unsigned len = 2 * blocks * BLOCK, wrong = 0;
	lanes *work = area, differ = lanes_zero();
	struct modulus m = public_modulus(&work, lane, blocks);
	lanes *s = cut(&work, len), *x = cut(&work, len);
	lanes *c = cut(&work, len), *raised = cut(&work, len);

	for (unsigned l = 0; l < LANES; l++) {
		gather(s, l, lane[l].result, len);
		gather(x, l, lane[l].unmask, len);
		gather(c, l, lane[l].padded, len);
		gather(raised, l, lane[l].n.raised, len);
	}
	FORGET_MEMORY;
	multiply(&m, s, s, x);
	subtract_once(s, m.n, len, x);
	/* 65537 = 2^16 + 1 */
	multiply(&m, x, s, raised);
	for (unsigned i = 0; i < 16; i++)
		square(&m, x, x);
	multiply(&m, x, x, s);
	subtract_once(x, m.n, len, raised);
	for (unsigned i = 0; i < len; i++)
		differ = lanes_or(differ, lanes_xor(x[i], c[i]));
	FORGET_MEMORY;
	for (unsigned l = 0; l < LANES; l++) {
		scatter(lane[l].result, s, l, len);
		wrong |= (unsigned)(lane_of(&differ, l) != 0) << l;
	}
	forget_registers();
	return wrong;
}

#endif
