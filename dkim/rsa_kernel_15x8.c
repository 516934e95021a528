/* rsa_kernel_15x8.c -- blocks of 15 limbs, 8 lanes. */
#define BLOCK 15
#define LANES 8
#include "dkim/rsa_kernel.h"

const struct rsa_kernel rsa_kernel_15x8 = {
    .lanes = LANES,
    .block = BLOCK,
    .work_len = work_len,
    .mask = mask,
    .power = power,
    .join = join,
    .unmask = unmask,
    .enter = enter,
};
