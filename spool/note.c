/* note.c -- what attempts brought, in the log.
 *
 * Nobody waits for a NOTE or a DONE: they ride in the next commit.  To lose one
 * in a crash means to deliver once more, never to lose mail.
 *
 * When there is no room for one now (a failing disk, a full quota), the id is
 * kept on the backlog, and what is true of the message by then is written when
 * there is room again. */
#include "spool/note.h"

#include "spool/commit.h"
#include "spool/compact.h"
#include "spool/crc.h"
#include "spool/index.h"

struct record note_record(const struct message *m, const struct note *note)
{
	struct record r = {
	    .type = RECORD_NOTE,
	    .id = m->id,
	    .due_s = note->due_s,
	    .attempt_count = note->attempt_count,
	    .rcpt_count = m->rcpt_count,
	    .envelope_len = note->finished_count * 4,
	    .count = note->finished_count,
	};

	check(note->finished_count <= m->rcpt_count);
	r.len = record_len(&r);
	return r;
}

void note_put(uint8_t *at, const struct message *m, const struct note *note,
    uint8_t flags)
{
	struct record r = note_record(m, note);

	r.flags = flags;
	memset(at + r.len - 8, 0, 8);
	if (r.envelope_len > 0)
		memcpy(at + sizeof(r), note->finished, r.envelope_len);
	r.envelope_crc = crc32c(0, at + sizeof(r), r.envelope_len);
	memcpy(at, &r, sizeof(r));
}

void note_apply(struct message *m, const struct record *r)
{
	const uint8_t *at = record_rest(r);

	for (uint32_t i = 0; i < r->count; i++) {
		uint32_t index;

		memcpy(&index, at + i * 4, sizeof(index));
		if (index < m->rcpt_count)
			message_finish_rcpt(m, index);
	}
	m->attempt_count = r->attempt_count;
	m->due_s = r->due_s;
}

static int lay_note(
    struct spool *s, const struct message *m, const struct note *note)
{
	struct record r = note_record(m, note);
	struct laid l;
	int err = commit_lay(s, r.len, record_entry_len(&r), &l);

	if (err < 0)
		return err;
	note_put(l.at, m, note, 0);
	commit_add(s, &l, false);
	return 0;
}

static int lay_done(struct spool *s, uint64_t id)
{
	struct record r = {
	    .type = RECORD_DONE,
	    .id = id,
	    .len = sizeof(r),
	};
	struct laid l;
	int err = commit_lay(s, r.len, record_entry_len(&r), &l);

	if (err < 0)
		return err;
	memcpy(l.at, &r, sizeof(r));
	commit_add(s, &l, false);
	return 0;
}

void spool_note(struct spool *s, struct message *m, const struct note *note)
{
	for (uint32_t i = 0; i < note->finished_count; i++)
		message_finish_rcpt(m, note->finished[i]);
	m->attempt_count = note->attempt_count;
	m->due_s = note->due_s;
	if (lay_note(s, m, note) < 0)
		backlog_add(s, m->id);
}

void spool_finish(struct spool *s, struct message *m)
{
	if (lay_done(s, m->id) < 0)
		backlog_add(s, m->id);
	index_remove(s, m);
	m->gone = true;
	if (m->read_count == 0)
		index_give(s, m);
	compact_kick(s);
}

void backlog_add(struct spool *s, uint64_t id)
{
	if (s->backlog_count == BACKLOG_MAX) {
		log_begin(s->log, LOG_ERROR, "spool_outcome_lost");
		log_id(s->log, "id", id);
		log_end(s->log);
		return;
	}
	s->backlog[s->backlog_count++] = id;
}

/* The whole of what is true of the message. */
static int lay_state(struct spool *s, struct message *m)
{
	struct record r = {
	    .type = RECORD_NOTE,
	    .id = m->id,
	    .due_s = m->due_s,
	    .attempt_count = m->attempt_count,
	    .rcpt_count = m->rcpt_count,
	    .count = message_inside(m)->finished_count,
	};
	struct laid l;

	r.envelope_len = r.count * 4;
	r.len = record_len(&r);
	int err = commit_lay(s, r.len, record_entry_len(&r), &l);

	if (err < 0)
		return err;
	uint8_t *at = l.at + sizeof(r);

	memset(l.at + r.len - 8, 0, 8);
	for (uint32_t i = 0; i < m->rcpt_count; i++) {
		if (!message_rcpt_finished(m, i))
			continue;
		memcpy(at, &i, sizeof(i));
		at += sizeof(i);
	}
	r.envelope_crc = crc32c(0, l.at + sizeof(r), r.envelope_len);
	memcpy(l.at, &r, sizeof(r));
	commit_add(s, &l, false);
	return 0;
}

void backlog_run(struct spool *s)
{
	while (s->backlog_count > 0 && !s->failing) {
		uint64_t id = s->backlog[s->backlog_count - 1];
		struct message *m = spool_find(s, id);
		int err = m == NULL ? lay_done(s, id) : lay_state(s, m);

		if (err < 0)
			return;
		s->backlog_count--;
	}
}
