/* sasl_scram_client.c -- SCRAM-SHA-256 and -PLUS: the side that has a password.
 *
 * `text` is client-first-message-bare. */
#include "core/base/base64.h"
#include "proto/sasl_mechanism.h"
#include "proto/sasl_scram.h"
#include "proto/saslprep.h"

/* A server that asks for more would hold up everybody else: 100 000 take 30 to
 * 180 ms, by the processor's instructions.  Fewer than the least make a
 * password easy to guess for one who only pretends to be the server (RFC 7677,
 * 4). */
#define ITERATIONS_MIN 4096
#define ITERATIONS_MAX 100000

/* RFC 5802, 6: "y", since sasl_client_choose takes -PLUS where it is offered.
 */
static const char *gs2_header(const struct sasl_client *s)
{
	if (s->mechanism == SASL_SCRAM_SHA_256_PLUS)
		return "p=" SCRAM_BINDING_NAME ",,";
	return s->options.has_binding ? "y,," : "n,,";
}

static void put_name(struct buf *out, struct slice name)
{
	uint8_t room[SASL_USER_MAX];
	struct buf prepared = buf_over(room, sizeof(room));

	if (saslprep_put(&prepared, name) && prepared.len > 0)
		name = buf_slice(&prepared);
	for (size_t i = 0; i < name.len; i++) {
		if (name.at[i] == ',')
			buf_put_str(out, "=2C");
		else if (name.at[i] == '=')
			buf_put_str(out, "=3D");
		else
			buf_put_byte(out, name.at[i]);
	}
}

static bool begin(struct sasl_client *s, struct buf *answer)
{
	size_t header_len;

	buf_put_str(answer, gs2_header(s));
	header_len = answer->len;
	buf_put_str(answer, "n=");
	put_name(answer, s->options.user);
	buf_put_str(answer, ",r=");
	sasl_put_nonce(s->options.nonce, answer);
	return !answer->overflowed &&
	       sasl_client_keep(s,
		   slice_of(answer->at + header_len, answer->len - header_len));
}

/* The nonce goes on with what the server added to ours; the rest is as the
 * password's verifier was made. */
static bool read_first(const struct sasl_client *s, struct slice message,
    struct slice *nonce, struct sasl_secret *secret)
{
	struct slice kept = sasl_client_kept(s);
	struct buf salt = buf_over(secret->salt, sizeof(secret->salt));
	struct slice name, ours, text, count;
	uint64_t iterations;

	if (!scram_cut(&kept, 'n', &name) || !scram_cut(&kept, 'r', &ours) ||
	    !scram_cut(&message, 'r', nonce) || !scram_nonce_good(*nonce) ||
	    nonce->len <= ours.len ||
	    !slice_eq(slice_of(nonce->at, ours.len), ours))
		return false;
	if (!scram_cut(&message, 's', &text) || !base64_decode(text, &salt) ||
	    salt.len == 0 || !scram_cut(&message, 'i', &count) ||
	    !slice_number(count, &iterations) || iterations < ITERATIONS_MIN ||
	    iterations > ITERATIONS_MAX)
		return false;
	secret->salt_len = (uint8_t)salt.len;
	secret->iterations = (uint32_t)iterations;
	return true;
}

/* client-final-message: c=,r=,p= */
static bool prove(
    struct sasl_client *s, struct slice message, struct buf *answer)
{
	struct sasl_secret secret = {
	    .kind = SECRET_CLEAR, .text = s->options.password};
	struct scram_secret_keys keys;
	uint8_t signature[HASH_SHA256_LEN];
	struct slice nonce;

	if (!read_first(s, message, &nonce, &secret))
		return false;
	buf_put_str(answer, "c=");
	scram_put_channel(answer, slice_of_str(gs2_header(s)),
	    s->mechanism == SASL_SCRAM_SHA_256_PLUS ? s->options.binding
						    : NULL);
	buf_put_str(answer, ",r=");
	buf_put(answer, nonce);
	secret_client_keys(&secret, &keys);
	scram_sign(slice_of(keys.verifier.stored, HASH_SHA256_LEN),
	    sasl_client_kept(s), message, buf_slice(answer), signature);
	for (size_t i = 0; i < sizeof(signature); i++)
		keys.client[i] ^= signature[i];
	scram_sign(slice_of(keys.verifier.server, HASH_SHA256_LEN),
	    sasl_client_kept(s), message, buf_slice(answer), s->proof);
	buf_put_str(answer, ",p=");
	base64_encode(slice_of(keys.client, sizeof(keys.client)), answer);
	explicit_bzero(&keys, sizeof(keys));
	return true;
}

/* server-final-message: "v=", or "e=" and why not. */
static bool believe(struct sasl_client *s, struct slice message)
{
	uint8_t room[HASH_SHA256_LEN];
	struct buf proof = buf_over(room, sizeof(room));
	struct slice text;

	if (!scram_cut(&message, 'v', &text) || !base64_decode(text, &proof) ||
	    proof.len != sizeof(room) ||
	    !hash_equal(room, s->proof, sizeof(room)))
		return false;
	s->step = SASL_CLIENT_PROVED;
	return true;
}

static bool answer(
    struct sasl_client *s, struct slice challenge, struct buf *answer_out)
{
	if (s->step == 0)
		return prove(s, challenge, answer_out);
	return s->step == 1 && believe(s, challenge);
}

const struct sasl_client_mechanism sasl_client_scram = {
    .client_first = true,
    .begin = begin,
    .answer = answer,
    .proves = true,
};
