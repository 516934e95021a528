/* scan.h -- commits and records found in the bytes of a segment.
 *
 * Pure.  Works on anything: what is not good is not there. */
#ifndef SPOOL_SCAN_H
#define SPOOL_SCAN_H

#include "spool/record.h"

struct scan {
	const uint8_t *at; /* the segment's bytes; 8-aligned */
	uint32_t len;
	uint32_t number;
	uint32_t seed;
	uint64_t last_lsn; /* commits beyond it are fenced off */
};

/* The next good head of a commit at a block from *offset on; *offset then is
 * its own.  False when there is none. */
bool scan_next(
    const struct scan *scan, uint32_t *offset, struct commit_head *head);

/* Where the commit after this one may start. */
uint32_t scan_behind(const struct commit_head *head);

/* Whether every byte of the commit is as it was written. */
bool scan_whole(const struct scan *scan, const struct commit_head *head);

/* Every record between the offsets whose head and envelope, or indices, are
 * good; what is not is skipped.  The records of a whole commit come in order
 * and without a gap.  `content_good` is of what is behind that. */
typedef void scan_each(
    void *arg, const struct record *r, uint32_t offset, bool content_good);
void scan_records(const struct scan *scan, uint32_t from, uint32_t to,
    scan_each *each, void *arg);

#endif
