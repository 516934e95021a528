/* certificate.c -- see certificate.h. */
#include "tls/certificate.h"

#include <arpa/inet.h>

#include "tls/der.h"

#define NAME_MAX_LEN 253

static uint64_t two(const uint8_t *at)
{
	return (uint64_t)(at[0] - '0') * 10 + (uint64_t)(at[1] - '0');
}

/* Days since 1970 of a date of the Gregorian calendar. */
static uint64_t days(uint64_t year, uint64_t month, uint64_t day)
{
	uint64_t y = month <= 2 ? year - 1 : year;
	uint64_t m = month <= 2 ? month + 9 : month - 3; /* March is 0 */

	return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day -
	       1 - 719468;
}

/* RFC 5280, 4.1.2.5: YYMMDDHHMMSSZ until 2049, then YYYYMMDDHHMMSSZ. */
static bool take_time(struct slice *in, uint64_t *seconds)
{
	struct der time;

	if (!der_take(in, &time))
		return false;
	struct slice s = time.body;
	bool is_long = time.tag == DER_GENERALIZED_TIME;
	uint64_t year;

	if ((!is_long && time.tag != DER_UTC_TIME) ||
	    s.len != (is_long ? 15u : 13u) || s.at[s.len - 1] != 'Z')
		return false;
	for (size_t i = 0; i < s.len - 1; i++)
		if (s.at[i] < '0' || s.at[i] > '9')
			return false;
	if (is_long) {
		year = two(s.at) * 100 + two(s.at + 2);
		slice_cut(&s, 4);
	} else {
		year = two(s.at) + (two(s.at) < 50 ? 2000 : 1900);
		slice_cut(&s, 2);
	}
	uint64_t month = two(s.at), day = two(s.at + 2);

	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	*seconds = days(year, month, day) * 86400 + two(s.at + 4) * 3600 +
		   two(s.at + 6) * 60 + two(s.at + 8);
	return true;
}

#define OID(literal) SLICE(literal)

static enum key_kind key_of(struct slice spki)
{
	struct der all, algorithm, oid, curve;

	if (!der_take_tag(&spki, DER_SEQUENCE, &all) ||
	    !der_take_tag(&all.body, DER_SEQUENCE, &algorithm) ||
	    !der_take_tag(&algorithm.body, DER_OID, &oid))
		return KEY_OTHER;
	if (slice_eq(oid.body, OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")))
		return KEY_RSA;
	if (slice_eq(oid.body, OID("\x2b\x65\x70")))
		return KEY_ED25519;
	if (!slice_eq(oid.body, OID("\x2a\x86\x48\xce\x3d\x02\x01")) ||
	    !der_take_tag(&algorithm.body, DER_OID, &curve))
		return KEY_OTHER;
	if (slice_eq(curve.body, OID("\x2a\x86\x48\xce\x3d\x03\x01\x07")))
		return KEY_P256;
	if (slice_eq(curve.body, OID("\x2b\x81\x04\x00\x22")))
		return KEY_P384;
	if (slice_eq(curve.body, OID("\x2b\x81\x04\x00\x23")))
		return KEY_P521;
	return KEY_OTHER;
}

/* The last CN of a Name is its most specific. */
static struct slice common_name_of(struct slice name)
{
	struct slice found = {NULL, 0};
	struct der all, set, pair, oid, value;

	if (!der_take_tag(&name, DER_SEQUENCE, &all))
		return found;
	while (der_take_tag(&all.body, DER_SET, &set))
		while (der_take_tag(&set.body, DER_SEQUENCE, &pair))
			if (der_take_tag(&pair.body, DER_OID, &oid) &&
			    slice_eq(oid.body, OID("\x55\x04\x03")) &&
			    der_take(&pair.body, &value))
				found = value.body;
	return found;
}

/* BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE,
 *     pathLenConstraint INTEGER OPTIONAL } */
static bool read_basic(struct certificate *c, struct slice value)
{
	struct der all, element;

	if (!der_take_tag(&value, DER_SEQUENCE, &all))
		return false;
	if (der_take_tag(&all.body, DER_BOOLEAN, &element))
		c->is_ca = element.body.len == 1 && element.body.at[0] != 0;
	if (der_take_tag(&all.body, DER_INTEGER, &element)) {
		if (element.body.len == 0)
			return false;
		c->path_max =
		    element.body.len == 1 ? element.body.at[0] : UINT32_MAX;
	}
	return true;
}

/* serverAuth, or anyExtendedKeyUsage. */
static bool read_extended_usage(struct certificate *c, struct slice value)
{
	struct der all, oid;

	if (!der_take_tag(&value, DER_SEQUENCE, &all))
		return false;
	c->for_servers = false;
	while (der_take_tag(&all.body, DER_OID, &oid))
		if (slice_eq(
			oid.body, OID("\x2b\x06\x01\x05\x05\x07\x03\x01")) ||
		    slice_eq(oid.body, OID("\x55\x1d\x25\x00")))
			c->for_servers = true;
	return true;
}

static bool read_names(struct certificate *c, struct slice value)
{
	struct der all;

	if (!der_take_tag(&value, DER_SEQUENCE, &all))
		return false;
	c->has_names = true;
	c->names = all.body;
	return true;
}

static bool read_extensions(struct certificate *c, struct slice in)
{
	struct der all, extension, oid, ignored, value, bits;
	bool signs = true; /* without a key usage everything is allowed */

	if (!der_take_tag(&in, DER_SEQUENCE, &all))
		return false;
	while (der_take_tag(&all.body, DER_SEQUENCE, &extension)) {
		if (!der_take_tag(&extension.body, DER_OID, &oid))
			return false;
		(void)der_take_tag(&extension.body, DER_BOOLEAN, &ignored);
		if (!der_take_tag(&extension.body, DER_OCTET_STRING, &value))
			return false;
		bool good = true;

		if (slice_eq(oid.body, OID("\x55\x1d\x11")))
			good = read_names(c, value.body);
		else if (slice_eq(oid.body, OID("\x55\x1d\x13")))
			good = read_basic(c, value.body);
		else if (slice_eq(oid.body, OID("\x55\x1d\x25")))
			good = read_extended_usage(c, value.body);
		else if (slice_eq(oid.body, OID("\x55\x1d\x0f")))
			/* Bit 5 of KeyUsage is keyCertSign. */
			signs =
			    der_take_tag(&value.body, DER_BIT_STRING, &bits) &&
			    bits.body.len >= 2 && (bits.body.at[1] & 0x04);
		if (!good)
			return false;
	}
	c->is_ca = c->is_ca && signs;
	return all.body.len == 0;
}

bool certificate_read(struct certificate *c, struct slice der)
{
	struct der all, tbs, element, validity;

	*c = (struct certificate){
	    .der = der, .path_max = UINT32_MAX, .for_servers = true};
	if (!der_take_tag(&der, DER_SEQUENCE, &all) || der.len > 0 ||
	    !der_take_tag(&all.body, DER_SEQUENCE, &tbs))
		return false;
	struct slice in = tbs.body;

	(void)der_take_tag(&in, DER_CONTEXT_HOLDS(0), &element); /* version */
	if (!der_take_tag(&in, DER_INTEGER, &element) ||
	    !der_take_tag(&in, DER_SEQUENCE, &element))
		return false;
	if (!der_take_tag(&in, DER_SEQUENCE, &element))
		return false;
	c->issuer = element.whole;
	if (!der_take_tag(&in, DER_SEQUENCE, &validity) ||
	    !take_time(&validity.body, &c->not_before_s) ||
	    !take_time(&validity.body, &c->not_after_s) ||
	    !der_take_tag(&in, DER_SEQUENCE, &element))
		return false;
	c->subject = element.whole;
	c->common_name = common_name_of(c->subject);
	if (!der_take_tag(&in, DER_SEQUENCE, &element))
		return false;
	c->spki = element.whole;
	c->key = key_of(c->spki);
	while (der_take(&in, &element))
		if (element.tag == DER_CONTEXT_HOLDS(3) &&
		    !read_extensions(c, element.body))
			return false;
	return in.len == 0;
}

static bool name_matches(struct slice pattern, struct slice name)
{
	if (slice_eq_nocase(pattern, name))
		return true;
	if (pattern.len < 3 || pattern.at[0] != '*' || pattern.at[1] != '.')
		return false;
	slice_cut(&pattern, 1);
	size_t dot = slice_find(name, '.');

	if (dot == 0 || dot == name.len)
		return false;
	slice_cut(&name, dot);
	/* "*.org" is nobody's: at least two labels behind the star. */
	return slice_eq_nocase(pattern, name) &&
	       slice_find(slice_of(name.at + 1, name.len - 1), '.') <
		   name.len - 1;
}

static bool has_address(const struct certificate *c, struct slice address)
{
	struct slice names = c->names;
	struct der name;

	while (der_take(&names, &name))
		if (name.tag == DER_CONTEXT(7) && slice_eq(name.body, address))
			return true;
	return false;
}

bool certificate_is_for(const struct certificate *c, struct slice name)
{
	char text[NAME_MAX_LEN + 1];
	uint8_t address[16];
	struct slice names = c->names;
	struct der one;

	if (name.len > 0 && name.at[name.len - 1] == '.')
		name.len--; /* the root's dot is no part of the name */
	if (name.len == 0 || name.len > NAME_MAX_LEN)
		return false;
	memcpy(text, name.at, name.len);
	text[name.len] = '\0';
	if (inet_pton(AF_INET, text, address) == 1)
		return has_address(c, slice_of(address, 4));
	if (inet_pton(AF_INET6, text, address) == 1)
		return has_address(c, slice_of(address, 16));
	while (der_take(&names, &one))
		if (one.tag == DER_CONTEXT(2) && name_matches(one.body, name))
			return true;
	/* Certificates of private authorities from before subjectAltName. */
	return !c->has_names && name_matches(c->common_name, name);
}
