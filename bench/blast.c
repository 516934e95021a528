/* blast.c -- a load generator for SMTP servers: see --help.
 *
 * One thread, one loop; the sessions are session.c's, the schedule load.c's,
 * the mail letter.c's. */
#include <getopt.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "bench/load.h"
#include "bench/machine.h"

static const char help[] =
    "blast [OPTIONS] ADDRESS:PORT\n"
    "  --count N            messages (default 1000; 0: no limit)\n"
    "  --seconds N          stop after\n"
    "  --rate N             messages a second, due whether or not a session "
    "is\n"
    "                       free (default: as fast as the answers come)\n"
    "  --sessions N         at one time (default 1)\n"
    "  --per-connection N   messages on each connection (default 1; 0: all)\n"
    "  --pipelining         MAIL, RCPT, DATA in one go where it is offered\n"
    "  --size SIZES         10k, or 2k:70,10k:25,100k:5 with weights\n"
    "  --rcpts N            recipients of a message (default 1, at most 64)\n"
    "  --sender-domains N   domains that mail is from (default 1)\n"
    "  --rcpt-domains N     domains that mail is for (default 1)\n"
    "  --sender-domain D    default bench.example\n"
    "  --rcpt-domain D      default sink.example\n"
    "  --rcpt-prefix TEXT   before each recipient's local part\n"
    "  --starttls           encrypted; certificates are not verified\n"
    "  --auth USER:PASSWORD AUTH PLAIN\n"
    "  --retry              what is refused for now is sent again\n"
    "  --idle               sessions say EHLO, then nothing until SIGTERM\n"
    "  --run N, --first N   numbers in each message's id\n"
    "  --json               the result as one line of JSON\n";

enum {
	COUNT_ = 256,
	SECONDS,
	RATE,
	SESSIONS,
	PER_CONNECTION,
	PIPELINING,
	SIZE,
	RCPTS,
	SENDER_DOMAINS,
	RCPT_DOMAINS,
	SENDER_DOMAIN,
	RCPT_DOMAIN,
	RCPT_PREFIX,
	STARTTLS,
	AUTH,
	RETRY,
	IDLE,
	RUN,
	FIRST,
	JSON,
	HELP,
};

static const struct option options[] = {
    {"count", required_argument, NULL, COUNT_},
    {"seconds", required_argument, NULL, SECONDS},
    {"rate", required_argument, NULL, RATE},
    {"sessions", required_argument, NULL, SESSIONS},
    {"per-connection", required_argument, NULL, PER_CONNECTION},
    {"pipelining", no_argument, NULL, PIPELINING},
    {"size", required_argument, NULL, SIZE},
    {"rcpts", required_argument, NULL, RCPTS},
    {"sender-domains", required_argument, NULL, SENDER_DOMAINS},
    {"rcpt-domains", required_argument, NULL, RCPT_DOMAINS},
    {"sender-domain", required_argument, NULL, SENDER_DOMAIN},
    {"rcpt-domain", required_argument, NULL, RCPT_DOMAIN},
    {"rcpt-prefix", required_argument, NULL, RCPT_PREFIX},
    {"starttls", no_argument, NULL, STARTTLS},
    {"auth", required_argument, NULL, AUTH},
    {"retry", no_argument, NULL, RETRY},
    {"idle", no_argument, NULL, IDLE},
    {"run", required_argument, NULL, RUN},
    {"first", required_argument, NULL, FIRST},
    {"json", no_argument, NULL, JSON},
    {"help", no_argument, NULL, HELP},
    {NULL, 0, NULL, 0},
};

struct blast {
	struct load load;
	struct op signal;
	bool json;
	bool idle_said;
};

static bool number_32(const char *text, uint64_t min, uint64_t max, uint32_t *n)
{
	uint64_t value;

	if (!machine_number(text, &value) || value < min || value > max)
		return false;
	*n = (uint32_t)value;
	return true;
}

static bool take_auth(struct load_options *o, char *text)
{
	char *colon = strchr(text, ':');

	if (colon == NULL || strlen(text) > 400)
		return false;
	*colon = '\0';
	o->user = text;
	o->password = colon + 1;
	return true;
}

static bool take(struct blast *b, int option, char *value)
{
	struct load_options *o = &b->load.options;
	struct letter *m = &b->load.letter;

	switch (option) {
	case COUNT_: return machine_number(value, &o->count);
	case SECONDS: return machine_number(value, &o->seconds);
	case RATE: return machine_number(value, &o->rate);
	case SESSIONS: return number_32(value, 1, 1000000, &o->sessions);
	case PER_CONNECTION:
		return number_32(value, 0, UINT32_MAX, &o->per_connection);
	case PIPELINING: return o->pipelining = true;
	case SIZE: return letter_read_sizes(m, value);
	case RCPTS: return number_32(value, 1, LOAD_RCPTS_MAX, &m->rcpt_count);
	case SENDER_DOMAINS:
		return number_32(value, 1, 1000000, &m->sender_domain_count);
	case RCPT_DOMAINS:
		return number_32(value, 1, 1000000, &m->rcpt_domain_count);
	case SENDER_DOMAIN: m->sender_domain = value; break;
	case RCPT_DOMAIN: m->rcpt_domain = value; break;
	case RCPT_PREFIX: m->rcpt_prefix = value; break;
	case STARTTLS: return o->starttls = true;
	case AUTH: return take_auth(o, value);
	case RETRY: return o->retry = true;
	case IDLE: return o->idle = true;
	case RUN: return machine_number(value, &m->run);
	case FIRST: return machine_number(value, &m->first);
	case JSON: return b->json = true;
	default: return false;
	}
	/* What stands in every command: short enough for all of them. */
	return strlen(value) <= 40;
}

static int take_all(struct blast *b, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == HELP) {
			fputs(help, stdout);
			exit(0);
		}
		if (option == '?')
			return EX_USAGE;
		if (!take(b, option, optarg)) {
			fprintf(stderr, "blast: %s is not a value for that\n",
			    optarg);
			return EX_USAGE;
		}
	}
	if (optind + 1 != argc ||
	    !machine_address(argv[optind], &b->load.options.to)) {
		fputs(
		    "blast: one ADDRESS:PORT is needed (see --help)\n", stderr);
		return EX_USAGE;
	}
	return 0;
}

static void on_signal(struct op *op, int result)
{
	struct blast *b = container_of(op, struct blast, signal);

	(void)result;
	load_stop(&b->load);
}

static int prepare(struct blast *b, struct loop **loop, const char **why)
{
	static const struct loop_options ring = {
	    .entries = 1024,
	    .buffer_count = 256,
	};
	static const struct tls_client_options tls = {0};
	static char text[256];
	int err = loop_open(loop, &ring, why);

	if (err < 0)
		return err;
	err = load_open(&b->load, *loop, why);
	if (err < 0 || !b->load.options.starttls)
		return err;
	b->load.tls = tls_client_context(&tls, text, sizeof(text));
	*why = text;
	return b->load.tls == NULL ? -1 : 0;
}

static void run(struct blast *b, struct loop *loop)
{
	load_begin(&b->load);
	while (!load_is_over(&b->load)) {
		loop_turn(loop);
		if (b->load.options.idle && !b->idle_said &&
		    b->load.quiet_count == b->load.live_count) {
			b->idle_said = true;
			printf("idle %u\n", b->load.quiet_count);
			fflush(stdout);
		}
	}
}

int main(int argc, char **argv)
{
	struct blast *b = mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct loop *loop;
	const char *why;

	if (b == MAP_FAILED)
		return EX_OSERR;
	b->load.options = (struct load_options){
	    .count = 1000, .sessions = 1, .per_connection = 1};
	b->load.letter = (struct letter){
	    .run = (uint64_t)getpid(),
	    .rcpt_count = 1,
	    .sender_domain_count = 1,
	    .rcpt_domain_count = 1,
	    .sender_domain = "bench.example",
	    .rcpt_domain = "sink.example",
	    .rcpt_prefix = "",
	    .size_count = 1,
	    .sizes = {{10240, 1}},
	};
	int status = take_all(b, argc, argv);
	if (status != 0)
		return status;
	machine_raise_files();
	if (prepare(b, &loop, &why) < 0) {
		fprintf(stderr, "blast: %s\n", why);
		return EX_OSERR;
	}
	int signals = machine_signals();
	check(signals >= 0);
	loop_poll(loop, &b->signal, signals, POLLIN, on_signal);
	run(b, loop);
	load_report(&b->load, machine_cpu_ns(), b->json, stdout);
	if (b->load.hopeless)
		fputs("blast: nobody is there\n", stderr);
	return b->load.hopeless ? EX_UNAVAILABLE : 0;
}
