/* attempt.h -- one entry of the queue being tried: its envelope, the recipients
 * that are this destination's, and what became of each. */
#ifndef CORE_OUTBOUND_ATTEMPT_H
#define CORE_OUTBOUND_ATTEMPT_H

#include "core/outbound/service.h"
#include "proto/outcome.h"
#include "proto/smtp_client.h"
#include "spool/envelope.h"

/* Recipients in one transaction; a longer list takes several. */
#define ATTEMPT_RCPTS_MAX 100
#define ATTEMPT_BODY_MAX 65536

struct attempt;

typedef void attempt_done(struct attempt *a, void *arg);

struct attempt {
	struct outbound_service *service;
	struct entry *entry;
	struct message *message;
	struct spool *spool;
	uint64_t begun_ms;
	attempt_done *done; /* of what is waited for: load or settle */
	void *arg;
	bool load_failed; /* the spool could not read it: put off */
	struct envelope envelope;
	struct slice rcpts_left; /* of the envelope, from rcpt_next on */
	uint32_t rcpt_next;
	uint32_t deferred_count; /* recipients left by earlier transactions */
	bool site;		 /* a deferral was the site's fault */
	uint32_t due_s;		/* of the next attempt; 0 = not needed so far */
	bool delay_told;	/* who is deferred now may hear of a delay */
	struct outcome verdict; /* attempt_resolve: the same for everybody */
	struct smtp_client_transaction transaction;
	uint32_t rcpt_indexes[ATTEMPT_RCPTS_MAX];
	struct smtp_client_rcpt rcpts[ATTEMPT_RCPTS_MAX];
	char relay[360]; /* host[address]:port of the next hop, for log, report
			  */
	char relay_name[256]; /* host alone */
	bool relay_has_dsn;   /* it took over the duty to report */
	char tls[8];	      /* version, or "none" */
	char tls_cipher[64];
	bool tls_verified;
	struct spool_read envelope_read;
	struct spool_read body_read;
	uint64_t body_offset;	     /* of the next block to read */
	int body_len;		     /* of the block in `body`, or -errno */
	struct list sign_link;	     /* of a signature's waiters */
	struct signature *signature; /* NULL: none is needed */
	const char *sign_why;	     /* it must not be sent: put off */
	size_t front_len;	     /* bytes of `front` that go out first */
	/* The signature, right in front of the first block: one piece. */
	uint8_t front[SIGNATURE_LEN_MAX];
	uint8_t body[ATTEMPT_BODY_MAX];
	uint8_t envelope_room[ENVELOPE_LEN_MAX];
};

/* What lies in `body`. */
static inline struct slice attempt_content(const struct attempt *a)
{
	return slice_of(a->body, a->body_len > 0 ? (size_t)a->body_len : 0);
}

/* What is to be sent: `body`, the first with the signature in front. */
struct slice attempt_block(const struct attempt *a);
/* The signer's: a->signature or a->sign_why is set, the attempt goes on. */
void attempt_signed(struct attempt *a);

/* Takes over the (taken) entry; NULL when too many attempts are under way.
 * Reads the envelope and the first block of the content, then chooses the
 * first recipients; then done().  transaction.rcpt_count is 0 when nobody is
 * left, or with load_failed: settle it then. */
struct attempt *attempt_begin(struct outbound_service *s, struct entry *entry,
    attempt_done *done, void *arg);

/* Whether the envelope has recipients behind this transaction's. */
bool attempt_has_more(const struct attempt *a);
/* The next transaction's recipients (after settle of the one before). */
void attempt_next(struct attempt *a);

/* The same outcome for everybody in the transaction. */
void attempt_give_all(struct attempt *a, const struct outcome *outcome);
/* Reads the content's first block again; done() later. */
void attempt_rewind(struct attempt *a, attempt_done *done, void *arg);
/* Reads the next block of content into body; body_len and done() later.  0 at
 * the end of the content. */
void attempt_read(struct attempt *a, attempt_done *done, void *arg);
bool attempt_body_ended(const struct attempt *a);

/* The outcomes of the transaction are final: log, reports, notes to the spool.
 * With attempt_has_more, done() tells that the attempt may go on; without, the
 * entry is finished or put off, and the attempt is gone (done is not called).
 */
void attempt_settle(struct attempt *a, attempt_done *done, void *arg);

/* The attempt never really began: the entry is ready again; a is gone. */
void attempt_untake(struct attempt *a);

/* The entry was made for a relay host that is no more: entries for the
 * recipients' domains take its place (after attempt_begin); a is gone. */
void attempt_reroute(struct attempt *a);

/* The recipients that are left are tried later; a is gone. */
void attempt_put_off(struct attempt *a);

/* Without a connection: everybody in the entry gets this outcome.  False when
 * too many attempts are under way (the entry is still taken). */
bool attempt_resolve(struct outbound_service *s, struct entry *entry,
    const struct outcome *verdict);

/* report.c: sends the report that this transaction's outcomes make necessary,
 * in one commit with `note`; done() when it is durable or has failed.  False
 * when no report is necessary (nothing was begun). */
bool report_begin(struct attempt *a, const struct note *note,
    void (*done)(struct attempt *a, int result));

#endif
