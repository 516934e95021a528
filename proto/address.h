/* address.h -- a mailbox in an SMTP path: RFC 5321 4.1.2, 6531 for UTF-8.
 *
 * Source routes (<@a,@b:user@c>) are read and dropped.  Quoted local parts are
 * kept as written, quotes included. */
#ifndef PROTO_ADDRESS_H
#define PROTO_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/slice.h"

/* RFC 5321, 4.5.3.1.1 names 64 octets as what everyone must be able to take,
 * and asks for more where it is possible: senders that write the recipient into
 * their own address (VERP, SRS) need it. */
#define ADDRESS_LOCAL_MAX 255
#define ADDRESS_DOMAIN_MAX 255 /* 4.5.3.1.2 */

struct address {
	struct slice full;   /* local@domain as it stands, without <> */
	struct slice local;  /* before the @ that ends it */
	struct slice domain; /* after it: a name or an [address literal];
			      * empty only for <> and <postmaster> */
};

/* The mailbox without brackets: local@domain.  False when it is not one.
 * `utf8`: whether non-ASCII (valid UTF-8) is allowed.  Slices look into
 * `text`. */
bool address_parse(struct slice text, bool utf8, struct address *a);

/* Reads "<...>" at the front of *text and takes it off.  `null_ok`: <> is good
 * (reverse path); `postmaster_ok`: <postmaster> without a domain is. */
bool path_parse(struct slice *text, bool null_ok, bool postmaster_ok, bool utf8,
    struct address *a);

/* Well-formed UTF-8 (RFC 3629); bytes below 128 alone. */
bool utf8_valid(struct slice s);
bool ascii_only(struct slice s);

#endif
