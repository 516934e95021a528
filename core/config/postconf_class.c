/* postconf_class.c -- which of Postfix's parameters is of which class. */
#include "core/base/check.h"
#include "core/config/nearest.h"
#include "core/config/postconf_map.h"
#include "core/config/postconf_names.h"
#include "core/config/text.h"

/* "TRANSPORT_recipient_limit" and the like: parameters of any transport that
 * master.cf might name. */
static const char *const endings[] = {"_delivery_slot_cost",
    "_delivery_slot_discount", "_delivery_slot_loan",
    "_destination_concurrency_failed_cohort_limit",
    "_destination_concurrency_limit",
    "_destination_concurrency_negative_feedback",
    "_destination_concurrency_positive_feedback", "_destination_rate_delay",
    "_destination_recipient_limit", "_extra_recipient_limit",
    "_initial_destination_concurrency", "_minimum_delivery_slots",
    "_recipient_limit", "_recipient_refill_delay", "_recipient_refill_limit",
    "_time_limit", "_transport_rate_delay"};

static const struct postconf_group other_transport = {
    .class = POSTCONF_HARMLESS,
    .reason = "there is no such transport here",
    .names = "",
};

static bool names_have(const char *names, struct slice name)
{
	struct slice all = slice_of_str(names);

	while (all.len > 0)
		if (slice_eq(slice_cut_at(&all, ' '), name))
			return true;
	return false;
}

static bool ends_with(struct slice name, const char *ending)
{
	size_t len = strlen(ending);

	return name.len > len &&
	       memcmp(name.at + name.len - len, ending, len) == 0;
}

const struct postconf_group *postconf_group_of(struct slice name)
{
	size_t count;
	const struct postconf_group *groups = postconf_groups(&count);

	for (size_t i = 0; i < count; i++)
		if (names_have(groups[i].names, name))
			return &groups[i];
	for (size_t i = 0; i < COUNT(endings); i++)
		if (ends_with(name, endings[i]))
			return &other_transport;
	return NULL;
}

struct nearest {
	struct slice wanted, name;
	unsigned mistakes;
};

static void look_at(struct nearest *n, struct slice name)
{
	unsigned mistakes = nearest_distance(n->wanted, name);

	if (mistakes >= n->mistakes)
		return;
	n->mistakes = mistakes;
	n->name = name;
}

struct slice postconf_nearest(struct slice name)
{
	struct nearest n = {.wanted = name, .mistakes = NEAREST_LEN_MAX};
	size_t count;
	const struct postconf_mapping *mapped = postconf_mappings(&count);

	for (size_t i = 0; i < count; i++)
		look_at(&n, slice_of_str(mapped[i].name));
	const struct postconf_group *groups = postconf_groups(&count);
	for (size_t i = 0; i < count; i++) {
		struct slice all = slice_of_str(groups[i].names);

		while (all.len > 0)
			look_at(&n, slice_cut_at(&all, ' '));
	}
	return nearest_enough(n.mistakes, name) ? n.name : (struct slice){0};
}

/* Values with which a refused parameter asks for what happens anyway. */
static const struct {
	const char *name, *value;
} innocents[] = {
    {"default_transport", "smtp"},
    {"relay_transport", "relay"},
    {"smtp_host_lookup", "dns"},
    {"smtp_tcp_port", "smtp"},
    {"smtp_tcp_port", "25"},
    {"smtpd_sasl_type", "cyrus"},
    {"smtp_sasl_type", "cyrus"},
    {"smtpd_sasl_security_options", "noanonymous"},
    {"smtpd_sasl_tls_security_options", "noanonymous"},
    {"smtpd_sasl_tls_security_options", "$smtpd_sasl_security_options"},
    {"smtp_tls_CAfile", "/etc/ssl/certs/ca-certificates.crt"},
    {"smtp_tls_CApath", "/etc/ssl/certs"},
    {"smtpd_data_restrictions", "reject_unauth_pipelining"},
    {"smtpd_reject_unlisted_recipient", "yes"},
    {"mydestination", "localhost"},
    {"mydestination", "$myhostname"},
    {"smtp_cname_overrides_servername", "no"},
};

bool postconf_is_innocent(struct slice name, struct slice value)
{
	static const char *const nothing[] = {"", "no", "0", "0s", "none"};

	for (size_t i = 0; i < COUNT(nothing); i++)
		if (slice_eq_nocase(value, slice_of_str(nothing[i])))
			return true;
	for (size_t i = 0; i < COUNT(innocents); i++)
		if (slice_eq(name, slice_of_str(innocents[i].name)) &&
		    slice_eq(value, slice_of_str(innocents[i].value)))
			return true;
	return false;
}

static void document_mapped(FILE *out)
{
	size_t count;
	const struct postconf_mapping *rows = postconf_mappings(&count);

	fputs("## Mapped\n\nThese set an option of the relay.\n\n"
	      "| Parameter | Option | |\n|---|---|---|\n",
	    out);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "| `%s` | %s%s%s | %s |\n", rows[i].name,
		    rows[i].key == NULL ? "" : "`",
		    rows[i].key == NULL ? "" : rows[i].key,
		    rows[i].key == NULL ? "" : "`",
		    rows[i].meaning == NULL ? "" : rows[i].meaning);
}

static void document_class(
    enum postconf_class class, const char *heading, FILE *out)
{
	size_t count;
	const struct postconf_group *groups = postconf_groups(&count);

	fputs(heading, out);
	for (size_t i = 0; i < count; i++) {
		struct slice all = slice_of_str(groups[i].names);
		const char *before = "";

		if (groups[i].class != class)
			continue;
		fprintf(out, "\n**%s**", groups[i].reason);
		if (groups[i].instead != NULL)
			fprintf(out, " (see %s)", groups[i].instead);
		fputs("\n\n", out);
		while (all.len > 0) {
			struct slice name = slice_cut_at(&all, ' ');

			fprintf(
			    out, "%s`%.*s`", before, (int)name.len, name.at);
			before = ",\n";
		}
		fputs("\n", out);
	}
}

void postconf_document(FILE *out)
{
	fputs("# Postfix's parameters\n\n"
	      "What `postfix.d/*.conf` and `config.postconf` may set, and what "
	      "becomes of it. This\npage is written from the program's own "
	      "table, which has every parameter of\npostconf(5) of Postfix 3.9 "
	      "and 3.10; a name that Postfix does not know is an\nerror.\n\n",
	    out);
	document_mapped(out);
	document_class(POSTCONF_REFUSED,
	    "\n## Refused\n\nTo ignore these would change who may send, what "
	    "is sent or where it goes: an\nerror, unless the value asks for "
	    "nothing (empty, `no`, `0`, `none`) or for what\nhappens anyway.\n",
	    out);
	document_class(POSTCONF_HARMLESS,
	    "\n## Harmless\n\nThese have no meaning here: a warning says "
	    "why.\n",
	    out);
	fputs("\nSo have the parameters of a transport of its own "
	      "(`TRANSPORT",
	    out);
	for (size_t i = 0; i < COUNT(endings); i++)
		fprintf(
		    out, "%s%s`", i == 0 ? "" : ",\n`TRANSPORT", endings[i]);
	fputs("): there is no such transport here.\n", out);
}
