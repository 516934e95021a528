/* report.h -- a delivery status notification on its way into the spool.
 *
 * A report is a message like any other: null sender, to the sender of the
 * message that it is about.  It becomes durable in the same commit as the note
 * that finishes the recipients it tells of. */
#ifndef CORE_OUTBOUND_REPORT_H
#define CORE_OUTBOUND_REPORT_H

#include "core/outbound/attempt.h"
#include "proto/dsn.h"

/* What is quoted of the original: all of it when it was asked for (RET=FULL)
 * and is no longer than this, else its header. */
#define REPORT_ORIGINAL_MAX 65536
/* A hundred recipients with the longest replies, and the original. */
#define REPORT_TEXT_MAX (512 * 1024)

struct report {
	struct attempt *attempt;
	void (*done)(struct attempt *a, int result);
	struct note note;
	struct spool_read read;
	struct spool_wait wait;
	struct draft draft;
	struct op failed;     /* deferred: it could not even begin */
	enum dsn_action kind; /* of the worst recipient */
	struct dsn_needs needs;
	struct buf text;
	size_t text_sent; /* bytes that are in the spool as pieces */
	struct dsn_rcpt rcpts[ATTEMPT_RCPTS_MAX];
	uint32_t rcpt_count;
	uint32_t finished[ATTEMPT_RCPTS_MAX];
	uint8_t envelope[4096];
	uint8_t original[REPORT_ORIGINAL_MAX];
	uint8_t room[REPORT_TEXT_MAX];
};

#endif
