/* dns_packet.c -- the records of a DNS answer, bounds-checked.
 *
 * The resolver hands out a packet in wire format (RFC 1035, 4.1) that came,
 * in parts, from strangers.  It is read in passes over the answer section: one
 * for each link of the CNAME chain, from the question's name on, and one that
 * takes the records of the wanted type at the chain's end.  Names are compared
 * as text, letters lowered.
 *
 * A compression pointer must point before the name that it ends, and each next
 * one before the last: so reading a name always ends.  What does not fit into
 * the answer's room is left out, and said so. */
#include "proto/dns_packet.h"

#define HEADER_LEN 12u
#define CLASS_IN 1u
#define RCODE_MASK 0x0fu

struct name {
	size_t len;
	uint8_t text[DNS_NAME_MAX];
};

/* One resource record; `rdata_at` is an offset, since names in the data may
 * point to anywhere in the packet. */
struct resource {
	size_t name_at;
	uint16_t type;
	uint16_t class;
	uint32_t ttl_s;
	size_t rdata_at;
	uint16_t rdata_len;
};

static uint16_t read_u16(struct slice packet, size_t at)
{
	return (uint16_t)(packet.at[at] << 8 | packet.at[at + 1]);
}

static uint32_t read_u32(struct slice packet, size_t at)
{
	return (uint32_t)read_u16(packet, at) << 16 | read_u16(packet, at + 2);
}

static bool name_put(struct name *name, uint8_t byte)
{
	if (name->len == sizeof(name->text))
		return false;
	name->text[name->len++] = byte;
	return true;
}

static bool label_put(struct name *name, struct slice label)
{
	if (name->len > 0 && !name_put(name, '.'))
		return false;
	for (size_t i = 0; i < label.len; i++) {
		uint8_t c = byte_lower(label.at[i]);
		bool good;

		if (c == '.' || c == '\\')
			good = name_put(name, '\\') && name_put(name, c);
		else if (c > ' ' && c < 0x7f)
			good = name_put(name, c);
		else
			good = name_put(name, '\\') &&
			       name_put(name, (uint8_t)('0' + c / 100)) &&
			       name_put(name, (uint8_t)('0' + c / 10 % 10)) &&
			       name_put(name, (uint8_t)('0' + c % 10));
		if (!good)
			return false;
	}
	return true;
}

/* Moves *at behind the name that begins there; does not follow pointers. */
static bool name_skip(struct slice packet, size_t *at)
{
	while (*at < packet.len) {
		uint8_t len = packet.at[*at];

		if (len >= 0xc0) {
			*at += 2;
			return *at <= packet.len;
		}
		if (len > 63)
			return false;
		*at += 1u + len;
		if (len == 0)
			return true;
	}
	return false;
}

static bool name_read(struct slice packet, size_t at, struct name *name)
{
	size_t limit = at; /* the next pointer must point before */

	name->len = 0;
	while (at < packet.len) {
		uint8_t len = packet.at[at];

		if (len >= 0xc0) {
			if (packet.len - at < 2)
				return false;
			at = read_u16(packet, at) & 0x3fffu;
			if (at >= limit)
				return false;
			limit = at;
			continue;
		}
		if (len > 63 || packet.len - at - 1 < len)
			return false;
		if (len == 0)
			return name->len > 0 || name_put(name, '.');
		if (!label_put(name, slice_of(packet.at + at + 1, len)))
			return false;
		at += 1u + len;
	}
	return false;
}

/* Reads the record at *at and moves *at behind it. */
static bool resource_read(
    struct slice packet, size_t *at, struct resource *resource)
{
	resource->name_at = *at;
	if (!name_skip(packet, at) || packet.len - *at < 10)
		return false;
	resource->type = read_u16(packet, *at);
	resource->class = read_u16(packet, *at + 2);
	resource->ttl_s = read_u32(packet, *at + 4);
	/* RFC 2181, 8: with the upper bit set it counts as zero. */
	if (resource->ttl_s > INT32_MAX)
		resource->ttl_s = 0;
	resource->rdata_len = read_u16(packet, *at + 8);
	resource->rdata_at = *at + 10;
	if (packet.len - resource->rdata_at < resource->rdata_len)
		return false;
	*at = resource->rdata_at + resource->rdata_len;
	return true;
}

static bool name_eq(const struct name *a, const struct name *b)
{
	return slice_eq(slice_of(a->text, a->len), slice_of(b->text, b->len));
}

/* The name that begins `before` bytes into the data and ends with it. */
static bool rdata_name(struct slice packet, const struct resource *resource,
    size_t before, struct name *name)
{
	size_t at = resource->rdata_at + before;

	return resource->rdata_len > before && name_read(packet, at, name) &&
	       name_skip(packet, &at) &&
	       at == resource->rdata_at + resource->rdata_len;
}

/* Room for one more record's data, or NULL. */
static uint8_t *record_add(
    struct dns_answer *answer, uint16_t preference, struct slice data)
{
	if (answer->count == DNS_RECORDS_MAX ||
	    data.len > sizeof(answer->room) - answer->room_len) {
		answer->truncated = true;
		return NULL;
	}
	uint8_t *at = answer->room + answer->room_len;

	if (data.len > 0)
		memcpy(at, data.at, data.len);
	answer->room_len = (uint16_t)(answer->room_len + data.len);
	answer->records[answer->count++] = (struct dns_record){
	    .preference = preference,
	    .data = slice_of(at, data.len),
	};
	return at;
}

/* RFC 1035, 3.3.14: strings, each with its length before it. */
static bool text_take(struct slice rdata, struct dns_answer *answer)
{
	size_t joined_len = 0;

	for (size_t at = 0; at < rdata.len; at += 1u + rdata.at[at]) {
		if (rdata.len - at - 1 < rdata.at[at])
			return false;
		joined_len += rdata.at[at];
	}
	if (rdata.len == 0)
		return false;
	/* There is room for the data as it is, or none at all. */
	uint8_t *to = record_add(answer, 0, slice_of(rdata.at, joined_len));

	if (to == NULL)
		return true;
	for (size_t at = 0; at < rdata.len; at += 1u + rdata.at[at]) {
		memcpy(to, rdata.at + at + 1, rdata.at[at]);
		to += rdata.at[at];
	}
	return true;
}

/* Takes a record of the wanted type; false when its data is malformed. */
static bool resource_take(struct slice packet, const struct resource *resource,
    struct dns_answer *answer)
{
	struct slice rdata =
	    slice_of(packet.at + resource->rdata_at, resource->rdata_len);
	struct name name;

	switch (resource->type) {
	case DNS_TYPE_MX:
		if (!rdata_name(packet, resource, 2, &name))
			return false;
		record_add(answer, read_u16(packet, resource->rdata_at),
		    slice_of(name.text, name.len));
		return true;
	case DNS_TYPE_PTR:
		if (!rdata_name(packet, resource, 0, &name))
			return false;
		record_add(answer, 0, slice_of(name.text, name.len));
		return true;
	case DNS_TYPE_TXT: return text_take(rdata, answer);
	case DNS_TYPE_A:
		if (rdata.len != 4)
			return false;
		break;
	case DNS_TYPE_AAAA:
		if (rdata.len != 16)
			return false;
		break;
	case DNS_TYPE_TLSA:
		/* RFC 6698, 2.1: three bytes, then something to compare. */
		if (rdata.len < 4)
			return false;
		break;
	}
	record_add(answer, 0, rdata);
	return true;
}

struct reading {
	struct slice packet;
	size_t answers_at;
	unsigned answer_count;
	uint32_t ttl_s;
};

/* Follows one CNAME of `name`, if there is one. */
static bool chain_step(struct reading *r, struct name *name, bool *moved)
{
	size_t at = r->answers_at;
	struct resource resource;
	struct name owner;

	*moved = false;
	for (unsigned i = 0; i < r->answer_count; i++) {
		if (!resource_read(r->packet, &at, &resource))
			return false;
		if (resource.type != DNS_TYPE_CNAME ||
		    resource.class != CLASS_IN)
			continue;
		if (!name_read(r->packet, resource.name_at, &owner))
			return false;
		if (!name_eq(&owner, name))
			continue;
		if (resource.ttl_s < r->ttl_s)
			r->ttl_s = resource.ttl_s;
		*moved = true;
		return rdata_name(r->packet, &resource, 0, name);
	}
	return true;
}

static bool records_take(struct reading *r, uint16_t type,
    const struct name *name, struct dns_answer *answer)
{
	size_t at = r->answers_at;
	struct resource resource;
	struct name owner;

	for (unsigned i = 0; i < r->answer_count; i++) {
		if (!resource_read(r->packet, &at, &resource))
			return false;
		if (resource.type != type || resource.class != CLASS_IN)
			continue;
		if (!name_read(r->packet, resource.name_at, &owner))
			return false;
		if (!name_eq(&owner, name))
			continue;
		if (!resource_take(r->packet, &resource, answer))
			return false;
		if (resource.ttl_s < r->ttl_s)
			r->ttl_s = resource.ttl_s;
	}
	return true;
}

bool dns_packet_read(
    struct slice packet, uint16_t type, struct dns_answer *answer)
{
	size_t at = HEADER_LEN;
	struct name name;
	bool moved = true;

	answer->rcode = 0;
	answer->ttl_s = 0;
	answer->count = 0;
	answer->truncated = false;
	answer->room_len = 0;
	if (packet.len < HEADER_LEN || read_u16(packet, 4) != 1)
		return false;
	answer->rcode = packet.at[3] & RCODE_MASK;
	if (!name_read(packet, at, &name) || !name_skip(packet, &at) ||
	    packet.len - at < 4)
		return false;
	struct reading r = {
	    .packet = packet,
	    .answers_at = at + 4,
	    .answer_count = read_u16(packet, 6),
	    .ttl_s = UINT32_MAX,
	};

	for (unsigned links = 0; moved; links++) {
		if (links > DNS_LINKS_MAX || !chain_step(&r, &name, &moved))
			return false;
	}
	if (!records_take(&r, type, &name, answer))
		return false;
	answer->ttl_s = r.ttl_s == UINT32_MAX ? 0 : r.ttl_s;
	return true;
}
