/* smtp_commands.c -- MAIL and RCPT with what the server offers. */
#include "proto/smtp_commands.h"

#include "core/base/check.h"
#include "proto/params.h"

/* RFC 5321, 4.5.3.1: 64 + 1 + 255 octets; RFC 3461, 4.2 and 5.4. */
#define PATH_LEN_MAX 320
#define ORCPT_LEN_MAX 512
#define ENVID_LEN_MAX 100

_Static_assert(SMTP_CLIENT_OUT_MIN >= 2 * PATH_LEN_MAX + ORCPT_LEN_MAX + 256,
    "the longest command fits into an empty buffer");

/* What comes from a spool was checked before it went there; checked again,
 * since a line end in an address would be a command of its own. */
static bool is_sendable(struct slice text, size_t len_max, uint8_t byte_min)
{
	if (text.len > len_max)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] < byte_min || text.at[i] == 0x7f)
			return false;
	return true;
}

bool smtp_commands_take_address(struct slice address)
{
	/* A quoted local part may have blanks. */
	return is_sendable(address, PATH_LEN_MAX, ' ');
}

static void put_notify(struct buf *out, uint8_t notify)
{
	static const struct {
		uint8_t flag;
		const char *word;
	} words[] = {{DSN_NOTIFY_NEVER, "NEVER"},
	    {DSN_NOTIFY_SUCCESS, "SUCCESS"}, {DSN_NOTIFY_FAILURE, "FAILURE"},
	    {DSN_NOTIFY_DELAY, "DELAY"}};
	const char *before = " NOTIFY=";

	for (size_t i = 0; i < COUNT(words); i++) {
		if ((notify & words[i].flag) == 0)
			continue;
		buf_put_str(out, before);
		buf_put_str(out, words[i].word);
		before = ",";
	}
}

/* RFC 3461: xtext has no blanks; what has is dropped, not sent. */
static void put_xtext(
    struct buf *out, const char *name, struct slice text, size_t len_max)
{
	if (text.len == 0 || !is_sendable(text, len_max, '!'))
		return;
	buf_put_str(out, name);
	buf_put(out, text);
}

void smtp_commands_put_mail(struct buf *out, const struct smtp_offers *offers,
    const struct smtp_client_transaction *t)
{
	buf_put_str(out, "MAIL FROM:<");
	buf_put(out, t->sender);
	buf_put_str(out, ">");
	if (offers->size && t->size > 0) {
		buf_put_str(out, " SIZE=");
		buf_put_number(out, t->size);
	}
	if (offers->eightbitmime && t->body_8bit)
		buf_put_str(out, " BODY=8BITMIME");
	if (offers->smtputf8 && t->smtputf8)
		buf_put_str(out, " SMTPUTF8");
	if (offers->dsn) {
		if (t->ret == DSN_RET_FULL)
			buf_put_str(out, " RET=FULL");
		if (t->ret == DSN_RET_HDRS)
			buf_put_str(out, " RET=HDRS");
		put_xtext(out, " ENVID=", t->envid, ENVID_LEN_MAX);
	}
	buf_put_str(out, "\r\n");
}

void smtp_commands_put_rcpt(struct buf *out, const struct smtp_offers *offers,
    const struct smtp_client_rcpt *rcpt)
{
	buf_put_str(out, "RCPT TO:<");
	buf_put(out, rcpt->address);
	buf_put_str(out, ">");
	if (offers->dsn) {
		put_notify(out, rcpt->notify);
		put_xtext(out, " ORCPT=", rcpt->orcpt, ORCPT_LEN_MAX);
	}
	buf_put_str(out, "\r\n");
}

/* Why this server cannot have the message by its own word; NULL = it can. */
static const char *why_not(const struct smtp_offers *o,
    const struct smtp_client_transaction *t, uint8_t status[3])
{
	status[0] = 5;
	status[1] = 6;
	if (o->size_max > 0 && o->size_max < t->size) {
		status[1] = 3;
		status[2] = 4;
		return "message too big for the next hop";
	}
	if (t->smtputf8 && !o->smtputf8) {
		status[2] = 7;
		return "next hop does not offer SMTPUTF8";
	}
	if (t->body_8bit && !o->eightbitmime) {
		status[2] = 3;
		return "next hop does not offer 8BITMIME";
	}
	if (!smtp_commands_take_address(t->sender)) {
		status[1] = 1;
		status[2] = 7;
		return "sender address cannot be sent";
	}
	return NULL;
}

bool smtp_commands_prepare(
    const struct smtp_offers *offers, struct smtp_client_transaction *t)
{
	const uint8_t bad_address[3] = {5, 1, 3};
	uint8_t status[3];
	const char *sentence = why_not(offers, t, status);
	bool has_takers = false;

	t->accepted_count = 0;
	for (uint32_t i = 0; i < t->rcpt_count; i++) {
		struct smtp_client_rcpt *rcpt = &t->rcpts[i];

		rcpt->outcome.kind = OUTCOME_NONE;
		if (sentence != NULL)
			rcpt->outcome = outcome_of_error(
			    OUTCOME_FAILED, status, false, sentence);
		else if (!smtp_commands_take_address(rcpt->address))
			rcpt->outcome =
			    outcome_of_error(OUTCOME_FAILED, bad_address, false,
				"recipient address cannot be sent");
		else
			has_takers = true;
	}
	return has_takers;
}
