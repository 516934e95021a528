/* secret.c -- a user's password as it is stored. */
#include "proto/secret.h"

#include <crypt.h>

#include "core/base/base64.h"
#include "core/base/check.h"
#include "proto/sasl.h"
#include "proto/saslprep.h"

#define SCRAM_PREFIX SLICE("{SCRAM-SHA-256}")

/* The next part of a verifier, and what stood behind it. */
static struct slice cut_part(struct slice *text)
{
	size_t len = 0;

	while (len < text->len && text->at[len] != ',' &&
	       text->at[len] != ':' && text->at[len] != '$')
		len++;
	struct slice part = slice_cut(text, len);
	if (text->len > 0)
		slice_cut(text, 1);
	return part;
}

static bool parse_key(struct slice text, uint8_t key[HASH_SHA256_LEN])
{
	struct buf b = buf_over(key, HASH_SHA256_LEN);

	return base64_decode(text, &b) && b.len == HASH_SHA256_LEN;
}

static bool parse_scram(
    struct slice text, struct sasl_secret *secret, const char **why)
{
	struct buf salt = buf_over(secret->salt, sizeof(secret->salt));
	uint64_t iterations;

	secret->kind = SECRET_SCRAM_SHA_256;
	*why = "{SCRAM-SHA-256} wants iterations,salt,StoredKey,ServerKey as "
	       "`smarthost passwd` prints them";
	if (!slice_number(cut_part(&text), &iterations) || iterations == 0 ||
	    iterations > SECRET_ITERATIONS_MAX)
		return false;
	secret->iterations = (uint32_t)iterations;
	if (!base64_decode(cut_part(&text), &salt) || salt.len == 0)
		return false;
	secret->salt_len = (uint8_t)salt.len;
	return parse_key(cut_part(&text), secret->keys.stored) &&
	       parse_key(text, secret->keys.server);
}

static bool starts_with_one_of(
    struct slice text, const char *const *prefixes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_starts_nocase(text, slice_of_str(prefixes[i])))
			return true;
	return false;
}

static bool text_ends(struct slice text, char room[CRYPT_OUTPUT_SIZE])
{
	if (text.len >= CRYPT_OUTPUT_SIZE || slice_find(text, 0) < text.len)
		return false;
	memcpy(room, text.at, text.len);
	room[text.len] = '\0';
	return true;
}

static bool parse_crypt(
    struct slice text, struct sasl_secret *secret, const char **why)
{
	char setting[CRYPT_OUTPUT_SIZE];
	int judged;

	secret->kind = SECRET_CRYPT;
	*why = "this crypt(3) hash is not whole, or of a kind that this system "
	       "does not know";
	if (!text_ends(text, setting))
		return false;
	judged = crypt_checksalt(setting);
	/* A hash is longer than what makes one: id, salt and cost. */
	return judged != CRYPT_SALT_INVALID &&
	       judged != CRYPT_SALT_METHOD_DISABLED && text.len > 50;
}

bool secret_parse(
    struct slice text, struct sasl_secret *secret, const char **why)
{
	static const char *const crypts[] = {
	    "$5$", "$6$", "$y$", "$2a$", "$2b$", "$2y$"};
	static const char *const others[] = {"{SCRAM-", "{CRYPT}", "{SSHA",
	    "{SHA", "{PLAIN", "{CLEARTEXT}", "{MD5", "{SMD5", "{BLF-",
	    "{ARGON2", "{PBKDF2"};

	*secret = (struct sasl_secret){.kind = SECRET_CLEAR, .text = text};
	*why = "";
	if (slice_starts_nocase(text, SCRAM_PREFIX)) {
		slice_cut(&text, SCRAM_PREFIX.len);
		return parse_scram(text, secret, why);
	}
	if (starts_with_one_of(text, crypts, COUNT(crypts)))
		return parse_crypt(text, secret, why);
	secret->iterations = SECRET_ITERATIONS;
	secret->salt_len = SECRET_SALT_LEN;
	if (text.len == 0)
		*why = "the password is empty";
	else if (text.len > SECRET_PASSWORD_MAX)
		*why = "the password is longer than 1024 bytes";
	else if (starts_with_one_of(text, others, COUNT(others)))
		*why = "of hashes only {SCRAM-SHA-256}... and crypt(3)'s are "
		       "known";
	return (*why)[0] == '\0';
}

void secret_season(struct sasl_secret *secret, struct slice name,
    const uint8_t key[HASH_SHA256_LEN])
{
	struct slice parts[] = {SLICE("salt of "), name};
	uint8_t hash[HASH_SHA256_LEN];

	if (secret->kind == SECRET_SCRAM_SHA_256 && !secret->is_decoy)
		return;
	hash_hmac_sha256(
	    slice_of(key, HASH_SHA256_LEN), parts, COUNT(parts), hash);
	if (secret->kind != SECRET_SCRAM_SHA_256) {
		secret->iterations = SECRET_ITERATIONS;
		secret->salt_len = SECRET_SALT_LEN;
	}
	/* A decoy's salt is as long as that of whom it imitates. */
	for (size_t i = 0; i < secret->salt_len; i++)
		secret->salt[i] = (uint8_t)(hash[i % sizeof(hash)] ^
					    (i / sizeof(hash) * 0x5a));
}

unsigned secret_mechanisms(const struct sasl_secret *secret)
{
	unsigned clear = 1u << SASL_PLAIN | 1u << SASL_LOGIN;
	unsigned scram =
	    1u << SASL_SCRAM_SHA_256 | 1u << SASL_SCRAM_SHA_256_PLUS;

	switch (secret->kind) {
	case SECRET_CLEAR:
		return clear | scram | 1u << SASL_CRAM_MD5 |
		       1u << SASL_DIGEST_MD5;
	case SECRET_SCRAM_SHA_256: return clear | scram;
	case SECRET_CRYPT: return clear;
	}
	return 0;
}

/* RFC 4013, or the bytes as they are where it refuses them: a password that is
 * no UTF-8 still works when both sides have the same. */
static struct slice prepared(
    struct slice password, uint8_t room[SECRET_PASSWORD_MAX])
{
	struct buf b = buf_over(room, SECRET_PASSWORD_MAX);

	if (!saslprep_put(&b, password) || b.len == 0)
		return password;
	return buf_slice(&b);
}

/* RFC 5802, 3 */
static void derive(struct slice password, const struct sasl_secret *secret,
    struct scram_secret_keys *keys)
{
	struct slice client = SLICE("Client Key");
	struct slice server = SLICE("Server Key");
	struct slice client_key = slice_of(keys->client, HASH_SHA256_LEN);
	uint8_t room[SECRET_PASSWORD_MAX];
	uint8_t salted[HASH_SHA256_LEN];
	struct slice salted_slice = slice_of(salted, sizeof(salted));

	hash_hi(prepared(password, room),
	    slice_of(secret->salt, secret->salt_len), secret->iterations,
	    salted);
	hash_hmac_sha256(salted_slice, &client, 1, keys->client);
	hash_sha256(&client_key, 1, keys->verifier.stored);
	hash_hmac_sha256(salted_slice, &server, 1, keys->verifier.server);
	explicit_bzero(room, sizeof(room));
	explicit_bzero(salted, sizeof(salted));
}

void secret_client_keys(
    const struct sasl_secret *secret, struct scram_secret_keys *keys)
{
	derive(secret->text, secret, keys);
}

static void keys_of(struct slice password, const struct sasl_secret *secret,
    struct scram_keys *keys)
{
	struct scram_secret_keys all;

	derive(password, secret, &all);
	*keys = all.verifier;
	explicit_bzero(&all, sizeof(all));
}

static bool matches_clear(struct slice text, struct slice password)
{
	uint8_t text_room[SECRET_PASSWORD_MAX];
	uint8_t password_room[SECRET_PASSWORD_MAX];
	bool good = hash_equal_text(
	    prepared(text, text_room), prepared(password, password_room));

	explicit_bzero(text_room, sizeof(text_room));
	explicit_bzero(password_room, sizeof(password_room));
	return good;
}

static bool matches_scram(
    const struct sasl_secret *secret, struct slice password)
{
	struct scram_keys keys;
	bool good;

	keys_of(password, secret, &keys);
	good =
	    hash_equal(keys.stored, secret->keys.stored, sizeof(keys.stored));
	explicit_bzero(&keys, sizeof(keys));
	return good;
}

static bool matches_crypt(struct slice text, struct slice password)
{
	char setting[CRYPT_OUTPUT_SIZE];
	char phrase[SECRET_PASSWORD_MAX + 1];
	struct crypt_data room = {0};
	const char *made = NULL;
	bool good;

	/* crypt(3) wants texts that end, and what it takes is shorter. */
	if (!text_ends(text, setting) ||
	    password.len >= CRYPT_MAX_PASSPHRASE_SIZE ||
	    password.len > SECRET_PASSWORD_MAX ||
	    slice_find(password, '\0') < password.len)
		return false;
	memcpy(phrase, password.at, password.len);
	phrase[password.len] = '\0';
	made = crypt_r(phrase, setting, &room);
	good = made != NULL && made[0] != '*' &&
	       hash_equal_text(slice_of_str(made), text);
	explicit_bzero(phrase, sizeof(phrase));
	explicit_bzero(&room, sizeof(room));
	return good;
}

static void password_mac(const struct sasl_secret *secret,
    struct slice password, uint8_t mac[HASH_SHA256_LEN])
{
	struct slice parts[] = {SLICE("password of "), secret->text, password};

	hash_hmac_sha256(
	    slice_of(secret->key, HASH_SHA256_LEN), parts, COUNT(parts), mac);
}

/* The memo only ever says yes. */
static bool is_remembered(
    const struct sasl_secret *secret, struct slice password)
{
	uint8_t mac[HASH_SHA256_LEN];
	bool good;

	if (secret->memo == NULL || !secret->memo->has_password)
		return false;
	password_mac(secret, password, mac);
	good = hash_equal(mac, secret->memo->password, sizeof(mac));
	explicit_bzero(mac, sizeof(mac));
	return good;
}

bool secret_matches(const struct sasl_secret *secret, struct slice password)
{
	bool good = false;

	/* HMAC fills a short key with zero bytes: "a" and "a\0" are one to it.
	 */
	if (password.len > SECRET_PASSWORD_MAX ||
	    slice_find(password, '\0') < password.len)
		return false;
	if (is_remembered(secret, password))
		return !secret->is_decoy;
	switch (secret->kind) {
	case SECRET_CLEAR:
		return matches_clear(secret->text, password) &&
		       !secret->is_decoy;
	case SECRET_SCRAM_SHA_256:
		good = matches_scram(secret, password);
		break;
	case SECRET_CRYPT: good = matches_crypt(secret->text, password); break;
	}
	good = good && !secret->is_decoy;
	if (good && secret->memo != NULL) {
		password_mac(secret, password, secret->memo->password);
		secret->memo->has_password = true;
	}
	return good;
}

void secret_scram_keys(
    const struct sasl_secret *secret, struct scram_keys *keys, bool *derived)
{
	*derived = false;
	switch (secret->kind) {
	case SECRET_CLEAR:
		if (secret->memo != NULL && secret->memo->has_keys) {
			*keys = secret->memo->keys;
		} else {
			keys_of(secret->text, secret, keys);
			*derived = true;
		}
		break;
	case SECRET_SCRAM_SHA_256: *keys = secret->keys; break;
	case SECRET_CRYPT: break;
	}
	/* No client key hashes to zeros that anybody could find. */
	if (secret->is_decoy || secret->kind == SECRET_CRYPT)
		*keys = (struct scram_keys){0};
}

void secret_scram_good(
    const struct sasl_secret *secret, const struct scram_keys *keys)
{
	check(!secret->is_decoy);
	if (secret->kind != SECRET_CLEAR || secret->memo == NULL)
		return;
	secret->memo->keys = *keys;
	secret->memo->has_keys = true;
}

void secret_scram_wrong(const struct sasl_secret *secret, bool derived)
{
	struct scram_keys keys;

	if (derived || secret->kind != SECRET_CLEAR)
		return;
	keys_of(secret->text, secret, &keys);
	explicit_bzero(&keys, sizeof(keys));
}

void secret_put_scram(
    struct slice password, const uint8_t salt[SECRET_SALT_LEN], struct buf *out)
{
	struct sasl_secret secret = {
	    .iterations = SECRET_ITERATIONS, .salt_len = SECRET_SALT_LEN};
	struct scram_keys keys;

	memcpy(secret.salt, salt, SECRET_SALT_LEN);
	keys_of(password, &secret, &keys);
	buf_put(out, SCRAM_PREFIX);
	buf_put_number(out, secret.iterations);
	buf_put_byte(out, ',');
	base64_encode(slice_of(salt, SECRET_SALT_LEN), out);
	buf_put_byte(out, ',');
	base64_encode(slice_of(keys.stored, sizeof(keys.stored)), out);
	buf_put_byte(out, ',');
	base64_encode(slice_of(keys.server, sizeof(keys.server)), out);
	explicit_bzero(&keys, sizeof(keys));
}
