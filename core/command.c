/* command.c -- the table of commands, and the small ones.
 *
 * A command is a row: its words, the options it takes, how many operands.  What
 * is wrong with the words is said with the usage, exit 64; what is wrong with
 * the configuration, by file and line, exit 78. */
#include "core/command.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <sysexits.h>
#include <time.h>
#include <unbound.h>
#include <unistd.h>
#include <yaml.h>

#include "core/arguments.h"
#include "core/base/id.h"
#include "core/config/config.h"
#include "core/config_check.h"
#include "core/ctl.h"
#include "core/dkim_tool.h"
#include "core/doctor.h"
#include "core/passwd.h"
#include "core/send.h"
#include "core/sendmail.h"
#include "core/shards.h"
#include "core/spool_place.h"
#include "core/supervisor.h"
#include "dkim/rsa.h"
#include "spool/spool.h"
#include "tls/tls.h"

struct command {
	const char *name;
	const char *word; /* the second, or NULL */
	const char *usage;
	const char *help;
	unsigned takes;
	unsigned operands_min, operands_max;
	int (*run)(const struct arguments *a);
};

/* The directory as it is from anywhere: the relay goes to its spool, and reads
 * its configuration again later.  False: it has no name of our length. */
static bool make_absolute(
    struct config_arguments *arguments, char room[PATH_MAX])
{
	const char *dir = arguments->dir;
	size_t len;

	if (dir == NULL)
		dir = getenv("APP_CONF");
	if (dir == NULL || dir[0] == '\0' || dir[0] == '/')
		return true;
	if (getcwd(room, PATH_MAX) == NULL)
		return false;
	len = strlen(room);
	int more = snprintf(room + len, PATH_MAX - len, "/%s", dir);
	arguments->dir = room;
	return more >= 0 && (size_t)more < PATH_MAX - len;
}

static int run(const struct arguments *a)
{
	struct config_arguments arguments = a->config;
	struct config *c;
	char dir[PATH_MAX];

	if (!make_absolute(&arguments, dir)) {
		fprintf(stderr, "the configuration directory's name is too "
				"long\n");
		return EX_CONFIG;
	}
	c = config_load_checked(&arguments, NULL, stderr);
	if (c == NULL)
		return EX_CONFIG;
	return supervisor_run(c, &arguments);
}

static int check_configuration(const struct arguments *a)
{
	struct config *c = config_load_checked(&a->config, NULL, stderr);

	if (c == NULL)
		return EX_CONFIG;
	if (a->print)
		config_print(c, stdout);
	else
		puts("configuration is good");
	config_free(c);
	return 0;
}

static int ask_queue(const struct arguments *a, const char *verb)
{
	struct ctl_request request = {
	    .verb = verb,
	    .json = a->json,
	    .masked = isatty(STDOUT_FILENO),
	    .now_s = (uint64_t)time(NULL),
	};
	struct config *c = NULL;
	struct id_text text;
	uint64_t id;
	int status;

	if (a->operand_count > 0) {
		if (!id_parse(slice_of_str(a->operands[0]), &id)) {
			fprintf(stderr, "%s: not a queue id\n", a->operands[0]);
			return EX_USAGE;
		}
		text = id_format(id);
		request.id = text.at;
	}
	request.spool = a->spool;
	if (a->spool == NULL) {
		c = config_load(&a->config, stderr);
		if (c == NULL)
			return EX_CONFIG;
		request.spool = spool_place(c->spool);
	}
	status = ctl_run(&request, stdout, stderr);
	config_free(c);
	return status;
}

static int queue_list(const struct arguments *a)
{
	return ask_queue(a, "list");
}

static int queue_show(const struct arguments *a)
{
	return ask_queue(a, "show");
}

static int queue_retry(const struct arguments *a)
{
	return ask_queue(a, "retry");
}

static int queue_delete(const struct arguments *a)
{
	return ask_queue(a, "delete");
}

static int health(const struct arguments *a)
{
	return ask_queue(a, "health");
}

/* Reads a shard, or each of a spool's; the worst status is the answer. */
static int read_spool(const char *dir, int (*read_shard)(const char *dir))
{
	struct shards shards;
	char path[4096];
	int worst = 0;

	if (shards_list(dir, &shards) < 0 || shards.count == 0)
		return read_shard(dir);
	for (unsigned i = 0; i < shards.count; i++) {
		int len = snprintf(
		    path, sizeof(path), "%s/%u", dir, (unsigned)shards.at[i]);

		if (len < 0 || (size_t)len >= sizeof(path)) {
			fprintf(stderr, "%s: the name is too long\n", dir);
			return EX_USAGE;
		}
		int status = read_shard(path);
		if (status > worst)
			worst = status;
	}
	return worst;
}

static int spool_check(const struct arguments *a)
{
	return read_spool(a->operands[0], spool_check_print);
}

static int spool_dump(const struct arguments *a)
{
	return read_spool(a->operands[0], spool_dump_print);
}

static int make_password(const struct arguments *a)
{
	return passwd_run(a->operand_count > 0 ? a->operands[0] : NULL);
}

static int dkim_keygen(const struct arguments *a)
{
	return dkim_keygen_run(&(struct dkim_keygen){
	    .domain = a->domain,
	    .selector = a->selector,
	    .type = a->type,
	    .bits = a->bits,
	    .file = a->file,
	});
}

static int dkim_check(const struct arguments *a)
{
	struct config *c = config_load(&a->config, stderr);
	int status;

	if (c == NULL)
		return EX_CONFIG;
	status = dkim_check_run(c);
	config_free(c);
	return status;
}

static int send_message(const struct arguments *a)
{
	struct repeated rcpts = a->rcpts;

	for (unsigned i = 0; i < a->operand_count && rcpts.count < REPEATED_MAX;
	     i++)
		rcpts.at[rcpts.count++] = a->operands[i];
	const struct send_options options = {
	    .to = a->to,
	    .from = a->from,
	    .rcpts = rcpts.at,
	    .rcpt_count = rcpts.count,
	    .tls = a->tls,
	    .user = a->user,
	    .password_file = a->password_file,
	    .file = a->message,
	};
	struct config *c = config_load(&a->config, stderr);
	int status;

	if (c == NULL)
		return EX_CONFIG;
	status = send_run(&options, c);
	config_free(c);
	return status;
}

static int doctor(const struct arguments *a)
{
	return doctor_run(
	    &(struct doctor_options){
		.probes = a->probes.at,
		.probe_count = a->probes.count,
		.addresses = a->addresses.at,
		.address_count = a->addresses.count,
		.json = a->json,
	    },
	    &a->config);
}

static const struct command commands[] = {
    {"run", NULL, "run [--config-dir DIR] [--set KEY=VALUE]...",
	"run the relay in the foreground", TAKES_CONFIG, 0, 0, run},
    {"check", NULL, "check [--print] [--config-dir DIR] [--set KEY=VALUE]...",
	"read the configuration and say what is wrong with it",
	TAKES_CONFIG | TAKES_PRINT, 0, 0, check_configuration},
    {"queue", "list", "queue list [--json] [--spool DIR | --config-dir DIR]",
	"messages that wait for delivery",
	TAKES_CONFIG | TAKES_SPOOL | TAKES_JSON, 0, 0, queue_list},
    {"queue", "show", "queue show ID [--spool DIR | --config-dir DIR]",
	"one message: envelope and content", TAKES_CONFIG | TAKES_SPOOL, 1, 1,
	queue_show},
    {"queue", "retry", "queue retry [ID] [--spool DIR | --config-dir DIR]",
	"try to deliver now", TAKES_CONFIG | TAKES_SPOOL, 0, 1, queue_retry},
    {"queue", "delete", "queue delete ID [--spool DIR | --config-dir DIR]",
	"remove a message without a report", TAKES_CONFIG | TAKES_SPOOL, 1, 1,
	queue_delete},
    {"health", NULL, "health [--spool DIR | --config-dir DIR]",
	"ask the workers of the relay that runs whether they take mail",
	TAKES_CONFIG | TAKES_SPOOL, 0, 0, health},
    {"spool", "check", "spool check DIR",
	"verify the checksums of a spool that is not in use", 0, 1, 1,
	spool_check},
    {"spool", "dump", "spool dump DIR",
	"print what is in a spool that is not in use", 0, 1, 1, spool_dump},
    {"dkim", "keygen",
	"dkim keygen -d DOMAIN -s SELECTOR [-t rsa|ed25519] [-b BITS] "
	"[-o FILE]",
	"make a DKIM key, print the DNS record to publish", TAKES_DKIM, 0, 0,
	dkim_keygen},
    {"dkim", "check", "dkim check [--config-dir DIR] [--set KEY=VALUE]...",
	"compare every configured DKIM key with what DNS publishes",
	TAKES_CONFIG, 0, 0, dkim_check},
    {"send", NULL,
	"send [--rcpt] ADDRESS... [--from ADDRESS] [--file FILE|-] "
	"[--to HOST:PORT] "
	"[--tls none|may|encrypt|verify|implicit] "
	"[--user USER --password-file FILE] "
	"[--config-dir DIR] [--set KEY=VALUE]...",
	"submit a message to the relay, or elsewhere, and show the dialogue",
	TAKES_CONFIG | TAKES_SEND, 0, OPERANDS_MAX, send_message},
    {"doctor", NULL,
	"doctor [--probe DOMAIN]... [--address ADDRESS]... [--json] "
	"[--config-dir DIR] [--set KEY=VALUE]...",
	"look whether machine, network and DNS are set up for mail; exit 1 "
	"for warnings, 2 for failures",
	TAKES_CONFIG | TAKES_DOCTOR | TAKES_JSON, 0, 0, doctor},
    {"passwd", NULL, "passwd [USER]",
	"read a password, print what users[].password or users.d keeps of it",
	0, 0, 1, make_password},
};

static void print_usage(FILE *out)
{
	fputs("usage:\n", out);
	for (size_t i = 0; i < COUNT(commands); i++)
		fprintf(out, "  smarthost %s\n      %s\n", commands[i].usage,
		    commands[i].help);
	fputs(
	    "  smarthost sendmail [-t] [-i] [-f SENDER] [-F NAME] [-N NOTIFY] "
	    "[ADDRESS]...\n"
	    "      submit a message as sendmail(8) does; the program's name "
	    "may be sendmail\n",
	    out);
	fputs("  smarthost --help | --version\n", out);
}

static int print_help(void)
{
	print_usage(stdout);
	fputs(
	    "\nThe configuration is what DIR/yaml.d/*.yaml, the environment "
	    "and --set say, in\nthis order; DIR is --config-dir, $APP_CONF or "
	    "/etc/smarthost.  Its keys:\n\n",
	    stdout);
	config_help(stdout);
	return 0;
}

static int print_version(const char *version)
{
	struct utsname kernel = {0};
	const char *why = "";
	struct rsa *rsa = rsa_open(&why);
	bool ours = rsa != NULL && rsa_engine(rsa) == RSA_IFMA;
	char text[256];
	struct buf tls = buf_over(text, sizeof(text));

	uname(&kernel);
	tls_library(&tls);
	if (rsa != NULL)
		rsa_close(rsa);
	printf("smarthost %s\n%.*s\nDKIM with RSA: %s%s%s\nlibunbound "
	       "%s\nlibyaml %s\n%s %s\n",
	    version, (int)tls.len, text, ours ? "our own, " : "wolfSSL's (",
	    why, ours ? "" : ")", ub_version(), yaml_get_version_string(),
	    kernel.sysname, kernel.release);
	return 0;
}

static int refuse(const char *why, const char *word)
{
	fprintf(stderr, "%s%s\n\n", why, word);
	print_usage(stderr);
	return EX_USAGE;
}

static const struct command *find_command(int argc, char **argv)
{
	for (size_t i = 0; i < COUNT(commands); i++) {
		const struct command *c = &commands[i];

		if (strcmp(argv[1], c->name) != 0)
			continue;
		if (c->word == NULL ||
		    (argc > 2 && strcmp(argv[2], c->word) == 0))
			return c;
	}
	return NULL;
}

static bool is_any(
    const char *word, const char *a, const char *b, const char *c)
{
	return strcmp(word, a) == 0 || strcmp(word, b) == 0 ||
	       strcmp(word, c) == 0;
}

int command_run(int argc, char **argv, const char *version)
{
	struct arguments a;
	const struct command *c;
	int words;

	if (sendmail_is_meant(argc, argv))
		return sendmail_run(argc, argv);
	if (argc < 2)
		return refuse("a command is missing", "");
	if (is_any(argv[1], "--help", "-h", "help"))
		return print_help();
	if (is_any(argv[1], "--version", "-V", "version"))
		return print_version(version);
	c = find_command(argc, argv);
	if (c == NULL)
		return refuse("unknown command: ", argv[1]);
	words = c->word == NULL ? 2 : 3;
	if (!arguments_read(&a, argc - words, argv + words, c->takes))
		return EX_USAGE;
	if (a.help)
		return print_help();
	if (a.operand_count < c->operands_min)
		return refuse("a word is missing: smarthost ", c->usage);
	if (a.operand_count > c->operands_max)
		return refuse("too many words: smarthost ", c->usage);
	return c->run(&a);
}
