/* assign.c -- what a source gave for an option, checked and stored.
 *
 * Every source gives text; the option's type says what it means.  A list is a
 * list, or one text whose parts are separated by commas or blanks. */
#include "core/config/assign.h"

#include "core/base/check.h"
#include "core/config/files.h"
#include "core/config/memory.h"
#include "core/config/postconf.h"
#include "core/config/text.h"
#include "core/config/value.h"

struct assignment {
	struct config *config;
	const struct option *option;
	const struct given *given;
	struct complaints *complaints;
};

static void *field_of(struct config *c, const struct option *o)
{
	return (char *)c + o->offset;
}

static const void *field_read(const struct config *c, const struct option *o)
{
	return (const char *)c + o->offset;
}

static void refuse(
    const struct assignment *a, const struct word *w, const char *allowed)
{
	struct origin where = a->given->where;

	/* A line of --set or of a variable means nothing to anyone. */
	if (where.line > 0)
		where.line = w->line;
	if (a->option->secret)
		complain(
		    a->complaints, where, "%s: %s", a->option->key, allowed);
	else
		complain(a->complaints, where, "%s: '%s': %s", a->option->key,
		    shown(w->text).at, allowed);
}

static bool is_automatic(const struct option *o, struct slice text)
{
	return o->automatic != NULL &&
	       slice_eq_nocase(text, slice_of_str(o->automatic));
}

static void put_limit(struct buf *b, const struct option *o, uint64_t limit)
{
	if (o->type == OPTION_SIZE)
		value_size_put(b, limit);
	else if (o->type == OPTION_DURATION)
		value_duration_put(b, limit);
	else
		buf_put_number(b, limit);
}

static void refuse_range(
    const struct assignment *a, const struct word *w, const char *what)
{
	const struct option *o = a->option;
	char text[160];
	struct buf b = buf_over(text, sizeof(text) - 1);

	buf_printf(&b, "must be %s, ", what);
	put_limit(&b, o, o->min);
	buf_put_str(&b, " to ");
	put_limit(&b, o, o->max);
	if (o->automatic != NULL)
		buf_printf(&b, ", or %s", o->automatic);
	text[b.len] = '\0';
	refuse(a, w, text);
}

/* Numbers of every kind, within the option's limits. */
static bool read_number(const struct assignment *a, uint64_t *number)
{
	const struct option *o = a->option;
	const struct word *w = &a->given->words[0];
	const char *what = "a number";
	bool good;

	*number = 0;
	if (is_automatic(o, w->text))
		return true;
	if (o->type == OPTION_SIZE) {
		what = "a size (64K, 50M, 1G)";
		good = value_size(w->text, number);
	} else if (o->type == OPTION_DURATION) {
		what = "a duration (30s, 5m, 4h, 5d)";
		good = value_duration(w->text, number);
	} else {
		good = slice_number(w->text, number);
	}
	if (good && *number >= o->min && *number <= o->max)
		return true;
	refuse_range(a, w, what);
	return false;
}

static bool assign_number(const struct assignment *a)
{
	void *field = field_of(a->config, a->option);
	uint64_t number;

	if (!read_number(a, &number))
		return false;
	if (a->option->type == OPTION_SIZE)
		*(uint64_t *)field = number;
	else if (a->option->type == OPTION_PORT)
		*(uint16_t *)field = (uint16_t)number;
	else
		*(unsigned *)field = (unsigned)number;
	return true;
}

static bool assign_bool(const struct assignment *a)
{
	const struct word *w = &a->given->words[0];

	if (value_bool(w->text, field_of(a->config, a->option)))
		return true;
	refuse(a, w, "must be true or false (or yes, no, on, off, 1, 0)");
	return false;
}

static bool assign_choice(const struct assignment *a)
{
	const struct word *w = &a->given->words[0];
	const char *const *names = a->option->names;
	char text[160];
	struct buf b = buf_over(text, sizeof(text) - 1);

	buf_put_str(&b, "must be");
	for (unsigned i = 0; names[i] != NULL; i++) {
		if (slice_eq_nocase(w->text, slice_of_str(names[i]))) {
			*(unsigned *)field_of(a->config, a->option) = i;
			return true;
		}
		buf_printf(&b, "%s %s", i == 0 ? "" : " or",
		    names[i][0] == '\0' ? "empty" : names[i]);
	}
	text[b.len] = '\0';
	refuse(a, w, text);
	return false;
}

char *config_path(const struct config *c, struct slice path)
{
	if (path.at[0] == '/')
		return memory_copy(c->memory, path);
	return memory_printf(
	    c->memory, "%s/%.*s", c->dir, (int)path.len, path.at);
}

static bool text_good(
    const struct option *o, struct slice text, const char **why)
{
	if (o->type == OPTION_HOSTNAME)
		return value_hostname(text, why);
	if (o->type == OPTION_HELO)
		return text.len == 0 || value_helo(text, why);
	if (o->type == OPTION_RELAY_HOST)
		return text.len == 0 || value_relay_host(text, why);
	if (o->type == OPTION_DIR && text.len == 0) {
		*why = "must not be empty";
		return false;
	}
	if (text.len > 4000) {
		*why = "is too long";
		return false;
	}
	*why = "must not have control characters";
	return !text_has_control(text);
}

static bool assign_text(const struct assignment *a)
{
	const struct option *o = a->option;
	const struct word *w = &a->given->words[0];
	const char *why = NULL;
	char *text = NULL;

	if (!text_good(o, w->text, &why)) {
		refuse(a, w, why);
		return false;
	}
	if (w->text.len > 0)
		text = o->type == OPTION_DIR || o->type == OPTION_FILE
			   ? config_path(a->config, w->text)
			   : memory_copy(a->config->memory, w->text);
	if (o->type == OPTION_FILE && text != NULL &&
	    files_read(a->config->memory->files, text)->why != NULL) {
		refuse(a, w, "cannot be read");
		return false;
	}
	*(char **)field_of(a->config, o) = text;
	return true;
}

static bool is_separator(uint8_t c)
{
	return c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The next part of the words from *word on, in which *at is how far we are;
 * false at the end. */
static bool next_part(
    const struct given *g, size_t *word, size_t *at, struct word *part)
{
	for (; *word < g->count; (*word)++, *at = 0) {
		struct slice text = g->words[*word].text;
		size_t start, end;

		for (start = *at; start < text.len; start++)
			if (!is_separator(text.at[start]))
				break;
		for (end = start; end < text.len; end++)
			if (is_separator(text.at[end]))
				break;
		*at = end;
		if (start == end)
			continue;
		*part = (struct word){
		    slice_of(text.at + start, end - start),
		    g->words[*word].line,
		};
		return true;
	}
	return false;
}

static size_t count_parts(const struct given *g)
{
	size_t word = 0, at = 0, count = 0;
	struct word part;

	while (next_part(g, &word, &at, &part))
		count++;
	return count;
}

static bool assign_networks(const struct assignment *a)
{
	/* "*" is two networks. */
	size_t word = 0, at = 0, room = 2 * count_parts(a->given);
	struct network_list list = {
	    .at = memory_take(a->config->memory, room * sizeof(list.at[0])),
	};
	struct word part;
	const char *why;
	bool good = true;

	while (next_part(a->given, &word, &at, &part)) {
		if (slice_eq(part.text, SLICE("*"))) {
			good &= network_parse(
			    SLICE("0.0.0.0/0"), &list.at[list.count++], &why);
			good &= network_parse(
			    SLICE("::/0"), &list.at[list.count++], &why);
		} else if (network_parse(
			       part.text, &list.at[list.count], &why)) {
			list.count++;
		} else {
			refuse(a, &part, why);
			good = false;
		}
	}
	if (good)
		*(struct network_list *)field_of(a->config, a->option) = list;
	return good;
}

static bool part_good(
    enum option_type type, struct slice text, const char **why)
{
	struct endpoint e;
	uint8_t bytes[16];

	if (type == OPTION_LISTEN)
		return endpoint_parse(text, &e, why);
	if (type == OPTION_DNS_SERVERS)
		return value_dns_server(text, why);
	*why = "must be an IPv4 or IPv6 address";
	return address_bytes(text, bytes);
}

static bool assign_strings(const struct assignment *a)
{
	size_t word = 0, at = 0, room = count_parts(a->given);
	struct string_list list = {
	    .at = memory_take(a->config->memory, room * sizeof(list.at[0])),
	};
	struct word part;
	const char *why = NULL;
	bool good = true;

	while (next_part(a->given, &word, &at, &part)) {
		if (!part_good(a->option->type, part.text, &why)) {
			refuse(a, &part, why);
			good = false;
			continue;
		}
		list.at[list.count++] =
		    memory_copy(a->config->memory, part.text);
	}
	if (good)
		*(struct string_list *)field_of(a->config, a->option) = list;
	return good;
}

static bool assign_set(const struct assignment *a)
{
	const char *const *names = a->option->names;
	size_t word = 0, at = 0;
	unsigned set = 0;
	bool good = true;
	struct word part = {0};

	while (next_part(a->given, &word, &at, &part)) {
		unsigned i = 0;

		while (names[i] != NULL &&
		       !slice_eq_nocase(part.text, slice_of_str(names[i])))
			i++;
		if (names[i] != NULL) {
			set |= 1u << i;
			continue;
		}
		refuse(a, &part, "there is none of this name (see --help)");
		good = false;
	}
	if (good && set == 0) {
		complain(a->complaints, a->given->where,
		    "%s must name at least one", a->option->key);
		good = false;
	}
	if (good)
		*(unsigned *)field_of(a->config, a->option) = set;
	return good;
}

/* Each text is one path, whatever is in it. */
static bool assign_paths(const struct assignment *a)
{
	const struct given *g = a->given;
	struct string_list list = {
	    .at = memory_take(a->config->memory, g->count * sizeof(list.at[0])),
	};
	const char *why;

	for (size_t i = 0; i < g->count; i++) {
		if (g->words[i].text.len == 0)
			continue;
		if (!text_good(a->option, g->words[i].text, &why)) {
			refuse(a, &g->words[i], why);
			return false;
		}
		list.at[list.count++] =
		    config_path(a->config, g->words[i].text);
	}
	*(struct string_list *)field_of(a->config, a->option) = list;
	return true;
}

/* The content of a file, in its stead. */
static bool assign_inline(const struct assignment *a)
{
	const struct word *w = &a->given->words[0];
	struct config_memory *m = a->config->memory;

	*(struct config_text *)field_of(a->config, a->option) =
	    (struct config_text){
		.text = slice_of(memory_copy(m, w->text), w->text.len),
		.source = memory_origin(m, a->given->where),
		.in_place = true,
	    };
	return true;
}

/* What asks for nothing that we could not do is let pass. */

/* The lines are what a file of postfix.d would be; what they set comes from
 * them. */
static bool assign_postconf(const struct assignment *a)
{
	const struct given *g = a->given;
	struct config *c = a->config;
	struct string_list list = {
	    .at = memory_take(c->memory, g->count * sizeof(list.at[0])),
	};

	for (size_t i = 0; i < g->count; i++) {
		struct origin where = g->where;

		if (where.line > 0)
			where.line = g->words[i].line;
		postconf_line(c, a->complaints, where, g->words[i].text);
		if (g->words[i].text.len > 0)
			list.at[list.count++] =
			    memory_copy(c->memory, g->words[i].text);
	}
	postconf_apply(c, a->complaints);
	*(struct string_list *)field_of(c, a->option) = list;
	return true;
}

static bool assign(const struct assignment *a)
{
	switch (a->option->type) {
	case OPTION_BOOL: return assign_bool(a);
	case OPTION_COUNT:
	case OPTION_PORT:
	case OPTION_SIZE:
	case OPTION_DURATION: return assign_number(a);
	case OPTION_CHOICE: return assign_choice(a);
	case OPTION_HOSTNAME:
	case OPTION_HELO:
	case OPTION_RELAY_HOST:
	case OPTION_TEXT:
	case OPTION_DIR:
	case OPTION_FILE: return assign_text(a);
	case OPTION_NETWORKS: return assign_networks(a);
	case OPTION_LISTEN:
	case OPTION_ADDRESSES:
	case OPTION_DNS_SERVERS: return assign_strings(a);
	case OPTION_SET: return assign_set(a);
	case OPTION_PATHS: return assign_paths(a);
	case OPTION_INLINE: return assign_inline(a);
	/* Each source adds to them (source.c); there is no default. */
	case OPTION_USERS:
	case OPTION_DOMAINS: return true;
	case OPTION_POSTCONF: return assign_postconf(a);
	}
	check(false);
}

/* A file named by a later source takes the place of an inline text, and the
 * other way round; both in one source are a mistake that is found later. */
static void give_way(
    struct config *c, const struct option *rival, struct origin winner)
{
	struct origin *where = &c->memory->origins[option_index(rival)];
	void *field = field_of(c, rival);

	if (where->source == NULL || strcmp(where->source, winner.source) == 0)
		return;
	if (rival->type == OPTION_INLINE)
		*(struct config_text *)field = (struct config_text){0};
	else
		*(struct string_list *)field = (struct string_list){0};
	*where = (struct origin){"default", 0};
}

void option_assign(struct config *c, const struct option *o,
    const struct given *g, struct complaints *complaints)
{
	struct assignment a = {c, o, g, complaints};

	if (g->is_list && !option_is_list(o)) {
		complain(complaints, g->where,
		    "%s must be one value, not a list", o->key);
		return;
	}
	check(g->is_list || g->count == 1);
	if (!assign(&a))
		return;
	c->memory->origins[option_index(o)] = g->where;
	if (o->rival != NULL && count_parts(g) > 0)
		give_way(c, option_find(slice_of_str(o->rival)), g->where);
}

void option_reset(struct config *c, const struct option *o, struct origin where,
    struct complaints *complaints)
{
	struct word word = {slice_of_str(o->fallback), where.line};
	struct given given = {.where = where, .words = &word, .count = 1};

	option_assign(c, o, &given, complaints);
}

static void put_number(const struct option *o, uint64_t number, FILE *out)
{
	char text[32];
	struct buf b = buf_over(text, sizeof(text));

	if (number == 0 && o->automatic != NULL) {
		fputs(o->automatic, out);
		return;
	}
	put_limit(&b, o, number);
	fprintf(out, "%.*s", (int)b.len, text);
}

static void put_networks(const struct network_list *list, FILE *out)
{
	char text[NETWORK_TEXT_MAX];

	fputc('[', out);
	for (size_t i = 0; i < list->count; i++) {
		network_format(&list->at[i], text);
		fputs(i == 0 ? "" : ", ", out);
		text_put_yaml(text, out);
	}
	fputc(']', out);
}

static void put_set(const struct option *o, unsigned set, FILE *out)
{
	const char *before = "";

	fputc('[', out);
	for (unsigned i = 0; o->names[i] != NULL; i++) {
		if (!(set & 1u << i))
			continue;
		fputs(before, out);
		text_put_yaml(o->names[i], out);
		before = ", ";
	}
	fputc(']', out);
}

static void put_secret(bool given, FILE *out)
{
	fputs(given ? "'********'" : "''", out);
}

void option_put(const struct config *c, const struct option *o, FILE *out)
{
	const void *field = field_read(c, o);

	switch (o->type) {
	case OPTION_BOOL:
		fputs(*(const bool *)field ? "true" : "false", out);
		return;
	case OPTION_COUNT:
	case OPTION_DURATION:
		put_number(o, *(const unsigned *)field, out);
		return;
	case OPTION_PORT: put_number(o, *(const uint16_t *)field, out); return;
	case OPTION_SIZE: put_number(o, *(const uint64_t *)field, out); return;
	case OPTION_CHOICE:
		text_put_yaml(o->names[*(const unsigned *)field], out);
		return;
	case OPTION_SET: put_set(o, *(const unsigned *)field, out); return;
	case OPTION_INLINE:
		put_secret(
		    ((const struct config_text *)field)->text.len > 0, out);
		return;
	case OPTION_TEXT:
		if (o->secret)
			put_secret(*(char *const *)field != NULL, out);
		else
			text_put_yaml(*(char *const *)field, out);
		return;
	case OPTION_HOSTNAME:
	case OPTION_HELO:
	case OPTION_RELAY_HOST:
	case OPTION_DIR:
	case OPTION_FILE: text_put_yaml(*(char *const *)field, out); return;
	case OPTION_NETWORKS: put_networks(field, out); return;
	case OPTION_LISTEN:
	case OPTION_ADDRESSES:
	case OPTION_DNS_SERVERS:
	case OPTION_PATHS: text_put_yaml_list(field, out); return;
	/* There may be a password in them. */
	case OPTION_POSTCONF:
		fputs(((const struct string_list *)field)->count > 0
			  ? "['# lines that are not shown']"
			  : "[]",
		    out);
		return;
	case OPTION_USERS:
	case OPTION_DOMAINS: check(false);
	}
}
