/* postconf_master.c -- the few entries of master.cf that mean something.
 *
 * submission/inet is where SMTP is spoken: -v makes the log a debug log, -o
 * sets parameters, which here are the whole relay's.  smtps/inet, by any of its
 * names and in wrapper mode, is config.listen.submissions.  What others start
 * has no meaning here. */
#include "core/config/postconf_master.h"

#include "core/base/check.h"
#include "core/config/assign.h"
#include "core/config/memory.h"
#include "core/config/postconf_map.h"
#include "core/config/text.h"

static void set(const struct master_edit *e, const char *key, const char *text)
{
	struct word word = {slice_of_str(text), e->where.line};
	struct given given = {.where = e->where, .words = &word, .count = 1};

	option_assign(
	    e->config, option_find(slice_of_str(key)), &given, e->complaints);
}

static bool is_one_of(
    struct slice service, const char *a, const char *b, const char *c)
{
	return slice_eq(service, slice_of_str(a)) ||
	       slice_eq(service, slice_of_str(b)) ||
	       slice_eq(service, slice_of_str(c));
}

static bool is_submission(struct slice service)
{
	return is_one_of(service, "submission/inet", "587/inet", "smtp/inet");
}

static bool is_submissions(struct slice service)
{
	return is_one_of(service, "submissions/inet", "smtps/inet", "465/inet");
}

/* "-o name=value" of smtpd: a parameter like others. */
static void take_option(
    const struct master_edit *e, struct slice service, struct slice text)
{
	struct slice name = text;

	name = slice_cut_at(&name, '=');
	if (is_submissions(service) &&
	    slice_eq(name, SLICE("smtpd_tls_wrappermode"))) {
		set(e, "config.listen.submissions", "*:465");
		return;
	}
	/* For Postfix's log alone. */
	if (slice_eq(name, SLICE("syslog_name")))
		return;
	char *line =
	    memory_printf(e->config->memory, "'%.*s'", (int)text.len, text.at);
	postconf_line(e->config, e->complaints, e->where, slice_of_str(line));
}

static void take_words(
    const struct master_edit *e, struct slice service, struct slice rest)
{
	while (rest.len > 0) {
		struct slice word = text_cut_word(&rest);

		if (slice_eq(word, SLICE("-v")))
			set(e, "config.verbose", "true");
		else if (slice_eq(word, SLICE("-o")))
			take_option(e, service, text_cut_word(&rest));
		else
			complain(e->complaints, e->where,
			    "%s: smtpd's %s is not understood",
			    shown(service).at, shown(word).at);
	}
}

void master_service(const struct master_edit *e, struct slice text)
{
	struct slice service = slice_cut_at(&text, '=');
	struct slice rest = slice_trim(text), program = {0};

	/* Name, type, private, unprivileged, chroot, wake-up, limit, program.
	 */
	for (unsigned i = 0; i < 8; i++)
		program = text_cut_word(&rest);
	if (!is_submission(service) && !is_submissions(service))
		complain_softly(e->complaints, e->where,
		    "%s has no meaning here: there are no services of "
		    "master(8)",
		    shown(service).at);
	else if (!slice_eq(program, SLICE("smtpd")))
		complain(e->complaints, e->where, "%s must run smtpd",
		    shown(service).at);
	else
		take_words(e, service, rest);
}

void master_parameter(const struct master_edit *e, struct slice text)
{
	struct slice name = text;
	size_t at;

	name = slice_cut_at(&name, '=');
	for (at = name.len; at > 0 && name.at[at - 1] != '/';)
		at--;
	struct slice service = slice_of(name.at, at > 0 ? at - 1 : 0);
	struct slice option = slice_of(text.at + at, text.len - at);

	if (is_submission(service) || is_submissions(service))
		take_option(e, service, option);
	else
		complain(e->complaints, e->where,
		    "%s: there is no such service here, only submission/inet",
		    shown(name).at);
}

/* An address with each port of a list, once. */
static void add_address(
    struct buf *b, struct slice address, const struct string_list *before)
{
	bool v6 = slice_find(address, ':') < address.len;

	for (size_t i = 0; i < before->count; i++) {
		const char *port = strrchr(before->at[i], ':');
		size_t j = 0;

		while (strcmp(strrchr(before->at[j], ':'), port) != 0)
			j++;
		if (j == i)
			buf_printf(b, v6 ? "[%.*s]%s " : "%.*s%s ",
			    (int)address.len, address.at, port);
	}
}

static void move(const struct mapped *m, const char *key,
    const struct string_list *list, struct slice addresses)
{
	char text[4096];
	struct buf b = buf_over(text, sizeof(text));
	struct slice address;

	while (mapped_next(&addresses, &address)) {
		if (address.len > 2 && address.at[0] == '[')
			address = slice_of(address.at + 1, address.len - 2);
		add_address(&b, address, list);
	}
	if (list->count > 0 && b.len > 0)
		mapped_set(m, key, buf_slice(&b));
}

/* Where SMTP is spoken, on the ports that it is spoken on already. */
static void move_all(const struct mapped *m, struct slice addresses)
{
	const struct config *c = m->config;

	move(m, "config.listen.submission", &c->listen_submission, addresses);
	move(m, "config.listen.proxy", &c->listen_proxy, addresses);
	move(m, "config.listen.submissions", &c->listen_submissions, addresses);
}

void map_interfaces(const struct mapped *m)
{
	if (slice_eq(m->text, SLICE("loopback-only")))
		move_all(m, SLICE("127.0.0.1 ::1"));
	else if (!slice_eq(m->text, SLICE("all")))
		move_all(m, m->text);
}

void map_protocols(const struct mapped *m)
{
	bool v4 = false, v6 = false;
	struct slice rest = m->text, part;

	while (mapped_next(&rest, &part)) {
		bool all = slice_eq(part, SLICE("all"));

		v4 |= all || slice_eq(part, SLICE("ipv4"));
		v6 |= all || slice_eq(part, SLICE("ipv6"));
	}
	if (v4 == v6) {
		if (!v4)
			mapped_refuse(m, "must be all, ipv4 or ipv6");
		return;
	}
	move_all(m, v4 ? SLICE("0.0.0.0") : SLICE("::"));
	complain_softly(m->complaints, m->where,
	    "inet_protocols says where SMTP is spoken; mail is still "
	    "delivered over both, where there is a route");
}
