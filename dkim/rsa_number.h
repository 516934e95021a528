/* rsa_number.h -- almost-Montgomery arithmetic with numbers of some blocks.
 *
 * To be included by rsa_kernel.h alone.  With L limbs and R = 2^(52 L), the
 * product of a and b is a*b/R mod n, up to one n too large.
 *
 * Bound of a value.  Let n be of exactly so many bits that R >= 2^8 n (52 L is
 * at least 8 more than the bits of a prime of 512, 1024, 1536 or 2048 bits and
 * 16 more than those of an n of twice as many).  The reduction of t gives
 * (t + q n)/R with q < R, which is below t/R + n.  For t = a*b with a < 3 n and
 * b < 3 n: 9 n^2/R + n <= (9/256 + 1) n < 2 n.  So all products of numbers
 * below 3 n are below 2 n, need no subtraction in between, and have L limbs
 * below 2^52 because 2 n < R.  For t < n R, for example t < R: at most n. */
#ifndef DKIM_RSA_NUMBER_H
#define DKIM_RSA_NUMBER_H

#include "dkim/rsa_block.h"

/* The modulus of a number of lanes; n has `blocks` blocks. */
struct modulus {
	const lanes *n;
	lanes inverse; /* -1/n mod 2^52 */
	unsigned blocks;
	lanes *t; /* room for a product: 2 * blocks blocks */
	lanes *q; /* and for a block of quotients */
};

INLINE void copy(lanes *to, const lanes *from, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		to[i] = from[i];
}

INLINE void clear(lanes *to, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		to[i] = lanes_zero();
}

/* Columns to limbs; columns may be negative if the whole is not.  The last limb
 * keeps what is left. */
INLINE void carry(lanes *out, const lanes *t, unsigned len)
{
	lanes c = lanes_zero();

	for (unsigned i = 0; i < len - 1; i++) {
		lanes x = lanes_add(t[i], c);

		out[i] = lanes_and(x, lanes_all(LIMB_MASK));
		c = lanes_shift_signed(x, LIMB_BITS);
	}
	out[len - 1] = lanes_add(t[len - 1], c);
}

/* x -= n where x >= n, for x < 2 n; `room` for as many limbs. */
KERNEL void subtract_once(lanes *x, const lanes *n, unsigned len, lanes *room)
{
	lanes c = lanes_zero();

	for (unsigned i = 0; i < len; i++) {
		lanes y = lanes_add(lanes_sub(x[i], n[i]), c);

		room[i] = lanes_and(y, lanes_all(LIMB_MASK));
		c = lanes_shift_signed(y, LIMB_BITS);
	}
	/* All ones where x < n. */
	for (unsigned i = 0; i < len; i++)
		x[i] = lanes_logic(room[i], x[i], c, SECOND_IF_SET);
}

/* What is left of block i of m->t once its first block was reduced: the other
 * blocks of q * n. */
INLINE void reduce_rest(const struct modulus *m, unsigned i)
{
	for (unsigned j = 1; j < m->blocks; j++)
		block_multiply(m->t + (i + j) * BLOCK, m->q, m->n + j * BLOCK);
}

/* out = m->t / R mod n. */
INLINE void reduce(const struct modulus *m, lanes *out)
{
	for (unsigned i = 0; i < m->blocks; i++) {
		block_reduce(m->q, m->t + i * BLOCK, m->n, m->inverse);
		reduce_rest(m, i);
	}
	carry(out, m->t + m->blocks * BLOCK, m->blocks * BLOCK);
}

KERNEL void multiply(
    const struct modulus *m, lanes *out, const lanes *a, const lanes *b)
{
	clear(m->t, 2 * m->blocks * BLOCK);
	for (unsigned i = 0; i < m->blocks; i++)
		for (unsigned j = 0; j < m->blocks; j++)
			block_multiply(m->t + (i + j) * BLOCK, a + i * BLOCK,
			    b + j * BLOCK);
	reduce(m, out);
}

/* m->t = a * a: the products of different blocks, doubled, and the squares. */
INLINE void square_columns(const struct modulus *m, const lanes *a)
{
	unsigned len = 2 * m->blocks * BLOCK;
	lanes diagonal[2 * BLOCK];

	if (m->blocks == 1) {
		block_square(m->t, a);
		return;
	}
	clear(m->t, len);
	for (unsigned i = 0; i < m->blocks; i++)
		for (unsigned j = i + 1; j < m->blocks; j++)
			block_multiply(m->t + (i + j) * BLOCK, a + i * BLOCK,
			    a + j * BLOCK);
	for (unsigned i = 0; i < m->blocks; i++) {
		lanes *t = m->t + 2 * i * BLOCK;

		block_square(diagonal, a + i * BLOCK);
		for (unsigned j = 0; j < 2 * BLOCK; j++)
			t[j] = lanes_add(lanes_add(t[j], t[j]), diagonal[j]);
	}
}

KERNEL void square(const struct modulus *m, lanes *out, const lanes *a)
{
	square_columns(m, a);
	reduce(m, out);
}

/* The same; besides, selects m->blocks pieces of the wanted entries. */
KERNEL void square_select(const struct modulus *m, lanes *out, const lanes *a,
    lanes *selected, const lanes *pieces, const lanes *unwanted)
{
	square_columns(m, a);
	for (unsigned i = 0; i < m->blocks; i++) {
		block_reduce_select(m->q, m->t + i * BLOCK, m->n, m->inverse,
		    selected + i * PIECE, pieces + i * ENTRIES * PIECE,
		    unwanted);
		reduce_rest(m, i);
	}
	carry(out, m->t + m->blocks * BLOCK, m->blocks * BLOCK);
}

#endif
