/* option.h -- the one table of options.
 *
 * It drives the reading of every source, "unknown key, did you mean", the
 * printed configuration, --help and README's list.  A new option is a row here
 * and a field in struct config. */
#ifndef CORE_CONFIG_OPTION_H
#define CORE_CONFIG_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/slice.h"

enum option_type {
	OPTION_BOOL,	   /* bool */
	OPTION_COUNT,	   /* unsigned; min and max */
	OPTION_PORT,	   /* uint16_t */
	OPTION_SIZE,	   /* uint64_t, bytes; min and max */
	OPTION_DURATION,   /* unsigned, seconds; min and max */
	OPTION_CHOICE,	   /* an enum; `names` in its order */
	OPTION_SET,	   /* unsigned, a bit for each of `names`; not empty */
	OPTION_HOSTNAME,   /* char * */
	OPTION_HELO,	   /* char *, NULL when empty */
	OPTION_RELAY_HOST, /* char *, NULL when empty */
	OPTION_TEXT,	   /* char *, any text; NULL when empty */
	OPTION_INLINE,	   /* struct config_text, the content of a file */
	OPTION_DIR,	   /* char *, a path */
	OPTION_FILE,	  /* char *, a file that can be read; NULL when empty */
	OPTION_NETWORKS,  /* struct network_list */
	OPTION_LISTEN,	  /* struct string_list, as endpoint_parse reads them */
	OPTION_ADDRESSES, /* struct string_list */
	OPTION_DNS_SERVERS, /* struct string_list */
	OPTION_PATHS,	    /* struct string_list, of files */
	OPTION_POSTCONF,    /* struct string_list: postconf.h */
	OPTION_USERS,	    /* maps: user.h */
	OPTION_DOMAINS,	    /* maps: domain.h */
};

struct option {
	const char *key; /* "config.hostname" */
	enum option_type type;
	size_t offset;	      /* in struct config */
	const char *fallback; /* the default, as a user would write it */
	uint64_t min, max;
	const char *automatic;	  /* the word that means 0, or NULL */
	const char *const *names; /* OPTION_CHOICE, _SET; ends with NULL */
	const char *env;	  /* SH_..., or NULL */
	const char *rival;	  /* says the same in another way; the later
				   * source wins */
	bool secret;		  /* is shown to nobody */
	const char *help;
};

/* The table, grouped by section. */
const struct option *options_all(size_t *count);
size_t option_index(const struct option *o);

/* NULL when there is none. */
const struct option *option_find(struct slice key);
const struct option *option_find_env(struct slice name);

/* Whether keys begin with "key.". */
bool option_is_section(struct slice key);

/* Whether several values may be given. */
bool option_is_list(const struct option *o);

/* Whether it is a list of maps, to which each source adds. */
bool option_is_table(const struct option *o);

/* The key (or variable) most like the one given, or NULL: what "did you mean"
 * asks for. */
const char *option_nearest(struct slice key);
const char *option_nearest_env(struct slice name);

#endif
