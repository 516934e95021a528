/* rsa_engine_x86_64.c -- which kernels may run on this machine.
 *
 * The kernels' files are the only ones that are compiled for AVX-512, and
 * nothing of them is called unless the CPU has all of the extensions that they
 * were compiled for and the operating system saves the registers. */
#include <cpuid.h>

#include "dkim/rsa_engine.h"

extern const struct rsa_kernel rsa_kernel_10x4, rsa_kernel_10x8;
extern const struct rsa_kernel rsa_kernel_15x4, rsa_kernel_15x8;
extern const struct rsa_kernel rsa_kernel_20x4, rsa_kernel_20x8;

static const struct rsa_size sizes[RSA_SIZES] = {
    {1024, 1, &rsa_kernel_10x4, &rsa_kernel_10x8},
    {2048, 1, &rsa_kernel_20x4, &rsa_kernel_20x8},
    {3072, 2, &rsa_kernel_15x4, &rsa_kernel_15x8},
    {4096, 2, &rsa_kernel_20x4, &rsa_kernel_20x8},
};

/* Leaf 7: F, DQ, IFMA, BW, VL. */
#define EXTENSIONS (1u << 16 | 1u << 17 | 1u << 21 | 1u << 30 | 1u << 31)
/* Of XCR0: xmm, ymm, the mask registers, zmm's upper halves, zmm16 to 31. */
#define REGISTERS 0xe6u

const struct rsa_size *rsa_engine_find(const char **why)
{
	unsigned a, b, c, d, xcr0, xcr0_high;

	*why = "this CPU has no AVX-512 IFMA";
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return NULL;
	if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) ||
	    (b & EXTENSIONS) != EXTENSIONS)
		return NULL;
	__asm__("xgetbv" : "=a"(xcr0), "=d"(xcr0_high) : "c"(0));
	*why = "the operating system does not save AVX-512's registers";
	if ((xcr0 & REGISTERS) != REGISTERS)
		return NULL;
	*why = "AVX-512 IFMA";
	return sizes;
}
