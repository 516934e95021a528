/* scan.c -- commits and records found in the bytes of a segment.
 *
 * Heads of commits are looked for at every block, those of records at every
 * eighth byte.  That is safe because their checksums begin with the segment's
 * seed, which nobody outside can know: neither an earlier use of the file nor
 * the body of a mail has a head that passes. */
#include "spool/scan.h"

bool scan_next(
    const struct scan *scan, uint32_t *offset, struct commit_head *head)
{
	for (uint64_t at = *offset; at + BLOCK_LEN <= scan->len;
	     at += BLOCK_LEN) {
		memcpy(head, scan->at + at, sizeof(*head));
		if (head->magic != COMMIT_MAGIC ||
		    !commit_head_good(head, scan->seed) ||
		    head->number != scan->number || head->offset != at ||
		    head->len > scan->len - at || head->lsn > scan->last_lsn)
			continue;
		*offset = (uint32_t)at;
		return true;
	}
	return false;
}

uint32_t scan_behind(const struct commit_head *head)
{
	return (uint32_t)round_up(
	    (uint64_t)head->offset + head->len, BLOCK_LEN);
}

bool scan_whole(const struct scan *scan, const struct commit_head *head)
{
	uint32_t at = head->offset + (uint32_t)sizeof(*head);
	uint32_t end = head->offset + head->len;
	uint32_t count = 0;

	while (at < end) {
		const struct record *r = (const void *)(scan->at + at);

		if (!record_good(r, end - at, scan->seed) ||
		    !record_envelope_good(r) || !record_refs_good(r) ||
		    !record_content_good(r))
			return false;
		at += r->len;
		count++;
	}
	return count == head->record_count;
}

void scan_records(const struct scan *scan, uint32_t from, uint32_t to,
    scan_each *each, void *arg)
{
	uint32_t at = (uint32_t)round_up(from, 8);

	while (at < to && to - at >= sizeof(struct record)) {
		const struct record *r = (const void *)(scan->at + at);

		if (r->magic != RECORD_MAGIC ||
		    !record_good(r, to - at, scan->seed) ||
		    !record_envelope_good(r)) {
			at += 8;
			continue;
		}
		each(arg, r, at, record_refs_good(r) && record_content_good(r));
		at += r->len;
	}
}
