/* rsa_kernel_10x4.c -- blocks of 10 limbs, 4 lanes. */
#define BLOCK 10
#define LANES 4
#include "dkim/rsa_kernel.h"

const struct rsa_kernel rsa_kernel_10x4 = {
    .lanes = LANES,
    .block = BLOCK,
    .work_len = work_len,
    .mask = mask,
    .power = power,
    .join = join,
    .unmask = unmask,
    .enter = enter,
};
