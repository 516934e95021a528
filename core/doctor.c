/* doctor.c -- `smarthost doctor`: the order of its questions, and its answer.
 *
 * It asks the DNS by the relay's own resolver with the relay's settings, one
 * question at a time, and changes nothing. */
#include "core/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/config_check.h"

static void put_json_text(const char *text)
{
	putchar('"');
	for (const char *at = text; *at != '\0'; at++) {
		if (*at == '"' || *at == '\\')
			printf("\\%c", *at);
		else if ((uint8_t)*at < 0x20)
			printf("\\u%04x", *at);
		else
			putchar(*at);
	}
	putchar('"');
}

void doctor_say(struct doctor *d, enum doctor_verdict verdict, const char *what,
    const char *format, ...)
{
	static const char *const words[] = {
	    [DOCTOR_OK] = "ok", [DOCTOR_WARN] = "warn", [DOCTOR_FAIL] = "fail"};
	char text[1000];
	va_list values;

	va_start(values, format);
	vsnprintf(text, sizeof(text), format, values);
	va_end(values);
	d->counts[verdict]++;
	if (d->options->json) {
		printf("{\"verdict\":\"%s\",\"what\":", words[verdict]);
		put_json_text(what);
		fputs(",\"text\":", stdout);
		put_json_text(text);
		puts("}");
	} else {
		printf("%-4s  %s: %s\n", words[verdict], what, text);
	}
	fflush(stdout);
}

static void on_answer(struct dns_query *q)
{
	container_of(q, struct doctor, query)->waiting = false;
}

bool doctor_ask(struct doctor *d, const char *name, uint16_t type)
{
	d->query = (struct dns_query){.done = on_answer};
	d->waiting = true;
	dns_ask(d->dns, slice_of_str(name), type, &d->query);
	while (d->waiting)
		loop_turn(d->loop);
	d->secure_seen |= d->query.secure;
	return d->query.status == DNS_FOUND;
}

struct socket_address_text doctor_address_text(const uint8_t address[16])
{
	static const uint8_t v4_prefix[12] = {[10] = 0xff, 0xff};
	union socket_address a = {.any.sa_family = AF_INET6};

	if (memcmp(address, v4_prefix, sizeof(v4_prefix)) == 0) {
		a.any.sa_family = AF_INET;
		memcpy(&a.v4.sin_addr, address + 12, 4);
	} else {
		memcpy(&a.v6.sin6_addr, address, 16);
	}
	return socket_address_format(&a);
}

/* Each complaint is a line of its own. */
static struct config *read_configuration(
    struct doctor *d, const struct config_arguments *arguments)
{
	char *complaints = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&complaints, &len);
	struct config *c;
	struct slice rest;

	check(out != NULL);
	c = config_load_checked(arguments, NULL, out);
	fclose(out);
	rest = slice_of(complaints, len);
	while (rest.len > 0) {
		struct slice line = slice_cut_at(&rest, '\n');

		doctor_say(d, c == NULL ? DOCTOR_FAIL : DOCTOR_WARN,
		    "configuration", "%.*s", (int)line.len,
		    (const char *)line.at);
	}
	free(complaints);
	if (c != NULL)
		doctor_say(d, DOCTOR_OK, "configuration", "%s is good", c->dir);
	return c;
}

static const char *open_resolver(struct doctor *d)
{
	const struct config *c = d->config;
	struct loop_options loop = {.without_recv = true};
	struct dns_options dns = {
	    .servers = (const char *const *)c->dns.servers.at,
	    .server_count = (unsigned)c->dns.servers.count,
	    .dnssec = c->dns.dnssec,
	    .trust_anchor_file = c->dns.trust_anchor_file,
	};
	const char *why = "";

	if (loop_open(&d->loop, &loop, &why) < 0)
		return why;
	if (log_open(&d->log, STDERR_FILENO, NULL, 4096, LOG_ERROR, LOG_TEXT) <
	    0)
		return "no memory";
	if (dns_open(&d->dns, &dns, d->loop, &d->log) < 0)
		return "the resolver cannot be opened";
	return NULL;
}

static void look_at_all(struct doctor *d)
{
	static void (*const parts[])(struct doctor * d) = {doctor_hostname,
	    doctor_outgoing, doctor_reverse, doctor_spf, doctor_dkim,
	    doctor_dmarc, doctor_reach, doctor_dnssec, doctor_certificates,
	    doctor_clock, doctor_limits, doctor_loop, doctor_spool,
	    doctor_ports};

	for (size_t i = 0; i < COUNT(parts); i++)
		parts[i](d);
}

static int status_of(const struct doctor *d)
{
	if (d->counts[DOCTOR_FAIL] > 0)
		return 2;
	return d->counts[DOCTOR_WARN] > 0 ? 1 : 0;
}

int doctor_run(const struct doctor_options *options,
    const struct config_arguments *arguments)
{
	struct doctor d = {.options = options};
	struct config *c = read_configuration(&d, arguments);
	const char *why;

	if (c == NULL)
		return status_of(&d);
	d.config = c;
	why = open_resolver(&d);
	if (why != NULL) {
		fprintf(stderr, "%s\n", why);
		config_free(c);
		return EX_OSERR;
	}
	look_at_all(&d);
	dns_close(d.dns);
	log_close(&d.log);
	loop_close_down(d.loop);
	config_free(c);
	return status_of(&d);
}
