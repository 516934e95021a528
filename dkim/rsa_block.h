/* rsa_block.h -- multiplication in blocks of BLOCK limbs of 52 bits.
 *
 * To be included by rsa_kernel.h alone.  A number is an array of vectors, limb
 * k of all lanes in [k], each below 2^52.  A product grows in columns of 64
 * bits, column k worth 2^(52 k); carries wait in the upper 12 bits.
 *
 * Bound of a column.  The largest product here has 80 limbs (n of 4096 bits).
 * A column takes at most 80 low and 80 high halves of a*b, as many of q*n, each
 * below 2^52, and one carry from the column below: 320 * 2^52 + 2^12 < 2^61.
 * So no column overflows, and none is negative when its carry is taken by a
 * signed shift.  A square's column is doubled before it has more than half of
 * these terms.
 *
 * Secrets meet only vpmadd52, additions, shifts and logic; these kernels have
 * loops of constant length and no other branch, and addresses that depend on
 * the loop alone (tests/check_rsa.sh reads their object code). */
#ifndef DKIM_RSA_BLOCK_H
#define DKIM_RSA_BLOCK_H

#include "dkim/rsa_engine.h"
#include "dkim/rsa_lane.h"

/* Window of the exponent; entries of the table. */
#define WINDOW RSA_WINDOW
#define ENTRIES (1 << WINDOW)
/* A table entry is kept in WINDOW pieces, so that each of a window's squarings
 * selects one; a row of the reduction looks at so many entries of it. */
#define PIECE (BLOCK / WINDOW)
#define ENTRIES_A_ROW (BLOCK < 16 ? 4 : 2)
#define ENTRY_ROWS (ENTRIES / ENTRIES_A_ROW)

/* sum[0..BLOCK] += a * x, one row of a product. */
INLINE void row(lanes *sum, const lanes *a, lanes x)
{
	UNROLL for (int j = 0; j < BLOCK; j++)
	{
		lanes aj = a[j];

		HOLD(aj);
		sum[j] = lanes_mul_low(sum[j], x, aj);
		sum[j + 1] = lanes_mul_high(sum[j + 1], x, aj);
	}
}

INLINE void next_row(lanes *sum)
{
	UNROLL for (int j = 0; j < BLOCK; j++) sum[j] = sum[j + 1];
}

/* t[0..2 BLOCK) += a * b. */
KERNEL void block_multiply(lanes *t, const lanes *a, const lanes *b)
{
	lanes sum[BLOCK + 1];

	UNROLL for (int j = 0; j < BLOCK; j++) sum[j] = t[j];
	ROLL for (int i = 0; i < BLOCK; i++)
	{
		FORGET_MEMORY;
		sum[BLOCK] = t[BLOCK + i];
		row(sum, a, b[i]);
		t[i] = sum[0];
		next_row(sum);
	}
	UNROLL for (int j = 0; j < BLOCK; j++) t[BLOCK + j] = sum[j];
}

/* t[0..2 BLOCK) = a * a.  Two columns at a time: four chains of multiplications
 * hide each other's latency. */
KERNEL void block_square(lanes *t, const lanes *from)
{
	lanes a[BLOCK], carried = lanes_zero();

	UNROLL for (int i = 0; i < BLOCK; i++) a[i] = from[i];
	UNROLL for (int c = 0; c < 2 * BLOCK; c += 2)
	{
		lanes low0 = lanes_zero(), high0 = lanes_zero();
		lanes low1 = lanes_zero(), high1 = lanes_zero();

		/* a[i] a[j] with i < j and i + j = c: the low half belongs to
		 * column c, the high half to c + 1. */
		UNROLL for (int i = 0; i < BLOCK; i++)
		{
			int j = c - i;

			if (j > i && j < BLOCK) {
				low0 = lanes_mul_low(low0, a[i], a[j]);
				high0 = lanes_mul_high(high0, a[i], a[j]);
			}
			if (j + 1 > i && j + 1 < BLOCK) {
				low1 = lanes_mul_low(low1, a[i], a[j + 1]);
				high1 = lanes_mul_high(high1, a[i], a[j + 1]);
			}
		}
		low0 = lanes_add(low0, carried);
		low1 = lanes_add(low1, high0);
		low0 = lanes_add(low0, low0);
		low1 = lanes_add(low1, low1);
		t[c] = lanes_mul_low(low0, a[c / 2], a[c / 2]);
		t[c + 1] = lanes_mul_high(low1, a[c / 2], a[c / 2]);
		carried = high1;
	}
}

/* Looks at `count` entries of a piece of the table from number `first` on:
 * selected |= entry where unwanted is zero (it is all ones elsewhere).  Every
 * entry is read. */
INLINE void select_some(lanes *selected, const lanes *piece,
    const lanes *unwanted, int first, int count)
{
	UNROLL for (int e = 0; e < count; e++)
	{
		lanes skip = unwanted[first + e];

		UNROLL for (int k = 0; k < PIECE; k++) selected[k] =
		    lanes_logic(selected[k], piece[(first + e) * PIECE + k],
			skip, OR_AND_NOT);
	}
}

/* One row of the reduction: makes column 0 divisible by 2^52 and carries it
 * away.  Its low half need not be computed: it becomes zero, and the carry is
 * column 0 divided by 2^52, rounded up. */
INLINE void reduce_row(lanes *sum, lanes *q, const lanes *n, lanes n0_inverse)
{
	lanes m = lanes_mul_low(lanes_zero(), sum[0], n0_inverse);
	lanes carry =
	    lanes_shift(lanes_add(sum[0], lanes_all(LIMB_MASK)), LIMB_BITS);

	*q = m;
	sum[1] = lanes_add(sum[1], carry);
	sum[1] = lanes_mul_high(sum[1], m, n[0]);
	UNROLL for (int j = 1; j < BLOCK; j++)
	{
		lanes nj = n[j];

		HOLD(nj);
		sum[j] = lanes_mul_low(sum[j], m, nj);
		sum[j + 1] = lanes_mul_high(sum[j + 1], m, nj);
	}
}

/* t += q * n for the q[0..BLOCK) that makes t[0..BLOCK) zero (they are left as
 * they are; their carry is added to t[BLOCK]). */
KERNEL void block_reduce(lanes *q, lanes *t, const lanes *n, lanes n0_inverse)
{
	lanes sum[BLOCK + 1];

	UNROLL for (int j = 0; j < BLOCK; j++) sum[j] = t[j];
	ROLL for (int i = 0; i < BLOCK; i++)
	{
		FORGET_MEMORY;
		sum[BLOCK] = t[BLOCK + i];
		reduce_row(sum, &q[i], n, n0_inverse);
		next_row(sum);
	}
	UNROLL for (int j = 0; j < BLOCK; j++) t[BLOCK + j] = sum[j];
}

/* The same, and selects a piece of a table entry in what time the
 * multiplications leave. */
KERNEL void block_reduce_select(lanes *q, lanes *t, const lanes *n,
    lanes n0_inverse, lanes *selected, const lanes *piece,
    const lanes *unwanted)
{
	lanes sum[BLOCK + 1], some[PIECE];

	UNROLL for (int j = 0; j < BLOCK; j++) sum[j] = t[j];
	UNROLL for (int k = 0; k < PIECE; k++) some[k] = lanes_zero();
	ROLL for (int i = 0; i < ENTRY_ROWS; i++)
	{
		FORGET_MEMORY;
		sum[BLOCK] = t[BLOCK + i];
		reduce_row(sum, &q[i], n, n0_inverse);
		select_some(
		    some, piece, unwanted, i * ENTRIES_A_ROW, ENTRIES_A_ROW);
		next_row(sum);
	}
	UNROLL for (int k = 0; k < PIECE; k++) selected[k] = some[k];
	ROLL for (int i = ENTRY_ROWS; i < BLOCK; i++)
	{
		FORGET_MEMORY;
		sum[BLOCK] = t[BLOCK + i];
		reduce_row(sum, &q[i], n, n0_inverse);
		next_row(sum);
	}
	UNROLL for (int j = 0; j < BLOCK; j++) t[BLOCK + j] = sum[j];
}

/* Selects a whole piece at once. */
KERNEL void block_select(
    lanes *selected, const lanes *piece, const lanes *unwanted)
{
	lanes some[PIECE];

	UNROLL for (int k = 0; k < PIECE; k++) some[k] = lanes_zero();
	for (int e = 0; e < ENTRIES; e++)
		select_some(some, piece, unwanted, e, 1);
	UNROLL for (int k = 0; k < PIECE; k++) selected[k] = some[k];
}

#endif
