/* sasl_digest.c -- DIGEST-MD5 (RFC 2831): the side that asks, and what both
 * sides compute.
 *
 * `text`: the client's response as it came; it is read again when the secret is
 * known.  The nonce is new for each login, so a count other than 1 is none of
 * ours. */
#include "proto/sasl_digest.h"

#include "core/base/base64.h"
#include "proto/hash.h"
#include "proto/sasl_mechanism.h"

static const char *const names[DIGEST_FIELD_COUNT] = {
    [DIGEST_USERNAME] = "username",
    [DIGEST_REALM] = "realm",
    [DIGEST_NONCE] = "nonce",
    [DIGEST_CNONCE] = "cnonce",
    [DIGEST_NC] = "nc",
    [DIGEST_QOP] = "qop",
    [DIGEST_URI] = "digest-uri",
    [DIGEST_RESPONSE] = "response",
    [DIGEST_CHARSET] = "charset",
    [DIGEST_ALGORITHM] = "algorithm",
    [DIGEST_AUTHZID] = "authzid",
    [DIGEST_RSPAUTH] = "rspauth",
};

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_blanks(struct slice *text)
{
	while (text->len > 0 && is_blank(text->at[0]))
		slice_cut(text, 1);
}

/* A quoted string, behind its first quote. */
static bool read_quoted(struct slice *text, struct buf *room)
{
	while (text->len > 0) {
		uint8_t c = slice_cut(text, 1).at[0];

		if (c == '"')
			return true;
		if (c == '\\') {
			if (text->len == 0)
				return false;
			c = slice_cut(text, 1).at[0];
		}
		if (c == '\0' || !buf_put_byte(room, c))
			return false;
	}
	return false;
}

static bool read_token(struct slice *text, struct buf *room)
{
	size_t begin = room->len;

	while (text->len > 0 && text->at[0] > ' ' && text->at[0] < 0x7f &&
	       strchr(",;\"=()<>@[]{}?\\", text->at[0]) == NULL)
		if (!buf_put_byte(room, slice_cut(text, 1).at[0]))
			return false;
	return room->len > begin;
}

static bool read_field(
    struct slice *text, struct buf *room, struct digest_fields *f)
{
	size_t name_at = room->len;
	size_t value_at;
	struct slice name;

	if (!read_token(text, room))
		return false;
	name = slice_of(room->at + name_at, room->len - name_at);
	value_at = room->len;
	skip_blanks(text);
	if (text->len == 0 || slice_cut(text, 1).at[0] != '=')
		return false;
	skip_blanks(text);
	if (text->len > 0 && text->at[0] == '"') {
		slice_cut(text, 1);
		if (!read_quoted(text, room))
			return false;
	} else if (slice_eq_nocase(name, SLICE("digest-uri"))) {
		/* Some clients leave the quotes out; it has no comma. */
		while (text->len > 0 && text->at[0] != ',' &&
		       !is_blank(text->at[0]))
			buf_put_byte(room, slice_cut(text, 1).at[0]);
	} else if (!read_token(text, room)) {
		return false;
	}
	for (unsigned i = 0; i < DIGEST_FIELD_COUNT; i++) {
		if (!slice_eq_nocase(name, slice_of_str(names[i])))
			continue;
		if (f->has[i])
			return i == DIGEST_REALM;
		f->has[i] = true;
		f->at[i] = slice_of(room->at + value_at, room->len - value_at);
	}
	return true;
}

bool digest_read(struct slice text, struct buf *room, struct digest_fields *f)
{
	*f = (struct digest_fields){0};
	for (unsigned i = 0; i < DIGEST_FIELD_COUNT; i++)
		f->at[i] = slice_of(room->at, 0);
	for (;;) {
		/* RFC 2831, 7.1: a list may have empty elements. */
		while (
		    text.len > 0 && (is_blank(text.at[0]) || text.at[0] == ','))
			slice_cut(&text, 1);
		if (text.len == 0)
			return true;
		if (!read_field(&text, room, f))
			return false;
		skip_blanks(&text);
		if (text.len > 0 && text.at[0] != ',')
			return false;
	}
}

static void put_hex(uint8_t hex[DIGEST_HEX_LEN], const uint8_t *hash)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < HASH_MD5_LEN; i++) {
		hex[2 * i] = (uint8_t)digits[hash[i] >> 4];
		hex[2 * i + 1] = (uint8_t)digits[hash[i] & 15];
	}
}

/* RFC 2831, 2.1.2.1: UTF-8 that fits into ISO 8859-1 is hashed as that. */
static struct slice narrowed(struct slice text, uint8_t *room)
{
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.at[i];

		if (c >= 0x80) {
			if ((c != 0xc2 && c != 0xc3) || i + 1 == text.len ||
			    (text.at[i + 1] & 0xc0) != 0x80)
				return text;
			c = (uint8_t)(c << 6 | (text.at[++i] & 0x3f));
		}
		room[len++] = c;
	}
	return slice_of(room, len);
}

void digest_compute(const struct digest_fields *f, struct slice password,
    const char *method, uint8_t hex[DIGEST_HEX_LEN])
{
	struct slice colon = SLICE(":");
	uint8_t user_room[SASL_USER_MAX], password_room[SASL_PASSWORD_MAX];
	uint8_t hash[HASH_MD5_LEN];
	uint8_t hex_1[DIGEST_HEX_LEN], hex_2[DIGEST_HEX_LEN];
	struct slice user = f->at[DIGEST_USERNAME];
	bool is_utf8 = f->has[DIGEST_CHARSET];

	if (is_utf8 && user.len <= sizeof(user_room))
		user = narrowed(user, user_room);
	if (is_utf8 && password.len <= sizeof(password_room))
		password = narrowed(password, password_room);
	struct slice who[] = {
	    user, colon, f->at[DIGEST_REALM], colon, password};
	hash_md5(who, COUNT(who), hash);
	struct slice a1[] = {slice_of(hash, sizeof(hash)), colon,
	    f->at[DIGEST_NONCE], colon, f->at[DIGEST_CNONCE], colon,
	    f->at[DIGEST_AUTHZID]};
	hash_md5(a1, f->has[DIGEST_AUTHZID] ? 7 : 5, hash);
	put_hex(hex_1, hash);
	struct slice a2[] = {slice_of_str(method), colon, f->at[DIGEST_URI]};
	hash_md5(a2, COUNT(a2), hash);
	put_hex(hex_2, hash);
	struct slice all[] = {slice_of(hex_1, sizeof(hex_1)), colon,
	    f->at[DIGEST_NONCE], colon, SLICE("00000001"), colon,
	    f->at[DIGEST_CNONCE], colon, SLICE("auth"), colon,
	    slice_of(hex_2, sizeof(hex_2))};
	hash_md5(all, COUNT(all), hash);
	put_hex(hex, hash);
	explicit_bzero(password_room, sizeof(password_room));
	explicit_bzero(hash, sizeof(hash));
	explicit_bzero(hex_1, sizeof(hex_1));
}

/* RFC 2831, 2.1.1 */
static void begin(struct sasl_server *s, struct buf *challenge)
{
	buf_put_str(challenge, "realm=\"");
	buf_put(challenge, s->options.hostname);
	buf_put_str(challenge, "\",nonce=\"");
	sasl_put_nonce(s->options.nonce, challenge);
	buf_put_str(
	    challenge, "\",qop=\"auth\",charset=utf-8,algorithm=md5-sess");
}

static bool is_absent_or(
    const struct digest_fields *f, enum digest_field field, struct slice value)
{
	return !f->has[field] || slice_eq_nocase(f->at[field], value);
}

/* RFC 2831, 2.1.2.  The host of the URI is what the client calls us, which may
 * be any name that leads here, so only the service is looked at. */
static bool fields_good(
    const struct sasl_server *s, const struct digest_fields *f)
{
	uint8_t room[BASE64_LEN(SASL_NONCE_LEN)];
	struct buf nonce = buf_over(room, sizeof(room));

	sasl_put_nonce(s->options.nonce, &nonce);
	return f->has[DIGEST_CNONCE] && f->at[DIGEST_CNONCE].len > 0 &&
	       slice_eq(f->at[DIGEST_NONCE], buf_slice(&nonce)) &&
	       slice_eq(f->at[DIGEST_NC], SLICE("00000001")) &&
	       f->at[DIGEST_RESPONSE].len == DIGEST_HEX_LEN &&
	       slice_starts_nocase(f->at[DIGEST_URI], SLICE("smtp/")) &&
	       is_absent_or(f, DIGEST_QOP, SLICE("auth")) &&
	       is_absent_or(f, DIGEST_CHARSET, SLICE("utf-8")) &&
	       is_absent_or(f, DIGEST_ALGORITHM, SLICE("md5-sess"));
}

static enum sasl_need answer(
    struct sasl_server *s, struct slice response, struct buf *challenge)
{
	uint8_t bytes[SASL_TEXT_MAX];
	struct buf room = buf_over(bytes, sizeof(bytes));
	struct digest_fields f;

	(void)challenge;
	if (s->stage == 1) /* our proof is believed */
		return response.len == 0 ? SASL_GOOD : SASL_MALFORMED;
	if (!sasl_server_keep(s, response) ||
	    !digest_read(response, &room, &f) || !fields_good(s, &f) ||
	    !sasl_server_set_user(s, f.at[DIGEST_USERNAME]))
		return SASL_MALFORMED;
	if (f.at[DIGEST_AUTHZID].len > 0 &&
	    !slice_eq(f.at[DIGEST_AUTHZID], f.at[DIGEST_USERNAME]))
		return SASL_WRONG;
	/* A realm of its own making: an absent one is the empty one. */
	if (f.at[DIGEST_REALM].len > 0 &&
	    !slice_eq_nocase(f.at[DIGEST_REALM], s->options.hostname))
		return SASL_WRONG;
	return SASL_NEED_SECRET;
}

static enum sasl_need judge(struct sasl_server *s, struct buf *challenge)
{
	uint8_t bytes[SASL_TEXT_MAX], hex[DIGEST_HEX_LEN];
	struct buf room = buf_over(bytes, sizeof(bytes));
	struct digest_fields f;
	bool good;

	if (!digest_read(sasl_server_kept(s), &room, &f))
		return SASL_MALFORMED;
	digest_compute(&f, s->secret.text, "AUTHENTICATE", hex);
	good = hash_equal(hex, f.at[DIGEST_RESPONSE].at, sizeof(hex));
	digest_compute(&f, s->secret.text, "", hex);
	buf_put_str(challenge, "rspauth=");
	buf_put(challenge, slice_of(hex, sizeof(hex)));
	if (!good || s->secret.is_decoy || s->secret.kind != SECRET_CLEAR)
		return SASL_WRONG;
	s->stage = 1;
	return SASL_NEED_RESPONSE;
}

const struct sasl_server_mechanism sasl_server_digest = {
    .begin = begin,
    .answer = answer,
    .judge = judge,
};
