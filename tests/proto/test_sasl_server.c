/* test_sasl_server.c -- the side that asks, as a conversation.
 *
 * Lines are plain text here: "S: " what the server says, "C: " what the client
 * answers, "?" that the secret is asked for.  Zero bytes are written '@'. */
#include "proto/sasl.h"

#include <criterion/criterion.h>

#include "core/base/base64.h"
#include "core/base/check.h"

#define VERIFIER                                                               \
	"{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,"                        \
	"WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"                        \
	"wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
#define NONCE "c2VydmVyJ3Mgbm9uY2UgMThi" /* of "server's nonce 18b" */
#define DIGEST_REST                                                            \
	",nonce=\"" NONCE "\",nc=00000001,cnonce=\"x\",digest-uri=\"smtp/m\""  \
	",qop=auth,response=00000000000000000000000000000000"
#define Z4 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static const struct {
	enum sasl_mechanism mechanism;
	const char *stored;
	bool plus_offered;
	const char *initial; /* NULL: none */
	const char *lines[6];
	enum sasl_need end;
} talks[] = {
    /* RFC 4616, 4; the second authorizes as another */
    {SASL_PLAIN, "tanstaaftanstaaf", false, "@tim@tanstaaftanstaaf", {"?"},
	SASL_GOOD},
    {SASL_PLAIN, "xipj3plmq", false, "Ursel@Kurt@xipj3plmq", {0}, SASL_WRONG},
    {SASL_PLAIN, "p", false, "tim@tim@p", {"?"}, SASL_GOOD},
    {SASL_PLAIN, "p", false, NULL, {"S: ", "C: @tim@p", "?"}, SASL_GOOD},
    {SASL_PLAIN, "p", false, "=", {0}, SASL_MALFORMED},
    {SASL_PLAIN, "p", false, "tim", {0}, SASL_MALFORMED},
    {SASL_PLAIN, "p", false, "@tim", {0}, SASL_MALFORMED},
    {SASL_PLAIN, "p", false, "@@p", {0}, SASL_MALFORMED},
    {SASL_PLAIN, "p", false, "@tim@p@", {0}, SASL_MALFORMED},
    {SASL_PLAIN, "p", false, "@t\nm@p", {0}, SASL_MALFORMED},
    {SASL_PLAIN, "p", false, "@tim@", {0}, SASL_WRONG},
    {SASL_PLAIN, "p", false, NULL, {"S: ", "*"}, SASL_CANCELLED},
    {SASL_PLAIN, "p", false, NULL, {"S: ", "!"}, SASL_MALFORMED},
    {SASL_LOGIN, "p", false, NULL,
	{"S: Username:", "C: tim", "S: Password:", "C: p", "?"}, SASL_GOOD},
    {SASL_LOGIN, "p", false, "tim", {"S: Password:", "C: p", "?"}, SASL_GOOD},
    {SASL_LOGIN, "p", false, "tim", {"S: Password:", "*"}, SASL_CANCELLED},
    {SASL_LOGIN, "p", false, NULL, {"S: Username:", "C: "}, SASL_MALFORMED},
    {SASL_LOGIN, "p", false, "tim", {"S: Password:", "C: "}, SASL_WRONG},
    {SASL_CRAM_MD5, "p", false, "x", {0}, SASL_MALFORMED},
    {SASL_CRAM_MD5, "p", false, NULL,
	{"S: <" NONCE ".1700000000@mail.example>", "C: tim"}, SASL_MALFORMED},
    {SASL_CRAM_MD5, "p", false, NULL,
	{"S: <" NONCE ".1700000000@mail.example>",
	    "C: tim 00000000000000000000000000000000", "?"},
	SASL_WRONG},
    {SASL_DIGEST_MD5, "p", false, NULL,
	{"S: realm=\"mail.example\",nonce=\"" NONCE
	 "\",qop=\"auth\",charset=utf-8,algorithm=md5-sess",
	    "C: username=\"tim\"" DIGEST_REST, "?"},
	SASL_WRONG},
    {SASL_DIGEST_MD5, "p", false, NULL,
	{"S", "C: username=\"tim\",realm=\"else\"" DIGEST_REST}, SASL_WRONG},
    {SASL_DIGEST_MD5, "p", false, NULL,
	{"S", "C: username=\"tim\",authzid=\"tom\"" DIGEST_REST}, SASL_WRONG},
    {SASL_DIGEST_MD5, "p", false, NULL,
	{"S", "C: username=\"tim\",username=\"tom\"" DIGEST_REST},
	SASL_MALFORMED},
    {SASL_DIGEST_MD5, "p", false, NULL,
	{"S", "C: username=\"tim\",charset=koi8-r" DIGEST_REST},
	SASL_MALFORMED},
    {SASL_DIGEST_MD5, "p", false, NULL, {"S", "C: username=\"tim\""},
	SASL_MALFORMED},
    {SASL_DIGEST_MD5, "p", false, NULL, {"S", "C: "}, SASL_MALFORMED},
    {SASL_SCRAM_SHA_256, VERIFIER, false, "n,,n=user,r=abc",
	{"?", "S: r=abc" NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
	    "C: c=biws,r=abc" NONCE ",p=" Z4},
	SASL_WRONG},
    {SASL_SCRAM_SHA_256, VERIFIER, false, "n,,n=user,r=abc",
	{"?", "S: r=abc" NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
	    "C: c=biws,r=abc" NONCE ",p=AAAA"},
	SASL_MALFORMED},
    {SASL_SCRAM_SHA_256, VERIFIER, false, "n,,n=user,r=abc",
	{"?", "S: r=abc" NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
	    "C: c=biws,r=abc" NONCE},
	SASL_MALFORMED},
    {SASL_SCRAM_SHA_256, VERIFIER, false, "n,a=user,n=user,r=abc", {"?", "S"},
	SASL_NEED_RESPONSE},
    {SASL_SCRAM_SHA_256, VERIFIER, false, "n,a=root,n=user,r=abc", {0},
	SASL_WRONG},
    {SASL_SCRAM_SHA_256, VERIFIER, false, "y,,n=user,r=abc", {"?", "S"},
	SASL_NEED_RESPONSE},
    {SASL_SCRAM_SHA_256, VERIFIER, true, "y,,n=user,r=abc", {0}, SASL_WRONG},
    {SASL_SCRAM_SHA_256, VERIFIER, false, "p=tls-exporter,,n=user,r=abc", {0},
	SASL_MALFORMED},
    {SASL_SCRAM_SHA_256_PLUS, VERIFIER, true, "n,,n=user,r=abc", {0},
	SASL_MALFORMED},
    {SASL_SCRAM_SHA_256_PLUS, VERIFIER, true, "p=tls-unique,,n=user,r=abc", {0},
	SASL_WRONG},
    {SASL_SCRAM_SHA_256, VERIFIER, false, "n,,m=x,n=user,r=abc", {0},
	SASL_MALFORMED},
    {SASL_SCRAM_SHA_256, VERIFIER, false, "n,,n=us=er,r=abc", {0},
	SASL_MALFORMED},
    {SASL_SCRAM_SHA_256, VERIFIER, false, "n,,n=user,r=", {0}, SASL_MALFORMED},
    {SASL_SCRAM_SHA_256, VERIFIER, false, "n,,n=user", {0}, SASL_MALFORMED},
    {SASL_SCRAM_SHA_256, VERIFIER, false, "n", {0}, SASL_MALFORMED},
    {SASL_SCRAM_SHA_256, VERIFIER, false, "=", {0}, SASL_MALFORMED},
};

/* The text of a line in base64, '@' as a zero byte. */
static struct slice encoded(const char *text, struct buf *out)
{
	uint8_t room[1024];
	size_t len = strlen(text);

	cr_assert(len <= sizeof(room));
	for (size_t i = 0; i < len; i++)
		room[i] = text[i] == '@' ? '\0' : (uint8_t)text[i];
	buf_clear(out);
	base64_encode(slice_of(room, len), out);
	return buf_slice(out);
}

static void expect_challenge(size_t i, const char *line, struct buf *challenge)
{
	uint8_t room[2048];
	struct buf text = buf_over(room, sizeof(room));

	cr_assert(base64_decode(buf_slice(challenge), &text));
	if (strcmp(line, "S") != 0)
		cr_assert(slice_eq(buf_slice(&text), slice_of_str(line + 3)),
		    "talk %zu: %.*s", i, (int)text.len, text.at);
	buf_clear(challenge);
}

static enum sasl_need answer(struct sasl_server *s, const char *line,
    const struct sasl_secret *secret, struct buf *challenge)
{
	uint8_t room[2048];
	struct buf out = buf_over(room, sizeof(room));

	if (line[0] == '?') {
		sasl_server_secret(s, secret);
		return sasl_server_next(s, SLICE(""), challenge);
	}
	if (line[0] != 'C')
		return sasl_server_next(s, slice_of_str(line), challenge);
	return sasl_server_next(s, encoded(line + 3, &out), challenge);
}

Test(sasl_server, talks)
{
	struct sasl_server_options options = {
	    .hostname = SLICE("mail.example"),
	    .wall_s = 1700000000,
	    .nonce = "server's nonce 18b",
	};

	for (size_t i = 0; i < COUNT(talks); i++) {
		uint8_t room[2048], initial_room[2048];
		struct buf challenge = buf_over(room, sizeof(room));
		struct buf initial = buf_over(initial_room, 2048);
		const char *text = talks[i].initial;
		struct sasl_secret secret;
		struct sasl_server s;
		const char *why;
		enum sasl_need need;

		cr_assert(
		    secret_parse(slice_of_str(talks[i].stored), &secret, &why));
		options.plus_offered = talks[i].plus_offered;
		options.has_binding = talks[i].plus_offered;
		sasl_server_init(&s, talks[i].mechanism, &options);
		if (text != NULL && strcmp(text, "=") == 0)
			buf_put_str(&initial, text);
		else if (text != NULL)
			encoded(text, &initial);
		need = sasl_server_start(
		    &s, text != NULL, buf_slice(&initial), &challenge);
		for (size_t n = 0; n < 6 && talks[i].lines[n] != NULL; n++) {
			const char *line = talks[i].lines[n];

			if (line[0] == 'S') {
				cr_assert_eq(need, SASL_NEED_RESPONSE,
				    "talk %zu, line %zu", i, n);
				expect_challenge(i, line, &challenge);
				continue;
			}
			cr_assert_eq(need,
			    line[0] == '?' ? SASL_NEED_SECRET
					   : SASL_NEED_RESPONSE,
			    "talk %zu, line %zu: %d", i, n, need);
			need = answer(&s, line, &secret, &challenge);
		}
		cr_assert_eq(need, talks[i].end, "talk %zu: %d", i, need);
		sasl_server_wipe(&s);
	}
}

/* RFC 7677, 3, with the server's part of the nonce as it stands there. */
Test(sasl_server, speaks_scram_as_its_standard)
{
	static const char first[] =
	    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
	    "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
	struct sasl_server_options options = {.hostname = SLICE("m")};
	uint8_t room[2048], text_room[2048];
	struct buf out = buf_over(room, sizeof(room));
	struct buf text = buf_over(text_room, sizeof(text_room));
	struct sasl_secret secret;
	struct sasl_server s;
	const char *why;

	cr_assert(secret_parse(SLICE(VERIFIER), &secret, &why));
	sasl_server_init(&s, SASL_SCRAM_SHA_256, &options);
	cr_assert_eq(
	    sasl_server_start(&s, true,
		encoded("n,,n=user,r=rOprNGfwEbeRWgbNEkqO", &text), &out),
	    SASL_NEED_SECRET);
	sasl_server_secret(&s, &secret);
	cr_assert_eq(sasl_server_next(&s, SLICE(""), &out), SASL_NEED_RESPONSE);
	memcpy(s.text + s.mark[1] + 1, first, strlen(first));
	s.text_len = (uint16_t)(s.mark[1] + 1 + strlen(first));
	buf_clear(&out);
	cr_assert_eq(
	    sasl_server_next(&s,
		encoded("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)"
			"hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndV"
			"Q=",
		    &text),
		&out),
	    SASL_NEED_RESPONSE);
	expect_challenge(
	    0, "S: v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", &out);
	cr_assert_eq(sasl_server_next(&s, SLICE(""), &out), SASL_GOOD);
	cr_assert_str_eq(s.user, "user");
}
