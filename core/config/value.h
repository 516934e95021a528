/* value.h -- one value of a configuration, from its text.
 *
 * Each returns false when the text is none; what would be is said by the
 * caller, or by *why (a static sentence) where several things can be wrong. */
#ifndef CORE_CONFIG_VALUE_H
#define CORE_CONFIG_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/slice.h"

/* true/false/yes/no/on/off/1/0, in any case. */
bool value_bool(struct slice text, bool *truth);

/* 65536, 64K, 50M, 1G, 2T: powers of 1024. */
bool value_size(struct slice text, uint64_t *bytes);

/* 30s, 5m, 4h, 5d, 2w: a number without its unit is none. */
bool value_duration(struct slice text, uint64_t *seconds);

/* The shortest that reads back as the same. */
void value_size_put(struct buf *b, uint64_t bytes);
void value_duration_put(struct buf *b, uint64_t seconds);

/* A name as RFC 1123 2.1 has it; underscores are let pass, as everywhere. */
bool value_hostname(struct slice text, const char **why);

/* Parts between dots, of which a name is made; numbers too. */
bool value_labels(struct slice text, const char **why);

/* A hostname, or an address literal as RFC 5321 4.1.3 has it for EHLO. */
bool value_helo(struct slice text, const char **why);

/* "host", "host:port", "[host]:port", "[::1]:port". */
bool value_relay_host(struct slice text, const char **why);

/* "192.0.2.1", "127.0.0.1@5353", "::1", "recursive". */
bool value_dns_server(struct slice text, const char **why);

/* Where to listen: "*:587" (all addresses of both families), "127.0.0.1:587",
 * "[::1]:587". */
struct endpoint {
	bool every;	     /* "*" */
	uint8_t address[16]; /* else; IPv4 as ::ffff:a.b.c.d */
	uint16_t port;
};
bool endpoint_parse(struct slice text, struct endpoint *e, const char **why);

#endif
