/* params.c -- the arguments of MAIL and RCPT: path and ESMTP parameters.
 *
 * Each command has a table of the parameters that it knows.  A parameter that
 * stands twice is a syntax error; one that is in no table is refused with 555
 * (RFC 5321, 4.1.1.11), so that nothing is promised that is not done. */
#include "proto/params.h"

#define ENVID_LEN_MAX 100 /* RFC 3461, 4.4 */
#define ORCPT_LEN_MAX 500 /* RFC 3461, 4.2 */

/* What is being filled: one of the two. */
struct target {
	struct mail_params *mail;
	struct rcpt_params *rcpt;
};

struct param {
	const char *name;
	/* NULL when the value is good, or the reply. */
	const struct reply *(*read)(struct target t, struct slice value);
};

#define REPLY(name, code_, enhanced_, text_)                                   \
	static const struct reply name = {                                     \
	    code_, enhanced_, {(const uint8_t *)(text_), sizeof(text_) - 1}}

REPLY(bad_size, 501, "5.5.4", "SIZE takes a number");
REPLY(bad_body, 501, "5.5.4", "BODY is 7BIT or 8BITMIME");
REPLY(no_binary, 555, "5.6.1", "BINARYMIME is not offered");
REPLY(bad_smtputf8, 501, "5.5.4", "SMTPUTF8 takes no value");
REPLY(bad_ret, 501, "5.5.4", "RET is FULL or HDRS");
REPLY(bad_envid, 501, "5.5.4", "ENVID takes up to 100 characters of xtext");
REPLY(bad_auth, 501, "5.5.4", "AUTH takes xtext, or <>");
REPLY(bad_notify, 501, "5.5.4",
    "NOTIFY is NEVER or a list of SUCCESS, FAILURE, DELAY");
REPLY(bad_orcpt, 501, "5.5.4", "ORCPT is type;address in xtext");
REPLY(bad_param, 501, "5.5.4", "parameters are KEYWORD or KEYWORD=value");
REPLY(param_twice, 501, "5.5.4", "a parameter is given twice");
REPLY(param_unknown, 555, "5.5.4", "a parameter is not known here");
REPLY(bad_mail, 501, "5.5.4", "syntax: MAIL FROM:<address> [parameters]");
REPLY(bad_rcpt, 501, "5.5.4", "syntax: RCPT TO:<address> [parameters]");
REPLY(bad_sender, 501, "5.1.7", "that is no address: expected <local@domain>");
REPLY(
    bad_recipient, 501, "5.1.3", "that is no address: expected <local@domain>");
REPLY(needs_utf8, 553, "5.6.7", "this address needs the parameter SMTPUTF8");

/* RFC 1870, 3 */
static const struct reply *read_size(struct target t, struct slice value)
{
	return slice_number(value, &t.mail->size) ? NULL : &bad_size;
}

/* RFC 6152; RFC 3030 for BINARYMIME */
static const struct reply *read_body(struct target t, struct slice value)
{
	if (slice_eq_nocase(value, SLICE("BINARYMIME")))
		return &no_binary;
	t.mail->body_8bit = slice_eq_nocase(value, SLICE("8BITMIME"));
	if (t.mail->body_8bit || slice_eq_nocase(value, SLICE("7BIT")))
		return NULL;
	return &bad_body;
}

/* RFC 6531, 3.4 */
static const struct reply *read_smtputf8(struct target t, struct slice value)
{
	t.mail->smtputf8 = true;
	return value.at == NULL ? NULL : &bad_smtputf8;
}

static const struct reply *read_ret(struct target t, struct slice value)
{
	if (slice_eq_nocase(value, SLICE("FULL")))
		t.mail->ret = DSN_RET_FULL;
	else if (slice_eq_nocase(value, SLICE("HDRS")))
		t.mail->ret = DSN_RET_HDRS;
	else
		return &bad_ret;
	return NULL;
}

static bool is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

/* RFC 3461, 4: printable, and +XX for everything else. */
static bool xtext_good(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.at[i];

		if (c < '!' || c > '~' || c == '=')
			return false;
		if (c != '+')
			continue;
		if (s.len - i < 3 || !is_hex(s.at[i + 1]) ||
		    !is_hex(s.at[i + 2]))
			return false;
		i += 2;
	}
	return s.len > 0;
}

static const struct reply *read_envid(struct target t, struct slice value)
{
	t.mail->envid = value;
	if (value.len > ENVID_LEN_MAX || !xtext_good(value))
		return &bad_envid;
	return NULL;
}

/* RFC 4954, 5: who said to somebody else that he sent this.  We trust nobody's
 * word for it, and it goes no further. */
static const struct reply *read_auth(struct target t, struct slice value)
{
	(void)t;
	return slice_eq(value, SLICE("<>")) || xtext_good(value) ? NULL
								 : &bad_auth;
}

/* RFC 3461, 4.1: NEVER stands alone. */
static const struct reply *read_notify(struct target t, struct slice value)
{
	if (slice_eq_nocase(value, SLICE("NEVER"))) {
		t.rcpt->notify = DSN_NOTIFY_NEVER;
		return NULL;
	}
	for (bool more = true; more;) {
		more = slice_find(value, ',') < value.len;
		struct slice word = slice_cut_at(&value, ',');

		if (slice_eq_nocase(word, SLICE("SUCCESS")))
			t.rcpt->notify |= DSN_NOTIFY_SUCCESS;
		else if (slice_eq_nocase(word, SLICE("FAILURE")))
			t.rcpt->notify |= DSN_NOTIFY_FAILURE;
		else if (slice_eq_nocase(word, SLICE("DELAY")))
			t.rcpt->notify |= DSN_NOTIFY_DELAY;
		else
			return &bad_notify;
	}
	return NULL;
}

/* RFC 6533, 3: \x{HEX} for what is not plain; UTF-8 as such is checked with
 * the command's other text. */
static bool utf8_address_good(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.at[i];

		if (c < '!' || c == 0x7f || c == '=')
			return false;
		if (c != '\\')
			continue;
		struct slice hex = slice_of(s.at + i + 1, s.len - i - 1);

		if (!slice_starts_nocase(hex, SLICE("x{")))
			return false;
		slice_cut(&hex, 2);
		size_t len = slice_find(hex, '}');

		if (len == hex.len || len < 2 || len > 6)
			return false;
		for (size_t at = 0; at < len; at++)
			if (!is_hex(hex.at[at]))
				return false;
		i += len + 3;
	}
	return s.len > 0;
}

static bool type_good(struct slice type)
{
	for (size_t i = 0; i < type.len; i++) {
		uint8_t c = byte_lower(type.at[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    c != '-')
			return false;
	}
	return type.len > 0;
}

static const struct reply *read_orcpt(struct target t, struct slice value)
{
	struct slice address = value;
	struct slice type = slice_cut_at(&address, ';');
	bool good;

	t.rcpt->orcpt = value;
	if (slice_eq_nocase(type, SLICE("utf-8")))
		good = utf8_address_good(address);
	else
		good = type_good(type) && xtext_good(address);
	return good && value.len <= ORCPT_LEN_MAX ? NULL : &bad_orcpt;
}

static const struct param mail_table[] = {
    {"SIZE", read_size},
    {"BODY", read_body},
    {"SMTPUTF8", read_smtputf8},
    {"RET", read_ret},
    {"ENVID", read_envid},
    {"AUTH", read_auth},
    {NULL, NULL},
};

static const struct param rcpt_table[] = {
    {"NOTIFY", read_notify},
    {"ORCPT", read_orcpt},
    {NULL, NULL},
};

static bool keyword_good(struct slice word)
{
	return type_good(word) && word.at[0] != '-';
}

/* RFC 5321, 4.1.2: Mail-parameters.  More than one blank between two of them
 * does no harm. */
static const struct reply *read_params(
    struct slice args, const struct param *table, struct target t)
{
	unsigned seen = 0;

	for (;;) {
		args = slice_trim(args);
		if (args.len == 0)
			return NULL;
		struct slice value = slice_cut_at(&args, ' ');
		struct slice word = slice_cut(&value, slice_find(value, '='));

		if (!keyword_good(word))
			return &bad_param;
		if (value.len == 1) /* RFC 5321: esmtp-value is never empty */
			return &bad_param;
		if (value.len > 0)
			slice_cut(&value, 1);
		else
			value = (struct slice){NULL, 0};

		const struct param *p = table;
		while (p->name != NULL &&
		       !slice_eq_nocase(word, slice_of_str(p->name)))
			p++;
		if (p->name == NULL)
			return &param_unknown;
		unsigned bit = 1u << (p - table);
		if (seen & bit)
			return &param_twice;
		seen |= bit;
		const struct reply *no = p->read(t, value);
		if (no != NULL)
			return no;
	}
}

/* Takes "FROM:" and blanks off; many clients put one before the path. */
static bool take_keyword(struct slice *args, struct slice keyword)
{
	*args = slice_trim(*args);
	if (!slice_starts_nocase(*args, keyword))
		return false;
	slice_cut(args, keyword.len);
	*args = slice_trim(*args);
	return true;
}

/* After the path: nothing, or a blank and parameters. */
static bool path_ends(struct slice rest)
{
	return rest.len == 0 || rest.at[0] == ' ' || rest.at[0] == '\t';
}

static const struct reply *read_mail(
    struct slice args, struct mail_params *mail)
{
	if (!take_keyword(&args, SLICE("FROM:")))
		return &bad_mail;
	if (!path_parse(&args, true, false, true, &mail->path))
		return &bad_sender;
	if (!path_ends(args))
		return &bad_mail;
	const struct reply *no =
	    read_params(args, mail_table, (struct target){.mail = mail});
	if (no != NULL)
		return no;
	/* RFC 6531, 3.5 */
	if (!mail->smtputf8 && !ascii_only(mail->path.full))
		return &needs_utf8;
	return NULL;
}

static const struct reply *read_rcpt(
    struct slice args, bool smtputf8, struct rcpt_params *rcpt)
{
	if (!take_keyword(&args, SLICE("TO:")))
		return &bad_rcpt;
	if (!path_parse(&args, false, true, true, &rcpt->path))
		return &bad_recipient;
	if (!path_ends(args))
		return &bad_rcpt;
	const struct reply *no =
	    read_params(args, rcpt_table, (struct target){.rcpt = rcpt});
	if (no != NULL)
		return no;
	if (!utf8_valid(rcpt->orcpt))
		return &bad_orcpt;
	if (!smtputf8 &&
	    (!ascii_only(rcpt->path.full) || !ascii_only(rcpt->orcpt)))
		return &needs_utf8;
	return NULL;
}

bool params_mail(
    struct slice args, struct mail_params *mail, struct reply *reply)
{
	*mail = (struct mail_params){.size = 0};
	const struct reply *no = read_mail(args, mail);
	if (no != NULL)
		*reply = *no;
	return no == NULL;
}

bool params_rcpt(struct slice args, bool smtputf8, struct rcpt_params *rcpt,
    struct reply *reply)
{
	*rcpt = (struct rcpt_params){.notify = 0};
	const struct reply *no = read_rcpt(args, smtputf8, rcpt);
	if (no != NULL)
		*reply = *no;
	return no == NULL;
}

static bool keep_address(struct address *a, struct arena *arena)
{
	a->full = arena_copy(arena, a->full);
	if (a->full.at == NULL)
		return false;
	a->local.at = a->full.at;
	a->domain.at = a->full.at + (a->full.len - a->domain.len);
	return true;
}

static bool keep_slice(struct slice *s, struct arena *arena)
{
	*s = arena_copy(arena, *s);
	return s->at != NULL;
}

bool mail_params_keep(struct mail_params *mail, struct arena *arena)
{
	return keep_address(&mail->path, arena) &&
	       keep_slice(&mail->envid, arena);
}

bool rcpt_params_keep(struct rcpt_params *rcpt, struct arena *arena)
{
	return keep_address(&rcpt->path, arena) &&
	       keep_slice(&rcpt->orcpt, arena);
}
