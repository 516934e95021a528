/* identify.h -- what each file of the directory is; for recovery alone. */
#ifndef SPOOL_IDENTIFY_H
#define SPOOL_IDENTIFY_H

#include "spool/replay.h"
#include "spool/scan.h"
#include "spool/state.h"

/* What recovery knows while it runs. */
struct recovery {
	struct spool *spool;
	uint8_t *memory; /* of the longest file */
	size_t memory_len;
	struct segment *loaded; /* whole in memory */
	uint32_t oldest;
	uint64_t stable;
	uint64_t end;		 /* LSN of the last commit of the log */
	struct segment *segment; /* whose records are being looked at */
	struct replay replay;
	int error;
};

/* Opens every segment file and says what it is; 0 or -errno. */
MUST_USE int identify_all(struct recovery *r);

/* Reads into r->memory; blocks that cannot be read are zeros. */
void recovery_load(
    struct recovery *r, struct segment *g, uint32_t from, uint32_t len);
/* The whole of a segment, in r->memory. */
struct scan recovery_scan(struct recovery *r, struct segment *g);

/* Counts and logs. */
void recovery_damaged(struct recovery *r, struct segment *g, const char *what);

#endif
