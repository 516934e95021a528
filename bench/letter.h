/* letter.h -- the mail that is sent: sizes, addresses, an id in each.
 *
 * Everything about message number `seq` follows from its number, so that two
 * runs send the same mail.  Its id is a header field
 *
 *     X-Bench-Id: RUN.SEQ.NS     NS: when it was due (machine_ns)
 *
 * and its recipients are r0.SEQ@..., r1.SEQ@..., by which bench/sink knows
 * each copy, however a relay splits or gathers the recipients. */
#ifndef BENCH_LETTER_H
#define BENCH_LETTER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/slice.h"

#define LETTER_SIZES_MAX 16
#define LETTER_HEAD_MAX 1024 /* room for a header */
#define LETTER_ID "X-Bench-Id: "

struct letter {
	uint64_t run;
	uint64_t first; /* number of the first message */
	uint32_t rcpt_count;
	uint32_t sender_domain_count;
	uint32_t rcpt_domain_count;
	const char *sender_domain; /* one domain: itself; else dN. before it */
	const char *rcpt_domain;
	const char *rcpt_prefix; /* before the local part, or "" */
	unsigned size_count;
	struct {
		uint64_t size;
		uint64_t weight;
	} sizes[LETTER_SIZES_MAX];
	/* private */
	uint64_t weight_sum;
	uint8_t *text; /* as long as the longest */
	size_t text_len;
};

/* "10k" or "2k:70,10k:25,100k:5".  False: it is not that. */
bool letter_read_sizes(struct letter *l, const char *text);

/* Makes the text that all messages share the beginning of; or -ENOMEM. */
int letter_open(struct letter *l);

uint64_t letter_size(const struct letter *l, uint64_t seq);
void letter_put_sender(const struct letter *l, uint64_t seq, struct buf *out);
void letter_put_rcpt(
    const struct letter *l, uint64_t seq, uint32_t rcpt, struct buf *out);
void letter_put_head(
    const struct letter *l, uint64_t seq, uint64_t due_ns, struct buf *out);

/* What follows the header so that both are about letter_size() long with the
 * CR LF at the end (which is not in it, like the dot). */
struct slice letter_text(const struct letter *l, uint64_t seq, size_t head_len);

#endif
