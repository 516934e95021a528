/* body.c -- the hashes of a message's body while it streams in.
 *
 *   header section   skipped, by the rule of proto/header.c: a line that is no
 *                    field ends it, and is body already.  When a piece ends in
 *                    the middle of a name, the line so far is hashed on the
 *                    guess that it is no field, and forgotten when it is one
 *   canonical form   simple: a doubled dot loses one.  relaxed: and runs of
 *                    blanks become one space, or nothing at a line's end
 *   line ends        CR LFs are held back until something follows: those at
 *                    the end of the body do not count (both forms)
 *   SHA-256
 *
 * The simple form is looked through 64 bytes at a time (scan.h) and goes to the
 * hash as it lies; the relaxed one is written to a room of 4 KiB first, 64
 * bytes at a time (relax.h): a hash of many short pieces would cost more than
 * the copy does.  Lines end with CR LF, for proto/dot.c lets no other CR or LF
 * in. */
#include "dkim/body.h"

#include "core/base/check.h"
#include "dkim/relax.h"
#include "dkim/scan.h"

enum state {
	LINE_START, /* the first byte of a line */
	NAME,	    /* inside a field's name */
	NAME_BLANK, /* blanks between name and colon */
	VALUE,	    /* behind the colon, or in a folded line */
	EMPTY_LINE, /* behind the CR of the empty line */
	BODY,
};

static void hash_reset(struct dkim_body_hash *h)
{
	*h = (struct dkim_body_hash){.line_start = true};
	wc_InitSha256(&h->sha256);
}

static void reset_all(struct dkim_body *b)
{
	for (unsigned i = 0; i < DKIM_CANON_COUNT; i++)
		if (b->canons & 1u << i)
			hash_reset(&b->hash[i]);
}

void dkim_body_init(struct dkim_body *b, unsigned canons)
{
	b->canons = canons;
	b->state = LINE_START;
	b->has_fields = false;
	b->guessed = false;
	reset_all(b);
}

static void hash_bytes(struct dkim_body_hash *h, const uint8_t *at, size_t len)
{
	/* Its lengths are 32 bits wide. */
	while (len > 0) {
		size_t part = len < 1u << 30 ? len : 1u << 30;

		wc_Sha256Update(&h->sha256, at, (word32)part);
		at += part;
		len -= part;
	}
}

static void release_held(struct dkim_body_hash *h)
{
	static const uint8_t ends[64] =
	    "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"
	    "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n";

	while (h->held_len > 0) {
		size_t len = h->held_len < 62 ? (size_t)h->held_len : 62;

		hash_bytes(h, ends, len);
		h->held_len -= len;
	}
}

/* Bytes of the canonical form, but for what is to be known about its end. */
static void put(struct dkim_body_hash *h, const uint8_t *at, size_t len)
{
	size_t end = len;

	while (end > 0 && (at[end - 1] == '\n' || at[end - 1] == '\r'))
		end--;
	if (end > 0) {
		release_held(h);
		hash_bytes(h, at, end);
		h->any = true;
	}
	h->held_len += len - end;
}

/* The offset of the next dot that begins a line, or len; at[from] does not. */
static size_t find_dot(const uint8_t *at, size_t from, size_t len)
{
	size_t i = from;

	while (len - i >= SCAN_VIEW && scan_no_dot(at + i))
		i += SCAN_BLOCK;
	for (; i + 1 < len; i++) {
		/* The block had one, or is the last. */
		if (at[i] == '\n' && at[i + 1] == '.')
			return i + 1;
	}
	return len;
}

static void feed_simple(struct dkim_body_hash *h, struct slice in)
{
	size_t start = h->line_start && in.at[0] == '.' ? 1 : 0;

	while (start < in.len) {
		size_t dot = find_dot(in.at, start, in.len);

		put(h, in.at + start, dot - start);
		start = dot + 1;
	}
	h->line_start = in.at[in.len - 1] == '\n';
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* What does not fill a block of the hash stays: the library copies parts of
 * blocks, whole ones it takes as they lie. */
static void flush(struct dkim_body_hash *h, struct relax_room *room)
{
	size_t rest = (h->sha256.buffLen + h->held_len + room->len) %
		      WC_SHA256_BLOCK_SIZE;
	size_t len = room->len > rest ? room->len - rest : room->len;

	put(h, room->at, len);
	room->len -= len;
	memmove(room->at, room->at + len, room->len);
}

static void relax_byte(
    struct dkim_body_hash *h, struct relax_room *room, uint8_t c)
{
	bool doubled = h->line_start && c == '.';

	h->line_start = false;
	if (doubled)
		return;
	if (is_blank(c)) {
		h->blank = true;
		return;
	}
	if (h->blank && c != '\r')
		room->at[room->len++] = ' ';
	h->blank = false;
	room->at[room->len++] = c;
	h->line_start = c == '\n';
}

static void feed_relaxed(struct dkim_body_hash *h, struct slice in)
{
	relax_blocks *blocks = relax_best();
	struct relax_room room;
	size_t i = 0;

	room.len = 0;
	while (i < in.len) {
		size_t start = i;

		if (room.len > RELAX_ROOM - RELAX_BLOCK)
			flush(h, &room);
		if (!h->line_start && !h->blank)
			i += blocks(&room, slice_of(in.at + i, in.len - i));
		if (i > start)
			h->line_start = in.at[i - 1] == '\n';
		else
			relax_byte(h, &room, in.at[i++]);
	}
	put(h, room.at, room.len);
}

static void feed_body(struct dkim_body *b, struct slice in)
{
	if (in.len == 0)
		return;
	if (b->canons & 1u << DKIM_SIMPLE)
		feed_simple(&b->hash[DKIM_SIMPLE], in);
	if (b->canons & 1u << DKIM_RELAXED)
		feed_relaxed(&b->hash[DKIM_RELAXED], in);
}

/* Takes what belongs to the header section off *in.  False: *in is used up.
 * `line`: the offset in *in of the line that a name began. */
static bool skip_name(struct dkim_body *b, struct slice *in)
{
	for (size_t i = 0; i < in->len; i++) {
		uint8_t c = in->at[i];
		bool first = i == 0 && !b->guessed;

		if (c == ':' && !first) {
			if (b->guessed)
				reset_all(b);
			b->guessed = false;
			b->has_fields = true;
			b->state = VALUE;
			slice_cut(in, i + 1);
			return true;
		}
		if (is_blank(c) && !first) {
			b->state = NAME_BLANK;
		} else if (b->state != NAME || c <= ' ' || c >= 0x7f ||
			   c == ':') {
			b->state = BODY; /* with the line's beginning */
			return true;
		}
	}
	feed_body(b, *in);
	b->guessed = true;
	slice_cut(in, in->len);
	return false;
}

static void skip_line_start(struct dkim_body *b, struct slice *in)
{
	uint8_t c = in->at[0];

	b->guessed = false;
	if (c == '\r' || c == '\n') {
		b->state = c == '\r' ? EMPTY_LINE : BODY;
		slice_cut(in, 1);
	} else if (c == '.' || (is_blank(c) && !b->has_fields)) {
		b->state = BODY;
	} else {
		b->state = is_blank(c) ? VALUE : NAME;
	}
}

void dkim_body_feed(struct dkim_body *b, struct slice in)
{
	if (b->canons == 0)
		return;
	while (in.len > 0) {
		switch ((enum state)b->state) {
		case LINE_START: skip_line_start(b, &in); break;
		case NAME:
		case NAME_BLANK: skip_name(b, &in); break;
		case VALUE: {
			size_t end = slice_find(in, '\n');

			if (end < in.len) {
				b->state = LINE_START;
				end++;
			}
			slice_cut(&in, end);
			break;
		}
		case EMPTY_LINE:
			b->state = BODY;
			slice_cut(&in, 1);
			break;
		case BODY: feed_body(b, in); return;
		}
	}
}

void dkim_body_finish(
    struct dkim_body *b, enum dkim_canon canon, uint8_t hash[DKIM_HASH_LEN])
{
	struct dkim_body_hash *h = &b->hash[canon];

	check(b->canons & 1u << canon);
	/* A line that was never ended is not guessed about: the message ended
	 * inside its header section. */
	if (b->state != BODY && b->guessed)
		hash_reset(h);
	if (h->any || canon == DKIM_SIMPLE)
		hash_bytes(h, (const uint8_t *)"\r\n", 2);
	wc_Sha256Final(&h->sha256, hash);
}
