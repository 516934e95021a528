/* report.c -- a delivery status notification on its way into the spool.
 *
 *   choose    which recipients the sender wants to hear of (RFC 3461, 4.1)
 *   read      the original's first bytes
 *   write     the report: pieces, then one commit with the recipients' note
 *
 * Must hold: a message with the null sender never causes a report (RFC 5321,
 * 6.1), and a recipient whose report could not be made durable is not
 * finished. */
#include "core/outbound/report.h"

#include <errno.h>

#include "proto/params.h"

static void log_dropped(struct attempt *a, const struct smtp_client_rcpt *r)
{
	struct log *log = a->service->log;

	log_begin(log, LOG_WARN, "dropped");
	log_id(log, "id", a->message->id);
	log_slice(log, "to", r->address);
	log_str(
	    log, "reply", "not delivered, and the null sender gets no report");
	log_end(log);
}

/* Whether the recipient's outcome is to be reported, and as what. */
static bool is_wanted(const struct attempt *a, const struct smtp_client_rcpt *r,
    enum dsn_action *action)
{
	switch (r->outcome.kind) {
	case OUTCOME_FAILED: *action = DSN_FAILED; break;
	case OUTCOME_DELIVERED:
		if (a->relay_has_dsn)
			return false; /* the next hop does it */
		*action = DSN_RELAYED;
		break;
	case OUTCOME_DEFERRED:
		/* Only who asked: RFC 3461, 4.1 leaves the others to us. */
		if (!a->delay_told || (r->notify & DSN_NOTIFY_DELAY) == 0)
			return false;
		*action = DSN_DELAYED;
		break;
	case OUTCOME_NONE:
	case OUTCOME_OTHER_HOST: return false;
	}
	return dsn_wanted(r->notify, *action);
}

static void choose(struct report *p)
{
	struct attempt *a = p->attempt;

	p->rcpt_count = 0;
	p->kind = DSN_RELAYED;
	for (uint32_t i = 0; i < a->transaction.rcpt_count; i++) {
		const struct smtp_client_rcpt *r = &a->rcpts[i];
		enum dsn_action action = DSN_FAILED;

		if (!is_wanted(a, r, &action))
			continue;
		if (action < p->kind)
			p->kind = action; /* they are in that order */
		p->rcpts[p->rcpt_count++] = (struct dsn_rcpt){
		    .address = r->address,
		    .orcpt = r->orcpt,
		    .action = action,
		    .outcome = &r->outcome,
		    .host = slice_of_str(a->relay_name),
		    .attempt_wall_s = loop_wall_s(a->service->loop),
		};
	}
}

static void finish(struct report *p, int result)
{
	struct attempt *a = p->attempt;
	void (*done)(struct attempt *, int) = p->done;

	if (p->draft.begun)
		spool_abort(a->spool, &p->draft);
	pool_give(&a->service->report_pool, p);
	done(a, result);
}

static void log_report(struct report *p)
{
	struct log *log = p->attempt->service->log;

	log_begin(log, LOG_INFO, "report");
	log_id(log, "id", p->draft.id);
	log_id(log, "about", p->attempt->message->id);
	log_slice(log, "to", p->attempt->envelope.sender);
	log_number(log, "rcpts", p->rcpt_count);
	log_end(log);
}

static void on_committed(struct spool_wait *w, int result)
{
	struct report *p = container_of(w, struct report, wait);

	if (result == 0) {
		metric_inc(p->attempt->service->metrics, METRIC_REPORTS);
		log_report(p);
	}
	finish(p, result);
}

static void write_pieces(struct report *p);

static void on_piece(struct spool_wait *w, int result)
{
	struct report *p = container_of(w, struct report, wait);

	if (result < 0) {
		finish(p, result);
		return;
	}
	p->text_sent += SPOOL_PIECE_MAX;
	write_pieces(p);
}

static void commit(struct report *p, struct slice tail)
{
	struct attempt *a = p->attempt;
	struct buf envelope = buf_over(p->envelope, sizeof(p->envelope));

	envelope_put(&envelope, &(struct envelope){
				    .client = SLICE("local"),
				    .smtputf8 = p->needs.smtputf8,
				    .body_8bit = p->needs.body_8bit,
				    .rcpt_count = 1,
				});
	envelope_put_rcpt(
	    &envelope, &(struct envelope_rcpt){.address = a->envelope.sender});
	check(!envelope.overflowed);
	p->wait.done = on_committed;
	spool_commit(a->spool, &p->draft, buf_slice(&envelope),
	    (struct slice){NULL, 0}, tail, a->message, &p->note, &p->wait);
}

static void write_pieces(struct report *p)
{
	struct slice rest =
	    slice_of(p->text.at + p->text_sent, p->text.len - p->text_sent);

	if (rest.len <= SPOOL_PIECE_MAX) {
		commit(p, rest);
		return;
	}
	p->wait.done = on_piece;
	spool_append(p->attempt->spool, &p->draft,
	    slice_of(rest.at, SPOOL_PIECE_MAX), &p->wait);
}

static bool compose(struct report *p, struct slice original)
{
	struct attempt *a = p->attempt;
	struct outbound_service *s = a->service;
	bool full = a->envelope.ret == DSN_RET_FULL &&
		    original.len == a->message->content_len;
	struct id_text id = id_format(p->draft.id);
	struct id_text original_id = id_format(a->message->id);
	struct dsn_report report = {
	    .kind = p->kind,
	    .hostname = s->settings.hostname,
	    .id = slice_of(id.at, id.len),
	    .original_id = slice_of(original_id.at, original_id.len),
	    .sender = a->envelope.sender,
	    .envid = a->envelope.envid,
	    .arrival_wall_s = a->message->received_s,
	    .now_wall_s = loop_wall_s(s->loop),
	    .retry_until_wall_s =
		(uint64_t)a->message->received_s + s->settings.retry.lifetime_s,
	    .rcpts = p->rcpts,
	    .rcpt_count = p->rcpt_count,
	    .original_form = full ? DSN_ORIGINAL_FULL : DSN_ORIGINAL_HEADER,
	    .original = original,
	    .smtputf8 = a->envelope.smtputf8,
	};

	p->text = buf_over(p->room, sizeof(p->room));
	p->text_sent = 0;
	return dsn_put(&p->text, &report, &p->needs);
}

static void on_original(struct spool_read *r, int result)
{
	struct report *p = container_of(r, struct report, read);
	size_t len = result > 0 ? (size_t)result : 0;

	if (compose(p, slice_of(p->original, len)))
		write_pieces(p);
	else
		finish(p, -EMSGSIZE);
}

static void on_failed(struct op *op, int result)
{
	finish(container_of(op, struct report, failed), result);
}

static void begin(struct report *p, const struct note *note)
{
	struct attempt *a = p->attempt;

	p->note = *note;
	if (note->finished_count > 0)
		memcpy(p->finished, note->finished,
		    note->finished_count * sizeof(p->finished[0]));
	p->note.finished = p->finished;
	p->draft = (struct draft){0};
	p->wait = (struct spool_wait){0};
	p->read = (struct spool_read){.done = on_original};
	p->failed = (struct op){.done = on_failed};
	int err = spool_begin(a->spool, &p->draft);

	if (err < 0)
		loop_defer(a->service->loop, &p->failed, err);
	else
		spool_read(a->spool, a->message, 0, p->original,
		    sizeof(p->original), &p->read);
}

bool report_begin(struct attempt *a, const struct note *note,
    void (*done)(struct attempt *a, int result))
{
	if (a->envelope.sender.len == 0) {
		for (uint32_t i = 0; i < a->transaction.rcpt_count; i++)
			if (a->rcpts[i].outcome.kind == OUTCOME_FAILED)
				log_dropped(a, &a->rcpts[i]);
		return false;
	}
	struct report *p = pool_take(&a->service->report_pool);

	check(p != NULL); /* one for each attempt */
	p->attempt = a;
	p->done = done;
	choose(p);
	if (p->rcpt_count == 0) {
		pool_give(&a->service->report_pool, p);
		return false;
	}
	begin(p, note);
	return true;
}
