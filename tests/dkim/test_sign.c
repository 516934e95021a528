/* test_sign.c -- signature fields, verified by python3-dkim. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/base64.h"
#include "dkim/body.h"
#include "dkim/key.h"
#include "tests/dkim/keys.h"

#define FIELD_ROOM (DKIM_BATCH_MAX * DKIM_FIELD_MAX)

static struct dkim *open_dkim(void)
{
	const char *why;
	struct dkim *d = dkim_open(&why);

	cr_assert_not_null(d, "%s", why);
	return d;
}

static struct dkim_key *open_key(struct dkim *d, const char *pem)
{
	const char *why, *warning;
	struct dkim_key *key =
	    dkim_key_open(d, slice_of_str(pem), &why, &warning);

	cr_assert_not_null(key, "%s", why);
	return key;
}

static const char *const headers[] = {
    "From: me@example.com\r\nTo: you@example.net\r\nSubject: x\r\n"
    "Date: Sun, 22 Nov 2026 19:33:00 +0000\r\nMessage-ID: <1@example.com>\r\n",
    /* folded, blanks at ends, tabs */
    "From: Me\r\n\t<me@example.com> \r\nSubject: a\r\n  b\t c \r\n"
    "Date:\r\n Sun, 22 Nov 2026 19:33:00 +0000\r\n",
    /* duplicates, empty ones, case */
    "Received: one\r\nFROM: me@example.com\r\nsubject: 1\r\nSubject: 2\r\n"
    "SUBJECT: 3\r\nTo:\r\nTo: \r\nCc: a@example.org\r\nX-Other: yes\r\n",
    /* several From, UTF-8, 8-bit */
    "From: me@example.com\r\nFrom: other@example.org\r\n"
    "Subject: \xc3\xa4\xc3\xb6\r\nReply-To: \xff\xfe\r\nSender: s@e.com\r\n",
    /* all that is signed */
    "From: a@example.com\r\nReply-To: a@example.com\r\nMIME-Version: 1.0\r\n"
    "Content-Type: text/plain;\r\n\tcharset=utf-8\r\nIn-Reply-To: <1@b>\r\n"
    "Content-Transfer-Encoding: 8bit\r\nReferences: <1@b>\r\n <2@b>\r\n"
    "List-Id: <l.example.com>\r\nList-Unsubscribe: <https://example.com>\r\n"
    "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    "Resent-From: b@example.com\r\nResent-Date: now\r\nSender: c@e.com\r\n",
};
static const char *const bodies[] = {"", "\r\n", "hello\r\n",
    "a \r\n\tb\t \tc\r\n\r\n\r\n", ".dot\r\n..\r\n\xc3\xa9\r\n"};

static void hash_body(
    const char *body, enum dkim_canon canon, uint8_t hash[DKIM_HASH_LEN])
{
	struct dkim_body b;

	dkim_body_init(&b, 1u << canon);
	dkim_body_feed(&b, SLICE("A: b\r\n\r\n"));
	for (const char *c = body; *c != '\0'; c++) { /* as it is stored */
		if (*c == '.' && (c == body || c[-1] == '\n'))
			dkim_body_feed(&b, SLICE("."));
		dkim_body_feed(&b, slice_of(c, 1));
	}
	dkim_body_finish(&b, canon, hash);
}

/* `shape`: which canonical forms, whether i= and x=. */
static void fill_job(struct dkim_job *job, struct dkim_key *key,
    const char *header, unsigned shape, const uint8_t *hash, struct buf *out)
{
	*job = (struct dkim_job){
	    .key = key,
	    .domain = SLICE("example.com"),
	    .selector = dkim_key_algorithm(key) == DKIM_RSA_SHA256
			    ? SLICE("rsa")
			    : SLICE("ed"),
	    .identity =
		shape & 4 ? SLICE("mail.example.com") : SLICE("example.com"),
	    .header = slice_of_str(header),
	    .body_hash = hash,
	    .header_canon = (enum dkim_canon)(shape & 1),
	    .body_canon = (enum dkim_canon)(shape >> 1 & 1),
	    .time_s = 1700000000,
	    .expire_s = shape & 4 ? 4000000000 : 0,
	    .out = out,
	};
}

static void put_message(
    FILE *f, const struct buf *fields, const char *header, const char *body)
{
	fprintf(f, "%zu\n", fields->len + strlen(header) + 2 + strlen(body));
	fwrite(fields->at, 1, fields->len, f);
	fputs(header, f);
	fputs("\r\n", f);
	fputs(body, f);
}

/* RSA and Ed25519 over the same message, as for two selectors. */
static void sign_twice(struct dkim *d, struct dkim_key *keys[2],
    const char *header, const char *body, unsigned shape, FILE *f)
{
	uint8_t room[FIELD_ROOM], hash[DKIM_HASH_LEN];
	struct buf out = buf_over(room, sizeof(room));
	struct buf outs[2] = {
	    buf_over(room, FIELD_ROOM / 2),
	    buf_over(room + FIELD_ROOM / 2, FIELD_ROOM / 2),
	};
	struct dkim_job jobs[2];
	struct dkim_job *batch[2] = {&jobs[0], &jobs[1]};

	hash_body(body, (enum dkim_canon)(shape >> 1 & 1), hash);
	for (unsigned i = 0; i < 2; i++)
		fill_job(&jobs[i], keys[i], header, shape, hash, &outs[i]);
	dkim_sign(d, batch, 2);
	for (unsigned i = 0; i < 2; i++)
		cr_assert_null(jobs[i].why, "%s", jobs[i].why);
	out.len = outs[0].len;
	memmove(room + out.len, outs[1].at, outs[1].len);
	out.len += outs[1].len;
	put_message(f, &out, header, body);
}

static void verify(const char *path, struct dkim_key *keys[2], unsigned count)
{
	static const char *const names[2] = {"rsa", "ed"};
	char command[8192];
	struct buf text = buf_over(command, sizeof(command) - 1);
	unsigned good = 0;

	buf_printf(&text, "/usr/bin/python3 tests/dkim/verify.py %s 2", path);
	for (unsigned i = 0; i < 2; i++) {
		buf_printf(&text, " '%s._domainkey.example.com=", names[i]);
		dkim_key_record(keys[i], &text);
		buf_put_str(&text, "'");
	}
	cr_assert(!text.overflowed);
	command[text.len] = '\0';
	FILE *answer = popen(command, "r");

	cr_assert_not_null(answer);
	cr_assert_eq(fscanf(answer, "%u", &good), 1);
	cr_assert_eq(pclose(answer), 0);
	cr_assert_eq(good, count);
}

Test(sign, makes_what_python3_dkim_verifies)
{
	struct dkim *d = open_dkim();
	struct dkim_key *keys[2] = {
	    open_key(d, rsa2048_pem), open_key(d, ed25519_pem)};
	char path[] = "/tmp/smarthost-dkim-XXXXXX";
	FILE *f = fdopen(mkstemp(path), "w");
	unsigned count = 0;

	cr_assert_not_null(f);
	for (size_t h = 0; h < COUNT(headers); h++)
		for (size_t b = 0; b < COUNT(bodies); b++)
			for (unsigned shape = 0; shape < 8; shape++, count++)
				sign_twice(
				    d, keys, headers[h], bodies[b], shape, f);
	fclose(f);
	verify(path, keys, count);
	unlink(path);
	dkim_key_close(keys[0]);
	dkim_key_close(keys[1]);
	dkim_close(d);
}

static const char *sign_one(
    struct dkim *d, struct dkim_key *key, const char *header, struct buf *out)
{
	static const uint8_t hash[DKIM_HASH_LEN] = {1};
	struct dkim_job job;
	struct dkim_job *batch[1] = {&job};

	fill_job(&job, key, header, 5, hash, out);
	dkim_sign(d, batch, 1);
	return job.why;
}

static bool has(const struct buf *out, const char *text)
{
	return memmem(out->at, out->len, text, strlen(text)) != NULL;
}

Test(sign, folds_lines_so_that_nobody_touches_them)
{
	struct dkim *d = open_dkim();
	struct dkim_key *key = open_key(d, rsa2048_pem);

	for (size_t i = 0; i < COUNT(headers); i++) {
		uint8_t room[DKIM_FIELD_MAX];
		struct buf out = buf_over(room, sizeof(room));

		cr_assert_null(sign_one(d, key, headers[i], &out));
		struct slice rest = buf_slice(&out);

		for (unsigned n = 0; rest.len > 0; n++) {
			struct slice line = slice_cut_at(&rest, '\n');

			cr_assert_leq(line.len, 78);
			cr_assert_gt(line.len, 3);
			cr_assert_eq(line.at[line.len - 1], '\r');
			cr_assert_neq(line.at[line.len - 2], ' ');
			cr_assert_eq(line.at[0] == ' ', n > 0);
			cr_assert_neq(line.at[1], ' ');
		}
		cr_assert(has(&out, "DKIM-Signature: v=1; a=rsa-sha256; "));
		cr_assert(has(&out, " i=@mail.example.com;"));
		cr_assert(has(&out, " x=4000000000;"));
	}
	dkim_key_close(key);
	dkim_close(d);
}

Test(sign, names_fields_once_more_than_there_are)
{
	struct dkim *d = open_dkim();
	struct dkim_key *key = open_key(d, ed25519_pem);
	uint8_t room[DKIM_FIELD_MAX];
	struct buf out = buf_over(room, sizeof(room));

	cr_assert_null(sign_one(d, key, headers[2], &out));
	struct buf flat = buf_over(room, sizeof(room));

	for (size_t i = 0; i < out.len; i++) /* as a verifier reads it */
		if (strchr("\r\n ", out.at[i]) == NULL)
			buf_put_byte(&flat, out.at[i]);
	out = flat;
	cr_assert(has(&out, "h=From:From:Subject:Subject:Subject:Subject:To:"));
	cr_assert(has(&out, ":Cc:Cc:Reply-To:Message-ID:"));
	cr_assert(!has(&out, "X-Other"));
	cr_assert(!has(&out, "Received"));
	dkim_key_close(key);
	dkim_close(d);
}

/* However many there are, From is signed and the field stays in its bounds. */
Test(sign, bounds_what_a_header_can_ask_for)
{
	struct dkim *d = open_dkim();
	struct dkim_key *key = open_key(d, rsa2048_pem);
	static char header[100000];
	uint8_t room[DKIM_FIELD_MAX];

	for (unsigned froms = 0; froms < 40; froms += 13) {
		struct buf text = buf_over(header, sizeof(header) - 1);
		struct buf out = buf_over(room, sizeof(room));
		const char *why;

		for (unsigned i = 0; i < 300; i++)
			buf_printf(&text,
			    "References: <%u>\r\nList-Unsubscribe-Post: x\r\n"
			    "Content-Transfer-Encoding: 8bit\r\nSender: %u\r\n"
			    "In-Reply-To: x\r\n%s",
			    i, i, i < froms ? "From: me@example.com\r\n" : "");
		header[text.len] = '\0';
		why = sign_one(d, key, header, &out);
		if (froms == 0)
			cr_assert_str_eq(why, "there is no From field");
		else if (froms > 32)
			cr_assert_str_eq(why, "there are too many From fields");
		else
			cr_assert_null(why, "%s", why);
		cr_assert_eq(out.len == 0, why != NULL);
	}
	dkim_key_close(key);
	dkim_close(d);
}

Test(sign, leaves_nothing_behind_when_there_is_no_room)
{
	struct dkim *d = open_dkim();
	struct dkim_key *key = open_key(d, rsa2048_pem);
	uint8_t room[DKIM_FIELD_MAX];

	for (size_t len = 0; len < 500; len += 50) {
		struct buf out = buf_over(room, len);

		cr_assert_not_null(sign_one(d, key, headers[0], &out));
		cr_assert_eq(out.len, 0);
		cr_assert(!out.overflowed);
	}
	dkim_key_close(key);
	dkim_close(d);
}

/* RFC 8463, A.3: the body of its message. */
Test(sign, hashes_the_body_of_the_rfc)
{
	uint8_t hash[DKIM_HASH_LEN], room[64];
	struct buf text = buf_over(room, sizeof(room));

	hash_body("Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\n"
		  "Joe.\r\n\r\n",
	    DKIM_RELAXED, hash);
	base64_encode(slice_of(hash, sizeof(hash)), &text);
	cr_assert(slice_eq(buf_slice(&text),
	    SLICE("2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=")));
}
