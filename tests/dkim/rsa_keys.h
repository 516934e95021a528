/* rsa_keys.h -- any two of these primes make a key for a test.
 *
 * Of each length the first is the largest there is below the next power of
 * two, the second the smallest whose square still has twice its bits.  All
 * leave the remainder 2 when divided by 3: the exponent 3 works. */
#ifndef TESTS_DKIM_RSA_KEYS_H
#define TESTS_DKIM_RSA_KEYS_H

#include <wolfssl/options.h>

#include <stdint.h>
#include <string.h>
#include <wolfssl/wolfcrypt/integer.h>

#include "core/base/check.h"

#define KEY_DER_MAX 2560

__attribute__((unused)) static const char *const primes_512[] = {
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffdc7",
    "b504f333f9de6484597d89b3754abe9f1d6f60ba893ba84ced17ac85833399154afc"
    "83043ab8a2c3a8b1fe6fdc83db390f74a85e439c7b4a780487363dfa28e5",
    "e3ad041927be0b3947fbf28d1849192bd1cbc7614e39e81faacb7446466919f2f71d"
    "ffa0885724dae5bb511e251abbf347cff107d2ffda3089c177350c6ce171",
    "c6ddfa70068ca693be039cee6e9c387d72868572a907572ad4f598199de1e10b975a"
    "2a3f48699de0fbd172d834951b7fdfaa7cce81ae042ac054db86de20657f",
    "ff7f9effcba8c1d45aa00e8c1fe39c8c29e997baa42daedbd97472e69cdf13220255"
    "ea9d6838c2097b4394c1c8f3cbc1385f8a45c64140fb7bd000566a6c1cbd",
    "dd094e625020d9abaafbe0b11a9a9934d0536aaa9436f20bed0c6a8f18273ba18375"
    "49b6110ea0fb7381a6528c556c7a011bd6d842f7af7e6d94a51f45b840cb",
    "da4a122b87371e3d72f13ee42324489334a74b15b025e249b9a418ee31934e331134"
    "bd272552cd6fdc0c00017b26762f8b5729e4578f0b200b1f95e203ccb303",
    "c2840dc52458c97b73870ae09d0cc30d96d0559cec7f46cb89354f2be3e40fbc396f"
    "3b5f2a2dab9114de5a786e48da6aa8e9c16267628517100b531010dc1b73",
};

__attribute__((unused)) static const char *const primes_1024[] = {
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffffff4d",
    "b504f333f9de6484597d89b3754abe9f1d6f60ba893ba84ced17ac85833399154afc"
    "83043ab8a2c3a8b1fe6fdc83db390f74a85e439c7b4a780487363dfa2768d2202e87"
    "42af1f4e53059c6011bc337bcab1bc911688458a460abc722f7c4e33c6d5a8a38bb7"
    "e9dccb2a634331f3c84df52f120f836e582eeaa4a0899040d547",
    "ffa198c8bd8193fed064e33e7f9baac01572adfcf8ef133d711397ed6f0a270ecd53"
    "4e42f39df575c56f87746a72bec6207b8af696febac780514d8cce86b61edb6c29c0"
    "d91d93609559ba4af6d9256d515c655e65e673b0f7c8ec5e24514236bd119d959848"
    "8c200270cde7432a04a2d031e8f35ba07ce23e3b2c71d75d5297",
    "fc8499910870877f7cc6cf39ec6e9323dd8f9f05c2eacf6529f49a7b70f4d7eeb281"
    "5183c2b336db216ff8b460b6f0cb6f8f5febaa9ffdf7c5553693f704c6b45fa023a0"
    "0c2b11af1edec686e057d79eb7e75c161f79502ce44ecf74f8f7328e0857b5f52987"
    "5d6014c252fa63a054929bb1b8955a89fd210847b58af3669885",
    "f447f67246c960bf858f663ce669cda576413fe6b206f30c7a68699934fd7ae6834b"
    "8a072a4b617a0624876f7cb0b15675d470de8ae2a5249ae3b69009f563e3a4fad5b5"
    "45493b9c40307a7e89a917ac486a5d1595eeec24fb43e1f1f5cd5049c0e3741cc88f"
    "50769c6bb6989a9b283648914177af86c110dad26f212414382d",
    "e0f938a16a15201b8cd099e972f1f915b4da283a3069d22a6ba07b6ab188e1f03bac"
    "c01d2c944b7c3285b6f550535db84655b5d30e43afd9f53dd52808db4fec728f4c57"
    "723eefee50020bc31a525da4087bd53c9d8d12fcfad302bcde19266afc356e8e9833"
    "a67672dc5ad66a464a1b80ed8b30ac7d2c5ee1c26ed0896bce43",
    "ebb5a318b70e352f67023e7e4abc822ce44728a10805a371298a4730fa8bd78c01e8"
    "47dcf187f671b1d753e6b99f13ec731103c8664b89fc5bb8231a9fba315208a79a02"
    "139d68b44024eff09870c47553fd096a5c5e94d80942b83897aa57b8cbd4dc850897"
    "a643e2b0c3c2bd1023bc54e68ccf83bcf6e2844dddb2b17b73b7",
    "f3a1e12ab1b44df2addeb0103c026c6e857318ea2785a70d72618496040d81840186"
    "551996e06ce79066f8f01526993f71adfe9c5ea8aabdca72289d928e908df9575d8b"
    "01f0434a3484b258d5fb9090818238d622c4915f89a92bad6e478c9b29cd60f758f8"
    "33169dd0181827052bd9e5f98a7f51a0e14ebd084899fa8fa71b",
};

__attribute__((unused)) static const char *const primes_1536[] = {
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffe1a7",
    "b504f333f9de6484597d89b3754abe9f1d6f60ba893ba84ced17ac85833399154afc"
    "83043ab8a2c3a8b1fe6fdc83db390f74a85e439c7b4a780487363dfa2768d2202e87"
    "42af1f4e53059c6011bc337bcab1bc911688458a460abc722f7c4e33c6d5a8a38bb7"
    "e9dccb2a634331f3c84df52f120f836e582eeaa4a0899040ca4a81394ab6d8fd0efd"
    "f4d3a02cebc93e0c4264dabcd528b651b8cf341b6f8236c70104dc01fe32352f332a"
    "5e9f7bda1ebff6a1be3fca221307dea06241f7aa885b",
    "f59d6bcdbe009f50aceb703c2a24f002bde2d0ca9e57d06dabe67d7db3202f0602d1"
    "52e80d7316a9f9577334fc7e53778bd672445441d18b8526dad73645042245afc92b"
    "f574c545ac1886ecdb320ce70cac82d912e09b03bcb72cc7517f519282cc277115c5"
    "8ac46607b9efea650a8ac0b25724d8eca2a4a23415b13d6079f8e804b96ed1776901"
    "2401fcf5098df4b03f6a7e1212542e88422b81aec129c41793f795337496925d5430"
    "3232117b86e04c08d93f952acfda6156ea681174a821",
    "d95a8be69a7b00479ff98452cac4361b3467e86db4c105ea548c7ec720a89e341d50"
    "778d54153adc881a492b7ae583a69de26ef60ae92d3659276dc7ec5a9e8be9530b04"
    "613cca65b410a0e7091f78a6ed431ca51c9d283aec710f27e8614090c898b4af34a9"
    "7bc30eb58fb55d9a9d1a561b5ceceeb664a5b7f76fa5497c7540abc23d10a4c0bcb3"
    "5d41a01b5083f735c88b3bde49a329741b6759d6eeb44af78476571f39b5ad0759fa"
    "116b52435aade8f66a007f605ad6d5fe0e02e273279d",
};

__attribute__((unused)) static const char *const primes_2048[] = {
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "fffffffffffffffffffffffffffffffff611",
    "b504f333f9de6484597d89b3754abe9f1d6f60ba893ba84ced17ac85833399154afc"
    "83043ab8a2c3a8b1fe6fdc83db390f74a85e439c7b4a780487363dfa2768d2202e87"
    "42af1f4e53059c6011bc337bcab1bc911688458a460abc722f7c4e33c6d5a8a38bb7"
    "e9dccb2a634331f3c84df52f120f836e582eeaa4a0899040ca4a81394ab6d8fd0efd"
    "f4d3a02cebc93e0c4264dabcd528b651b8cf341b6f8236c70104dc01fe32352f332a"
    "5e9f7bda1ebff6a1be3fca221307dea06241f7aa81c2c1fcbddea2f7dc3318838a2e"
    "aff5f3b2d24f4a763facb882fdfe170fd3b1f780f9acce41797f2805c246785e9295"
    "70235fcf8f7bca3ea33b4d7c60a5e633f145",
    "d8444ee092a63de880a93c3c2c25f02aeb7a2734fae88706c93ba053bd435dd84471"
    "9c8ea3814d8449f23345f15e28eeb5ac5484d221e2c4a0819f682c4ad1504a81631f"
    "cc4b3546df93608f0e1d7adf8c3cf44bd83460d918b160f382b343b290f964eb9ea0"
    "b479805584c8c121b02545cbe9da2051d26874985576ee689611f28de73c34071d0b"
    "618c7671606adbd114a1b78f18b4d5e670292edf2b37ae17aba8a06a4c2212f8fc6b"
    "79190c89806a56c5d3a6204bd818a3846447156d9e94c4145a420196b1f3c64794ab"
    "1759ce4be8484a700034f0b313806d49d0906fdcd2cb115eed3074714e6ac6da0eaa"
    "0edd378841d7190bc9bd9348e6db78b6fb6b",
    "d32532f652c056a023e5d8039814cf0f81dbc2e587b0e631afba371840cb4c63f8d8"
    "7ce48585bc600302749cde3cf7d6a50c66a35be46751908cc153dcd2af38e8b2923c"
    "a3ff0aec5fc3918a20c14b5a504c1aed74892e2334e3f3e38b18f864519cd22792fa"
    "8fa00d9932282cbf5f746983e8dd8def92bca7682ed4ed570acd3c07a74e03c690ef"
    "b22e83f3727a5e182dd60b3c4f9aa4c8a0b5800f0cc0dfc55483a621143336d52463"
    "cd6c7b8c253dd3ac5a50cb0db7ec2ad261e82f13e790a05fa44ee9e088113bbf4416"
    "3121f54a569990ef07dc8509347a70a7c9cbd0cb490b545223854ebed8fba28d678c"
    "b4fab45ad2cf0700a9f596b58817c11caacd",
};

/* 504, 520, 500, 256 and 256 bits */
__attribute__((unused)) static const char *const primes_odd[] = {
    "c99a7bfdfeb1116fc8e2b5ae0c028713b3af05b5d984c58eecb79fdb769275cb334b"
    "c32bb196fd88728460e29efb7233ccbf42728dced307d817cc55156ebb",
    "ef07ef44d6aa8fe74b3a45b5c3cf557dddffa654baadf004faa3742baf711fd12255"
    "14bc75e49497265e827e1a5abe08776b762048c9c530d7379e8ad5e23ad08d",
    "0cd8a1e2ec2ed826ee7dc374af721fc7dd99d55224177a75718141a82f2e6e6cee99"
    "fadb553e83825419b7581013c0cf483b87e389c9a28dabe53699619cfd",
    "f911668d2f1a59ce3ac05379436c2f249248c74ad4ee9c250d48f3fc1d0c0c75",
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffdb5",
};

static inline unsigned hex_digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static inline size_t hex_bytes(const char *hex, uint8_t *out)
{
	size_t len = strlen(hex) / 2;

	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(hex_digit(hex[2 * i]) << 4 |
				   hex_digit(hex[2 * i + 1]));
	return len;
}

static inline void mp_from_hex(mp_int *x, const char *hex)
{
	uint8_t bytes[512];
	size_t len = hex_bytes(hex, bytes);

	check(mp_init(x) == 0);
	check(mp_read_unsigned_bin(x, bytes, (int)len) == 0);
}

/* Writes tag and length before the `len` bytes that end at `end`. */
static inline uint8_t *der_wrap(uint8_t tag, uint8_t *at, size_t len)
{
	if (len < 0x80) {
		*--at = (uint8_t)len;
	} else if (len < 0x100) {
		*--at = (uint8_t)len;
		*--at = 0x81;
	} else {
		*--at = (uint8_t)len;
		*--at = (uint8_t)(len >> 8);
		*--at = 0x82;
	}
	*--at = tag;
	return at;
}

static inline uint8_t *der_integer(uint8_t *end, mp_int *x)
{
	int len = mp_unsigned_bin_size(x);
	uint8_t *at = end - len;

	check(mp_to_unsigned_bin_len(x, at, len) == 0);
	if (len == 0 || at[0] & 0x80)
		*--at = 0;
	return der_wrap(0x02, at, (size_t)(end - at));
}

enum { KEY_PKCS1 = 0, KEY_PKCS8 = 1 };

/* The key of two primes, given in hex.  Returns its length in der[].
 * Works from the end: what is inside is known before its length is written. */
static inline size_t key_of(const char *p_hex, const char *q_hex,
    unsigned e_value, int form, uint8_t *der)
{
	static const uint8_t algorithm[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86,
	    0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
	mp_int n, e, d, p, q, dp, dq, u, p1, q1, phi;
	mp_int *all[] = {&u, &dq, &dp, &q, &p, &d, &e, &n};
	uint8_t room[KEY_DER_MAX], *end = room + sizeof(room), *at = end;

	for (size_t i = 0; i < COUNT(all); i++)
		check(mp_init(all[i]) == 0);
	mp_from_hex(&p, p_hex);
	mp_from_hex(&q, q_hex);
	check(mp_init_multi(&p1, &q1, &phi, NULL, NULL, NULL) == 0);
	check(mp_set_int(&e, e_value) == 0);
	check(mp_mul(&p, &q, &n) == 0);
	check(mp_sub_d(&p, 1, &p1) == 0 && mp_sub_d(&q, 1, &q1) == 0);
	check(mp_invmod(&e, &p1, &dp) == 0 && mp_invmod(&e, &q1, &dq) == 0);
	check(mp_mul(&p1, &q1, &phi) == 0 && mp_invmod(&e, &phi, &d) == 0);
	check(mp_mod(&q, &p, &phi) == 0 && mp_invmod(&phi, &p, &u) == 0);

	for (size_t i = 0; i < COUNT(all); i++)
		at = der_integer(at, all[i]);
	*--at = 0;
	*--at = 1;
	*--at = 2; /* version 0 */
	at = der_wrap(0x30, at, (size_t)(end - at));
	if (form == KEY_PKCS8) {
		at = der_wrap(0x04, at, (size_t)(end - at));
		at -= sizeof(algorithm);
		memcpy(at, algorithm, sizeof(algorithm));
		*--at = 0;
		*--at = 1;
		*--at = 2;
		at = der_wrap(0x30, at, (size_t)(end - at));
	}
	memcpy(der, at, (size_t)(end - at));
	return (size_t)(end - at);
}

#endif
