/* dsn.c -- reports to a sender.
 *
 *   header            multipart/report (RFC 6522)
 *   text/plain        for people: the first recipients, what was said and by
 *                     whom
 *   message/delivery-status
 *                     for programs: fields of the message, then a group of
 *                     fields for each recipient (RFC 3464, 2)
 *   message/rfc822 or text/rfc822-headers
 *                     the original, whose bytes are stored bytes already
 *
 * With a non-ASCII address the second part is message/global-delivery-status
 * and the address has the type utf-8; an original with UTF-8 in its header is
 * message/global (RFC 6533).
 *
 * Whatever comes from outside (addresses, ORCPT, ENVID, replies) is written
 * without control characters: it can end no line.  No line that is written here
 * begins with such text, so none begins with a dot. */
#include "proto/dsn.h"

#include "core/base/check.h"
#include "proto/address.h"
#include "proto/header.h"
#include "proto/params.h"

#define LINE_LEN 76 /* where text is folded */
#define ADDRESS_LEN_MAX 320
#define HOST_LEN_MAX 255
#define ORCPT_LEN_MAX 500    /* RFC 3461, 4.2 */
#define ENVID_LEN_MAX 100    /* RFC 3461, 4.4 */
#define TEXT_RCPTS_MAX 20    /* recipients in the text for people */
#define HEADER_LEN_MAX 32768 /* of the original */
#define BOUNDARY_LEN_MAX 64
#define DIAGNOSTIC_LEN_MAX 448 /* code, status, OUTCOME_TEXT_MAX */

/* What a report looks like, decided before it is written. */
struct form {
	const struct dsn_report *report;
	enum dsn_original original_form;
	struct slice original; /* what of it comes back */
	bool brief;	       /* without what the servers said */
	bool utf8;	       /* an address is not ASCII */
	bool original_8bit;
	bool original_global; /* UTF-8 in the original's header */
	uint8_t boundary_len;
	uint8_t boundary[BOUNDARY_LEN_MAX];
};

bool dsn_wanted(uint8_t notify, enum dsn_action action)
{
	if (notify == 0)
		notify = DSN_NOTIFY_FAILURE | DSN_NOTIFY_DELAY;
	if (notify & DSN_NOTIFY_NEVER)
		return false;
	switch (action) {
	case DSN_FAILED: return notify & DSN_NOTIFY_FAILURE;
	case DSN_DELAYED: return notify & DSN_NOTIFY_DELAY;
	case DSN_DELIVERED:
	case DSN_RELAYED: return notify & DSN_NOTIFY_SUCCESS;
	}
	return false;
}

/* --- text from outside --------------------------------------------------- */

static bool is_control(uint8_t c)
{
	return c < ' ' || c == 0x7f;
}

static void put_clean(struct buf *out, struct slice text, size_t len_max)
{
	for (size_t i = 0; i < text.len && i < len_max; i++)
		buf_put_byte(out, is_control(text.at[i]) ? '?' : text.at[i]);
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = byte_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 3461, 4: "+2B" is a byte.  What decodes to a control character or to no
 * ASCII is not to be trusted in a header: '?'. */
static void put_xtext(struct buf *out, struct slice text, size_t len_max)
{
	for (size_t i = 0; i < text.len && i < len_max; i++) {
		uint8_t c = text.at[i];
		int high = -1, low = -1;

		if (c == '+' && text.len - i > 2) {
			high = hex_digit(text.at[i + 1]);
			low = hex_digit(text.at[i + 2]);
		}
		if (high >= 0 && low >= 0) {
			c = (uint8_t)(high << 4 | low);
			i += 2;
		}
		buf_put_byte(out, is_control(c) || c > 0x7f ? '?' : c);
	}
}

/* Words at `column`; lines after the first begin with `indent`. */
static void put_words(
    struct buf *out, struct slice text, size_t column, const char *indent)
{
	bool line_begins = true;

	while (text.len > 0) {
		struct slice word = slice_cut_at(&text, ' ');

		if (word.len == 0)
			continue;
		if (!line_begins && column + 1 + word.len > LINE_LEN) {
			buf_put_str(out, "\r\n");
			buf_put_str(out, indent);
			column = strlen(indent);
			line_begins = true;
		}
		if (!line_begins)
			buf_put_byte(out, ' ');
		put_clean(out, word, word.len);
		column += word.len + !line_begins;
		line_begins = false;
	}
	buf_put_str(out, "\r\n");
}

static void put_status(struct buf *out, const struct outcome *o)
{
	buf_printf(out, "%u.%u.%u", o->status[0], o->status[1], o->status[2]);
}

/* "550 5.1.1 no such user": the reply as it came. */
static void put_reply(struct buf *out, const struct outcome *o)
{
	if (o->code != 0)
		buf_printf(out, "%u ", o->code);
	if (o->code != 0 && (o->status[1] != 0 || o->status[2] != 0)) {
		put_status(out, o);
		buf_put_byte(out, ' ');
	}
	buf_put(out, slice_of(o->text, o->text_len));
}

static void put_date(struct buf *out, const char *before, uint64_t wall_s)
{
	buf_put_str(out, before);
	date_put(out, wall_s);
	buf_put_str(out, "\r\n");
}

static void put_boundary(struct buf *out, const struct form *f)
{
	buf_put_str(out, "\r\n--");
	buf_put(out, slice_of(f->boundary, f->boundary_len));
}

/* --- the header ---------------------------------------------------------- */

static const char *subject_of(enum dsn_action kind)
{
	switch (kind) {
	case DSN_FAILED: return "Undelivered Mail Returned to Sender";
	case DSN_DELAYED: return "Delayed Mail (still being retried)";
	case DSN_DELIVERED:
	case DSN_RELAYED: return "Successful Mail Delivery Report";
	}
	return "";
}

static void put_header(struct buf *out, const struct form *f)
{
	const struct dsn_report *r = f->report;

	buf_put_str(out, "From: Mail Delivery System <MAILER-DAEMON@");
	put_clean(out, r->hostname, HOST_LEN_MAX);
	buf_put_str(out, ">\r\nTo: <");
	put_clean(out, r->sender, ADDRESS_LEN_MAX);
	buf_put_str(out, ">\r\nSubject: ");
	buf_put_str(out, subject_of(r->kind));
	put_date(out, "\r\nDate: ", r->now_wall_s);
	buf_put_str(out, "Message-ID: <");
	put_clean(out, r->id, BOUNDARY_LEN_MAX);
	buf_put_byte(out, '@');
	put_clean(out, r->hostname, HOST_LEN_MAX);
	/* RFC 3834, 5: so that no robot answers. */
	buf_put_str(out,
	    ">\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
	    "\tboundary=\"");
	buf_put(out, slice_of(f->boundary, f->boundary_len));
	buf_put_str(out, "\"\r\n");
	/* RFC 2045, 6.4: as wide as its widest part. */
	if (f->utf8 || f->original_8bit)
		buf_put_str(out, "Content-Transfer-Encoding: 8bit\r\n");
	buf_put_str(out, "\r\nThis is a report in MIME format.\r\n");
}

/* --- for people ---------------------------------------------------------- */

static void put_explanation(struct buf *out, const struct dsn_report *r)
{
	switch (r->kind) {
	case DSN_FAILED:
		buf_put_str(out,
		    "I'm sorry to say that your message could not be delivered "
		    "to the\r\nrecipients below.  It will not be tried again.  "
		    "What their mail\r\nservers answered stands under each "
		    "address.\r\n");
		return;
	case DSN_DELAYED:
		buf_put_str(out,
		    "This is a warning only: you need not send your message "
		    "again.\r\n\r\nIt has not been delivered yet to the "
		    "recipients below.\r\n");
		if (r->retry_until_wall_s != 0)
			put_date(out, "It will be tried until ",
			    r->retry_until_wall_s);
		return;
	case DSN_DELIVERED:
	case DSN_RELAYED:
		buf_put_str(out,
		    "As you asked for it: your message was delivered to the "
		    "recipients\r\nbelow, or relayed to a server that does "
		    "not report its delivery.\r\n");
		return;
	}
}

static const char *action_words(const struct dsn_rcpt *rcpt)
{
	switch (rcpt->action) {
	case DSN_FAILED:
		/* A refusal that might have passed: the time was up. */
		return rcpt->outcome->kind == OUTCOME_FAILED
			   ? "failed: "
			   : "failed, tried for too long; at last: ";
	case DSN_DELAYED: return "delayed: ";
	case DSN_DELIVERED: return "delivered: ";
	case DSN_RELAYED: return "relayed: ";
	}
	return "";
}

static void put_text_rcpt(
    struct buf *out, const struct form *f, const struct dsn_rcpt *rcpt)
{
	uint8_t room[DIAGNOSTIC_LEN_MAX + HOST_LEN_MAX + 64];
	struct buf text = buf_over(room, sizeof(room));

	buf_put_str(out, "\r\n<");
	put_clean(out, rcpt->address, ADDRESS_LEN_MAX);
	buf_put_str(out, ">\r\n    ");
	buf_put_str(&text, action_words(rcpt));
	if (rcpt->host.len > 0) {
		put_clean(&text, rcpt->host, HOST_LEN_MAX);
		buf_put_str(&text, rcpt->outcome->code != 0 ? " said: " : ": ");
	}
	if (f->brief)
		put_status(&text, rcpt->outcome);
	else
		put_reply(&text, rcpt->outcome);
	put_words(out, buf_slice(&text), 4, "    ");
}

static void put_text(struct buf *out, const struct form *f)
{
	const struct dsn_report *r = f->report;

	put_boundary(out, f);
	buf_put_str(out, "\r\nContent-Description: Notification\r\n");
	buf_put_str(
	    out, f->utf8 ? "Content-Type: text/plain; charset=utf-8\r\n"
			   "Content-Transfer-Encoding: 8bit\r\n"
			 : "Content-Type: text/plain; charset=us-ascii\r\n");
	buf_put_str(out, "\r\nThis is the mail relay at host ");
	put_clean(out, r->hostname, HOST_LEN_MAX);
	buf_put_str(out, ".\r\n\r\n");
	put_explanation(out, r);
	for (uint32_t i = 0; i < r->rcpt_count && i < TEXT_RCPTS_MAX; i++)
		put_text_rcpt(out, f, &r->rcpts[i]);
	if (r->rcpt_count > TEXT_RCPTS_MAX)
		buf_printf(out,
		    "\r\n(and %u more; all of them stand in the next part)"
		    "\r\n",
		    r->rcpt_count - TEXT_RCPTS_MAX);
}

/* --- for programs -------------------------------------------------------- */

static const char *action_name(enum dsn_action action)
{
	switch (action) {
	case DSN_FAILED: return "failed";
	case DSN_DELAYED: return "delayed";
	case DSN_DELIVERED: return "delivered";
	case DSN_RELAYED: return "relayed";
	}
	return "";
}

static bool has_utf8_type(struct slice orcpt)
{
	return slice_starts_nocase(orcpt, SLICE("utf-8;"));
}

/* RFC 3464, 2.3.1: as the sender wrote it, out of xtext.  Of a utf-8 address
 * the escaped form may stand here as it is (RFC 6533, 4). */
static void put_original_recipient(struct buf *out, struct slice orcpt)
{
	if (slice_find(orcpt, ';') == orcpt.len)
		return;
	buf_put_str(out, "Original-Recipient: ");
	if (has_utf8_type(orcpt))
		put_clean(out, orcpt, ORCPT_LEN_MAX);
	else
		put_xtext(out, orcpt, ORCPT_LEN_MAX);
	buf_put_str(out, "\r\n");
}

static void put_diagnostic(struct buf *out, const struct dsn_rcpt *rcpt)
{
	uint8_t room[DIAGNOSTIC_LEN_MAX];
	struct buf text = buf_over(room, sizeof(room));
	/* RFC 3464, 2.3.6: a reply, or our own words. */
	const char *name = rcpt->outcome->code != 0
			       ? "Diagnostic-Code: smtp; "
			       : "Diagnostic-Code: X-Smarthost; ";

	put_reply(&text, rcpt->outcome);
	if (text.len == 0)
		return;
	buf_put_str(out, name);
	put_words(out, buf_slice(&text), strlen(name), "    ");
}

static void put_status_rcpt(
    struct buf *out, const struct form *f, const struct dsn_rcpt *rcpt)
{
	buf_put_str(out, "\r\n");
	if (!f->brief)
		put_original_recipient(out, rcpt->orcpt);
	buf_put_str(out, ascii_only(rcpt->address) ? "Final-Recipient: rfc822;"
						 : "Final-Recipient: utf-8;");
	put_clean(out, rcpt->address, ADDRESS_LEN_MAX);
	buf_put_str(out, "\r\nAction: ");
	buf_put_str(out, action_name(rcpt->action));
	buf_put_str(out, "\r\nStatus: ");
	put_status(out, rcpt->outcome);
	buf_put_str(out, "\r\n");
	if (f->brief)
		return;
	if (rcpt->host.len > 0) {
		buf_put_str(out, "Remote-MTA: dns; ");
		put_clean(out, rcpt->host, HOST_LEN_MAX);
		buf_put_str(out, "\r\n");
	}
	put_diagnostic(out, rcpt);
	if (rcpt->attempt_wall_s != 0)
		put_date(out, "Last-Attempt-Date: ", rcpt->attempt_wall_s);
	if (rcpt->action == DSN_DELAYED && f->report->retry_until_wall_s != 0)
		put_date(
		    out, "Will-Retry-Until: ", f->report->retry_until_wall_s);
}

static void put_delivery_status(struct buf *out, const struct form *f)
{
	const struct dsn_report *r = f->report;

	put_boundary(out, f);
	buf_put_str(out, "\r\nContent-Description: Delivery report\r\n");
	buf_put_str(
	    out, f->utf8 ? "Content-Type: message/global-delivery-status\r\n"
			   "Content-Transfer-Encoding: 8bit\r\n\r\n"
			 : "Content-Type: message/delivery-status\r\n\r\n");
	if (r->envid.len > 0) {
		buf_put_str(out, "Original-Envelope-Id: ");
		put_xtext(out, r->envid, ENVID_LEN_MAX);
		buf_put_str(out, "\r\n");
	}
	buf_put_str(out, "Reporting-MTA: dns; ");
	put_clean(out, r->hostname, HOST_LEN_MAX);
	if (r->original_id.len > 0) {
		buf_put_str(out, "\r\nX-Smarthost-Queue-ID: ");
		put_clean(out, r->original_id, BOUNDARY_LEN_MAX);
	}
	put_date(out, "\r\nArrival-Date: ", r->arrival_wall_s);
	for (uint32_t i = 0; i < r->rcpt_count; i++)
		put_status_rcpt(out, f, &r->rcpts[i]);
}

/* --- the original -------------------------------------------------------- */

static void put_original(struct buf *out, const struct form *f)
{
	bool full = f->original_form == DSN_ORIGINAL_FULL;

	if (f->original_form != DSN_ORIGINAL_NONE) {
		put_boundary(out, f);
		buf_put_str(
		    out, full ? "\r\nContent-Description: Undelivered Message"
			      : "\r\nContent-Description: Message Header");
		buf_put_str(out, "\r\nContent-Type: ");
		if (f->original_global)
			buf_put_str(out,
			    full ? "message/global" : "message/global-headers");
		else
			buf_put_str(out,
			    full ? "message/rfc822" : "text/rfc822-headers");
		if (f->original_8bit)
			buf_put_str(out, "\r\nContent-Transfer-Encoding: 8bit");
		buf_put_str(out, "\r\n\r\n");
		buf_put(out, f->original);
	}
	put_boundary(out, f);
	buf_put_str(out, "--\r\n");
}

/* The lines before the empty one; of a piece, those that are whole. */
static struct slice header_of(struct slice message)
{
	size_t len = 0;

	while (len < message.len) {
		struct slice rest =
		    slice_of(message.at + len, message.len - len);
		size_t line_len = slice_find(rest, '\n') + 1;

		if (line_len > rest.len || len + line_len > HEADER_LEN_MAX)
			break;
		if (line_len == 2 && rest.at[0] == '\r')
			break;
		len += line_len;
	}
	return slice_of(message.at, len);
}

/* No line of the original may look like a boundary, not even on purpose. */
static void choose_boundary(struct form *f)
{
	struct buf b = buf_over(f->boundary, sizeof(f->boundary));
	unsigned attempt = 0;

	do {
		buf_clear(&b);
		buf_put_str(&b, "=_");
		buf_put_number(&b, attempt++);
		buf_put_byte(&b, '.');
		put_clean(&b, f->report->id, 32);
		buf_put_str(&b, "/report");
		f->boundary_len = (uint8_t)b.len;
	} while (f->original.len > 0 &&
		 memmem(f->original.at, f->original.len, b.at, b.len) != NULL);
}

static bool has_utf8(const struct dsn_report *r)
{
	if (!ascii_only(r->sender))
		return true;
	for (uint32_t i = 0; i < r->rcpt_count; i++) {
		const struct dsn_rcpt *rcpt = &r->rcpts[i];

		if (!ascii_only(rcpt->address))
			return true;
		if (has_utf8_type(rcpt->orcpt) && !ascii_only(rcpt->orcpt))
			return true;
	}
	return false;
}

static void form_init(struct form *f, const struct dsn_report *r,
    enum dsn_original original_form, bool brief)
{
	*f = (struct form){.report = r,
	    .original_form = original_form,
	    .brief = brief,
	    .utf8 = has_utf8(r)};
	struct slice header = header_of(r->original);

	switch (original_form) {
	case DSN_ORIGINAL_NONE: break;
	case DSN_ORIGINAL_HEADER: f->original = header; break;
	case DSN_ORIGINAL_FULL: f->original = r->original; break;
	}
	f->original_8bit = !ascii_only(f->original);
	f->original_global = original_form != DSN_ORIGINAL_NONE &&
			     r->smtputf8 && !ascii_only(header);
	choose_boundary(f);
}

static bool put_form(struct buf *out, const struct form *f)
{
	size_t len_before = out->len;

	put_header(out, f);
	put_text(out, f);
	put_delivery_status(out, f);
	put_original(out, f);
	if (!out->overflowed)
		return true;
	out->len = len_before;
	out->overflowed = false;
	return false;
}

bool dsn_put(
    struct buf *out, const struct dsn_report *r, struct dsn_needs *needs)
{
	static const struct {
		enum dsn_original original_form;
		bool brief;
	} forms[] = {{DSN_ORIGINAL_FULL, false}, {DSN_ORIGINAL_HEADER, false},
	    {DSN_ORIGINAL_NONE, false}, {DSN_ORIGINAL_NONE, true}};
	struct form f;

	check(r->sender.len > 0);
	check(r->rcpt_count > 0);
	check(!out->overflowed);
	for (size_t i = 0; i < COUNT(forms); i++) {
		if (forms[i].original_form > r->original_form)
			continue;
		form_init(&f, r, forms[i].original_form, forms[i].brief);
		if (!put_form(out, &f))
			continue;
		/* RFC 6531, 3.1: SMTPUTF8 is for the report's own header and
		 * envelope; its parts need 8BITMIME alone, and so the sender
		 * hears of it where SMTPUTF8 ends. */
		*needs =
		    (struct dsn_needs){.body_8bit = f.utf8 || f.original_8bit,
			.smtputf8 = !ascii_only(r->sender)};
		return true;
	}
	return false;
}
