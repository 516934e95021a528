/* config.h -- everything that can be set, from all sources, checked.
 *
 * Sources in order (a later one wins): defaults, yaml.d, SH_* environment,
 * --set; postfix.d, opendkim and users.d have their places between (their
 * issue).  One table of options (option.c) knows each key's name, type,
 * default, limits and help; it drives parsing, "unknown key, did you mean",
 * --help and README's table.  Nothing below `core` sees struct config: each
 * part has its own options struct, filled by worker.c. */
#ifndef CORE_CONFIG_CONFIG_H
#define CORE_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/check.h"
#include "core/base/log.h"
#include "core/config/network.h"

/* A list of strings, in the order given; NUL-terminated each. */
struct string_list {
	char **at;
	size_t count;
};

enum loop_choice { LOOP_AUTO, LOOP_IO_URING };

struct config {
	char *hostname;
	struct network_list allowed_networks;
	struct network_list proxy_networks;
	bool verbose;

	struct string_list listen_submission; /* "host:port", "*:port" */
	struct string_list listen_proxy;

	unsigned workers;	/* 0 = auto */
	char *spool;		/* directory */
	uint64_t spool_segment; /* bytes; 0 = auto */
	uint64_t spool_quota;	/* bytes; 0 = auto */
	enum loop_choice loop;

	uint64_t message_size_limit; /* bytes */
	unsigned recipient_limit;
	unsigned connection_limit;	  /* a worker; 0 = auto */
	unsigned client_connection_limit; /* 0 = none */

	struct { /* seconds */
		unsigned command, data, connect, greeting, mail, rcpt,
		    data_init, data_block, data_end;
	} timeout;

	struct {
		char *host; /* NULL = deliver to MX */
	} relay;

	struct {
		uint16_t port;
		struct string_list bind; /* addresses */
		char *helo;		 /* NULL = hostname */
		unsigned connections;
		unsigned messages_per_connection;
	} delivery;

	struct { /* seconds */
		unsigned first, max, lifetime, bounce_lifetime;
	} retry;

	struct {
		struct string_list servers;
		bool dnssec;
		char *trust_anchor_file; /* NULL = none */
	} dns;

	struct {
		enum log_format format;
		enum log_level level;
	} log;

	char *dir; /* the configuration directory */
	/* private: what the strings lie in, where each value came from */
	struct config_memory *memory;
};

/* What the command line says. */
struct config_arguments {
	const char *dir;	 /* --config-dir, or NULL */
	const char *const *sets; /* "config.hostname=relay.example", in order */
	size_t set_count;
	const char *const *environment; /* environ */
};

/* Reads all sources.  Every problem is written to `complaints`, a line each,
 * "file:line: message" (or "SH_X: ...", "--set config.x: ...").  Returns NULL
 * when there was any; else a configuration that config_free gives back. */
struct config *config_load(
    const struct config_arguments *arguments, FILE *complaints);
void config_free(struct config *c);

/* The effective configuration as YAML, each value with a comment that names
 * its source. */
void config_print(const struct config *c, FILE *out);

/* The table of keys for --help. */
void config_help(FILE *out);

#endif
