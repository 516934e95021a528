/* control.c -- the worker's end of `smarthost queue`.
 *
 * A session is a small machine: read the line, note the ids it is about, then
 * for each of them read the envelope (from the spool, so it may wait) and write
 * its text; send whenever a good part of the room is full.  So a list of a
 * million messages costs eight bytes for each and never holds the loop up. */
#include "core/control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/id.h"

#define SEND_AT (CONTROL_OUT_ROOM / 2)
#define CONTENT_BLOCK 16384
#define ACCEPT_AGAIN_MS 100
#define WAIT_MS 600000 /* `queue list | less` may stand still for a while */

enum control_verb { VERB_LIST, VERB_SHOW };

struct control_session {
	struct control *control;
	struct op recv;
	struct op send;
	struct timer timer; /* while we wait for the other end */
	int fd;
	enum control_verb verb;
	bool ended; /* everything is in `out` */
	bool broken;
	struct buf line;
	struct buf out;
	struct msghdr message;
	struct iovec iov;
	uint64_t *ids; /* mapped, CONTROL_ID_MAX */
	size_t id_count;
	size_t id_next;
	uint64_t id;	       /* whose envelope or content is being read */
	uint64_t content_next; /* `show`: the offset of the next block */
	bool in_content;
	bool in_line; /* the last block ended inside a line */
	struct spool_read read;
	uint8_t line_room[CONTROL_LINE_MAX];
	uint8_t out_room[CONTROL_OUT_ROOM];
	uint8_t envelope[ENVELOPE_LEN_MAX];
};

static void step(struct control_session *s);

static void finish(struct control_session *s)
{
	if (s->recv.busy || s->send.busy || s->read.busy)
		return;
	timer_disarm(&s->timer);
	loop_close(s->control->service->loop, s->fd);
	if (s->ids != NULL)
		munmap(s->ids, CONTROL_ID_MAX * sizeof(uint64_t));
	pool_give(&s->control->sessions, s);
}

static void on_timer(struct timer *t)
{
	struct control_session *s =
	    container_of(t, struct control_session, timer);
	struct loop *loop = s->control->service->loop;

	loop_cancel(loop, &s->recv);
	loop_cancel(loop, &s->send);
}

static void arm(struct control_session *s)
{
	timer_arm(loop_timers(s->control->service->loop), &s->timer, WAIT_MS);
}

static void on_sent(struct op *op, int result)
{
	struct control_session *s =
	    container_of(op, struct control_session, send);

	if (result < 0 || (size_t)result != s->out.len)
		s->broken = true;
	buf_clear(&s->out);
	if (s->broken || s->ended)
		finish(s);
	else
		step(s);
}

static void send_out(struct control_session *s)
{
	s->iov = (struct iovec){s->out.at, s->out.len};
	s->message = (struct msghdr){.msg_iov = &s->iov, .msg_iovlen = 1};
	arm(s);
	loop_send(
	    s->control->service->loop, &s->send, s->fd, &s->message, on_sent);
}

static void end(struct control_session *s)
{
	buf_put_str(&s->out, ".\n");
	s->ended = true;
	send_out(s);
}

static void fail(struct control_session *s, const char *why)
{
	buf_printf(&s->out, "!%s\n", why);
	end(s);
}

static struct message *find(struct control_session *s, uint64_t id)
{
	struct spool *spool = s->control->service->spools[id >> ID_SHARD_SHIFT];

	return spool == NULL ? NULL : spool_find(spool, id);
}

/* Destinations by comma, and the first error among them. */
static void put_destinations(struct buf *out, const struct message *m,
    struct slice *error, uint32_t *due_s)
{
	const struct entry *first = m->owner;
	const struct entry *e = first;

	*error = SLICE("");
	*due_s = 0;
	if (first == NULL) {
		buf_put_byte(out, '-');
		return;
	}
	do {
		const struct destination *d = e->destination;

		if (e != first)
			buf_put_byte(out, ',');
		buf_put(out, destination_name(d));
		if (error->len == 0)
			*error = slice_of(d->error, d->error_len);
		bool waits =
		    e->state == ENTRY_BY_REPLY || e->state == ENTRY_BY_SITE;

		if (waits && (*due_s == 0 || e->due_s < *due_s))
			*due_s = e->due_s;
		e = entry_sibling(e);
	} while (e != first && buf_left(out) > 4096);
}

/* On one line, in one column. */
static void put_text(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		buf_put_byte(out, text.at[i] < ' ' ? ' ' : text.at[i]);
}

static void put_row(struct control_session *s, const struct message *m,
    const struct envelope *e)
{
	uint8_t room[8192];
	struct buf destinations = buf_over(room, sizeof(room));
	struct id_text id = id_format(m->id);
	struct slice error;
	uint32_t due_s;

	put_destinations(&destinations, m, &error, &due_s);
	buf_printf(&s->out, " %s\t%u\t%llu\t%u\t%u\t%u\t", id.at, m->received_s,
	    (unsigned long long)m->content_len, message_rcpts_left(m),
	    m->attempt_count, due_s);
	buf_put(&s->out, buf_slice(&destinations));
	buf_put_byte(&s->out, '\t');
	buf_put(&s->out, e->sender.len > 0 ? e->sender : SLICE("<>"));
	buf_put_byte(&s->out, '\t');
	put_text(&s->out, error);
	buf_put_byte(&s->out, '\n');
}

static void put_field(struct buf *out, const char *name, struct slice value)
{
	buf_printf(out, " %s: ", name);
	buf_put(out, value);
	buf_put_byte(out, '\n');
}

static void put_state(struct buf *out, const struct message *m)
{
	const struct entry *first = m->owner;
	const struct entry *e = first;

	if (first == NULL)
		return;
	do {
		const struct destination *d = e->destination;

		buf_put_str(out, " destination: ");
		buf_put(out, destination_name(d));
		switch ((enum entry_state)e->state) {
		case ENTRY_READY: buf_put_str(out, " ready"); break;
		case ENTRY_BY_REPLY:
		case ENTRY_BY_SITE:
			buf_printf(out, " waiting until=%u", e->due_s);
			break;
		case ENTRY_TAKEN:
		case ENTRY_REFUSED: buf_put_str(out, " being delivered"); break;
		}
		buf_printf(out, " attempts=%u connections=%u queued=%u",
		    e->attempt_count, d->connection_count,
		    d->ready_count + d->waiting_count);
		if (d->paused_until_s > 0)
			buf_printf(out, " paused_until=%llu",
			    (unsigned long long)d->paused_until_s);
		if (d->error_len > 0) {
			buf_put_str(out, " last_error=");
			put_text(out, slice_of(d->error, d->error_len));
		}
		buf_put_byte(out, '\n');
		e = entry_sibling(e);
	} while (e != first && buf_left(out) > 8192);
}

static void put_message(struct control_session *s, const struct message *m,
    const struct envelope *e, struct slice rest)
{
	struct buf *out = &s->out;
	struct id_text id = id_format(m->id);
	struct envelope_rcpt r;

	put_field(out, "id", slice_of(id.at, id.len));
	put_field(out, "from", e->sender.len > 0 ? e->sender : SLICE("<>"));
	put_field(out, "client", e->client);
	buf_printf(out, " received: %u\n size: %llu\n", m->received_s,
	    (unsigned long long)m->content_len);
	put_state(out, m);
	for (uint32_t i = 0; envelope_get_rcpt(&rest, &r); i++) {
		if (buf_left(out) < 1024) {
			buf_put_str(out, " ... more recipients\n");
			return;
		}
		put_field(out, message_rcpt_finished(m, i) ? "finished" : "to",
		    r.address);
	}
}

static void put_one(struct control_session *s, const struct message *m)
{
	struct envelope e;
	struct slice rest;

	if (!envelope_get(slice_of(s->envelope, m->envelope_len), &e, &rest))
		return;
	if (s->verb == VERB_LIST) {
		put_row(s, m, &e);
		return;
	}
	put_message(s, m, &e, rest);
	buf_put_str(&s->out, " \n");
	s->in_content = true;
}

/* Stored bytes as lines of the answer: without CR and the doubled dot. */
static void put_content(struct control_session *s, struct slice block)
{
	for (size_t i = 0; i < block.len; i++) {
		uint8_t c = block.at[i];

		if (!s->in_line) {
			buf_put_byte(&s->out, ' ');
			s->in_line = true;
			if (c == '.')
				continue;
		}
		if (c == '\n')
			s->in_line = false;
		if (c != '\r')
			buf_put_byte(&s->out, c);
	}
}

static void on_content(struct spool_read *r, int result)
{
	struct control_session *s =
	    container_of(r, struct control_session, read);

	if (result > 0) {
		s->content_next += (uint64_t)result;
		put_content(s, slice_of(s->envelope, (size_t)result));
	} else {
		s->in_content = false;
	}
	step(s);
}

/* False: that was all of it. */
static bool read_content(struct control_session *s)
{
	const struct message *m = find(s, s->id);

	if (m == NULL || s->content_next >= m->content_len)
		return false;
	s->read = (struct spool_read){.done = on_content};
	spool_read(outbound_spool_of(s->control->service, m), m,
	    s->content_next, s->envelope, CONTENT_BLOCK, &s->read);
	return true;
}

static void on_envelope(struct spool_read *r, int result)
{
	struct control_session *s =
	    container_of(r, struct control_session, read);
	struct message *m = find(s, s->id);

	/* It may have been delivered while we were reading. */
	if (m != NULL && result == (int)m->envelope_len)
		put_one(s, m);
	step(s);
}

static void step(struct control_session *s)
{
	if (s->out.len >= SEND_AT) {
		send_out(s);
		return;
	}
	if (s->in_content && read_content(s))
		return;
	while (s->id_next < s->id_count) {
		s->id = s->ids[s->id_next++];
		struct message *m = find(s, s->id);

		if (m == NULL)
			continue;
		s->read = (struct spool_read){.done = on_envelope};
		spool_read_envelope(outbound_spool_of(s->control->service, m),
		    m, s->envelope, &s->read);
		return;
	}
	end(s);
}

static void note_id(void *arg, struct message *m)
{
	struct control_session *s = arg;

	if (s->id_count < CONTROL_ID_MAX)
		s->ids[s->id_count++] = m->id;
}

static void list(struct control_session *s)
{
	s->verb = VERB_LIST;
	for (unsigned i = 0; i < OUTBOUND_SPOOLS_MAX; i++)
		if (s->control->service->spools[i] != NULL)
			spool_each(s->control->service->spools[i], note_id, s);
	step(s);
}

static void retry(struct control_session *s, struct message *m)
{
	struct outbound_service *service = s->control->service;
	uint64_t now_s = loop_wall_s(service->loop);

	if (m == NULL)
		scheduler_retry_all(service->scheduler);
	else if (m->owner != NULL)
		scheduler_retry(service->scheduler, m->owner, now_s);
	outbound_service_dispatch(service);
	buf_put_str(
	    &s->out, m == NULL ? " everything is due now\n" : " due now\n");
	end(s);
}

static void delete (struct control_session *s, struct message *m)
{
	struct outbound_service *service = s->control->service;
	uint64_t id = m->id;

	if (!outbound_service_delete(service, m)) {
		fail(s, "it is being delivered right now: try again");
		return;
	}
	log_begin(service->log, LOG_WARN, "deleted");
	log_id(service->log, "id", id);
	log_str(service->log, "reply", "by the operator, without a report");
	log_end(service->log);
	buf_put_str(&s->out, " deleted\n");
	end(s);
}

static void obey(struct control_session *s, struct slice line)
{
	struct slice verb = slice_cut_at(&line, ' ');
	struct slice argument = slice_trim(line);
	struct message *m = NULL;
	uint64_t id;

	if (argument.len > 0) {
		if (id_parse(argument, &id))
			m = find(s, id);
		if (m == NULL) {
			fail(s, "unknown id");
			return;
		}
	}
	if (slice_eq(verb, SLICE("list"))) {
		list(s);
	} else if (slice_eq(verb, SLICE("health"))) {
		buf_put_str(&s->out, " a worker takes mail\n");
		end(s);
	} else if (slice_eq(verb, SLICE("retry"))) {
		retry(s, m);
	} else if (slice_eq(verb, SLICE("show")) && m != NULL) {
		s->verb = VERB_SHOW;
		s->ids[s->id_count++] = m->id;
		step(s);
	} else if (slice_eq(verb, SLICE("delete")) && m != NULL) {
		delete (s, m);
	} else {
		fail(s, "unknown command");
	}
}

static void on_received(struct op *op, int result)
{
	struct control_session *s =
	    container_of(op, struct control_session, recv);

	if (result <= 0 || !buf_put(&s->line, op->received)) {
		s->broken = true;
		finish(s);
		return;
	}
	size_t len = slice_find(buf_slice(&s->line), '\n');

	if (len < s->line.len)
		obey(s, slice_of(s->line.at, len));
	else
		loop_recv(
		    s->control->service->loop, &s->recv, s->fd, on_received);
}

static void on_accepted(struct op *op, int result)
{
	struct control *c = container_of(op, struct control, accept);
	struct loop *loop = c->service->loop;

	if (result < 0) {
		if (!op->busy && c->fd >= 0)
			timer_arm(
			    loop_timers(loop), &c->again, ACCEPT_AGAIN_MS);
		return;
	}
	struct control_session *s = pool_take(&c->sessions);

	if (s == NULL) {
		loop_close(loop, result);
		return;
	}
	memset(s, 0, offsetof(struct control_session, line_room));
	s->control = c;
	s->fd = result;
	s->line = buf_over(s->line_room, sizeof(s->line_room));
	s->out = buf_over(s->out_room, sizeof(s->out_room));
	void *ids = mmap(NULL, CONTROL_ID_MAX * sizeof(uint64_t),
	    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
	    -1, 0);

	if (ids == MAP_FAILED) {
		loop_close(loop, result);
		pool_give(&c->sessions, s);
		return;
	}
	s->ids = ids;
	timer_init(&s->timer, on_timer);
	arm(s);
	loop_recv(loop, &s->recv, s->fd, on_received);
}

static void on_again(struct timer *t)
{
	struct control *c = container_of(t, struct control, again);

	if (!c->accept.busy)
		loop_accept(c->service->loop, &c->accept, c->fd, on_accepted);
}

int control_open(
    struct control *c, struct outbound_service *service, unsigned shard)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int err = pool_init(&c->sessions, "control",
	    sizeof(struct control_session), CONTROL_SESSIONS_MAX);

	if (err < 0)
		return err;
	c->service = service;
	timer_init(&c->again, on_again);
	snprintf(c->path, sizeof(c->path), "%u/control", shard);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", c->path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return -errno;
	unlink(c->path); /* of a run that was killed; the shard is locked */
	mode_t mask = umask(0177);
	int failed = bind(c->fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
		     listen(c->fd, CONTROL_SESSIONS_MAX) < 0;

	err = -errno;
	umask(mask);
	if (failed) {
		close(c->fd);
		c->fd = -1;
		return err;
	}
	loop_accept(service->loop, &c->accept, c->fd, on_accepted);
	return 0;
}

void control_close(struct control *c)
{
	if (c->fd >= 0)
		unlink(c->path);
}
