/* postconf_access.c -- who may send, as Postfix's restrictions and tables say.
 *
 * Of restrictions the forms are understood that an image like this needs: by
 * network, by AUTH, by sender.  Anything else is refused, word for word. */
#include "core/base/check.h"
#include "core/config/assign.h"
#include "core/config/domain.h"
#include "core/config/files.h"
#include "core/config/memory.h"
#include "core/config/postconf_map.h"
#include "core/config/text.h"

/* "inline:{{key = value}, key=value}" or a file with "key value" lines. */
struct table {
	struct slice rest;
	struct text_lines lines;
	bool in_place;
};

static bool table_open(
    const struct mapped *m, struct slice name, struct table *t)
{
	struct slice text = name, type = slice_cut_at(&text, ':');
	struct config *c = m->config;

	*t = (struct table){0};
	if (slice_eq(type, SLICE("inline")) && text.len >= 2 &&
	    text.at[0] == '{' && text.at[text.len - 1] == '}') {
		t->in_place = true;
		t->rest = slice_of(text.at + 1, text.len - 2);
		return true;
	}
	if (!slice_eq(type, SLICE("texthash")) || text.len == 0) {
		mapped_refuse(
		    m, "only texthash:FILE and inline:{...} are understood");
		return false;
	}
	const struct file *file =
	    files_read(c->memory->files, config_path(c, text));
	if (file->why != NULL) {
		complain(m->complaints, m->where, "%s: %s: cannot be read: %s",
		    m->mapping->name, file->path, file->why);
		return false;
	}
	t->lines.rest = file->text;
	return true;
}

static bool next_inline(struct table *t, struct slice *key, struct slice *value)
{
	struct slice part;

	if (!mapped_next(&t->rest, &part))
		return false;
	if (part.len >= 2 && part.at[0] == '{')
		part = slice_of(part.at + 1, part.len - 2);
	*key = slice_trim(slice_cut_at(&part, '='));
	*value = slice_trim(part);
	return true;
}

static bool table_next(struct table *t, struct slice *key, struct slice *value)
{
	if (t->in_place)
		return next_inline(t, key, value);
	while (text_next_line(&t->lines, value)) {
		*value = slice_trim(*value);
		if (value->len == 0 || value->at[0] == '#')
			continue;
		*key = text_cut_word(value);
		return true;
	}
	return false;
}

struct restrictions {
	bool networks, authenticated, rejects, logins;
	bool is_sender;
	struct slice domains; /* the table of check_sender_access */
};

/* False when the word is not one of ours. */
static bool read_word(
    struct restrictions *r, struct slice word, struct slice *rest)
{
	if (slice_eq(word, SLICE("permit_mynetworks")))
		r->networks = true;
	else if (slice_eq(word, SLICE("permit_sasl_authenticated")))
		r->authenticated = true;
	else if (slice_eq(word, SLICE("reject")) ||
		 slice_eq(word, SLICE("reject_unauth_destination")) ||
		 slice_eq(word, SLICE("defer_unauth_destination")))
		r->rejects = true;
	else if (r->is_sender &&
		 (slice_eq(word, SLICE("reject_sender_login_mismatch")) ||
		     slice_eq(word, SLICE("reject_authenticated_sender_login_"
					  "mismatch"))))
		r->logins = true;
	else if (r->is_sender && slice_eq(word, SLICE("check_sender_access")))
		return mapped_next(rest, &r->domains);
	else
		return slice_eq(word, SLICE("permit"));
	return true;
}

static void add_domains(const struct mapped *m, struct slice name)
{
	struct table t;
	struct slice key, value;

	if (!table_open(m, name, &t))
		return;
	while (table_next(&t, &key, &value)) {
		if (!slice_eq_nocase(value, SLICE("OK")) &&
		    !slice_eq_nocase(value, SLICE("permit"))) {
			complain(m->complaints, m->where,
			    "%s: %s: only OK is understood in the table",
			    m->mapping->name, shown(key).at);
			continue;
		}
		domain_add(m->config, m->complaints, m->where, key);
	}
	mapped_set(m, "config.sender_restrictions", SLICE("domain"));
}

void map_restrictions(const struct mapped *m)
{
	struct restrictions r = {
	    .is_sender =
		strcmp(m->mapping->name, "smtpd_sender_restrictions") == 0};
	struct slice rest = m->text, word;

	while (mapped_next(&rest, &word))
		if (!read_word(&r, word, &rest)) {
			complain(m->complaints, m->where,
			    "%s: %s is not understood (see "
			    "config.allowed_networks, config.auth and "
			    "config.sender_restrictions)",
			    m->mapping->name, shown(word).at);
			return;
		}
	if (r.logins)
		mapped_set(m, "config.sender_restrictions", SLICE("email"));
	if (r.domains.len > 0)
		add_domains(m, r.domains);
	else if (r.rejects && !r.networks && !r.authenticated)
		mapped_refuse(m, "nobody could send");
	else if (r.rejects && r.authenticated && !r.networks)
		mapped_set(m, "config.auth", SLICE("true"));
	else if (r.authenticated && r.networks)
		complain_softly(m->complaints, m->where,
		    "%s: clients outside of config.allowed_networks are "
		    "refused before they can authenticate",
		    m->mapping->name);
}

struct postconf_login {
	struct postconf_login *next;
	struct slice sender, user;
	struct origin where;
};

void map_login_maps(const struct mapped *m)
{
	struct config_memory *memory = m->config->memory;
	struct slice key, users, user;
	struct table t;

	if (m->text.len == 0 || !table_open(m, m->text, &t))
		return;
	while (table_next(&t, &key, &users))
		while (mapped_next(&users, &user)) {
			struct postconf_login *login =
			    memory_take(memory, sizeof(*login));

			*login = (struct postconf_login){
			    memory->logins, key, user, m->where};
			memory->logins = login;
		}
}

static struct config_user *find_user(struct config *c, struct slice name)
{
	for (size_t i = 0; i < c->user_count; i++)
		if (slice_eq(slice_of_str(c->users[i].name), name))
			return &c->users[i];
	return NULL;
}

void postconf_finish(struct config *c, struct complaints *complaints)
{
	for (const struct postconf_login *l = c->memory->logins; l != NULL;
	     l = l->next) {
		struct config_user *user = find_user(c, l->user);

		if (user == NULL) {
			complain_softly(complaints, l->where,
			    "smtpd_sender_login_maps: there is no user %s",
			    shown(l->user).at);
			continue;
		}
		struct string_list *list = &user->allowed_from;
		list->at = memory_grow(
		    c->memory, list->at, list->count, sizeof(list->at[0]));
		list->at[list->count++] = memory_copy(c->memory, l->sender);
	}
}

/* "user:password"; neither is ever shown. */
static void set_password(const struct mapped *m, struct slice text)
{
	struct slice user = slice_cut_at(&text, ':');

	if (user.len == 0 || text.len == 0) {
		complain(m->complaints, m->where, "%s: must be user:password",
		    m->mapping->name);
		return;
	}
	mapped_set(m, "config.relay.username", user);
	mapped_set(m, "config.relay.password", text);
}

static bool is_next_hop(const struct mapped *m, struct slice key)
{
	const struct postconf_value *v = postconf_find(m->config, "relayhost");
	struct slice host = {0}, other;

	if (v == NULL || !postconf_expand(m->config, m->complaints, v, &host))
		return false;
	if (slice_eq_nocase(host, key))
		return true;
	other = host;
	if (other.len > 0 && other.at[0] == '[') {
		slice_cut(&other, 1);
		other = slice_cut_at(&other, ']');
	} else {
		other = slice_cut_at(&other, ':');
	}
	return slice_eq_nocase(other, key);
}

void map_password_maps(const struct mapped *m)
{
	struct slice text = m->text, key, value, found = {0};
	struct table t;

	if (text.len == 0)
		return;
	if (slice_starts_nocase(text, SLICE("static:"))) {
		slice_cut(&text, strlen("static:"));
		if (text.len > 2 && text.at[0] == '{')
			text = slice_of(text.at + 1, text.len - 2);
		set_password(m, text);
		return;
	}
	if (!slice_starts_nocase(text, SLICE("texthash:")) &&
	    !slice_starts_nocase(text, SLICE("inline:"))) {
		complain(m->complaints, m->where,
		    "%s: only static:, texthash: and inline: are understood",
		    m->mapping->name);
		return;
	}
	if (!table_open(m, text, &t))
		return;
	while (found.len == 0 && table_next(&t, &key, &value))
		if (is_next_hop(m, key))
			found = value;
	if (found.len > 0)
		set_password(m, found);
	else
		complain_softly(m->complaints, m->where,
		    "%s: relayhost is not in it", m->mapping->name);
}

void map_milters(const struct mapped *m)
{
	struct slice rest = m->text, word;

	while (mapped_next(&rest, &word))
		if (!text_has(word, "8891") && !text_has(word, "opendkim"))
			mapped_refuse(m, "there is no milter but OpenDKIM, "
					 "whose work the relay does itself");
}
