/* rsa_kernel_15x4.c -- blocks of 15 limbs, 4 lanes. */
#define BLOCK 15
#define LANES 4
#include "dkim/rsa_kernel.h"

const struct rsa_kernel rsa_kernel_15x4 = {
    .lanes = LANES,
    .block = BLOCK,
    .work_len = work_len,
    .mask = mask,
    .power = power,
    .join = join,
    .unmask = unmask,
    .enter = enter,
};
