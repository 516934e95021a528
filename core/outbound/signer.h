/* signer.h -- DKIM signatures of messages that are about to be delivered. */
#ifndef CORE_OUTBOUND_SIGNER_H
#define CORE_OUTBOUND_SIGNER_H

#include "core/base/list.h"
#include "core/base/log.h"
#include "core/base/loop.h"
#include "core/base/map.h"
#include "core/base/pool.h"
#include "dkim/body.h"
#include "dkim/table.h"
#include "proto/mailbox.h"
#include "spool/spool.h"

/* All signature fields of a message. */
#define SIGNATURE_LEN_MAX 8192
/* A longer header section is not signed, and so not sent. */
#define SIGNER_HEADER_MAX (256 * 1024)
#define SIGNER_BLOCK_LEN 65536
#define SIGNER_DOMAIN_MAX 256

struct attempt;

/* The signatures of one message, for all of its destinations. */
struct signature {
	struct map_node node; /* by message id, until it is done or forgotten */
	struct list link;     /* of `ready`, `unread` or `made` */
	struct list waiters;  /* attempts */
	uint64_t id;
	uint64_t made_s;
	bool made; /* it is one of `made` */
	unsigned holder_count;
	bool has_hash[DKIM_CANON_COUNT]; /* of the body, made here */
	uint8_t hash[DKIM_CANON_COUNT][DKIM_HASH_LEN];
	uint8_t domain[SIGNER_DOMAIN_MAX]; /* of the first From address */
	uint16_t domain_len;
	uint16_t len; /* 0: nothing is configured to sign it */
	uint8_t text[SIGNATURE_LEN_MAX];
};

/* The message of which more than the first block must be read: the first of
 * `unread`. */
struct signer_reading {
	struct spool_read read;
	struct signer *signer;
	struct signature *signature; /* NULL: none */
	unsigned canons;
	uint64_t offset;
	size_t header_len; /* bytes in `header` */
	struct slice section;
	bool has_section; /* the header section is all there */
	struct dkim_body body;
	uint8_t block[SIGNER_BLOCK_LEN];
	uint8_t header[SIGNER_HEADER_MAX];
};

struct signer {
	struct loop *loop;
	struct log *log;
	struct dkim_table *table; /* NULL: nothing is signed */
	struct pool pool;
	struct map by_id;
	struct list ready;  /* to be signed at the end of this turn */
	struct list unread; /* more than the first block must be read */
	struct list made;   /* kept for other destinations, the latest first */
	unsigned made_count;
	struct op turn;
	struct metrics *metrics; /* NULL: nobody counts */
	struct pool large_pool;	 /* the three below */
	struct signer_reading *reading;
	uint8_t (*fields)[DKIM_FIELD_MAX]; /* DKIM_BATCH_MAX */
	uint8_t *from_room;		   /* SIGNER_HEADER_MAX */
	struct mailbox_list from;
};

/* For so many attempts at once.  Returns 0 or -ENOMEM. */
MUST_USE int signer_init(struct signer *s, struct loop *loop, struct log *log,
    size_t attempt_count_max);
/* Other keys from now on: what was signed with the old ones is forgotten.
 * `table` must stay until the next call; NULL: nothing is signed. */
void signer_configure(struct signer *s, struct dkim_table *table);

/* The attempt's envelope and first block are there.  True: attempt_signed()
 * runs in a later turn.  False: it need not wait.  Then a->signature is what to
 * send in front of the message, or NULL; but with a->sign_why it must not be
 * sent. */
MUST_USE bool signer_begin(struct signer *s, struct attempt *a);
/* The attempt needs its signature no more. */
void signer_release(struct signer *s, struct signature *signature);

/* Among signer*.c: the attempt that has waited longest; the body's hash, or
 * NULL; what was read, or why not; the next that is to be read. */
struct attempt *signature_waiter(const struct signature *g);
const uint8_t *signature_hash(const struct signature *g, enum dkim_canon canon);
void signer_was_read(struct signer *s, struct signature *g,
    struct slice section, const char *why);
void signer_read_next(struct signer *s);

#endif
