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
#include "core/base/slice.h"
#include "core/config/network.h"

/* A list of strings, in the order given; NUL-terminated each. */
struct string_list {
	char **at;
	size_t count;
};

enum loop_choice { LOOP_AUTO, LOOP_IO_URING, LOOP_EPOLL };

/* The text of a file, or of an inline value, read when the configuration was:
 * nothing is opened later, and what all workers use is the same. */
struct config_text {
	struct slice text;
	char *source;  /* "FILE", or "FILE:LINE" of an inline value */
	bool in_place; /* it is inline */
};

/* A chain (leaf first) and its private key, PEM; may be the same file. */
struct config_certificate {
	struct config_text crt;
	struct config_text key;
};

struct config_user {
	char *name;
	char *password; /* clear text, or {SCRAM-SHA-256}..., $6$..., $y$... */
	struct string_list allowed_from; /* "a@d" or "@d"; empty: any */
	char *source;			 /* "file:line" */
};

/* A key that mail can be signed with (OpenDKIM's keytable, domains[].dkim). */
struct config_dkim_key {
	char *name;	/* keytable's, or "selector._domainkey.domain" */
	char *domain;	/* d=; "%": the domain of the address */
	char *selector; /* s= */
	struct config_text pem;
	bool header_simple; /* c=: default relaxed/simple */
	bool body_relaxed;
	unsigned expire_s; /* x= after so long; 0: none */
};

/* Which mail is signed with which key (signingtable, domains[].dkim).  Rules
 * count in their order; all that match the first From address at the best
 * level sign, each with its key. */
enum config_signing_kind {
	SIGNING_DOMAIN,	    /* this domain exactly */
	SIGNING_SUBDOMAINS, /* this domain and all below it */
	SIGNING_ADDRESS,    /* user@domain */
	SIGNING_PATTERN,    /* refile: an address with '*' in it */
};

/* Keys that sign one message. */
#define CONFIG_SIGNATURES_MAX 8

struct config_signing {
	enum config_signing_kind kind;
	char *pattern; /* lower case */
	unsigned key;  /* index into dkim_keys */
	char *source;
};

/* private: an entry of `domains`, as written */
struct config_domain {
	char *name;
	char *source;
	size_t first_key, key_count; /* of dkim_keys */
};

enum tls_level { TLS_LEVEL_NONE, TLS_LEVEL_MAY, TLS_LEVEL_ENCRYPT };
enum delivery_tls {
	DELIVERY_TLS_NONE,
	DELIVERY_TLS_OPPORTUNISTIC,
	DELIVERY_TLS_ENCRYPT,
	DELIVERY_TLS_VERIFY,
};
enum sender_restrictions {
	SENDER_RESTRICTIONS_NONE,
	SENDER_RESTRICTIONS_DOMAIN,
	SENDER_RESTRICTIONS_EMAIL,
};
enum { /* set of config.auth_mechanisms */
	AUTH_PLAIN = 1 << 0,
	AUTH_LOGIN = 1 << 1,
	AUTH_CRAM_MD5 = 1 << 2,
	AUTH_DIGEST_MD5 = 1 << 3,
	AUTH_SCRAM_SHA_256 = 1 << 4,
	AUTH_SCRAM_SHA_256_PLUS = 1 << 5,
};

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

	struct string_list postconf; /* private: config.postconf, as written */

	struct { /* seconds */
		unsigned command, data, connect, greeting, mail, rcpt,
		    data_init, data_block, data_end;
	} timeout;

	bool auth;		  /* clients must authenticate */
	unsigned auth_mechanisms; /* set of AUTH_*; never 0 */
	enum sender_restrictions sender_restrictions;

	struct {
		enum tls_level level;
		bool auth_only;
		/* None: a self-signed one is made. */
		struct config_certificate *certificates;
		size_t certificate_count;
		/* private: as written; the certificates are made of them */
		struct string_list crt_files, key_files;
		struct config_text crt, key;
	} tls;
	struct string_list listen_submissions; /* TLS from the first byte */

	struct config_user *users; /* no name twice */
	size_t user_count;
	struct string_list
	    domains; /* domains[].name, lower case, no two alike */
	struct config_domain *domain_entries; /* private */
	size_t domain_entry_count;
	struct config_dkim_key *dkim_keys;
	size_t dkim_key_count;
	struct config_signing *signings;
	size_t signing_count;

	struct {
		char *host;	/* NULL = deliver to MX */
		char *username; /* NULL = no AUTH */
		char *password;
		bool tls;	 /* mandatory */
		bool tls_verify; /* with tls: default true when a username is
				  * set and the host is a name */
	} relay;

	struct {
		uint16_t port;
		struct string_list bind; /* addresses */
		char *helo;		 /* NULL = hostname */
		unsigned connections;
		unsigned messages_per_connection;
		enum delivery_tls tls;
	} delivery;

	struct { /* seconds */
		unsigned first, max, lifetime, bounce_lifetime;
	} retry;

	struct {
		struct string_list servers;
		bool dnssec;
		char *trust_anchor_file; /* NULL = none */
	} dns;

	struct string_list admin_listen; /* HTTP: metrics, health */

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
	/* What config_bundle made of a configuration that these arguments gave:
	 * files are read from there.  Empty: from the file system. */
	struct slice bundle;
};

/* Reads all sources.  Every problem is written to `complaints`, a line each,
 * "file:line: message" (or "SH_X: ...", "--set config.x: ...").  Returns NULL
 * when there was any; else a configuration that config_free gives back. */
struct config *config_load(
    const struct config_arguments *arguments, FILE *complaints);
void config_free(struct config *c);

/* All files that the configuration was read from: another process that loads it
 * from them has the same to the byte.  Stays as long as `c`. */
struct slice config_bundle(const struct config *c);

/* Each file and folder that was looked at, there or not. */
void config_each_path(const struct config *c,
    void (*each)(void *arg, const char *path), void *arg);

/* The effective configuration as YAML, each value with a comment that names
 * its source. */
void config_print(const struct config *c, FILE *out);

/* The table of keys for --help. */
void config_help(FILE *out);

#endif
