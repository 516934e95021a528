/* ledger.h -- connections to each site, summed over all workers.
 *
 * One shared mapping made before the fork.  Each worker writes only its own
 * column; a limit is checked against the sum of the columns.  A dead worker's
 * column is cleared by the supervisor.  Sites are found by a hash of their
 * name and have a slot as long as some worker needs it; when there is no room
 * a site has no slot and its limit is divided by the number of workers. */
#ifndef CORE_OUTBOUND_LEDGER_H
#define CORE_OUTBOUND_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/check.h"

#define LEDGER_SITES_MAX 16384
#define LEDGER_WORKERS_MAX 256
#define LEDGER_NO_SLOT UINT32_MAX

struct ledger;

/* Shared with children made by fork later.  NULL and -errno on failure. */
MUST_USE int ledger_open(struct ledger **ledger, unsigned worker_count);
void ledger_close(struct ledger *ledger);
unsigned ledger_worker_count(const struct ledger *ledger);

/* The supervisor's: worker `column` died, what it held is free.  Before the
 * column gets a new worker. */
void ledger_clear_column(struct ledger *ledger, unsigned column);

/* A slot for a site, the same for all workers: LEDGER_NO_SLOT when there is no
 * room.  A worker that has it does not ask again before it gave it back. */
uint32_t ledger_slot_take(
    struct ledger *ledger, uint64_t site_hash, unsigned column);
/* The worker holds no connection in this slot and wants none. */
void ledger_slot_give(struct ledger *ledger, uint32_t slot, unsigned column);

/* The functions below take slots that this worker has. */

/* Takes one connection of `limit`; false when the sum is used up, or another
 * worker that wants one has fewer.  The column is then marked as wanting,
 * until a take succeeds or ledger_unwant: try again after 100 ms. */
bool ledger_take(
    struct ledger *ledger, uint32_t slot, unsigned column, unsigned limit);
void ledger_give(struct ledger *ledger, uint32_t slot, unsigned column);
void ledger_unwant(struct ledger *ledger, uint32_t slot, unsigned column);

/* Whether this worker holds more than its fair share while another one wants:
 * it should close a connection instead of using it again. */
bool ledger_should_yield(const struct ledger *ledger, uint32_t slot,
    unsigned column, unsigned limit);

/* Over all workers, for `queue` and metrics; 0 for LEDGER_NO_SLOT. */
unsigned ledger_sum(const struct ledger *ledger, uint32_t slot);

#endif
