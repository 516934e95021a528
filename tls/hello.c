/* hello.c -- see hello.h. */
#include "tls/hello.h"

#define RECORD_HEAD 5
#define RECORD_MAX 16384
#define CONTENT_HANDSHAKE 22
#define CLIENT_HELLO 1

#define EXT_SERVER_NAME 0
#define EXT_SIGNATURES 13
#define EXT_VERSIONS 43
#define TLS_1_3 0x0304

static bool take_number(struct slice *in, size_t bytes, size_t *number)
{
	if (in->len < bytes)
		return false;
	struct slice s = slice_cut(in, bytes);

	*number = 0;
	for (size_t i = 0; i < bytes; i++)
		*number = *number << 8 | s.at[i];
	return true;
}

/* A vector whose length stands in `bytes` bytes before it. */
static bool take_vector(struct slice *in, size_t bytes, struct slice *vector)
{
	size_t len;

	if (!take_number(in, bytes, &len) || len > in->len)
		return false;
	*vector = slice_cut(in, len);
	return true;
}

/* The message without its records; copied only when there is more than one. */
static enum hello_state gather(
    struct slice in, uint8_t *room, struct slice *message)
{
	size_t have = 0;
	size_t want = 4;

	for (;;) {
		if (in.len < RECORD_HEAD) {
			/* Whoever does not even begin like a hello. */
			return in.len > 0 && in.at[0] != CONTENT_HANDSHAKE
				   ? HELLO_ODD
				   : HELLO_MORE;
		}
		size_t len = (size_t)in.at[3] << 8 | in.at[4];

		if (in.at[0] != CONTENT_HANDSHAKE || in.at[1] != 3 ||
		    len == 0 || len > RECORD_MAX)
			return HELLO_ODD;
		if (in.len - RECORD_HEAD < len)
			return HELLO_MORE;
		slice_cut(&in, RECORD_HEAD);
		struct slice piece = slice_cut(&in, len);

		if (have + len > HELLO_MAX)
			return HELLO_ODD;
		memcpy(room + have, piece.at, len);
		*message = have == 0 ? piece : slice_of(room, have + len);
		have += len;
		if (have >= 4) {
			const uint8_t *at = message->at;

			if (at[0] != CLIENT_HELLO)
				return HELLO_ODD;
			want = 4 + ((size_t)at[1] << 16 | (size_t)at[2] << 8 |
				       at[3]);
			if (want > HELLO_MAX)
				return HELLO_ODD;
		}
		if (have >= want) {
			*message = slice_of(message->at + 4, want - 4);
			return HELLO_READ;
		}
	}
}

struct suites {
	bool ecdsa; /* of TLS 1.2 */
	bool rsa;
};

/* The suites of TLS 1.2 that we offer ourselves (context.c). */
static struct suites read_suites(struct slice in)
{
	struct suites s = {false, false};
	size_t suite;

	while (take_number(&in, 2, &suite)) {
		if (suite == 0xc02b || suite == 0xc02c || suite == 0xcca9)
			s.ecdsa = true;
		if (suite == 0xc02f || suite == 0xc030 || suite == 0xcca8)
			s.rsa = true;
	}
	return s;
}

static void read_name(struct hello *hello, struct slice in)
{
	struct slice list, name;
	size_t type;

	if (!take_vector(&in, 2, &list))
		return;
	while (take_number(&list, 1, &type) && take_vector(&list, 2, &name))
		if (type == 0) {
			hello->name = name;
			return;
		}
}

static bool has_version_1_3(struct slice in)
{
	struct slice list;
	size_t version;

	if (!take_vector(&in, 1, &list))
		return false;
	while (take_number(&list, 2, &version))
		if (version == TLS_1_3)
			return true;
	return false;
}

/* RFC 8446, 4.2.3: in TLS 1.3 an RSA key signs with PSS only. */
static uint32_t kinds_of(
    struct slice in, bool is_1_3, const struct suites *suites)
{
	bool ec = is_1_3 || suites->ecdsa;
	uint32_t kinds = 0;
	struct slice list;
	size_t scheme;

	if (!take_vector(&in, 2, &list))
		return 0;
	while (take_number(&list, 2, &scheme)) {
		if (scheme >= 0x0804 && scheme <= 0x0806 &&
		    (is_1_3 || suites->rsa))
			kinds |= 1u << KEY_RSA;
		if ((scheme == 0x0401 || scheme == 0x0501 ||
			scheme == 0x0601) &&
		    suites->rsa)
			kinds |= 1u << KEY_RSA;
		if (scheme == 0x0403 && ec)
			kinds |= 1u << KEY_P256;
		if (scheme == 0x0503 && ec)
			kinds |= 1u << KEY_P384;
		if (scheme == 0x0603 && ec)
			kinds |= 1u << KEY_P521;
		if (scheme == 0x0807 && ec)
			kinds |= 1u << KEY_ED25519;
	}
	return kinds;
}

static bool read_body(struct hello *hello, struct slice in)
{
	struct slice session, suite_list, compression, extensions, value;
	struct slice signatures = {NULL, 0};
	bool is_1_3 = false;
	size_t type;

	if (in.len < 34)
		return false;
	slice_cut(&in, 34); /* version, random */
	if (!take_vector(&in, 1, &session) ||
	    !take_vector(&in, 2, &suite_list) ||
	    !take_vector(&in, 1, &compression))
		return false;
	struct suites suites = read_suites(suite_list);

	if (in.len == 0)
		return true; /* no extensions: nothing we could serve */
	if (!take_vector(&in, 2, &extensions))
		return false;
	while (take_number(&extensions, 2, &type)) {
		if (!take_vector(&extensions, 2, &value))
			return false;
		if (type == EXT_SERVER_NAME)
			read_name(hello, value);
		else if (type == EXT_SIGNATURES)
			signatures = value;
		else if (type == EXT_VERSIONS)
			is_1_3 = has_version_1_3(value);
	}
	hello->key_kinds = kinds_of(signatures, is_1_3, &suites);
	return true;
}

enum hello_state hello_read(struct hello *hello, struct slice in, uint8_t *room)
{
	struct slice message = {NULL, 0};
	enum hello_state state = gather(in, room, &message);

	*hello = (struct hello){.name = {NULL, 0}};
	if (state == HELLO_MORE && in.len >= HELLO_MAX)
		return HELLO_ODD;
	if (state != HELLO_READ)
		return state;
	return read_body(hello, message) ? HELLO_READ : HELLO_ODD;
}
