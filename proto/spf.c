/* spf.c -- whether a domain says that an address may send its mail.
 *
 * A record is a frame; include puts another one on top of it, and what that
 * comes to decides whether the term below has matched (RFC 7208, 5.2).  As many
 * frames as lookups are enough, since each include is one.
 *
 * Must hold: every question counts against a limit, so that no records, however
 * they point at each other, keep it going. */
#include "proto/spf.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/base/check.h"
#include "proto/spf_term.h"

const char *spf_word(enum spf_result result)
{
	switch (result) {
	case SPF_NONE: return "none";
	case SPF_NEUTRAL: return "neutral";
	case SPF_PASS: return "pass";
	case SPF_FAIL: return "fail";
	case SPF_SOFTFAIL: return "softfail";
	case SPF_TEMPERROR: return "temperror";
	case SPF_PERMERROR: return "permerror";
	case SPF_UNKNOWN: return "unknown";
	}
	return "unknown";
}

__attribute__((format(printf, 3, 4))) static void end(
    struct spf *s, enum spf_result result, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	vsnprintf(s->why, sizeof(s->why), format, values);
	va_end(values);
	s->result = result;
	s->phase = SPF_DONE;
}

static struct spf_frame *top(struct spf *s)
{
	return &s->frames[s->depth];
}

static bool set_name(char name[DNS_NAME_MAX + 1], struct slice from)
{
	if (from.len > 0 && from.at[from.len - 1] == '.')
		from.len--;
	if (from.len == 0 || from.len > DNS_NAME_MAX ||
	    memchr(from.at, 0, from.len) != NULL)
		return false;
	memcpy(name, from.at, from.len);
	name[from.len] = '\0';
	return true;
}

static void ask(
    struct spf *s, enum spf_phase phase, const char *name, uint16_t type)
{
	memcpy(s->name, name, strlen(name) + 1);
	s->type = type;
	s->phase = phase;
}

static void ask_record(struct spf *s)
{
	ask(s, SPF_RECORD, top(s)->domain, DNS_TYPE_TXT);
}

void spf_init(struct spf *s, const uint8_t address[16], struct slice domain)
{
	s->lookup_count = s->void_count = 0;
	s->depth = 0;
	s->result = SPF_NONE;
	s->why[0] = '\0';
	memcpy(s->address, address, sizeof(s->address));
	s->frames[0].included_as = SPF_PASS;
	s->frames[0].redirected = false;
	if (set_name(s->frames[0].domain, domain))
		ask_record(s);
	else
		end(s, SPF_NONE, "not a domain");
}

/* False: it was one too many. */
static bool count_lookup(struct spf *s)
{
	if (++s->lookup_count <= SPF_LOOKUPS_MAX)
		return true;
	end(s, SPF_PERMERROR, "it takes more than %d lookups", SPF_LOOKUPS_MAX);
	return false;
}

/* The term that was read last. */
static struct slice last_term(struct spf *s)
{
	return slice_of(top(s)->record + s->term_from, s->term_len);
}

/* The record in use comes to `result`; so may those that include it, whose next
 * term is due if not. */
static void leave(struct spf *s, enum spf_result result)
{
	while (s->depth > 0) {
		bool matched = result == SPF_PASS;

		result = top(s)->included_as;
		s->depth--;
		s->phase = SPF_TERMS;
		if (!matched)
			return;
	}
	s->result = result;
	s->phase = SPF_DONE;
}

static void match(struct spf *s)
{
	struct slice term = last_term(s);

	snprintf(s->why, sizeof(s->why), "%.*s in the record of %s",
	    (int)(term.len < 100 ? term.len : 100), (const char *)term.at,
	    top(s)->domain);
	leave(s, s->term_result);
}

/* RFC 7208, 4.7 */
static void end_of_record(struct spf *s)
{
	snprintf(s->why, sizeof(s->why), "nothing in the record of %s matches",
	    top(s)->domain);
	leave(s, SPF_NEUTRAL);
}

/* The domain of a term, or the record's; false: it ended. */
static bool domain_of(
    struct spf *s, const struct spf_term *t, char name[DNS_NAME_MAX + 1])
{
	if (t->domain.len == 0) {
		snprintf(name, DNS_NAME_MAX + 1, "%s", top(s)->domain);
		return true;
	}
	if (slice_find(t->domain, '%') < t->domain.len) {
		end(s, SPF_UNKNOWN,
		    "it has macros, which are not evaluated: %.*s",
		    (int)(t->domain.len < 100 ? t->domain.len : 100),
		    (const char *)t->domain.at);
		return false;
	}
	if (set_name(name, t->domain))
		return true;
	end(s, SPF_PERMERROR, "a name is too long");
	return false;
}

static void include(struct spf *s, const struct spf_term *t)
{
	struct spf_frame *frame;

	/* Each frame was a lookup. */
	check(s->depth + 1 < sizeof(s->frames) / sizeof(*s->frames));
	frame = &s->frames[s->depth + 1];
	if (!domain_of(s, t, frame->domain))
		return;
	frame->included_as = t->result;
	frame->redirected = false;
	s->depth++;
	ask_record(s);
}

static void ask_term(
    struct spf *s, const struct spf_term *t, enum spf_phase phase)
{
	char name[DNS_NAME_MAX + 1];
	bool v4 = spf_is_v4(s->address);

	if (!domain_of(s, t, name))
		return;
	s->bits4 = t->bits4;
	s->bits6 = t->bits6;
	if (phase == SPF_MX)
		ask(s, phase, name, DNS_TYPE_MX);
	else
		ask(s, phase, name, v4 ? DNS_TYPE_A : DNS_TYPE_AAAA);
}

static void take_term(struct spf *s, const struct spf_term *t)
{
	s->term_result = t->result;
	switch (t->kind) {
	case SPF_KIND_ALL: match(s); return;
	case SPF_KIND_IP4:
	case SPF_KIND_IP6:
		/* RFC 7208, 5.6: an address of the other family never. */
		if ((t->kind == SPF_KIND_IP4) == spf_is_v4(s->address) &&
		    spf_same_network(
			s->address, t->address, t->bits4, t->bits6))
			match(s);
		return;
	case SPF_KIND_REDIRECT:
	case SPF_KIND_MODIFIER: return;
	case SPF_KIND_INCLUDE:
		if (count_lookup(s))
			include(s, t);
		return;
	case SPF_KIND_A:
	case SPF_KIND_MX:
		if (count_lookup(s))
			ask_term(
			    s, t, t->kind == SPF_KIND_A ? SPF_ADDRESS : SPF_MX);
		return;
	case SPF_KIND_PTR:
	case SPF_KIND_EXISTS: break;
	}
	end(s, SPF_UNKNOWN, "%s in the record of %s is not evaluated",
	    t->kind == SPF_KIND_PTR ? "ptr" : "exists", top(s)->domain);
}

/* False: there is none. */
static bool next_term(struct spf *s, struct slice *text)
{
	struct spf_frame *frame = top(s);
	struct slice rest = slice_of(frame->record + frame->record_at,
	    (size_t)frame->record_len - frame->record_at);

	while (rest.len > 0 && rest.at[0] == ' ')
		(void)slice_cut(&rest, 1);
	*text = slice_cut_at(&rest, ' ');
	s->term_from = (uint16_t)(text->at - frame->record);
	s->term_len = (uint16_t)text->len;
	frame->record_at = (uint16_t)(frame->record_len - rest.len);
	return text->len > 0;
}

/* No term has matched: RFC 7208, 6.1. */
static void redirect_or_end(struct spf *s)
{
	struct spf_frame *frame = top(s);
	struct spf_term t;
	struct slice text;

	frame->record_at = 0;
	while (next_term(s, &text)) {
		if (!spf_term_read(text, &t) || t.kind != SPF_KIND_REDIRECT)
			continue;
		if (!count_lookup(s) || !domain_of(s, &t, frame->domain))
			return;
		frame->redirected = true;
		ask_record(s);
		return;
	}
	end_of_record(s);
}

bool spf_next(struct spf *s)
{
	struct spf_term t;
	struct slice text;

	while (s->phase == SPF_TERMS) {
		if (!next_term(s, &text)) {
			redirect_or_end(s);
			continue;
		}
		/* The version, "v=spf1", looks like a modifier. */
		bool good = spf_term_read(text, &t);
		check(good); /* the record was read when it came */
		take_term(s, &t);
	}
	return s->phase != SPF_DONE;
}

static bool is_record(struct slice text)
{
	return slice_starts_nocase(text, SLICE("v=spf1")) &&
	       (text.len == 6 || text.at[6] == ' ');
}

/* RFC 7208, 4.6: a mistake anywhere spoils all of it. */
static void use_record(struct spf *s, struct slice text)
{
	struct spf_frame *frame = top(s);
	struct spf_term t;
	struct slice term;
	unsigned redirects = 0;

	if (text.len > sizeof(frame->record)) {
		end(s, SPF_PERMERROR, "the record of %s is too long",
		    frame->domain);
		return;
	}
	memcpy(frame->record, text.at, text.len);
	frame->record_len = (uint16_t)text.len;
	frame->record_at = 0;
	while (next_term(s, &term)) {
		bool good = spf_term_read(term, &t);

		redirects += good && t.kind == SPF_KIND_REDIRECT;
		if (good && redirects < 2)
			continue;
		end(s, SPF_PERMERROR, "\"%.*s\" in the record of %s is %s",
		    (int)(term.len < 100 ? term.len : 100),
		    (const char *)term.at, frame->domain,
		    good ? "there twice" : "not understood");
		return;
	}
	frame->record_at = 0;
	s->phase = SPF_TERMS;
}

static void no_record(struct spf *s)
{
	struct spf_frame *frame = top(s);

	/* RFC 7208, 5.2 and 6.1 */
	end(s, s->depth > 0 || frame->redirected ? SPF_PERMERROR : SPF_NONE,
	    "%s has no SPF record", frame->domain);
}

static void take_records(struct spf *s, const struct dns_answer *answer)
{
	const struct dns_record *found = NULL;

	for (unsigned i = 0; i < answer->count; i++) {
		if (!is_record(answer->records[i].data))
			continue;
		if (found != NULL) { /* RFC 7208, 4.5 */
			end(s, SPF_PERMERROR, "%s has more than one SPF record",
			    top(s)->domain);
			return;
		}
		found = &answer->records[i];
	}
	if (found != NULL)
		use_record(s, found->data);
	else
		no_record(s);
}

static bool has_address(const struct spf *s, const struct dns_answer *answer)
{
	for (unsigned i = 0; i < answer->count; i++) {
		struct slice data = answer->records[i].data;
		uint8_t address[16] = {[10] = 0xff, 0xff};

		if (data.len != 4 && data.len != 16)
			continue;
		memcpy(address + 16 - data.len, data.at, data.len);
		if (spf_same_network(s->address, address, s->bits4, s->bits6))
			return true;
	}
	return false;
}

static void ask_mx(struct spf *s)
{
	s->phase = SPF_TERMS;
	if (s->mx_at < s->mx_count)
		ask(s, SPF_MX_ADDRESS, s->mx[s->mx_at++],
		    spf_is_v4(s->address) ? DNS_TYPE_A : DNS_TYPE_AAAA);
}

static void take_mx(struct spf *s, const struct dns_answer *answer)
{
	if (answer->count > SPF_MX_MAX) { /* RFC 7208, 4.6.4 */
		end(s, SPF_PERMERROR, "%s has more than %d MX", s->name,
		    SPF_MX_MAX);
		return;
	}
	s->mx_count = s->mx_at = 0;
	for (unsigned i = 0; i < answer->count; i++)
		if (!slice_eq(answer->records[i].data, SLICE(".")))
			s->mx_count += set_name(
			    s->mx[s->mx_count], answer->records[i].data);
	ask_mx(s);
}

static void take_nothing(struct spf *s)
{
	switch (s->phase) {
	case SPF_RECORD: no_record(s); return;
	case SPF_ADDRESS:
	case SPF_MX:
		if (++s->void_count > SPF_VOIDS_MAX)
			end(s, SPF_PERMERROR,
			    "more than %d names in it are not in the DNS "
			    "(the last: %s)",
			    SPF_VOIDS_MAX, s->name);
		else
			s->phase = SPF_TERMS;
		return;
	case SPF_MX_ADDRESS: ask_mx(s); return;
	case SPF_TERMS:
	case SPF_DONE: return;
	}
}

void spf_answer(
    struct spf *s, enum spf_answer kind, const struct dns_answer *answer)
{
	check(s->phase != SPF_TERMS && s->phase != SPF_DONE);
	if (kind == SPF_ANSWER_FAILED) {
		end(s, SPF_TEMPERROR, "the DNS does not answer for %s",
		    s->name);
		return;
	}
	if (kind == SPF_ANSWER_NOTHING) {
		take_nothing(s);
		return;
	}
	switch (s->phase) {
	case SPF_RECORD: take_records(s, answer); return;
	case SPF_MX: take_mx(s, answer); return;
	case SPF_ADDRESS:
	case SPF_MX_ADDRESS:
		if (has_address(s, answer))
			match(s);
		else if (s->phase == SPF_MX_ADDRESS)
			ask_mx(s);
		else
			s->phase = SPF_TERMS;
		return;
	case SPF_TERMS:
	case SPF_DONE: return;
	}
}
