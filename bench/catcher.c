/* catcher.c -- an SMTP receiver that does as little as it can.
 *
 * It is no mail server: commands are told by their first letters, whatever is
 * not MAIL, RCPT, DATA, QUIT or the like gets 250, and a message is looked
 * through for its id, up to the blank line, and for its end, by its dots.
 *
 * Replies gather in one of two buffers while the other one is being sent; the
 * receive is armed together with the send. */
#include "bench/catcher.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/letter.h"
#include "bench/machine.h"

enum catcher_mode { MODE_COMMAND, MODE_HEADER, MODE_BODY, MODE_WAIT, MODE_TLS };

struct catcher {
	struct catchers *all;
	struct stream stream;
	struct op closing;
	struct timer slow;
	enum catcher_mode mode;
	bool over;    /* to be closed when what was said is sent */
	bool ending;  /* being closed */
	bool tls_due; /* STARTTLS was answered */
	bool in_tls;
	uint8_t matched; /* of CR LF . CR LF */
	uint32_t made;
	uint64_t mask; /* recipients */
	unsigned foreign_count;
	uint64_t sender_hash;
	uint64_t len;
	struct arrival_id id;
	struct iovec iov;
	struct msghdr message;
	unsigned filling; /* which of the two */
	struct buf out[2];
	size_t held_len;
	uint8_t room[2][2048];
	uint8_t held[1024]; /* the beginning of a line */
};

static void on_received(struct stream *stream, int result);
static void on_sent(struct stream *stream, int result);
static void take(struct catcher *c, struct slice in);

/* ---- the end ---- */

static void on_closing(struct op *op, int result)
{
	struct catcher *c = container_of(op, struct catcher, closing);

	(void)result;
	stream_close(&c->stream, false);
	c->all->live_count--;
	pool_give(&c->all->pool, c);
}

static void end(struct catcher *c)
{
	if (!c->ending && stream_busy(&c->stream))
		stream_cancel(&c->stream);
	c->ending = true;
	timer_disarm(&c->slow);
	if (!stream_busy(&c->stream) && !c->closing.busy) {
		c->closing.done = on_closing;
		loop_defer(c->all->loop, &c->closing, 0);
	}
}

/* ---- talking ---- */

static void say(struct catcher *c, struct slice text)
{
	buf_put(&c->out[c->filling], text);
}

static void flush(struct catcher *c)
{
	struct buf *b = &c->out[c->filling];

	if (b->len == 0 || stream_sending(&c->stream))
		return;
	c->iov = (struct iovec){b->at, b->len};
	c->message = (struct msghdr){.msg_iov = &c->iov, .msg_iovlen = 1};
	c->filling ^= 1;
	buf_clear(&c->out[c->filling]);
	stream_send(&c->stream, &c->message, on_sent);
}

static void on_handshake(struct stream *stream, int result)
{
	struct catcher *c = container_of(stream, struct catcher, stream);

	if (result < 0 || c->ending) {
		end(c);
		return;
	}
	c->mode = MODE_COMMAND;
	c->in_tls = true;
	stream_recv(stream, on_received);
}

/* What is next, after something was received or sent. */
static void go_on(struct catcher *c)
{
	flush(c);
	if (c->out[c->filling].overflowed) {
		c->all->counts.bad++;
		end(c);
	} else if (c->over) {
		if (!stream_sending(&c->stream))
			end(c);
	} else if (c->tls_due) {
		if (stream_sending(&c->stream))
			return;
		c->tls_due = false;
		c->mode = MODE_TLS;
		stream_accept_tls(&c->stream, c->all->tls, on_handshake);
	} else if (c->mode != MODE_WAIT && c->mode != MODE_TLS &&
		   !stream_receiving(&c->stream)) {
		stream_recv(&c->stream, on_received);
	}
}

static void on_sent(struct stream *stream, int result)
{
	struct catcher *c = container_of(stream, struct catcher, stream);

	if (result < 0 || c->ending)
		end(c);
	else
		go_on(c);
}

static void on_received(struct stream *stream, int result)
{
	struct catcher *c = container_of(stream, struct catcher, stream);

	if (result <= 0 || c->ending) {
		end(c);
		return;
	}
	take(c, stream->received);
	go_on(c);
}

/* ---- commands ---- */

static bool is_chance(struct catcher *c, uint32_t percent)
{
	return percent > 0 && rng_next(&c->all->rng) % 100 < percent;
}

/* A slot holds the upper half of the hash and the second it was first seen;
 * pairs that share a slot push each other out, which is seldom. */
static bool is_greylisted(struct catcher *c, struct slice rcpt)
{
	struct catchers *all = c->all;

	if (all->manners.greylist_s == 0)
		return false;
	uint64_t hash = slice_hash_nocase(rcpt, c->sender_hash);
	uint64_t *slot = &all->greylist[hash % CATCHER_GREYLIST];
	uint32_t now = (uint32_t)(machine_ns() / 1000000000u);

	if (*slot >> 32 != hash >> 32) {
		*slot = (hash & ~(uint64_t)UINT32_MAX) | now;
		return true;
	}
	return now - (uint32_t)*slot < all->manners.greylist_s;
}

static bool is_deferred(struct catcher *c, struct slice rcpt)
{
	const struct catcher_manners *m = &c->all->manners;

	if (m->defer_prefix != NULL &&
	    slice_starts_nocase(rcpt, slice_of_str(m->defer_prefix)))
		return true;
	return is_chance(c, m->defer_percent) || is_greylisted(c, rcpt);
}

/* "r3.17@...", behind any prefix that ends in a dot or not: recipient 3. */
static bool read_rcpt(struct slice address, uint64_t *rcpt)
{
	size_t at = slice_find(address, '@');

	if (at == address.len || at == 0)
		return false;
	/* Back over ".17" and over "3" to the r. */
	while (at > 0 && address.at[at - 1] != '.')
		at--;
	if (at < 2)
		return false;
	size_t stop = --at;
	while (at > 0 && address.at[at - 1] >= '0' && address.at[at - 1] <= '9')
		at--;
	return at > 0 && address.at[at - 1] == 'r' &&
	       slice_number(slice_of(address.at + at, stop - at), rcpt) &&
	       *rcpt < 64;
}

static struct slice path_of(struct slice line)
{
	(void)slice_cut_at(&line, '<');
	return slice_cut_at(&line, '>');
}

static void on_rcpt(struct catcher *c, struct slice line)
{
	struct slice address = path_of(line);
	uint64_t rcpt;

	if (is_deferred(c, address)) {
		c->all->counts.deferred++;
		say(c, SLICE("450 4.2.0 come again later\r\n"));
		return;
	}
	if (is_chance(c, c->all->manners.refuse_percent)) {
		c->all->counts.refused++;
		say(c, SLICE("550 5.1.1 nobody of that name\r\n"));
		return;
	}
	if (read_rcpt(address, &rcpt))
		c->mask |= (uint64_t)1 << rcpt;
	else
		c->foreign_count++;
	say(c, SLICE("250 2.1.5 ok\r\n"));
}

static void on_ehlo(struct catcher *c)
{
	const struct catcher_manners *m = &c->all->manners;

	say(c, SLICE("250-sink.example\r\n"));
	if (m->pipelining)
		say(c, SLICE("250-PIPELINING\r\n"));
	if (m->starttls && !c->in_tls)
		say(c, SLICE("250-STARTTLS\r\n"));
	say(c, SLICE("250-8BITMIME\r\n250-SIZE 1073741824\r\n"
		     "250 ENHANCEDSTATUSCODES\r\n"));
}

static void on_data(struct catcher *c)
{
	if (c->mask == 0 && c->foreign_count == 0) {
		say(c, SLICE("554 5.5.1 no recipients\r\n"));
		return;
	}
	say(c, SLICE("354 go on\r\n"));
	c->mode = MODE_HEADER;
	c->len = 0;
	c->id.known = false;
}

/* The first four letters, whatever their case. */
static uint32_t verb_of(struct slice line)
{
	uint32_t verb = 0;

	for (size_t i = 0; i < 4; i++)
		verb =
		    verb << 8 | (i < line.len ? byte_lower(line.at[i]) : ' ');
	return verb;
}
#define VERB(a, b, c, d)                                                       \
	((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))

static void command(struct catcher *c, struct slice line)
{
	switch (verb_of(line)) {
	case VERB('e', 'h', 'l', 'o'): on_ehlo(c); return;
	case VERB('m', 'a', 'i', 'l'):
		c->mask = 0;
		c->foreign_count = 0;
		if (c->all->manners.greylist_s > 0)
			c->sender_hash = slice_hash_nocase(path_of(line), 7);
		say(c, SLICE("250 2.1.0 ok\r\n"));
		return;
	case VERB('r', 'c', 'p', 't'): on_rcpt(c, line); return;
	case VERB('d', 'a', 't', 'a'): on_data(c); return;
	case VERB('s', 't', 'a', 'r'):
		if (!c->all->manners.starttls || c->in_tls) {
			say(c, SLICE("502 5.5.1 not here\r\n"));
			return;
		}
		say(c, SLICE("220 2.0.0 go on\r\n"));
		c->tls_due = true;
		return;
	case VERB('q', 'u', 'i', 't'):
		say(c, SLICE("221 2.0.0 bye\r\n"));
		c->over = true;
		return;
	default: say(c, SLICE("250 2.0.0 ok\r\n")); return;
	}
}

/* ---- messages ---- */

static void answer_dot(struct catcher *c)
{
	const struct catcher_manners *m = &c->all->manners;

	c->mode = MODE_COMMAND;
	say(c, SLICE("250 2.0.0 got it\r\n"));
	if (m->quit_after > 0 && c->made >= m->quit_after) {
		say(c, SLICE("421 4.3.2 enough for today\r\n"));
		c->over = true;
	}
}

static void on_slow(struct timer *t)
{
	struct catcher *c = container_of(t, struct catcher, slow);
	uint8_t rest[sizeof(c->held)];
	size_t len = c->held_len;

	answer_dot(c);
	memcpy(rest, c->held, len);
	c->held_len = 0;
	take(c, slice_of(rest, len));
	go_on(c);
}

static void message_ends(struct catcher *c)
{
	struct catchers *all = c->all;

	all->counts.messages++;
	c->made++;
	arrivals_take(
	    &all->arrivals, &c->id, c->mask, c->foreign_count, c->len);
	if (all->manners.slow_ms == 0) {
		answer_dot(c);
		return;
	}
	c->mode = MODE_WAIT;
	timer_arm(loop_timers(all->loop), &c->slow, all->manners.slow_ms);
}

static void header_line(struct catcher *c, struct slice line)
{
	c->len += line.len + 2;
	if (line.len == 0) {
		c->mode = MODE_BODY;
		c->matched = 2; /* at the beginning of a line */
	} else if (line.len == 1 && line.at[0] == '.') {
		message_ends(c);
	} else if (line.at[0] == LETTER_ID[0] &&
		   slice_starts_nocase(line, SLICE(LETTER_ID))) {
		(void)slice_cut(&line, sizeof(LETTER_ID) - 1);
		arrival_read_id(&c->id, line);
	}
}

/* One byte further in CR LF . CR LF; true when it is whole. */
static bool match(struct catcher *c, uint8_t byte)
{
	static const uint8_t end_of_data[] = {'\r', '\n', '.', '\r', '\n'};

	if (byte == end_of_data[c->matched])
		c->matched++;
	else
		c->matched = byte == '\r';
	return c->matched == sizeof(end_of_data);
}

/* Bytes of the body up to and with its end, or all; true: it was the end.
 * Only dots are looked for: what may be an end is then matched bytewise. */
static bool find_end(struct catcher *c, struct slice in, size_t *used)
{
	size_t i = 0;

	while (i < in.len) {
		if (c->matched > 0) {
			if (match(c, in.at[i++])) {
				*used = i;
				return true;
			}
			continue;
		}
		const uint8_t *dot = memchr(in.at + i, '.', in.len - i);
		size_t near = dot == NULL ? in.len : (size_t)(dot - in.at);
		size_t back = dot == NULL ? 4 : 2;

		/* From just before it, or from where the next buffer's end of
		 * data may begin. */
		if (near > i + back)
			i = near - back;
		do {
			if (match(c, in.at[i++])) {
				*used = i;
				return true;
			}
		} while (c->matched == 0 && i < in.len && i <= near);
	}
	*used = in.len;
	return false;
}

static void take_body(struct catcher *c, struct slice *in)
{
	size_t used;
	bool ended = find_end(c, *in, &used);

	(void)slice_cut(in, used);
	c->len += used;
	if (ended)
		message_ends(c);
}

static void hold(struct catcher *c, struct slice *in)
{
	if (in->len > sizeof(c->held) - c->held_len) {
		c->all->counts.bad++;
		c->over = true;
		return;
	}
	memcpy(c->held + c->held_len, in->at, in->len);
	c->held_len += in->len;
	*in = (struct slice){NULL, 0};
}

static void take_line(struct catcher *c, struct slice *in)
{
	size_t len = slice_find(*in, '\n');

	if (len == in->len) {
		hold(c, in);
		return;
	}
	struct slice line = slice_cut(in, len + 1);
	if (c->held_len > 0) {
		hold(c, &line);
		if (c->over)
			return;
		line = slice_of(c->held, c->held_len);
		c->held_len = 0;
	}
	line.len--;
	if (line.len > 0 && line.at[line.len - 1] == '\r')
		line.len--;
	if (c->mode == MODE_HEADER)
		header_line(c, line);
	else
		command(c, line);
}

static void take(struct catcher *c, struct slice in)
{
	while (in.len > 0 && !c->over && !c->tls_due) {
		switch (c->mode) {
		case MODE_COMMAND:
		case MODE_HEADER: take_line(c, &in); break;
		case MODE_BODY: take_body(c, &in); break;
		case MODE_WAIT: hold(c, &in); break;
		case MODE_TLS: return;
		}
	}
}

/* ---- the beginning ---- */

static void begin(struct catchers *all, int fd)
{
	static const int yes = 1;
	struct catcher *c = pool_take(&all->pool);
	uint32_t limit = all->manners.limit;

	if (c == NULL) {
		close(fd);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	all->counts.connections++;
	if (++all->live_count > all->counts.connections_max)
		all->counts.connections_max = all->live_count;
	memset(c, 0, offsetof(struct catcher, room));
	c->all = all;
	c->out[0] = buf_over(c->room[0], sizeof(c->room[0]));
	c->out[1] = buf_over(c->room[1], sizeof(c->room[1]));
	stream_init(&c->stream, &all->streams, fd);
	timer_init(&c->slow, on_slow);
	if (limit > 0 && all->live_count > limit) {
		all->counts.turned_away++;
		say(c, SLICE("421 4.7.0 too many connections\r\n"));
		c->over = true;
	} else if (!all->manners.silent) {
		say(c, SLICE("220 sink.example ESMTP\r\n"));
	}
	go_on(c);
}

static void on_accept(struct op *op, int result)
{
	struct catcher_door *door = container_of(op, struct catcher_door, op);

	if (result >= 0)
		begin(door->all, result);
}

int catchers_open(struct catchers *all, struct loop *loop)
{
	size_t len = CATCHER_GREYLIST * sizeof(*all->greylist);
	int err = pool_init(&all->pool, "sessions", sizeof(struct catcher),
	    CATCHER_SESSIONS_MAX);

	all->loop = loop;
	all->greylist = mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (all->greylist == MAP_FAILED)
		return -ENOMEM;
	if (err == 0)
		err = arrivals_open(&all->arrivals);
	if (err == 0)
		err = stream_service_open(&all->streams, loop,
		    all->manners.starttls ? CATCHER_SESSIONS_MAX : 1);
	return err;
}

void catchers_accept(struct catchers *all, unsigned index, int fd)
{
	check(index < CATCHER_LISTEN_MAX);
	all->doors[index].all = all;
	loop_accept(all->loop, &all->doors[index].op, fd, on_accept);
}
