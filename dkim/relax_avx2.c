/* relax_avx2.c -- the relaxed form, for CPUs with AVX2 and BMI: see Makefile.
 */
#include "dkim/relax_kernel.h"

size_t relax_avx2(struct relax_room *room, struct slice in)
{
	return relax(room, in);
}
