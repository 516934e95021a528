/* user.c -- who may authenticate: users of YAML, of users.d, of SH_AUTH.
 *
 * Each source adds its users; a name that is there twice is an error, since
 * which password is meant could only be guessed.  Complaints never show a
 * password, nor a line that has one. */
#include "core/config/user.h"

#include <stdlib.h>

#include "core/base/check.h"
#include "core/config/memory.h"
#include "core/config/option.h"
#include "core/config/text.h"
#include "core/config/value.h"

#define NAME_LEN_MAX 255
#define PASSWORD_LEN_MAX 1000

static const char *name_wrong(struct slice name)
{
	if (name.len == 0)
		return "a user has no name";
	if (name.len > NAME_LEN_MAX)
		return "a user's name is longer than 255 bytes";
	if (text_has_control(name))
		return "a user's name has a control character in it";
	return NULL;
}

static const char *password_wrong(struct slice password)
{
	if (password.len == 0)
		return "has no password";
	if (password.len > PASSWORD_LEN_MAX)
		return "has a password of more than 1000 bytes";
	if (text_has_control(password))
		return "has a control character in the password";
	return NULL;
}

static struct config_user *user_add(struct config *c,
    struct complaints *complaints, struct origin where, struct slice name,
    struct slice password)
{
	const char *why = name_wrong(name);
	struct config_user *user;

	if (why != NULL) {
		complain(complaints, where, "users: %s", why);
		return NULL;
	}
	why = password_wrong(password);
	if (why != NULL) {
		complain(complaints, where, "user %s %s", shown(name).at, why);
		return NULL;
	}
	c->users = memory_grow(
	    c->memory, c->users, c->user_count, sizeof(c->users[0]));
	user = &c->users[c->user_count++];
	*user = (struct config_user){
	    .name = memory_copy(c->memory, name),
	    .password = memory_copy(c->memory, password),
	    .source = memory_origin(c->memory, where),
	};
	return user;
}

/* "a@d" or "@d". */
static bool sender_good(struct slice text, const char **why)
{
	size_t at = text.len;

	while (at > 0 && text.at[at - 1] != '@')
		at--;
	if (at == 0 || text_has_control(text)) {
		*why = "must be name@domain, or @domain";
		return false;
	}
	return value_hostname(slice_of(text.at + at, text.len - at), why);
}

static void read_senders(const struct yaml_source *s, const struct field *field,
    struct config_user *user)
{
	struct string_list *list = &user->allowed_from;
	struct config_memory *m = s->config->memory;
	struct field_cursor at = {0};
	struct slice text;
	unsigned line;
	const char *why;

	if (field->value != NULL && field->value->kind == NODE_MAP)
		complain(s->complaints, yaml_origin(s, field->line),
		    "users[].allowed_from must be a list, not a map");
	while (field_next(field, &at, &text, &line)) {
		if (!sender_good(text, &why)) {
			complain(s->complaints, yaml_origin(s, line),
			    "users[].allowed_from: '%s': %s", shown(text).at,
			    why);
			continue;
		}
		list->at =
		    memory_grow(m, list->at, list->count, sizeof(list->at[0]));
		list->at[list->count++] = memory_copy(m, text);
	}
}

static void read_user(const struct yaml_source *s, const struct node_entry *e)
{
	static const char *const what = "users[]";
	struct field fields[] = {
	    {.name = "name"}, {.name = "password"}, {.name = "allowed_from"}};
	struct slice name, password;
	struct config_user *user;

	if (!fields_read(s, what, e->value, e->line, fields, COUNT(fields)) ||
	    !field_text(s, what, &fields[0], &name) ||
	    !field_text(s, what, &fields[1], &password))
		return;
	user = user_add(
	    s->config, s->complaints, yaml_origin(s, e->line), name, password);
	if (user != NULL)
		read_senders(s, &fields[2], user);
}

void users_yaml(
    const struct yaml_source *s, unsigned line, const struct node *list)
{
	if (node_is_null(list))
		return;
	if (list->kind != NODE_LIST) {
		complain(s->complaints, yaml_origin(s, line),
		    "users must be a list (- name: ...)");
		return;
	}
	for (const struct node_entry *e = list->entries; e != NULL; e = e->next)
		read_user(s, e);
}

void users_variable(struct config *c, struct complaints *complaints,
    struct origin where, struct slice value)
{
	struct slice name = slice_cut_at(&value, ':');

	if (user_add(c, complaints, where, name, value) == NULL)
		return;
	c->auth = true;
	c->memory->origins[option_index(option_find(SLICE("config.auth")))] =
	    where;
}

void users_table(struct config *c, struct complaints *complaints,
    const char *name, struct slice text)
{
	struct text_lines lines = {.rest = text};
	struct slice line;

	while (text_next_line(&lines, &line)) {
		struct origin where = {name, lines.number};
		struct slice user;

		line = slice_trim(line);
		if (line.len == 0 || line.at[0] == '#')
			continue;
		user = text_cut_word(&line);
		user_add(c, complaints, where, user, line);
	}
}

static int by_name(const void *a, const void *b)
{
	const struct config_user *x = *(const struct config_user *const *)a;
	const struct config_user *y = *(const struct config_user *const *)b;
	int order = strcmp(x->name, y->name);

	/* The first of two is the one that was read first. */
	return order != 0 ? order : (x > y) - (x < y);
}

static void find_twins(struct config *c, struct complaints *complaints)
{
	const struct config_user **sorted = memory_take(
	    c->memory, c->user_count * sizeof(const struct config_user *));

	for (size_t i = 0; i < c->user_count; i++)
		sorted[i] = &c->users[i];
	qsort(sorted, c->user_count, sizeof(sorted[0]), by_name);
	for (size_t i = 1; i < c->user_count; i++)
		if (strcmp(sorted[i]->name, sorted[i - 1]->name) == 0)
			complain(complaints,
			    (struct origin){sorted[i]->source, 0},
			    "user %s is here twice; first at %s",
			    shown(slice_of_str(sorted[i]->name)).at,
			    sorted[i - 1]->source);
}

static struct origin origin_of(const struct config *c, struct slice key)
{
	return c->memory->origins[option_index(option_find(key))];
}

void users_finish(struct config *c, struct complaints *complaints)
{
	if (c->user_count > 1)
		find_twins(c, complaints);
	if (c->user_count > 0)
		return;
	if (c->auth)
		complain(complaints, origin_of(c, SLICE("config.auth")),
		    "config.auth is on, but there are no users: nobody could "
		    "send");
	if (c->sender_restrictions == SENDER_RESTRICTIONS_EMAIL)
		complain(complaints,
		    origin_of(c, SLICE("config.sender_restrictions")),
		    "config.sender_restrictions is email, but there are no "
		    "users: nobody could send");
}

void users_put(const struct config *c, FILE *out)
{
	for (size_t i = 0; i < c->user_count; i++) {
		const struct config_user *user = &c->users[i];

		fputs("  - name: ", out);
		text_put_yaml(user->name, out);
		fprintf(
		    out, "  # %s\n    password: '********'\n", user->source);
		if (user->allowed_from.count == 0)
			continue;
		fputs("    allowed_from: ", out);
		text_put_yaml_list(&user->allowed_from, out);
		fputc('\n', out);
	}
}
