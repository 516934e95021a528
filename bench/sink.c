/* sink.c -- a receiver that counts: see --help.
 *
 * It says "ready" when it listens, "complete" when all that was expected has
 * come, and its result as one line of JSON at SIGTERM.  A runner may ask in
 * between, on standard input: "report", or "expect FIRST COUNT RCPTS", which
 * counts anew without a break for those who are connected. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "bench/catcher.h"
#include "bench/machine.h"

static const char help[] =
    "sink [OPTIONS] ADDRESS:PORT...\n"
    "  --expect N         messages that will come: then \"complete\" is said\n"
    "  --rcpts N          recipients of each of them (default 1)\n"
    "  --first N          number of the first of them\n"
    "How it receives:\n"
    "  --greylist S       450 to a new sender and recipient for S seconds\n"
    "  --defer PERCENT    450 to RCPT\n"
    "  --defer-prefix P   450 to recipients that begin with P\n"
    "  --refuse PERCENT   550 to RCPT\n"
    "  --slow MS          before the 250 to the dot\n"
    "  --quit-after N     messages on a connection, then 421\n"
    "  --limit N          connections at one time, then 421\n"
    "  --silent           connections are accepted, and that is all\n"
    "  --no-pipelining\n"
    "  --starttls --crt FILE --key FILE\n"
    "  --control          listen to standard input, too: \"report\", or\n"
    "                     \"expect FIRST COUNT RCPTS\"\n";

enum {
	EXPECT = 256,
	RCPTS,
	FIRST,
	GREYLIST,
	DEFER,
	DEFER_PREFIX,
	REFUSE,
	SLOW,
	QUIT_AFTER,
	LIMIT,
	SILENT,
	NO_PIPELINING,
	STARTTLS,
	CRT,
	KEY,
	CONTROL,
	HELP,
};

static const struct option options[] = {
    {"expect", required_argument, NULL, EXPECT},
    {"rcpts", required_argument, NULL, RCPTS},
    {"first", required_argument, NULL, FIRST},
    {"greylist", required_argument, NULL, GREYLIST},
    {"defer", required_argument, NULL, DEFER},
    {"defer-prefix", required_argument, NULL, DEFER_PREFIX},
    {"refuse", required_argument, NULL, REFUSE},
    {"slow", required_argument, NULL, SLOW},
    {"quit-after", required_argument, NULL, QUIT_AFTER},
    {"limit", required_argument, NULL, LIMIT},
    {"silent", no_argument, NULL, SILENT},
    {"no-pipelining", no_argument, NULL, NO_PIPELINING},
    {"starttls", no_argument, NULL, STARTTLS},
    {"crt", required_argument, NULL, CRT},
    {"key", required_argument, NULL, KEY},
    {"control", no_argument, NULL, CONTROL},
    {"help", no_argument, NULL, HELP},
    {NULL, 0, NULL, 0},
};

struct sink {
	struct catchers all;
	struct op signal;
	struct op input;
	struct loop *loop;
	bool controlled;
	const char *crt, *key;
	bool stopped;
	bool complete;
};

static bool number_32(const char *text, uint32_t *n)
{
	uint64_t value;

	if (!machine_number(text, &value) || value > UINT32_MAX)
		return false;
	*n = (uint32_t)value;
	return true;
}

static bool take(struct sink *s, int option, const char *value)
{
	struct catcher_manners *m = &s->all.manners;
	struct arrivals *a = &s->all.arrivals;

	switch (option) {
	case EXPECT: return machine_number(value, &a->expected);
	case RCPTS: return machine_number(value, &a->rcpt_count);
	case FIRST: return machine_number(value, &a->first);
	case GREYLIST: return number_32(value, &m->greylist_s);
	case DEFER: return number_32(value, &m->defer_percent);
	case DEFER_PREFIX: m->defer_prefix = value; return true;
	case REFUSE: return number_32(value, &m->refuse_percent);
	case SLOW: return number_32(value, &m->slow_ms);
	case QUIT_AFTER: return number_32(value, &m->quit_after);
	case LIMIT: return number_32(value, &m->limit);
	case SILENT: return m->silent = true;
	case NO_PIPELINING: m->pipelining = false; return true;
	case STARTTLS: return m->starttls = true;
	case CRT: s->crt = value; return true;
	case KEY: s->key = value; return true;
	case CONTROL: return s->controlled = true;
	default: return false;
	}
}

static int take_all(struct sink *s, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == HELP) {
			fputs(help, stdout);
			exit(0);
		}
		if (option == '?')
			return EX_USAGE;
		if (!take(s, option, optarg)) {
			fprintf(stderr, "sink: %s is not a value for that\n",
			    optarg);
			return EX_USAGE;
		}
	}
	return 0;
}

static struct slice read_file(const char *path, uint8_t *room, size_t len)
{
	FILE *f = fopen(path, "r");

	if (f == NULL)
		return (struct slice){NULL, 0};
	len = fread(room, 1, len, f);
	fclose(f);
	return slice_of(room, len);
}

static bool open_tls(struct sink *s)
{
	static uint8_t crt[65536], key[65536];
	struct tls_certificate c = {.source = s->crt};
	char why[256];

	if (s->crt == NULL || s->key == NULL) {
		fputs("sink: --starttls needs --crt and --key\n", stderr);
		return false;
	}
	c.crt = read_file(s->crt, crt, sizeof(crt));
	c.key = read_file(s->key, key, sizeof(key));
	struct tls_server_options o = {
	    .certificates = &c, .certificate_count = 1};
	s->all.tls = tls_server_context(&o, why, sizeof(why));
	if (s->all.tls == NULL)
		fprintf(stderr, "sink: %s\n", why);
	return s->all.tls != NULL;
}

static int listen_at(const char *text)
{
	union socket_address a;
	int yes = 1;

	if (!machine_address(text, &a)) {
		fprintf(stderr, "sink: %s is no address:port\n", text);
		return -1;
	}
	int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
	    bind(fd, &a.any,
		a.any.sa_family == AF_INET ? sizeof(a.v4) : sizeof(a.v6)) < 0 ||
	    listen(fd, 4096) < 0) {
		perror(text);
		return -1;
	}
	return fd;
}

static void report(const struct sink *s)
{
	const struct catcher_counts *c = &s->all.counts;
	const struct arrivals *a = &s->all.arrivals;
	const struct {
		const char *name;
		uint64_t value;
	} counts[] = {
	    {"connections", c->connections},
	    {"connections_max", c->connections_max},
	    {"turned_away", c->turned_away},
	    {"messages", c->messages},
	    {"unique", a->unique},
	    {"duplicates", a->duplicates},
	    {"foreign", a->foreign},
	    {"deferred", c->deferred},
	    {"refused", c->refused},
	    {"bad", c->bad},
	    {"bytes", a->bytes},
	    {"first_ns", a->first_ns},
	    {"last_ns", a->last_ns},
	};

	fputs("{", stdout);
	for (size_t i = 0; i < COUNT(counts); i++)
		printf("\"%s\": %lu, ", counts[i].name, counts[i].value);
	printf("\"complete\": %s, \"delay_us\": {\"p50\": %.1f, \"p99\": %.1f, "
	       "\"max\": %.1f}, \"cpu_s\": %.6f}\n",
	    arrivals_complete(a) ? "true" : "false",
	    (double)histogram_at(a->delays, 500) / 1e3,
	    (double)histogram_at(a->delays, 990) / 1e3,
	    (double)a->delays->max / 1e3, (double)machine_cpu_ns() / 1e9);
	fflush(stdout);
}

static void obey(struct sink *s, struct slice line)
{
	struct arrivals *a = &s->all.arrivals;
	struct slice verb = slice_cut_at(&line, ' ');

	if (slice_eq(verb, SLICE("report"))) {
		report(s);
		return;
	}
	arrivals_close(a);
	s->all.counts = (struct catcher_counts){0};
	s->complete = false;
	if (!slice_eq(verb, SLICE("expect")) ||
	    !slice_number(slice_cut_at(&line, ' '), &a->first) ||
	    !slice_number(slice_cut_at(&line, ' '), &a->expected) ||
	    !slice_number(line, &a->rcpt_count) || arrivals_open(a) < 0) {
		fputs("sink: what was that?\n", stderr);
		exit(EX_USAGE);
	}
	puts("expecting");
	fflush(stdout);
}

/* A runner writes a line at a time and waits for its answer. */
static void on_input(struct op *op, int result)
{
	struct sink *s = container_of(op, struct sink, input);
	uint8_t text[256];
	ssize_t len = result < 0 ? 0 : read(0, text, sizeof(text));

	if (len <= 0) {
		s->stopped = true;
		return;
	}
	struct slice rest = slice_of(text, (size_t)len);
	while (rest.len > 0)
		obey(s, slice_cut_at(&rest, '\n'));
	loop_poll(s->loop, &s->input, 0, POLLIN, on_input);
}

static void on_signal(struct op *op, int result)
{
	struct sink *s = container_of(op, struct sink, signal);

	(void)result;
	s->stopped = true;
}

static void run(struct sink *s, struct loop *loop)
{
	puts("ready");
	fflush(stdout);
	while (!s->stopped) {
		loop_turn(loop);
		if (!s->complete && arrivals_complete(&s->all.arrivals)) {
			s->complete = true;
			printf("complete %lu\n", s->all.arrivals.last_ns);
			fflush(stdout);
		}
	}
}

static int prepare(struct sink *s, struct loop **loop)
{
	static const struct loop_options ring = {
	    .entries = 1024,
	    .buffer_count = 512,
	};
	const char *why = "no memory";
	int err = loop_open(loop, &ring, &why);

	if (err == 0)
		err = catchers_open(&s->all, *loop);
	if (err < 0) {
		fprintf(stderr, "sink: %s\n", why);
		return EX_OSERR;
	}
	if (s->all.manners.starttls && !open_tls(s))
		return EX_CONFIG;
	return 0;
}

int main(int argc, char **argv)
{
	struct sink *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct loop *loop;
	int fds[CATCHER_LISTEN_MAX];

	if (s == MAP_FAILED)
		return EX_OSERR;
	s->all.manners.pipelining = true;
	s->all.arrivals.rcpt_count = 1;
	int status = take_all(s, argc, argv);
	if (status != 0)
		return status;
	machine_raise_files();
	int signals = machine_signals();
	check(signals >= 0);
	status = prepare(s, &loop);
	if (status != 0)
		return status;
	if (optind == argc || argc - optind > CATCHER_LISTEN_MAX) {
		fputs("sink: where to listen? (see --help)\n", stderr);
		return EX_USAGE;
	}
	for (int i = optind; i < argc; i++) {
		unsigned index = (unsigned)(i - optind);

		fds[index] = listen_at(argv[i]);
		if (fds[index] < 0)
			return EX_OSERR;
		catchers_accept(&s->all, index, fds[index]);
	}
	loop_poll(loop, &s->signal, signals, POLLIN, on_signal);
	s->loop = loop;
	if (s->controlled)
		loop_poll(loop, &s->input, 0, POLLIN, on_input);
	run(s, loop);
	report(s);
	/* The ring goes a while after its process, and with it the sockets:
	 * the port is free for the next one now. */
	for (int i = optind; i < argc; i++)
		shutdown(fds[i - optind], SHUT_RDWR);
	return 0;
}
