/* signer_reading.c -- a message that must be read before it can be signed.
 *
 * One at a time, block by block: the header section is gathered, the body
 * hashed; it ends as soon as all is known that the keys may ask for.  Keys that
 * change meanwhile may ask for more: then it begins again. */
#include "core/outbound/attempt.h"
#include "dkim/header.h"

static void on_block(struct spool_read *r, int result);

static void read_block(struct signer *s)
{
	struct signer_reading *r = s->reading;
	struct attempt *a = signature_waiter(r->signature);

	r->read = (struct spool_read){.done = on_block};
	spool_read(a->spool, a->message, r->offset, r->block, sizeof(r->block),
	    &r->read);
}

static unsigned canons_now(const struct signer *s)
{
	return s->table == NULL ? 0 : s->table->canons;
}

static void restart(struct signer *s)
{
	struct signer_reading *r = s->reading;

	r->canons = canons_now(s);
	r->offset = 0;
	r->header_len = 0;
	r->has_section = false;
	dkim_body_init(&r->body, r->canons);
	read_block(s);
}

void signer_read_next(struct signer *s)
{
	if (s->reading->signature != NULL || list_empty(&s->unread))
		return;
	s->reading->signature =
	    container_of(s->unread.next, struct signature, link);
	restart(s);
}

/* Enough was read, or it failed. */
static void end_reading(struct signer *s, const char *why)
{
	struct signature *g = s->reading->signature;

	s->reading->signature = NULL;
	signer_was_read(s, g, s->reading->section, why);
	signer_read_next(s);
}

static bool hash_is_missing(struct signer *s, struct signature *g)
{
	for (unsigned i = 0; i < DKIM_CANON_COUNT; i++)
		if (s->reading->canons & 1u << i &&
		    signature_hash(g, (enum dkim_canon)i) == NULL)
			return true;
	return false;
}

static void take_hashes(struct signer *s, struct signature *g)
{
	for (unsigned i = 0; i < DKIM_CANON_COUNT; i++) {
		if (!(s->reading->canons & 1u << i))
			continue;
		dkim_body_finish(
		    &s->reading->body, (enum dkim_canon)i, g->hash[i]);
		g->has_hash[i] = true;
	}
}

/* False: the section is longer than there is room for. */
static bool take_header(struct signer_reading *r, struct slice block, bool over)
{
	size_t room = SIGNER_HEADER_MAX - r->header_len;
	size_t len = block.len < room ? block.len : room;

	if (r->has_section)
		return true;
	memcpy(r->header + r->header_len, block.at, len);
	r->header_len += len;
	r->has_section = dkim_header_section(slice_of(r->header, r->header_len),
	    over && len == block.len, &r->section);
	return r->has_section || r->header_len < SIGNER_HEADER_MAX;
}

static void on_block(struct spool_read *read, int result)
{
	struct signer_reading *r =
	    container_of(read, struct signer_reading, read);
	struct signer *s = r->signer;
	struct signature *g = r->signature;
	struct slice block =
	    slice_of(r->block, result > 0 ? (size_t)result : 0);
	bool over;

	if (result <= 0) {
		end_reading(s, "the message cannot be read from the spool");
		return;
	}
	if (canons_now(s) != r->canons) {
		restart(s); /* other keys */
		return;
	}
	r->offset += block.len;
	over = r->offset >= signature_waiter(g)->message->content_len;
	dkim_body_feed(&r->body, block);
	if (!take_header(r, block, over)) {
		end_reading(s, "the header section is too long");
		return;
	}
	if (over)
		take_hashes(s, g);
	if (r->has_section && !hash_is_missing(s, g))
		end_reading(s, NULL);
	else
		read_block(s);
}
