/* Any bytes as a segment, and as a seal.
 *
 * Checksums are made right first, where there is a head to give one to, so that
 * what is behind them is tried too.  Byte 0 says for what. */
#include <stdlib.h>

#include "core/base/check.h"
#include "spool/scan.h"

#define SEED 7u
#define LEN_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void on_record(
    void *arg, const struct record *r, uint32_t offset, bool content_good)
{
	const struct scan *scan = arg;

	check((const uint8_t *)r == scan->at + offset);
	check(r->len <= scan->len - offset);
	check(r->len == record_len(r));
	(void)content_good;
}

static void make_right(uint8_t *at, size_t len)
{
	for (size_t i = 0; i + sizeof(struct record) <= len; i += 64) {
		struct record *r = (struct record *)(void *)(at + i);
		struct commit_head *h = (struct commit_head *)(void *)(at + i);

		if (r->magic == RECORD_MAGIC)
			record_seal(r, SEED);
		if (h->magic == COMMIT_MAGIC) {
			h->seed = SEED;
			commit_head_seal(h);
		}
	}
}

static void try_segment(uint8_t *at, size_t len)
{
	struct scan scan = {.at = at,
	    .len = (uint32_t)len,
	    .number = 1,
	    .seed = SEED,
	    .last_lsn = UINT64_MAX};
	struct commit_head head;
	uint32_t behind = 0;

	for (uint32_t offset = 0; scan_next(&scan, &offset, &head);
	     offset = behind) {
		check(offset >= behind || behind == 0);
		scan_whole(&scan, &head);
		scan_records(&scan, offset + (uint32_t)sizeof(head),
		    offset + head.len, on_record, &scan);
		behind = scan_behind(&head);
	}
	scan_records(&scan, 0, scan.len, on_record, &scan);
}

static void try_seal(const uint8_t *at, size_t len)
{
	struct slice seal = slice_of(at, len);
	struct seal_entry entry;
	const struct record *record;

	while (seal_next(&seal, SEED, &entry, &record))
		check(entry.len == record_entry_len(record));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct segment_block block;

	if (len < 1 || len > LEN_MAX)
		return 0;
	uint8_t what = bytes[0];
	size_t rest = len - 1;
	uint8_t *at = malloc(rest + 1); /* aligned, and ends where it ends */

	memcpy(at, bytes + 1, rest);
	if (what & 1)
		make_right(at, rest);
	if (what & 2)
		try_seal(at, rest);
	else
		try_segment(at, rest);
	if (rest >= sizeof(block)) {
		memcpy(&block, at, sizeof(block));
		segment_block_good(&block);
		segment_block_seal(&block);
		segment_block_good(&block);
	}
	free(at);
	return 0;
}
