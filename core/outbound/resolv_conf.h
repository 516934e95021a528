/* resolv_conf.h -- what /etc/resolv.conf says, see resolv.conf(5). */
#ifndef CORE_OUTBOUND_RESOLV_CONF_H
#define CORE_OUTBOUND_RESOLV_CONF_H

#include "core/base/check.h"
#include "core/base/slice.h"

#define RESOLV_CONF_SERVERS_MAX 3 /* as the C library has it */
#define RESOLV_CONF_SEARCH_MAX 16
#define RESOLV_CONF_LEN_MAX 4096

struct resolv_conf {
	unsigned server_count;
	struct slice servers[RESOLV_CONF_SERVERS_MAX];
	unsigned search_count;
	struct slice search[RESOLV_CONF_SEARCH_MAX]; /* no dots at the ends */
	size_t len;
	uint8_t room[RESOLV_CONF_LEN_MAX]; /* the file; the slices look here */
};

/* Reads the file (blocking: only before the loop turns).  A file that cannot
 * be read says nothing, as an empty one: then the server is 127.0.0.1, as the
 * C library has it. */
void resolv_conf_read(struct resolv_conf *conf, const char *path);

/* The text that is in conf->room already. */
void resolv_conf_parse(struct resolv_conf *conf);

#endif
