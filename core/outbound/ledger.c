/* ledger.c -- connections to each site, summed over all workers.
 *
 * A row a site, a cell in it for each worker, written by that worker alone.
 *
 * The limit holds strictly: a worker first adds to its cell, then sums the row,
 * and takes back what it added when the sum is over the limit.  Of the takes
 * that stand, the one that added last has seen all others.  Two that come at
 * once may both fail; they try again.
 *
 * Fairness: who was refused has a ticket in its cell.  The last places are kept
 * for tickets whose holders have fewer connections, or as many and an older
 * ticket: a place for each, so that none makes way where there is room for all;
 * but not more than DEFERRALS_MAX times for the same one, so that a worker that
 * hangs does not stop the others.  Holders of two more than a wanting worker,
 * or of one when it has none, should yield.
 *
 * Which site has which row is decided under a mutex, which is robust: a worker
 * that dies with it leaves nothing half done, for a row is in use only when a
 * cell of it says so, and that is written last.  Sites are looked for in
 * WINDOW rows after the one of their hash, always all of them, so that a row
 * may become free at any time. */
#include "core/outbound/ledger.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define WINDOW 32u
#define DEFERRALS_MAX 3
#define LIMIT_MAX 60000u /* leaves room in a cell for the takes that fail */

_Static_assert((LEDGER_SITES_MAX & (LEDGER_SITES_MAX - 1)) == 0,
    "a hash is cut to a row by its lower bits");

struct cell {
	_Atomic uint16_t held;
	_Atomic uint8_t used;	 /* the worker has this slot */
	uint8_t deferral_count;	 /* the worker's own: how often it made way */
	_Atomic uint32_t ticket; /* 0 = wants nothing */
	uint32_t deferred_to;	 /* the worker's own: for this ticket */
};

struct ledger {
	size_t len; /* of the mapping */
	unsigned worker_count;
	_Atomic uint32_t ticket_last;
	pthread_mutex_t mutex; /* over `hashes` and each cell's `used` */
	uint64_t hashes[LEDGER_SITES_MAX];
	struct cell cells[];
};

static struct cell *row_of(const struct ledger *l, uint32_t slot)
{
	check(slot < LEDGER_SITES_MAX);
	/* Writing through the result is up to callers that may. */
	return (
	    struct cell *)(uintptr_t)&l->cells[(size_t)slot * l->worker_count];
}

int ledger_open(struct ledger **ledger, unsigned worker_count)
{
	pthread_mutexattr_t attributes;
	size_t len = sizeof(struct ledger) +
		     sizeof(struct cell) * LEDGER_SITES_MAX * worker_count;
	int err;

	*ledger = NULL;
	check(worker_count >= 1);
	check(worker_count <= LEDGER_WORKERS_MAX);
	struct ledger *l = mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (l == MAP_FAILED)
		return -errno;
	l->len = len;
	l->worker_count = worker_count;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	err = pthread_mutex_init(&l->mutex, &attributes);
	pthread_mutexattr_destroy(&attributes);
	if (err != 0) {
		munmap(l, len);
		return -err;
	}
	*ledger = l;
	return 0;
}

/* Not destroyed: other processes may still be using the mutex. */
void ledger_close(struct ledger *l)
{
	if (l != NULL)
		munmap(l, l->len);
}

unsigned ledger_worker_count(const struct ledger *l)
{
	return l->worker_count;
}

static void lock(struct ledger *l)
{
	int err = pthread_mutex_lock(&l->mutex);

	if (err == EOWNERDEAD)
		err = pthread_mutex_consistent(&l->mutex);
	check(err == 0);
}

static void unlock(struct ledger *l)
{
	int err = pthread_mutex_unlock(&l->mutex);

	check(err == 0);
}

static void cell_clear(struct cell *cell)
{
	atomic_store(&cell->ticket, 0);
	atomic_store(&cell->held, 0);
	cell->deferred_to = 0;
	atomic_store(&cell->used, 0);
}

void ledger_clear_column(struct ledger *l, unsigned column)
{
	check(column < l->worker_count);
	lock(l);
	for (uint32_t slot = 0; slot < LEDGER_SITES_MAX; slot++) {
		/* Rows that were never used are not even looked at: a look
		 * would cost the memory. */
		if (l->hashes[slot] != 0)
			cell_clear(&row_of(l, slot)[column]);
	}
	unlock(l);
}

static bool slot_used(const struct ledger *l, uint32_t slot)
{
	const struct cell *row = row_of(l, slot);

	if (l->hashes[slot] == 0)
		return false;
	for (unsigned i = 0; i < l->worker_count; i++) {
		if (atomic_load(&row[i].used) != 0)
			return true;
	}
	return false;
}

/* The slot that has this hash, or else a free one. */
static uint32_t slot_find(const struct ledger *l, uint64_t hash)
{
	uint32_t mask = LEDGER_SITES_MAX - 1;
	uint32_t start = (uint32_t)hash;

	for (uint32_t i = 0; i < WINDOW; i++) {
		if (l->hashes[(start + i) & mask] == hash)
			return (start + i) & mask;
	}
	for (uint32_t i = 0; i < WINDOW; i++) {
		if (!slot_used(l, (start + i) & mask))
			return (start + i) & mask;
	}
	return LEDGER_NO_SLOT;
}

uint32_t ledger_slot_take(struct ledger *l, uint64_t site_hash, unsigned column)
{
	uint64_t hash = site_hash == 0 ? 1 : site_hash;

	check(column < l->worker_count);
	lock(l);
	uint32_t slot = slot_find(l, hash);
	if (slot != LEDGER_NO_SLOT) {
		struct cell *own = &row_of(l, slot)[column];

		l->hashes[slot] = hash;
		cell_clear(own);
		atomic_store(&own->used, 1);
	}
	unlock(l);
	return slot;
}

void ledger_slot_give(struct ledger *l, uint32_t slot, unsigned column)
{
	struct cell *own = &row_of(l, slot)[column];

	check(column < l->worker_count);
	check(atomic_load(&own->held) == 0);
	lock(l);
	cell_clear(own);
	unlock(l);
}

static unsigned row_sum(const struct ledger *l, const struct cell *row)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < l->worker_count; i++)
		sum += atomic_load(&row[i].held);
	return sum;
}

/* How many want one and should have it before this column, which holds `held`;
 * and the ticket of one of them. */
static unsigned count_before(const struct ledger *l, const struct cell *row,
    unsigned column, unsigned held, uint32_t *first)
{
	uint32_t own = atomic_load(&row[column].ticket);
	unsigned count = 0;

	for (unsigned i = 0; i < l->worker_count; i++) {
		uint32_t ticket = atomic_load(&row[i].ticket);
		unsigned other = atomic_load(&row[i].held);

		if (i == column || ticket == 0 || other > held)
			continue;
		if (other < held || own == 0 || (int32_t)(ticket - own) < 0) {
			if (count++ == 0)
				*first = ticket;
		}
	}
	return count;
}

/* Whether to make way for the holder of `ticket`: not for ever. */
static bool defer(struct cell *own, uint32_t ticket)
{
	if (own->deferred_to != ticket) {
		own->deferred_to = ticket;
		own->deferral_count = 0;
	}
	return own->deferral_count++ < DEFERRALS_MAX;
}

static void want(struct ledger *l, struct cell *own)
{
	uint32_t ticket;

	if (atomic_load(&own->ticket) != 0)
		return;
	ticket = atomic_fetch_add(&l->ticket_last, 1) + 1;
	atomic_store(&own->ticket, ticket == 0 ? 1 : ticket);
}

bool ledger_take(
    struct ledger *l, uint32_t slot, unsigned column, unsigned limit)
{
	struct cell *row = row_of(l, slot);
	struct cell *own = &row[column];
	unsigned held, sum, before;
	uint32_t ticket = 0;

	check(column < l->worker_count);
	check(atomic_load(&own->used) != 0);
	if (limit > LIMIT_MAX)
		limit = LIMIT_MAX;
	held = atomic_fetch_add(&own->held, 1);
	sum = row_sum(l, row);
	if (sum > limit) {
		atomic_fetch_sub(&own->held, 1);
		want(l, own);
		return false;
	}
	before = count_before(l, row, column, held, &ticket);
	if (before > 0 && sum + before > limit && defer(own, ticket)) {
		atomic_fetch_sub(&own->held, 1);
		want(l, own);
		return false;
	}
	ledger_unwant(l, slot, column);
	return true;
}

void ledger_give(struct ledger *l, uint32_t slot, unsigned column)
{
	struct cell *own = &row_of(l, slot)[column];

	check(column < l->worker_count);
	check(atomic_load(&own->held) > 0);
	atomic_fetch_sub(&own->held, 1);
}

void ledger_unwant(struct ledger *l, uint32_t slot, unsigned column)
{
	struct cell *own = &row_of(l, slot)[column];

	check(column < l->worker_count);
	own->deferred_to = 0;
	atomic_store(&own->ticket, 0);
}

bool ledger_should_yield(
    const struct ledger *l, uint32_t slot, unsigned column, unsigned limit)
{
	const struct cell *row = row_of(l, slot);
	unsigned held;

	check(column < l->worker_count);
	if (l->worker_count == 1)
		return false;
	held = atomic_load(&row[column].held);
	if (held == 0 || row_sum(l, row) < limit)
		return false;
	for (unsigned i = 0; i < l->worker_count; i++) {
		unsigned other = atomic_load(&row[i].held);

		if (i == column || atomic_load(&row[i].ticket) == 0)
			continue;
		if (other == 0 || other + 1 < held)
			return true;
	}
	return false;
}

unsigned ledger_sum(const struct ledger *l, uint32_t slot)
{
	return slot == LEDGER_NO_SLOT ? 0 : row_sum(l, row_of(l, slot));
}
