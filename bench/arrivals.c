/* arrivals.c -- a bitmap of copies. */
#include "bench/arrivals.h"

#include <errno.h>
#include <sys/mman.h>

#include "bench/machine.h"

static void *map_zeroed(size_t len)
{
	void *at = mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

static size_t seen_len(const struct arrivals *a)
{
	return a->expected * a->rcpt_count / 8 + 1;
}

int arrivals_open(struct arrivals *a)
{
	a->seen = map_zeroed(seen_len(a));
	a->delays = map_zeroed(sizeof(*a->delays));
	return a->seen == NULL || a->delays == NULL ? -ENOMEM : 0;
}

void arrivals_close(struct arrivals *a)
{
	munmap(a->seen, seen_len(a));
	munmap(a->delays, sizeof(*a->delays));
	*a = (struct arrivals){0};
}

void arrival_read_id(struct arrival_id *id, struct slice value)
{
	uint64_t run;
	struct slice first = slice_cut_at(&value, '.');
	struct slice second = slice_cut_at(&value, '.');

	id->known = slice_number(first, &run) &&
		    slice_number(second, &id->seq) &&
		    slice_number(slice_trim(value), &id->due_ns);
}

static void take_copy(struct arrivals *a, uint64_t seq, unsigned rcpt)
{
	uint64_t bit = (seq - a->first) * a->rcpt_count + rcpt;
	uint8_t in_byte = (uint8_t)(1u << (bit & 7));

	if (a->seen[bit / 8] & in_byte)
		a->duplicates++;
	else
		a->unique++;
	a->seen[bit / 8] |= in_byte;
}

void arrivals_take(struct arrivals *a, const struct arrival_id *id,
    uint64_t mask, unsigned foreign_count, uint64_t len)
{
	uint64_t now = machine_ns();

	a->bytes += len;
	a->last_ns = now;
	if (a->first_ns == 0)
		a->first_ns = now;
	a->foreign += foreign_count;
	if (!id->known || id->seq < a->first ||
	    id->seq - a->first >= a->expected) {
		a->foreign += (unsigned)__builtin_popcountll(mask);
		return;
	}
	if (now > id->due_ns)
		histogram_add(a->delays, now - id->due_ns);
	while (mask != 0) {
		unsigned rcpt = (unsigned)__builtin_ctzll(mask);

		mask &= mask - 1;
		if (rcpt < a->rcpt_count)
			take_copy(a, id->seq, rcpt);
		else
			a->foreign++;
	}
}
