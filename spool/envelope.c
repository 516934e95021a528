/* envelope.c -- sender, recipients and the facts of a message, as bytes.
 *
 *   0  1  version, 1
 *   1  1  flags: 1 = 8-bit body, 2 = SMTPUTF8
 *   2  1  RET
 *   3  1  zero
 *   4  4  number of recipients, little-endian
 *   8  .. fields: tag (1), length (2, little-endian), bytes
 *
 * Fields: sender, envid, client, user, body hashes once at most, then for each
 * recipient its address, which begins it, and its ORCPT and NOTIFY.  Empty ones
 * are left out, but for sender and address.  A tag that is not known is
 * skipped: a newer program may add some without a new version. */
#include "spool/envelope.h"

#define ENVELOPE_VERSION 1
#define FIXED_LEN 8
#define FIELD_HEAD_LEN 3

enum flag { FLAG_8BIT = 1, FLAG_SMTPUTF8 = 2 };

enum tag {
	TAG_SENDER = 1,
	TAG_ENVID = 2,
	TAG_CLIENT = 3,
	TAG_USER = 4,
	TAG_BODY_HASH = 5, /* 5 and 6: of each canonical form */
	TAG_RCPT = 16,
	TAG_ORCPT = 17,
	TAG_NOTIFY = 18,
};

static bool put_field(struct buf *out, enum tag tag, struct slice bytes)
{
	uint8_t head[FIELD_HEAD_LEN] = {
	    (uint8_t)tag, (uint8_t)bytes.len, (uint8_t)(bytes.len >> 8)};

	if (bytes.len > UINT16_MAX) {
		out->overflowed = true;
		return false;
	}
	if (buf_left(out) < FIELD_HEAD_LEN + bytes.len) {
		out->overflowed = true;
		return false;
	}
	return buf_put(out, slice_of(head, sizeof(head))) &&
	       buf_put(out, bytes);
}

static bool put_unless_empty(struct buf *out, enum tag tag, struct slice bytes)
{
	return bytes.len == 0 || put_field(out, tag, bytes);
}

bool envelope_put(struct buf *out, const struct envelope *e)
{
	uint8_t fixed[FIXED_LEN] = {
	    ENVELOPE_VERSION,
	    (uint8_t)((e->body_8bit ? FLAG_8BIT : 0) |
		      (e->smtputf8 ? FLAG_SMTPUTF8 : 0)),
	    e->ret,
	    0,
	    (uint8_t)e->rcpt_count,
	    (uint8_t)(e->rcpt_count >> 8),
	    (uint8_t)(e->rcpt_count >> 16),
	    (uint8_t)(e->rcpt_count >> 24),
	};

	bool good = buf_put(out, slice_of(fixed, sizeof(fixed))) &&
		    put_field(out, TAG_SENDER, e->sender) &&
		    put_unless_empty(out, TAG_ENVID, e->envid) &&
		    put_unless_empty(out, TAG_CLIENT, e->client) &&
		    put_unless_empty(out, TAG_USER, e->user);

	for (unsigned i = 0; good && i < ENVELOPE_HASH_COUNT; i++)
		good = put_unless_empty(
		    out, (enum tag)(TAG_BODY_HASH + i), e->body_hash[i]);
	return good;
}

bool envelope_put_rcpt(struct buf *out, const struct envelope_rcpt *r)
{
	size_t notify_len = r->notify != 0 ? 1 : 0;
	size_t len = FIELD_HEAD_LEN + r->address.len;

	if (r->orcpt.len > 0)
		len += FIELD_HEAD_LEN + r->orcpt.len;
	if (notify_len > 0)
		len += FIELD_HEAD_LEN + notify_len;
	if (buf_left(out) < len) { /* a recipient is written whole or not */
		out->overflowed = true;
		return false;
	}
	return put_field(out, TAG_RCPT, r->address) &&
	       put_unless_empty(out, TAG_ORCPT, r->orcpt) &&
	       put_unless_empty(
		   out, TAG_NOTIFY, slice_of(&r->notify, notify_len));
}

/* The field at the front; false at the end or when it does not fit. */
static bool peek_field(struct slice in, uint8_t *tag, struct slice *bytes)
{
	if (in.len < FIELD_HEAD_LEN)
		return false;
	size_t len = in.at[1] | (size_t)in.at[2] << 8;

	if (in.len - FIELD_HEAD_LEN < len)
		return false;
	*tag = in.at[0];
	*bytes = slice_of(in.at + FIELD_HEAD_LEN, len);
	return true;
}

static void drop_field(struct slice *in, struct slice bytes)
{
	slice_cut(in, FIELD_HEAD_LEN + bytes.len);
}

bool envelope_get(struct slice bytes, struct envelope *e, struct slice *rest)
{
	uint8_t tag;
	struct slice value;

	if (bytes.len < FIXED_LEN || bytes.at[0] != ENVELOPE_VERSION)
		return false;
	*e = (struct envelope){
	    .ret = bytes.at[2],
	    .body_8bit = (bytes.at[1] & FLAG_8BIT) != 0,
	    .smtputf8 = (bytes.at[1] & FLAG_SMTPUTF8) != 0,
	    .rcpt_count = bytes.at[4] | (uint32_t)bytes.at[5] << 8 |
			  (uint32_t)bytes.at[6] << 16 |
			  (uint32_t)bytes.at[7] << 24,
	};
	slice_cut(&bytes, FIXED_LEN);
	while (peek_field(bytes, &tag, &value) && tag != TAG_RCPT) {
		if (tag == TAG_SENDER)
			e->sender = value;
		else if (tag == TAG_ENVID)
			e->envid = value;
		else if (tag == TAG_CLIENT)
			e->client = value;
		else if (tag == TAG_USER)
			e->user = value;
		else if ((tag == TAG_BODY_HASH || tag == TAG_BODY_HASH + 1) &&
			 value.len == ENVELOPE_HASH_LEN)
			e->body_hash[tag - TAG_BODY_HASH] = value;
		drop_field(&bytes, value);
	}
	*rest = bytes;
	return bytes.len == 0 || peek_field(bytes, &tag, &value);
}

bool envelope_get_rcpt(struct slice *rest, struct envelope_rcpt *r)
{
	struct slice in = *rest;
	uint8_t tag;
	struct slice value;

	if (!peek_field(in, &tag, &value) || tag != TAG_RCPT)
		return false;
	*r = (struct envelope_rcpt){.address = value};
	drop_field(&in, value);
	while (peek_field(in, &tag, &value) && tag != TAG_RCPT) {
		if (tag == TAG_ORCPT)
			r->orcpt = value;
		else if (tag == TAG_NOTIFY && value.len == 1)
			r->notify = value.at[0];
		drop_field(&in, value);
	}
	/* What follows must be a recipient, or nothing at all. */
	if (in.len > 0 && !peek_field(in, &tag, &value))
		return false;
	*rest = in;
	return true;
}
