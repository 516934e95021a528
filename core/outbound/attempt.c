/* attempt.c -- one entry of the queue being tried.
 *
 * load      the envelope and the first block of content are read; the
 *           recipients of this destination that are not finished are chosen,
 *           at most ATTEMPT_RCPTS_MAX at a time
 * (try)     outbound.c fills in each recipient's outcome; attempt_resolve
 *           gives everybody the same one without a connection
 * settle    each outcome becomes a log line; what needs a report becomes one;
 *           what is finished becomes a note in the spool
 * end       the entry is finished, or put off until it is due again
 *
 * Must hold: a recipient is noted as finished only when it was delivered, or a
 * report about it is durable in the same commit, or no report is wanted. */
#include "core/outbound/attempt.h"

#include <errno.h>

#define DELAY_S (4 * 3600) /* NOTIFY=DELAY: at this age, as Sendmail */

static void give(struct attempt *a)
{
	struct outbound_service *s = a->service;

	check(!a->envelope_read.busy && !a->body_read.busy);
	if (a->signature != NULL)
		signer_release(&s->signer, a->signature);
	s->attempt_count--;
	pool_give(&s->attempt_pool, a);
	outbound_service_dispatch(s);
}

static void choose(struct attempt *a, struct slice recipient, uint32_t index,
    const struct envelope_rcpt *r)
{
	uint32_t i = a->transaction.rcpt_count++;

	a->rcpt_indexes[i] = index;
	a->rcpts[i].address = recipient;
	a->rcpts[i].orcpt = r->orcpt;
	a->rcpts[i].notify = r->notify;
	a->rcpts[i].outcome.kind = OUTCOME_NONE;
}

void attempt_next(struct attempt *a)
{
	char room[DESTINATION_NAME_MAX];
	struct slice name = destination_name(a->entry->destination);
	bool all = slice_eq(name, OUTBOUND_RELAY_NAME);
	struct envelope_rcpt r;

	a->transaction.rcpt_count = 0;
	a->transaction.accepted_count = 0;
	while (a->rcpts_left.len > 0 &&
	       a->transaction.rcpt_count < ATTEMPT_RCPTS_MAX) {
		uint32_t index = a->rcpt_next++;

		if (!envelope_get_rcpt(&a->rcpts_left, &r)) {
			a->load_failed = true; /* nobody is forgotten */
			return;
		}
		if (message_rcpt_finished(a->message, index))
			continue;
		if (all || slice_eq(outbound_destination_of(
					a->service, r.address, room),
			       name))
			choose(a, r.address, index, &r);
	}
}

void attempt_give_all(struct attempt *a, const struct outcome *outcome)
{
	for (uint32_t i = 0; i < a->transaction.rcpt_count; i++)
		a->rcpts[i].outcome = *outcome;
}

bool attempt_has_more(const struct attempt *a)
{
	return a->rcpts_left.len > 0 && !a->load_failed;
}

static void log_unreadable(struct attempt *a, int err)
{
	struct log *log = a->service->log;

	log_begin(log, LOG_ERROR, "unreadable");
	log_id(log, "id", a->message->id);
	log_str(log, "reply", "the spool cannot read this message back");
	log_number(log, "errno", -err);
	log_end(log);
}

_Static_assert(offsetof(struct attempt, body) ==
		   offsetof(struct attempt, front) + SIGNATURE_LEN_MAX,
    "the signature and the first block are one piece");

/* The first block is in `body`. */
static void put_front(struct attempt *a)
{
	a->front_len = 0;
	if (a->signature == NULL)
		return;
	a->front_len = a->signature->len;
	memcpy(a->front + SIGNATURE_LEN_MAX - a->front_len, a->signature->text,
	    a->front_len);
}

struct slice attempt_block(const struct attempt *a)
{
	const uint8_t *begin = (const uint8_t *)a;

	return slice_of(begin + offsetof(struct attempt, body) - a->front_len,
	    a->front_len + attempt_content(a).len);
}

void attempt_signed(struct attempt *a)
{
	if (a->signature != NULL)
		a->transaction.size += a->signature->len;
	put_front(a);
	a->done(a, a->arg);
}

/* Both reads are done. */
static void loaded(struct attempt *a)
{
	if (a->envelope_read.busy || a->body_read.busy)
		return;
	if (!a->load_failed) {
		struct slice bytes =
		    slice_of(a->envelope_room, a->message->envelope_len);

		if (!envelope_get(bytes, &a->envelope, &a->rcpts_left)) {
			a->load_failed = true;
			log_unreadable(a, -EBADMSG);
		}
	}
	a->transaction.rcpt_count = 0;
	if (!a->load_failed) {
		a->transaction = (struct smtp_client_transaction){
		    .sender = a->envelope.sender,
		    .size = a->message->content_len,
		    .body_8bit = a->envelope.body_8bit,
		    .smtputf8 = a->envelope.smtputf8,
		    .ret = a->envelope.ret,
		    .envid = a->envelope.envid,
		    .rcpts = a->rcpts,
		};
		attempt_next(a);
	}
	/* Without a first block it is not going to be sent. */
	if (a->transaction.rcpt_count > 0 && a->body_len > 0 &&
	    signer_begin(&a->service->signer, a))
		return;
	attempt_signed(a);
}

static void on_envelope(struct spool_read *r, int result)
{
	struct attempt *a = container_of(r, struct attempt, envelope_read);

	if (result != (int)a->message->envelope_len) {
		a->load_failed = true;
		log_unreadable(a, result);
	}
	loaded(a);
}

static void on_first_block(struct spool_read *r, int result)
{
	struct attempt *a = container_of(r, struct attempt, body_read);

	a->body_len = result;
	if (result > 0)
		a->body_offset = (uint64_t)result;
	else if (result < 0)
		log_unreadable(a, result);
	loaded(a);
}

static struct attempt *take(struct outbound_service *s, struct entry *entry)
{
	struct attempt *a = pool_take(&s->attempt_pool);

	if (a == NULL)
		return NULL;
	s->attempt_count++;
	a->service = s;
	a->entry = entry;
	a->message = entry->message;
	a->spool = outbound_spool_of(s, a->message);
	a->begun_ms = loop_now_ms(s->loop);
	a->load_failed = false;
	a->rcpts_left = (struct slice){NULL, 0};
	a->rcpt_next = 0;
	a->deferred_count = 0;
	a->site = false;
	a->due_s = 0;
	a->delay_told = false;
	a->verdict.kind = OUTCOME_NONE;
	a->transaction.rcpt_count = 0;
	a->relay[0] = '\0';
	a->relay_name[0] = '\0';
	a->relay_has_dsn = false;
	a->envelope_read = (struct spool_read){.done = on_envelope};
	a->body_read = (struct spool_read){.done = on_first_block};
	a->body_offset = 0;
	a->body_len = 0;
	list_init(&a->sign_link);
	a->signature = NULL;
	a->sign_why = NULL;
	a->front_len = 0;
	return a;
}

struct attempt *attempt_begin(struct outbound_service *s, struct entry *entry,
    attempt_done *done, void *arg)
{
	struct attempt *a = take(s, entry);

	if (a == NULL)
		return NULL;
	a->done = done;
	a->arg = arg;
	spool_read_envelope(
	    a->spool, a->message, a->envelope_room, &a->envelope_read);
	spool_read(
	    a->spool, a->message, 0, a->body, ATTEMPT_BODY_MAX, &a->body_read);
	return a;
}

static void on_block(struct spool_read *r, int result)
{
	struct attempt *a = container_of(r, struct attempt, body_read);

	a->front_len = 0;
	if (a->body_offset == 0)
		put_front(a);
	a->body_len = result;
	if (result > 0)
		a->body_offset += (uint64_t)result;
	else if (result < 0)
		log_unreadable(a, result);
	a->done(a, a->arg);
}

void attempt_read(struct attempt *a, attempt_done *done, void *arg)
{
	a->done = done;
	a->arg = arg;
	a->body_read = (struct spool_read){.done = on_block};
	spool_read(a->spool, a->message, a->body_offset, a->body,
	    ATTEMPT_BODY_MAX, &a->body_read);
}

void attempt_rewind(struct attempt *a, attempt_done *done, void *arg)
{
	a->body_offset = 0;
	attempt_read(a, done, arg);
}

bool attempt_body_ended(const struct attempt *a)
{
	return a->body_offset >= a->message->content_len;
}

void attempt_untake(struct attempt *a)
{
	scheduler_untake(a->service->scheduler, a->entry);
	give(a);
}

static void put_off(struct attempt *a, uint32_t *finished, uint32_t count)
{
	struct scheduler *s = a->service->scheduler;
	uint64_t now_s = loop_wall_s(a->service->loop);
	struct note note = {
	    .finished = finished,
	    .finished_count = count,
	};

	/* A long attempt may have outlasted what was drawn at its first part.
	 */
	if (a->due_s <= now_s)
		a->due_s = scheduler_due(s, a->entry, now_s);
	scheduler_put_off_until(s, a->entry, a->site, a->due_s);
	note.due_s = a->due_s;
	note.attempt_count = a->entry->attempt_count;
	spool_note(a->spool, a->message, &note);
}

void attempt_put_off(struct attempt *a)
{
	a->deferred_count++;
	put_off(a, NULL, 0);
	give(a);
}

/* Entries for the domains of recipients that have none. */
static bool add_domains(struct attempt *a)
{
	struct envelope e;
	struct slice rest;
	struct slice bytes =
	    slice_of(a->envelope_room, a->message->envelope_len);

	return envelope_get(bytes, &e, &rest) &&
	       outbound_service_add_domains(a->service, a->message, rest);
}

/* `unnoted`: recipients that are finished, but not yet so noted. */
static void finish_entry(struct attempt *a, uint32_t unnoted)
{
	struct message *m = a->message;

	m->owner = scheduler_finished(a->service->scheduler, a->entry);
	if (m->owner == NULL) {
		check(message_rcpts_left(m) == unnoted);
		spool_finish(a->spool, m);
	}
}

void attempt_reroute(struct attempt *a)
{
	if (a->load_failed || !add_domains(a)) {
		attempt_put_off(a);
		return;
	}
	finish_entry(a, 0);
	give(a);
}

static const char *event_of(enum outcome_kind kind)
{
	switch (kind) {
	case OUTCOME_DELIVERED: return "delivered";
	case OUTCOME_FAILED: return "bounced";
	case OUTCOME_NONE:
	case OUTCOME_OTHER_HOST:
	case OUTCOME_DEFERRED: return "deferred";
	}
	return "deferred";
}

static enum metric metric_of(enum outcome_kind kind)
{
	switch (kind) {
	case OUTCOME_DELIVERED: return METRIC_DELIVERED;
	case OUTCOME_FAILED: return METRIC_BOUNCED;
	case OUTCOME_NONE:
	case OUTCOME_OTHER_HOST:
	case OUTCOME_DEFERRED: return METRIC_DEFERRED;
	}
	return METRIC_DEFERRED;
}

static void log_tls(struct attempt *a)
{
	struct log *log = a->service->log;

	log_str(log, "tls", a->tls);
	if (a->tls_cipher[0] != '\0') {
		log_str(log, "cipher", a->tls_cipher);
		log_str(log, "verified", a->tls_verified ? "yes" : "no");
	}
}

static void tell_outcome(struct attempt *a, const struct smtp_client_rcpt *r)
{
	struct log *log = a->service->log;
	const struct outcome *o = &r->outcome;
	uint64_t age_ms = loop_wall_ms(a->service->loop) -
			  (uint64_t)a->message->received_s * 1000 -
			  a->message->received_ms;

	metric_inc(a->service->metrics, metric_of(o->kind));
	if (o->kind == OUTCOME_DELIVERED)
		metric_delay(a->service->metrics,
		    (int64_t)age_ms < 0 ? 0 : age_ms); /* clocks are set */
	log_begin(log, o->kind == OUTCOME_DELIVERED ? LOG_INFO : LOG_WARN,
	    event_of(o->kind));
	log_id(log, "id", a->message->id);
	log_slice(log, "to", r->address);
	log_slice(log, "from",
	    a->envelope.sender.len > 0 ? a->envelope.sender : SLICE("<>"));
	log_str(log, "relay", a->relay[0] != '\0' ? a->relay : "none");
	if (a->relay[0] != '\0')
		log_tls(a);
	log_number(log, "code", o->code);
	if (log->active) {
		char status[16];
		struct buf text = buf_over(status, sizeof(status));

		buf_printf(&text, "%u.%u.%u", o->status[0], o->status[1],
		    o->status[2]);
		log_slice(log, "status", buf_slice(&text));
	}
	log_slice(log, "reply", slice_of(o->text, o->text_len));
	log_number(log, "attempt", a->entry->attempt_count + 1);
	log_number(log, "attempt_ms",
	    (int64_t)(loop_now_ms(a->service->loop) - a->begun_ms));
	log_number(log, "delay_ms", (int64_t)age_ms);
	log_end(log);
}

/* What is not an answer yet becomes one: later, or, too old, never. */
static void judge(struct attempt *a, struct smtp_client_rcpt *r)
{
	struct outbound_service *s = a->service;
	bool is_report = a->envelope.sender.len == 0;

	switch (r->outcome.kind) {
	case OUTCOME_DELIVERED:
	case OUTCOME_FAILED: return;
	case OUTCOME_NONE:
	case OUTCOME_OTHER_HOST:
	case OUTCOME_DEFERRED: r->outcome.kind = OUTCOME_DEFERRED;
	}
	if (scheduler_expired(
		s->scheduler, a->entry, is_report, loop_wall_s(s->loop)))
		r->outcome.kind = OUTCOME_FAILED;
}

/* Whether no other destination of the message is left. */
static bool is_last(const struct attempt *a)
{
	return entry_sibling(a->entry) == a->entry;
}

/* When the next attempt will be, and whether this is the one after which those
 * who asked for it hear of a delay: the last before the message is DELAY_S old.
 * There is exactly one, since due times are noted; so a restart changes nothing
 * and nothing else need be remembered. */
static void draw_due(struct attempt *a)
{
	struct outbound_service *s = a->service;
	const struct message *m = a->message;
	const struct entry *e = a->entry;
	uint64_t told_s = (uint64_t)m->received_s + DELAY_S;
	/* An entry's own time may have been changed by `queue retry`. */
	uint32_t due_before_s = is_last(a) ? m->due_s : e->due_s;

	a->due_s = scheduler_due(s->scheduler, e, loop_wall_s(s->loop));
	a->delay_told = due_before_s < told_s && a->due_s >= told_s &&
			s->settings.retry.lifetime_s > DELAY_S;
}

/* The indexes of those that need nothing more, into `finished`. */
static uint32_t count_finished(struct attempt *a, uint32_t *finished)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < a->transaction.rcpt_count; i++) {
		if (a->rcpts[i].outcome.kind == OUTCOME_DEFERRED) {
			a->deferred_count++;
			a->site |= a->rcpts[i].outcome.site;
		} else {
			finished[count++] = a->rcpt_indexes[i];
		}
	}
	return count;
}

/* The transaction is settled; `finished` are noted unless a report's commit did
 * that already (count 0). */
static void settled(struct attempt *a, uint32_t *finished, uint32_t count)
{
	if (attempt_has_more(a)) {
		struct note note = {
		    .finished = finished,
		    .finished_count = count,
		    .attempt_count = a->message->attempt_count,
		    .due_s = a->message->due_s,
		};

		if (count > 0)
			spool_note(a->spool, a->message, &note);
		a->done(a, a->arg);
		return;
	}
	if (a->deferred_count > 0) {
		put_off(a, finished, count);
	} else {
		struct note note = {
		    .finished = finished,
		    .finished_count = count,
		    .attempt_count = (uint16_t)(a->message->attempt_count + 1),
		    .due_s = a->message->due_s,
		};

		/* Nobody left at all: spool_finish says it in one record. */
		if (count > 0 && message_rcpts_left(a->message) > count) {
			spool_note(a->spool, a->message, &note);
			count = 0;
		}
		/* <postmaster> is at our host, whose name a reload changed. */
		if (is_last(a) && message_rcpts_left(a->message) > count &&
		    !add_domains(a)) {
			attempt_put_off(a);
			return;
		}
		finish_entry(a, count);
	}
	give(a);
}

static void on_reported(struct attempt *a, int result)
{
	if (result == 0) {
		uint32_t finished[ATTEMPT_RCPTS_MAX];

		/* The report's commit noted them. */
		(void)count_finished(a, finished);
		settled(a, finished, 0);
		return;
	}
	/* The report could not be written (disk full): those that failed are
	 * tried again later, rather than forgotten without a word. */
	uint32_t finished[ATTEMPT_RCPTS_MAX];
	uint32_t count = 0;

	for (uint32_t i = 0; i < a->transaction.rcpt_count; i++)
		if (a->rcpts[i].outcome.kind == OUTCOME_DELIVERED)
			finished[count++] = a->rcpt_indexes[i];
		else
			a->deferred_count++;
	settled(a, finished, count);
}

void attempt_settle(struct attempt *a, attempt_done *done, void *arg)
{
	uint32_t finished[ATTEMPT_RCPTS_MAX];
	uint32_t deferred_before = a->deferred_count;
	bool site_before = a->site;

	a->done = done;
	a->arg = arg;
	if (a->load_failed) {
		attempt_put_off(a);
		return;
	}
	for (uint32_t i = 0; i < a->transaction.rcpt_count; i++) {
		judge(a, &a->rcpts[i]);
		tell_outcome(a, &a->rcpts[i]);
	}
	uint32_t count = count_finished(a, finished);

	if (a->deferred_count > 0 && a->due_s == 0)
		draw_due(a);
	struct note note = {
	    .finished = finished,
	    .finished_count = count,
	    .attempt_count = (uint16_t)(a->entry->attempt_count + 1),
	    .due_s = a->due_s > 0 ? a->due_s : a->message->due_s,
	};

	if (report_begin(a, &note, on_reported)) {
		/* on_reported counts again, by what then is true. */
		a->deferred_count = deferred_before;
		a->site = site_before;
		return;
	}
	settled(a, finished, count);
}

static void on_resolve(struct attempt *a, void *arg);

static void resolve_next(struct attempt *a, void *arg)
{
	attempt_next(a);
	on_resolve(a, arg);
}

static void on_resolve(struct attempt *a, void *arg)
{
	attempt_give_all(a, &a->verdict);
	attempt_settle(a, resolve_next, arg);
}

bool attempt_resolve(struct outbound_service *s, struct entry *entry,
    const struct outcome *verdict)
{
	struct attempt *a = take(s, entry);

	if (a == NULL)
		return false;
	a->verdict = *verdict;
	a->done = on_resolve;
	spool_read_envelope(
	    a->spool, a->message, a->envelope_room, &a->envelope_read);
	return true;
}
