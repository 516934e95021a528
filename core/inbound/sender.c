/* sender.c -- who may send as whom. */
#include "core/inbound/sender.h"

#include "proto/idna.h"
#include "proto/mailbox.h"

#define DOMAIN_MAX 255

struct sender_domain {
	struct map_node node;
	uint8_t len;
	uint8_t name[DOMAIN_MAX]; /* canonical */
};

/* A-labels in lower case, without a final dot; false: no domain of ours can be
 * equal to it. */
static bool canonical_put(struct buf *out, struct slice domain)
{
	size_t begin = out->len;

	if (domain.len > 1 && domain.at[domain.len - 1] == '.')
		domain.len--;
	if (domain.len == 0 || !(domain.at[0] == '[' ? buf_put(out, domain)
						     : idna_put(out, domain)))
		return false;
	for (size_t i = begin; i < out->len; i++)
		out->at[i] = byte_lower(out->at[i]);
	return true;
}

static void add_domain(
    struct sender_rules *r, struct sender_domain *d, struct slice name)
{
	struct buf b = buf_over(d->name, sizeof(d->name));

	if (!canonical_put(&b, name))
		return;
	d->len = (uint8_t)b.len;
	map_insert(
	    &r->map, &d->node, slice_hash_nocase(buf_slice(&b), r->seed));
}

int sender_open(struct sender_rules *r, enum sender_restrictions kind,
    const struct string_list *domains, uint64_t seed)
{
	int err;

	*r = (struct sender_rules){.kind = kind, .seed = seed};
	err = map_init(&r->map, domains->count + 1);
	if (err < 0)
		return err;
	err = pool_init(&r->pool, "sender domains",
	    sizeof(struct sender_domain), domains->count + 1);
	if (err < 0) {
		map_deinit(&r->map);
		return err;
	}
	for (size_t i = 0; i < domains->count; i++) {
		struct sender_domain *d = pool_take(&r->pool);

		check(d != NULL);
		add_domain(r, d, slice_of_str(domains->at[i]));
	}
	return 0;
}

void sender_close(struct sender_rules *r)
{
	map_deinit(&r->map);
	pool_deinit(&r->pool);
}

static bool is_listed(const struct sender_rules *r, struct slice domain)
{
	struct map_node *node =
	    map_first(&r->map, slice_hash_nocase(domain, r->seed));

	for (; node != NULL; node = map_next(node)) {
		const struct sender_domain *d =
		    container_of(node, struct sender_domain, node);

		if (slice_eq(slice_of(d->name, d->len), domain))
			return true;
	}
	return false;
}

/* The domain, or one that it lies below. */
static bool domain_allowed(const struct sender_rules *r, struct slice domain)
{
	uint8_t room[DOMAIN_MAX];
	struct buf b = buf_over(room, sizeof(room));
	struct slice rest;

	if (!canonical_put(&b, domain))
		return false;
	rest = buf_slice(&b);
	while (rest.len > 0) {
		if (is_listed(r, rest))
			return true;
		slice_cut_at(&rest, '.');
	}
	return false;
}

static bool domains_equal(struct slice a, struct slice b)
{
	uint8_t a_room[DOMAIN_MAX], b_room[DOMAIN_MAX];
	struct buf a_buf = buf_over(a_room, sizeof(a_room));
	struct buf b_buf = buf_over(b_room, sizeof(b_room));

	return canonical_put(&a_buf, a) && canonical_put(&b_buf, b) &&
	       slice_eq(buf_slice(&a_buf), buf_slice(&b_buf));
}

/* What a quoted local part says: RFC 5321, 4.1.2. */
static struct slice unquoted(struct slice local, uint8_t *room)
{
	size_t len = 0;

	if (local.len < 2 || local.at[0] != '"')
		return local;
	for (size_t i = 1; i + 1 < local.len; i++) {
		if (local.at[i] == '\\' && i + 2 < local.len)
			i++;
		room[len++] = local.at[i];
	}
	return slice_of(room, len);
}

static bool locals_equal(struct slice a, struct slice b)
{
	uint8_t a_room[ADDRESS_LOCAL_MAX], b_room[ADDRESS_LOCAL_MAX];

	if (a.len > sizeof(a_room) || b.len > sizeof(b_room))
		return false;
	return slice_eq_nocase(unquoted(a, a_room), unquoted(b, b_room));
}

/* `right`: "a@d" or "@d". */
static bool right_covers(
    struct slice right, struct slice local, struct slice domain)
{
	struct address a;

	if (right.len > 1 && right.at[0] == '@') {
		slice_cut(&right, 1);
		return domains_equal(right, domain);
	}
	return address_parse(right, true, &a) && locals_equal(a.local, local) &&
	       domains_equal(a.domain, domain);
}

static bool user_may(
    const struct user *user, struct slice local, struct slice domain)
{
	for (size_t i = 0; i < user->allowed_from->count; i++)
		if (right_covers(
			slice_of_str(user->allowed_from->at[i]), local, domain))
			return true;
	return false;
}

/* What a client sent, in a reply: printable, and not too long. */
static void put_visible(struct buf *text, struct slice s)
{
	size_t most = 80;

	for (size_t i = 0; i < s.len && i < most; i++) {
		bool plain = s.at[i] >= 0x20 && s.at[i] < 0x7f;

		buf_put_byte(text, plain ? s.at[i] : '?');
	}
	if (s.len > most)
		buf_put_str(text, "...");
}

static enum sender_verdict judge(const struct sender_rules *r,
    const struct user *user, struct slice full, struct slice local,
    struct slice domain, struct buf *text)
{
	switch (r->kind) {
	case SENDER_RESTRICTIONS_NONE: return SENDER_ALLOWED;
	case SENDER_RESTRICTIONS_DOMAIN:
		if (domain_allowed(r, domain))
			return SENDER_ALLOWED;
		buf_put_str(text, "<");
		put_visible(text, full);
		buf_put_str(text, "> is of a domain that may not be sent from "
				  "here");
		return SENDER_REFUSED;
	case SENDER_RESTRICTIONS_EMAIL:
		if (user_may(user, local, domain))
			return SENDER_ALLOWED;
		buf_put_str(text, "<");
		put_visible(text, full);
		buf_put_str(text, "> may not be used by ");
		put_visible(text, user->name);
		return SENDER_REFUSED;
	}
	return SENDER_REFUSED;
}

static bool must_login(const struct sender_rules *r, const struct user *user)
{
	return r->kind == SENDER_RESTRICTIONS_EMAIL && user == NULL;
}

enum sender_verdict sender_judge_envelope(const struct sender_rules *r,
    const struct user *user, const struct address *from, struct buf *text)
{
	if (must_login(r, user)) {
		buf_put_str(text, "log in before you send");
		return SENDER_LOGIN_FIRST;
	}
	if (from->full.len == 0 || !sender_reads_header(r, user))
		return SENDER_ALLOWED;
	return judge(r, user, from->full, from->local, from->domain, text);
}

bool sender_reads_header(const struct sender_rules *r, const struct user *user)
{
	switch (r->kind) {
	case SENDER_RESTRICTIONS_NONE: return false;
	case SENDER_RESTRICTIONS_DOMAIN: return true;
	case SENDER_RESTRICTIONS_EMAIL:
		return user == NULL || user->allowed_from->count > 0;
	}
	return true;
}

static enum sender_verdict unreadable(struct buf *text, const char *why)
{
	buf_put_str(text, "From cannot be read with certainty: ");
	buf_put_str(text, why);
	return SENDER_REFUSED;
}

enum sender_verdict sender_judge_header(const struct sender_rules *r,
    const struct user *user, const struct header_from *from, struct buf *text)
{
	uint8_t room[HEADER_FROM_MAX];
	struct mailbox_list list;
	const char *why;

	if (must_login(r, user)) {
		buf_put_str(text, "log in before you send");
		return SENDER_LOGIN_FIRST;
	}
	if (!sender_reads_header(r, user))
		return SENDER_ALLOWED;
	if (from->count != 1)
		return unreadable(text, from->count == 0
					    ? "there is none"
					    : "there is more than one");
	if (from->too_long)
		return unreadable(text, "it is too long");
	if (from->torn)
		return unreadable(text, "a line of the header is no field");
	if (!mailbox_list_parse(
		slice_of(from->text, from->len), room, &list, &why))
		return unreadable(text, why);
	for (unsigned i = 0; i < list.count; i++) {
		struct mailbox *m = &list.at[i];
		size_t begin = text->len;

		buf_put_str(text, "From: ");
		if (judge(r, user, m->full, m->local, m->domain, text) !=
		    SENDER_ALLOWED)
			return SENDER_REFUSED;
		text->len = begin;
	}
	return SENDER_ALLOWED;
}
