/* suite.c -- the cipher suites, and which come first.
 *
 * Authenticated encryption and ephemeral keys only (RFC 9325, 4.2).  AES-128
 * before AES-256: nothing is gained by more rounds.  ChaCha20 comes first where
 * AES has no instructions, or wolfSSL does not use them: that is measured, a
 * fraction of a millisecond for each context. */
#include "tls/suite.h"

#include <time.h>

#include "tls/wolfssl.h"

static const struct suite suites[] = {
    {{0x13, 0x01}, "TLS_AES_128_GCM_SHA256", "TLS13-AES128-GCM-SHA256"},
    {{0xc0, 0x2b}, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
	"ECDHE-ECDSA-AES128-GCM-SHA256"},
    {{0xc0, 0x2f}, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
	"ECDHE-RSA-AES128-GCM-SHA256"},
    {{0x13, 0x02}, "TLS_AES_256_GCM_SHA384", "TLS13-AES256-GCM-SHA384"},
    {{0xc0, 0x2c}, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
	"ECDHE-ECDSA-AES256-GCM-SHA384"},
    {{0xc0, 0x30}, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
	"ECDHE-RSA-AES256-GCM-SHA384"},
    {{0x13, 0x03}, "TLS_CHACHA20_POLY1305_SHA256",
	"TLS13-CHACHA20-POLY1305-SHA256"},
    {{0xcc, 0xa9}, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
	"ECDHE-ECDSA-CHACHA20-POLY1305"},
    {{0xcc, 0xa8}, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
	"ECDHE-RSA-CHACHA20-POLY1305"},
};
#define AES_COUNT 6

const char *suite_name(uint8_t first, uint8_t second)
{
	for (size_t i = 0; i < COUNT(suites); i++)
		if (suites[i].id[0] == first && suites[i].id[1] == second)
			return suites[i].name;
	return "unknown";
}

#define SAMPLE_LEN 8192
#define SAMPLES 3

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t time_aes(uint8_t *sample, const uint8_t *key)
{
	uint8_t iv[12] = {0}, tag[16];
	uint64_t since = now_ns();
	Aes aes;

	if (wc_AesInit(&aes, NULL, INVALID_DEVID) != 0)
		return UINT64_MAX;
	int err = wc_AesGcmSetKey(&aes, key, 16);

	if (err == 0)
		err = wc_AesGcmEncrypt(&aes, sample, sample, SAMPLE_LEN, iv,
		    sizeof(iv), tag, sizeof(tag), NULL, 0);
	wc_AesFree(&aes);
	return err == 0 ? now_ns() - since : UINT64_MAX;
}

static uint64_t time_chacha(uint8_t *sample, const uint8_t *key)
{
	uint8_t iv[12] = {0}, tag[16];
	uint64_t since = now_ns();
	int err = wc_ChaCha20Poly1305_Encrypt(
	    key, iv, NULL, 0, sample, SAMPLE_LEN, sample, tag);

	return err == 0 ? now_ns() - since : UINT64_MAX;
}

bool suite_aes_is_fast(void)
{
	uint8_t sample[SAMPLE_LEN] = {0};
	static const uint8_t key[32] = {1};
	uint64_t aes = UINT64_MAX, chacha = UINT64_MAX;

	/* The quickest of a few: what else runs here only ever slows down. */
	for (int i = 0; i < SAMPLES; i++) {
		uint64_t a = time_aes(sample, key);
		uint64_t c = time_chacha(sample, key);

		aes = a < aes ? a : aes;
		chacha = c < chacha ? c : chacha;
	}
	return aes <= chacha;
}

void suite_list(struct buf *out, bool aes_first)
{
	for (size_t i = 0; i < COUNT(suites); i++) {
		size_t at = aes_first ? i : (i + AES_COUNT) % COUNT(suites);

		if (i > 0)
			buf_put_byte(out, ':');
		buf_put_str(out, suites[at].wolfssl);
	}
	buf_put_byte(out, '\0');
}
