/* Lines of postfix.d: what they mean here, and that none is ignored. */
#include "tests/config/loading.h"

#include "core/config/postconf.h"
#include "core/config/postconf_map.h"
#include "core/config/postconf_names.h"

Test(postconf, a_directory_as_users_of_postfix_have_it)
{
	const char *dir = FIXTURES "postfix";
	struct config *c = load_good(dir, NULL, NULL);

	cr_expect(c->verbose);
	expect_value(c, "config.hostname", "relay.example.org");
	expect_value(c, "config.delivery.helo", "out.example.org");
	expect_value(c, "config.tls.level", "may");
	cr_assert_eq(c->tls.certificate_count, 2);
	cr_expect_str_eq(c->tls.certificates[0].key.source,
	    FIXTURES "postfix/./postfix.tls/two.key");
	cr_expect_str_eq(c->tls.certificates[1].key.source,
	    FIXTURES "postfix/./postfix.tls/one.pem");
	expect_value(
	    c, "config.allowed_networks", "['192.0.2.0/24', '2001:db8::/32']");
	/* 10-more_conf is behind 2-main.conf. */
	expect_value(c, "config.message_size_limit", "20000K");
	expect_value(c, "config.relay.host", "'[smtp.example.net]:587'");
	cr_expect_str_eq(c->relay.username, "user");
	cr_expect_str_eq(c->relay.password, "pass:word");
	cr_expect(c->relay.tls);
	cr_expect(!c->relay.tls_verify);
	expect_value(c, "config.delivery.tls", "encrypt");
	expect_value(c, "config.retry.lifetime", "2d");
	expect_value(c, "config.retry.first", "5m");
	expect_value(c, "config.recipient_limit", "77");
	config_free(c);

	/* YAML, variables and --set come later. */
	c = load_good(dir, LIST("SH_HOSTNAME=env.example.org"),
	    LIST("config.message_size_limit=1M"));
	expect_value(c, "config.hostname", "env.example.org");
	expect_value(c, "config.message_size_limit", "1M");
	config_free(c);
}

/* What lines do to a key; or, without one, what is said of them. */
static const struct {
	const char *lines, *key, *out;
} lines[] = {
    {"-e mynetworks=10.0.0.0/8 ", "config.allowed_networks", "['10.0.0.0/8']"},
    {"-e smtpd_tls_security_level=none", "config.tls.level", "''"},
    {"-e smtpd_use_tls=yes", "config.tls.level", "may"},
    {"-e smtpd_enforce_tls=yes", "config.tls.level", "encrypt"},
    {"-e smtpd_tls_auth_only=yes", "config.tls.auth_only", "true"},
    {"smtpd_recipient_limit=9", "config.recipient_limit", "9"},
    {"-e message_size_limit=0", "config.message_size_limit", "16G"},
    {"-e relayhost=a.example", "config.relay.host", "a.example"},
    {"-e relayhost=[a.example]:smtps", "config.relay.host",
	"'[a.example]:465'"},
    {"-e smtp_tls_security_level=may", "config.delivery.tls", "opportunistic"},
    {"-e smtp_tls_security_level=secure", "config.relay.tls_verify", "true"},
    {"-e smtp_tls_security_level=", "config.delivery.tls", "none"},
    {"-e smtp_use_tls=yes", "config.delivery.tls", "opportunistic"},
    {"-e smtp_enforce_tls=yes", "config.relay.tls", "true"},
    {"-e smtp_bind_address=192.0.2.1\n-e smtp_bind_address6=::1",
	"config.delivery.bind", "['192.0.2.1', '::1']"},
    {"-e inet_interfaces=loopback-only", "config.listen.submission",
	"['127.0.0.1:587', '[::1]:587']"},
    {"-e inet_interfaces='192.0.2.1, [::1]'", "config.listen.proxy",
	"['192.0.2.1:586', '[::1]:586']"},
    {"-e inet_interfaces=all", "config.listen.proxy", "['*:586']"},
    {"-e inet_protocols=all", "config.listen.proxy", "['*:586']"},
    {"-e inet_protocols=ipv4", "config.listen.proxy", "['0.0.0.0:586']"},
    {"-e inet_protocols=ipv6", "config.listen.proxy", "['[::]:586']"},
    {"-e maximal_queue_lifetime=0", "config.retry.lifetime", "1s"},
    {"-e bounce_queue_lifetime=12h", "config.retry.bounce_lifetime", "12h"},
    {"-e maximal_backoff_time=4000s", "config.retry.max", "4000s"},
    {"-e smtp_destination_concurrency_limit=3", "config.delivery.connections",
	"3"},
    {"-e smtpd_client_connection_count_limit=8",
	"config.client_connection_limit", "8"},
    {"-e smtp_connect_timeout=10", "config.timeout.connect", "10s"},
    {"-e smtp_helo_timeout=1m", "config.timeout.greeting", "1m"},
    {"-e smtp_data_xfer_timeout=9s", "config.timeout.data_block", "9s"},
    {"-e smtpd_timeout=30", "config.timeout.data", "30s"},
    {"-M -e smtps/inet='smtps inet n - n - - smtpd -o "
     "smtpd_tls_wrappermode=yes -o smtpd_recipient_limit=5'",
	"config.listen.submissions", "['*:465']"},
    {"-P -e submission/inet/smtpd_recipient_limit=6", "config.recipient_limit",
	"6"},
    {"-Me submission/inet='submission inet n - n - - smtpd -v'",
	"config.verbose", "true"},
    {"-e smtpd_relay_restrictions=permit_mynetworks,reject", "config.auth",
	"false"},
    {"-e smtpd_client_restrictions='permit_mynetworks, reject'\n"
     "-e smtpd_relay_restrictions='permit_sasl_authenticated, reject'",
	"config.auth", "true"},
    {"-e smtpd_sender_restrictions=reject_sender_login_mismatch",
	"config.sender_restrictions", "email"},
    {"-e smtpd_sender_restrictions='check_sender_access inline:{a.example=OK,"
     " {b.example = permit}}, reject'",
	"config.sender_restrictions", "domain"},
    {"-e myorigin='$mydomain' myhostname=a.b.example\n-e "
     "smtp_helo_name=x.$myorigin",
	"config.delivery.helo", "x.b.example"},
    {"-e smtp_sasl_password_maps=inline:{[a.example]:587=u:p}\n"
     "-e relayhost=[a.example]:587",
	"config.relay.username", "u"},
    {"-e smtp_sasl_password_maps=inline:{a.example=u:p}\n"
     "-e relayhost=[a.example]:587",
	"config.relay.username", "u"},
    {"# nothing\n\n  # more\n-e header_checks= always_bcc=''", NULL, ""},
    {"-e smtpd_milters=inet:127.0.0.1:8891 non_smtpd_milters=$smtpd_milters",
	NULL, ""},
    {"-e smtp_destination_rate_delay=0s", NULL, ""},
    {"-e smtpd_sasl_auth_enable=yes smtpd_sasl_type=cyrus "
     "smtpd_sasl_security_options=noanonymous",
	NULL, ""},
    {"-e smtp_tls_CAfile=/etc/ssl/certs/ca-certificates.crt", NULL, ""},
    {"-e always_add_missing_headers=yes maillog_file=/dev/stdout", NULL, ""},
};

static struct config *take(const char *text, char **said)
{
	struct config *c = load_good(NOWHERE, NULL, NULL);
	size_t len;
	struct complaints complaints = {.out = open_memstream(said, &len)};

	postconf_file(c, &complaints, "p.conf", slice_of_str(text));
	postconf_apply(c, &complaints);
	postconf_finish(c, &complaints);
	fclose(complaints.out);
	return c;
}

Test(postconf, lines_set_options)
{
	for (size_t i = 0; i < COUNT(lines); i++) {
		char *said;
		struct config *c = take(lines[i].lines, &said);

		if (strcmp(lines[i].lines, "-e inet_protocols=ipv4") != 0 &&
		    strcmp(lines[i].lines, "-e inet_protocols=ipv6") != 0)
			cr_expect_str_empty(said, "%s", lines[i].lines);
		if (lines[i].key != NULL)
			expect_value(c, lines[i].key, lines[i].out);
		config_free(c);
		free(said);
	}
}

static const struct {
	const char *lines, *said;
} wrong[] = {
    {"\n-e myhostnam=a", "p.conf:2: Postfix has no parameter myhostnam, did "
			 "you mean myhostname?\n"},
    {"-e colour=blue", "p.conf:1: Postfix has no parameter colour\n"},
    {"-e myhostname", "p.conf:1: myhostname: write name=value\n"},
    {"-e myhostname='a b'", "p.conf:1: config.hostname: 'a b': may have "
			    "letters, digits, hyphens and dots only\n"},
    {"-e myhostname='a", "p.conf:1: a quote is not closed\n"},
    {"-e myhostname=`hostname`",
	"p.conf:1: commands of the shell are not run: put the value in "
	"quotes\n"},
    {"-X myhostname", "p.conf:1: -X: only -e, -M -e and -P -e are "
		      "understood\n"},
    {"-e myhostname=$mydomain mydomain=$myhostname",
	"p.conf:1: myhostname: $mydomain refers to itself\n"},
    {"-e myhostname=$HOSTNAME",
	"p.conf:1: myhostname: $HOSTNAME is set nowhere here\n"},
    {"-e smtpd_timeout='${stress?{10}:{300}}'",
	"p.conf:1: smtpd_timeout: $stress?{10 is more than a name\n"},
    {"-e queue_run_delay=300s",
	"p.conf:1: warning: queue_run_delay has no meaning here: the queue is "
	"the relay's own log, in config.spool\n"},
    {"-e slow_destination_rate_delay=1s",
	"p.conf:1: warning: slow_destination_rate_delay has no meaning here: "
	"there is no such transport here\n"},
    {"-e transport_maps=texthash:/x",
	"p.conf:1: transport_maps cannot be had: mail goes to the MX of its "
	"domain, or all of it to one next hop (see config.relay.host)\n"},
    {"-e content_filter=scan:", "p.conf:1: content_filter cannot be had: "},
    {"-e smtp_destination_rate_delay=1s",
	"p.conf:1: smtp_destination_rate_delay: '1s': there are no pauses"},
    {"-e smtpd_milters=inet:127.0.0.1:11332",
	"there is no milter but OpenDKIM"},
    {"-e smtpd_relay_restrictions=reject", "nobody could send\n"},
    {"-e smtpd_sender_restrictions=reject_unknown_sender_domain",
	"p.conf:1: smtpd_sender_restrictions: reject_unknown_sender_domain is "
	"not understood"},
    {"-e smtpd_recipient_restrictions=reject_sender_login_mismatch",
	"reject_sender_login_mismatch is not understood"},
    {"-e smtpd_relay_restrictions='permit_mynetworks, "
     "permit_sasl_authenticated, defer_unauth_destination'",
	"p.conf:1: warning: smtpd_relay_restrictions: clients outside of"},
    {"-e mynetworks='!192.0.2.1'", "no ! and no tables\n"},
    {"-e mydestination=example.org", "mydestination cannot be had: "},
    {"-e smtp_sasl_password_maps=hash:/etc/postfix/secret",
	"p.conf:1: smtp_sasl_password_maps: only static:, texthash: and "
	"inline: are understood\n"},
    {"-e smtp_sasl_password_maps=static:secret",
	"p.conf:1: smtp_sasl_password_maps: must be user:password\n"},
    {"-e smtp_sasl_password_maps=texthash:/nonexistent",
	"/nonexistent: cannot be read: No such file or directory\n"},
    {"-e smtp_sasl_auth_enable=yes", "needs smtp_sasl_password_maps\n"},
    {"-e smtp_tls_security_level=dane-only", "must be none, may, encrypt"},
    {"-e smtpd_sender_login_maps=inline:{a@b.example=nobody}",
	"p.conf:1: warning: smtpd_sender_login_maps: there is no user "
	"nobody\n"},
    {"-M -e smtp/unix='smtp unix - - n - - smtp'",
	"p.conf:1: warning: smtp/unix has no meaning here"},
    {"-M -e submission/inet='submission inet n - n - - cat'",
	"submission/inet must run smtpd\n"},
    {"-M -e submission/inet='submission inet n - n - - smtpd -S'",
	"p.conf:1: submission/inet: smtpd's -S is not understood\n"},
    {"-P -e smtp/unix/smtp_helo_name=a",
	"p.conf:1: smtp/unix/smtp_helo_name: there is no such service here"},
};

Test(postconf, no_line_is_ignored)
{
	for (size_t i = 0; i < COUNT(wrong); i++) {
		char *said;
		struct config *c = take(wrong[i].lines, &said);

		cr_expect_not_null(strstr(said, wrong[i].said),
		    "%s\nwanted %s\ngot %s", wrong[i].lines, wrong[i].said,
		    said);
		cr_expect_null(strstr(said, "secret\n"));
		config_free(c);
		free(said);
	}
}

Test(postconf, login_maps_are_the_users_senders)
{
	struct config *c = load_good(NOWHERE, NULL,
	    LIST("users=[{name: a, password: b}]",
		"config.postconf=['-e smtpd_sender_login_maps=inline:{"
		"x@b.example=a}']"));

	cr_assert_eq(c->user_count, 1);
	cr_assert_eq(c->users[0].allowed_from.count, 1);
	cr_expect_str_eq(c->users[0].allowed_from.at[0], "x@b.example");
	config_free(c);
}

Test(postconf, ones_own_words_win_over_postconf_in_a_file)
{
	char *said;
	struct config *c =
	    read_yaml("config:\n  hostname: own.example\n"
		      "  postconf:\n  - -e myhostname=p.example\n",
		&said);

	cr_expect_str_empty(said);
	expect_value(c, "config.hostname", "own.example");
	config_free(c);
	free(said);
}

/* Every name is in one class, once. */
Test(postconf, each_name_has_one_meaning)
{
	size_t count, rows, names = 0;
	const struct postconf_group *groups = postconf_groups(&count);
	const struct postconf_mapping *mapped = postconf_mappings(&rows);

	for (size_t i = 0; i < rows; i++) {
		struct slice name = slice_of_str(mapped[i].name);
		const struct postconf_group *group = postconf_group_of(name);

		cr_expect(group == NULL || group->names[0] == '\0', "%s",
		    mapped[i].name);
		if (mapped[i].key != NULL)
			cr_expect_not_null(
			    option_find(slice_of_str(mapped[i].key)), "%s",
			    mapped[i].key);
		names++;
	}
	for (size_t i = 0; i < count; i++) {
		struct slice all = slice_of_str(groups[i].names);

		while (all.len > 0) {
			struct slice name = slice_cut_at(&all, ' ');

			cr_expect_gt(name.len, 0);
			cr_expect_eq(postconf_group_of(name), &groups[i],
			    "%.*s", (int)name.len, name.at);
			cr_expect_null(postconf_mapping_of(name));
			names++;
		}
	}
	cr_expect_gt(names, 850);
}

/* SMARTHOST_WRITE=1 writes the page anew. */
Test(postconf, the_page_of_parameters_is_current)
{
	char *text, *have = calloc(1, 1 << 20);
	size_t len;
	FILE *out = open_memstream(&text, &len);
	FILE *page;

	postconf_document(out);
	fclose(out);
	if (getenv("SMARTHOST_WRITE") != NULL) {
		page = fopen("docs/POSTFIX.md", "w");
		fputs(text, page);
		fclose(page);
	}
	page = fopen("docs/POSTFIX.md", "r");
	cr_assert_not_null(page);
	cr_expect_eq(fread(have, 1, (1 << 20) - 1, page), len);
	fclose(page);
	cr_expect_eq(strcmp(have, text), 0,
	    "SMARTHOST_WRITE=1 make test T=config/postconf writes it anew");
	free(have);
	free(text);
}
