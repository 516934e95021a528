/* rsa_kernel_20x8.c -- blocks of 20 limbs, 8 lanes. */
#define BLOCK 20
#define LANES 8
#include "dkim/rsa_kernel.h"

const struct rsa_kernel rsa_kernel_20x8 = {
    .lanes = LANES,
    .block = BLOCK,
    .work_len = work_len,
    .mask = mask,
    .power = power,
    .join = join,
    .unmask = unmask,
    .enter = enter,
};
