/* rsa_batch.h -- a batch of signatures by the engine's kernels. */
#ifndef DKIM_RSA_BATCH_H
#define DKIM_RSA_BATCH_H

#include "dkim/rsa_private.h"

struct rsa_batch;

/* Room to work in, for all sizes; or NULL. */
MUST_USE struct rsa_batch *rsa_batch_open(struct rsa *r);

/* Signs up to RSA_BATCH_MAX jobs with warm keys of one size.  job->good says
 * which are done.  Of a signature that fails the check nothing is left; its
 * key's constants are given up.  None may be done: no memory or randomness. */
void rsa_batch_sign(struct rsa *r, struct rsa_job *const *jobs, unsigned count);

#endif
