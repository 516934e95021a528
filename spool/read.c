/* read.c -- a message's bytes back again.
 *
 * What the image still has is copied at once (and told in the next turn).  The
 * rest comes from disk, by units: a unit is a run of bytes with one checksum,
 * that is the envelope of a record (with its bits), head and tail of a record,
 * or a piece.  A unit is always read whole, through an aligned buffer, summed,
 * and the part that was asked for copied out; so no byte is handed out whose
 * checksum was not right.
 *
 * There are few buffers (bounces); who finds none waits on spool->reads.  The
 * place of a piece is looked up in the list behind its message's envelope; if
 * that list is damaged, the piece's checksum tells.
 *
 * While a unit is read its segment is held (read_count).  Between two units the
 * message may have been moved: places are taken from it anew each time.  It may
 * even have been finished: its struct stays as long as it is read. */
#include "spool/read.h"

#include <errno.h>

#include "spool/commit.h"
#include "spool/compact.h"
#include "spool/crc.h"
#include "spool/image.h"
#include "spool/index.h"
#include "spool/segment.h"

/* The private words of a spool_read. */
struct read_inside {
	struct spool *spool;
	const struct message *message;
	uint8_t *at;
	uint64_t offset; /* in the content, of the next byte wanted */
	uint32_t len;	 /* still wanted */
	uint32_t got;
	bool envelope; /* that, and not content */
};
_Static_assert(sizeof(struct read_inside) <=
		   sizeof(((struct spool_read *)0)->private_words),
    "fits");

static struct read_inside *inside(struct spool_read *r)
{
	return (struct read_inside *)(void *)r->private_words;
}

/* A run of bytes with one checksum. */
struct unit {
	struct segment *segment;
	uint32_t offset;
	uint32_t len;
	uint32_t crc;
	uint64_t content_offset; /* of its first byte */
};

int reads_open(struct spool *s)
{
	list_init(&s->reads);
	s->bounce_memory = memory_map(BOUNCES * (size_t)BOUNCE_LEN);
	if (s->bounce_memory == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < BOUNCES; i++)
		s->bounces[i] = (struct bounce){
		    .spool = s,
		    .at = s->bounce_memory + i * BOUNCE_LEN,
		};
	return 0;
}

void reads_close(struct spool *s)
{
	memory_unmap(s->bounce_memory, BOUNCES * (size_t)BOUNCE_LEN);
}

/* The message, whose count of reads is the spool's own to change. */
static struct message *message_at_read(struct spool_read *r)
{
	return (struct message *)(uintptr_t)inside(r)->message;
}

static void on_told(struct op *op, int result)
{
	struct spool_read *r = container_of(op, struct spool_read, op);

	const struct read_inside *in = inside(r);

	struct message *m = message_at_read(r);

	in->spool->reads_busy--;
	m->read_count--;
	/* An envelope that was lost is kept as zeros (compact.c). */
	if (in->envelope && result > 0 &&
	    message_inside(in->message)->damaged && in->at[0] == 0)
		result = -EBADMSG;
	if (m->gone && m->read_count == 0)
		index_give(in->spool, m);
	r->busy = false;
	r->done(r, result);
}

static void tell(struct spool_read *r, int result)
{
	r->op.done = on_told;
	loop_defer(inside(r)->spool->loop, &r->op, result);
}

static uint32_t bits_len(const struct message *m, bool moved)
{
	return moved ? (m->rcpt_count + 7u) / 8 : 0;
}

/* Where head and tail lie. */
static struct unit content_unit(struct spool *s, const struct message *m)
{
	const struct message_inside *in = message_inside(m);
	uint64_t pieces_len = (uint64_t)in->chunk_count * RECORD_PIECE_LEN;

	return (struct unit){
	    .segment = &s->segments[in->slot],
	    .offset = in->offset + (uint32_t)sizeof(struct record) +
		      m->envelope_len + bits_len(m, in->moved) +
		      in->chunk_count * (uint32_t)sizeof(struct chunk_ref),
	    .len = (uint32_t)(m->content_len - pieces_len),
	    .crc = in->content_crc,
	};
}

static uint32_t ref_offset(const struct message *m, uint32_t chunk)
{
	const struct message_inside *in = message_inside(m);

	return in->offset + (uint32_t)sizeof(struct record) + m->envelope_len +
	       bits_len(m, in->moved) +
	       chunk * (uint32_t)sizeof(struct chunk_ref);
}

static void run(struct bounce *b);

static void on_given(struct op *op, int result)
{
	(void)result;
	run(container_of(op, struct bounce, op));
}

/* The buffer goes to the next that waits for one. */
static void give(struct bounce *b)
{
	struct list *node = list_pop_front(&b->spool->reads);

	b->read = NULL;
	if (node == NULL)
		return;
	b->read = container_of(node, struct spool_read, link);
	b->op.done = on_given;
	loop_defer(b->spool->loop, &b->op, 0);
}

static void finish(struct bounce *b, int result)
{
	struct spool_read *r = b->read;

	tell(r, result < 0 ? result : (int)inside(r)->got);
	give(b);
}

static void on_read(struct op *op, int result);

/* Reads the next blocks of the unit, as many as the buffer holds. */
static void read_step(struct bounce *b)
{
	uint32_t from = b->unit_offset + b->unit_pos;
	uint32_t block = from / BLOCK_LEN * BLOCK_LEN;
	uint64_t end =
	    round_up((uint64_t)b->unit_offset + b->unit_len, BLOCK_LEN);

	if (end - block > BOUNCE_LEN)
		end = block + BOUNCE_LEN;
	int fd = segment_fd(b->spool, b->segment);

	if (fd < 0 || end > b->segment->len) {
		finish(b, fd < 0 ? fd : -EBADMSG);
		return;
	}
	b->step_at = from - block;
	b->step_len = (uint32_t)(end - from);
	if (b->step_len > b->unit_len - b->unit_pos)
		b->step_len = b->unit_len - b->unit_pos;
	b->segment->read_count++;
	loop_read(
	    b->spool->loop, &b->op, fd, b->at, end - block, block, on_read);
}

/* What the caller wants of the bytes that this step brought. */
static void copy_out(struct bounce *b, const uint8_t *bytes, uint32_t len)
{
	struct read_inside *in = inside(b->read);
	uint32_t from = b->unit_pos;
	uint32_t to = from + len;
	uint32_t want_to = b->want_from + b->want_len;

	if (from < b->want_from)
		from = b->want_from;
	if (to > want_to)
		to = want_to;
	if (from >= to)
		return;
	memcpy(in->at + in->got + (from - b->want_from),
	    bytes + (from - b->unit_pos), to - from);
}

static void unit_done(struct bounce *b)
{
	struct read_inside *in = inside(b->read);

	in->got += b->want_len;
	in->len -= b->want_len;
	in->offset += b->want_len;
}

static void looked_up(struct bounce *b, const uint8_t *ref_at);

static void on_read(struct op *op, int result)
{
	struct bounce *b = container_of(op, struct bounce, op);
	const uint8_t *bytes = b->at + b->step_at;

	b->segment->read_count--;
	if (result >= 0 && (uint32_t)result < b->step_at + b->step_len)
		result = -EIO;
	if (result < 0) {
		finish(b, result);
		return;
	}
	if (b->looking_up) {
		looked_up(b, bytes);
		return;
	}
	b->crc = crc32c(b->crc, bytes, b->step_len);
	copy_out(b, bytes, b->step_len);
	b->unit_pos += b->step_len;
	if (b->unit_pos < b->unit_len) {
		read_step(b);
		return;
	}
	if (b->crc != b->unit_crc) {
		finish(b, -EBADMSG);
		return;
	}
	unit_done(b);
	run(b);
}

/* Reads a unit, of which what is wanted starts `from` bytes in. */
static void begin_unit(struct bounce *b, const struct unit *u, uint64_t from)
{
	struct read_inside *in = inside(b->read);

	b->segment = u->segment;
	b->unit_offset = u->offset;
	b->unit_len = u->len;
	b->unit_pos = 0;
	b->unit_crc = u->crc;
	b->crc = 0;
	b->looking_up = false;
	b->want_from = (uint32_t)from;
	b->want_len =
	    (b->want_limit < u->len ? b->want_limit : u->len) - (uint32_t)from;
	if (b->want_len > in->len)
		b->want_len = in->len;
	const uint8_t *bytes = image_find(b->spool, u->segment, u->offset);

	if (bytes == NULL) {
		read_step(b);
		return;
	}
	memcpy(in->at + in->got, bytes + from, b->want_len);
	unit_done(b);
	run(b);
}

static void looked_up(struct bounce *b, const uint8_t *ref_at)
{
	struct read_inside *in = inside(b->read);
	const struct message_inside *m = message_inside(in->message);
	struct chunk_ref ref;

	memcpy(&ref, ref_at, sizeof(ref));
	struct unit u = {
	    .segment = segment_find(b->spool, ref.number),
	    .offset = ref.offset + (uint32_t)sizeof(struct record),
	    .len = RECORD_PIECE_LEN,
	    .crc = ref.crc,
	};
	if (u.segment == NULL || ref.offset > u.segment->len) {
		finish(b, -EBADMSG);
		return;
	}
	begin_unit(b, &u,
	    in->offset - m->head_len - (uint64_t)b->chunk * RECORD_PIECE_LEN);
}

/* Finds out where a piece lies, then reads it. */
static void look_up(struct bounce *b, uint32_t chunk)
{
	const struct message *m = inside(b->read)->message;
	struct segment *g = &b->spool->segments[message_inside(m)->slot];
	uint32_t offset = ref_offset(m, chunk);
	const uint8_t *ref_at = image_find(b->spool, g, offset);

	b->chunk = chunk;
	if (ref_at != NULL) {
		looked_up(b, ref_at);
		return;
	}
	b->segment = g;
	b->unit_offset = offset;
	b->unit_len = sizeof(struct chunk_ref);
	b->unit_pos = 0;
	b->looking_up = true;
	read_step(b);
}

/* Envelope and bits; the head before them, which has their checksum, too. */
static void run_envelope(struct bounce *b)
{
	struct read_inside *in = inside(b->read);
	const struct message_inside *m = message_inside(in->message);
	struct unit u = {
	    .segment = &b->spool->segments[m->slot],
	    .offset = m->offset + (uint32_t)sizeof(struct record),
	    .len = in->message->envelope_len + bits_len(in->message, m->moved),
	    .crc = m->envelope_crc,
	};

	begin_unit(b, &u, 0);
}

/* The read's next unit: head, pieces, tail. */
static void run_content(struct bounce *b)
{
	struct read_inside *in = inside(b->read);
	const struct message_inside *m = message_inside(in->message);
	uint64_t pieces_len = (uint64_t)m->chunk_count * RECORD_PIECE_LEN;
	struct unit u = content_unit(b->spool, in->message);

	if (in->offset < m->head_len) {
		/* In the unit the tail follows the head, in the content only
		 * when there are no pieces. */
		if (pieces_len > 0)
			b->want_limit = m->head_len;
		begin_unit(b, &u, in->offset);
	} else if (in->offset < m->head_len + pieces_len) {
		look_up(b,
		    (uint32_t)((in->offset - m->head_len) / RECORD_PIECE_LEN));
	} else {
		begin_unit(b, &u, in->offset - pieces_len);
	}
}

static void run(struct bounce *b)
{
	struct read_inside *in = inside(b->read);

	b->chunk = UINT32_MAX;
	b->want_limit = UINT32_MAX;
	if (in->len == 0)
		finish(b, 0);
	else if (in->message->gone) /* its place may be somebody else's */
		finish(b, -ENOENT);
	else if (in->envelope)
		run_envelope(b);
	else
		run_content(b);
}

static void start(struct spool *s, struct spool_read *r)
{
	s->reads_busy++;
	s->active_ms = loop_now_ms(s->loop);
	if (message_inside(inside(r)->message)->damaged &&
	    !inside(r)->envelope) {
		tell(r, -EBADMSG);
		return;
	}
	for (size_t i = 0; i < BOUNCES; i++) {
		struct bounce *b = &s->bounces[i];

		if (b->read != NULL)
			continue;
		b->read = r;
		b->op.done = on_given;
		loop_defer(s->loop, &b->op, 0);
		return;
	}
	list_push_back(&s->reads, &r->link);
}

/* All of it copied from the image, if that still has it. */
static bool copied(struct spool *s, struct spool_read *r)
{
	struct read_inside *in = inside(r);
	const struct message_inside *m = message_inside(in->message);

	if (!in->envelope && (m->damaged || m->chunk_count > 0))
		return false;
	struct unit u = content_unit(s, in->message);

	if (in->envelope) {
		u.offset = m->offset + (uint32_t)sizeof(struct record);
		u.len = in->message->envelope_len;
	}
	const uint8_t *bytes = image_find(s, u.segment, u.offset);

	if (bytes == NULL)
		return false;
	memcpy(in->at, bytes + in->offset, in->len);
	s->reads_busy++;
	s->active_ms = loop_now_ms(s->loop);
	tell(r, (int)in->len);
	return true;
}

void spool_read(struct spool *s, const struct message *m, uint64_t offset,
    void *at, size_t len, struct spool_read *r)
{
	check(!r->busy);
	check(offset <= m->content_len);
	if (len > m->content_len - offset)
		len = (size_t)(m->content_len - offset);
	if (len > INT32_MAX)
		len = INT32_MAX;
	r->busy = true;
	list_init(&r->link);
	*inside(r) = (struct read_inside){
	    .spool = s,
	    .message = m,
	    .at = at,
	    .offset = offset,
	    .len = (uint32_t)len,
	};
	message_at_read(r)->read_count++;
	if (!copied(s, r))
		start(s, r);
	tick_arm(s);
}

void spool_read_envelope(
    struct spool *s, const struct message *m, void *at, struct spool_read *r)
{
	check(!r->busy);
	r->busy = true;
	list_init(&r->link);
	*inside(r) = (struct read_inside){
	    .spool = s,
	    .message = m,
	    .at = at,
	    .len = m->envelope_len,
	    .envelope = true,
	};
	message_at_read(r)->read_count++;
	if (!copied(s, r))
		start(s, r);
	tick_arm(s);
}
