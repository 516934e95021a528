/* fake_loop.h -- a loop with a clock and a disk of its own, from a seed.
 *
 * Linked before the archive (Makefile), it takes the place of loop_uring.c.
 * Time passes only in loop_turn.  Disk operations take a few turns and end in
 * any order.  Writes reach the file when they end; those that are not durable
 * are remembered until an fdatasync, and a crash may take back any sector of
 * them; of writes that are under way a crash leaves any sectors, or none. */
#ifndef TESTS_SUPPORT_FAKE_LOOP_H
#define TESTS_SUPPORT_FAKE_LOOP_H

#include "core/base/loop.h"

struct loop *fake_loop_open(uint64_t seed, uint64_t wall_s);
void fake_loop_close(struct loop *loop);

/* The power goes: what was under way is dropped, done() never runs. */
void fake_loop_crash(struct loop *loop);

/* Of so many writes, one fails; 0 = none.  And syncs, alike. */
void fake_loop_fail(struct loop *loop, unsigned one_in);
/* All of them fail, or none any more. */
void fake_loop_break(struct loop *loop, bool broken);

/* Writes and syncs that have ended. */
uint64_t fake_loop_writes(const struct loop *loop);

#endif
