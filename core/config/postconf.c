/* postconf.c -- postfix.d: lines of arguments for postconf(1).
 *
 * A line is split into words as a shell does, but nothing is run: `$name` is
 * left for Postfix's own meaning, and $APP_CONF is the configuration's
 * directory.  -e sets parameters; -M -e and -P -e are understood for what the
 * image itself sets in master.cf. */
#include "core/config/postconf.h"

#include "core/base/check.h"
#include "core/config/assign.h"
#include "core/config/memory.h"
#include "core/config/postconf_map.h"
#include "core/config/postconf_master.h"
#include "core/config/postconf_names.h"
#include "core/config/text.h"

#define WORDS_MAX 64
#define DEPTH_MAX 10
#define TEXT_LEN_MAX 65536

struct line {
	struct config *config;
	struct complaints *complaints;
	struct origin where;
	struct slice words[WORDS_MAX];
	unsigned count;
};

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* Takes a word off *rest into `out`, quotes and backslashes undone. */
static const char *cut_word(struct slice *rest, struct buf *out)
{
	uint8_t quote = 0;

	while (rest->len > 0 && (quote != 0 || !is_blank(rest->at[0]))) {
		uint8_t c = slice_cut(rest, 1).at[0];

		if (c == quote && quote != 0) {
			quote = 0;
		} else if (quote == 0 && (c == '\'' || c == '"')) {
			quote = c;
		} else if (c == '\\' && quote != '\'' && rest->len > 0 &&
			   (quote == 0 ||
			       strchr("\\\"$`", rest->at[0]) != NULL)) {
			buf_put_byte(out, slice_cut(rest, 1).at[0]);
		} else if (quote == 0 && strchr("`;|&<>", c) != NULL) {
			return "commands of the shell are not run: put the "
			       "value in quotes";
		} else {
			buf_put_byte(out, c);
		}
	}
	return quote == 0 ? NULL : "a quote is not closed";
}

static bool split(struct line *l, struct slice rest)
{
	size_t room = rest.len;

	for (;;) {
		while (rest.len > 0 && is_blank(rest.at[0]))
			slice_cut(&rest, 1);
		if (rest.len == 0 || rest.at[0] == '#')
			return true;
		struct buf word =
		    buf_over(memory_take(l->config->memory, room + 1), room);
		const char *why = cut_word(&rest, &word);

		if (why == NULL && l->count == WORDS_MAX)
			why = "too many words";
		if (why != NULL) {
			complain(l->complaints, l->where, "%s", why);
			return false;
		}
		l->words[l->count++] = buf_slice(&word);
	}
}

static void unknown(const struct line *l, struct slice name)
{
	struct slice nearest = postconf_nearest(name);

	if (nearest.len == 0)
		complain(l->complaints, l->where, "Postfix has no parameter %s",
		    shown(name).at);
	else
		complain(l->complaints, l->where,
		    "Postfix has no parameter %s, did you mean %.*s?",
		    shown(name).at, (int)nearest.len, nearest.at);
}

static void take_value(
    struct config *c, struct origin where, struct slice name, struct slice text)
{
	struct postconf_value **at = &c->memory->postconf;

	while (*at != NULL && !slice_eq(slice_of_str((*at)->name), name))
		at = &(*at)->next;
	if (*at == NULL) {
		*at = memory_take(c->memory, sizeof(**at));
		(*at)->name = memory_copy(c->memory, name);
	}
	(*at)->text = slice_of(memory_copy(c->memory, text), text.len);
	(*at)->where = where;
	(*at)->fresh = true;
}

static void take_parameter(const struct line *l, struct slice text)
{
	struct slice name = slice_trim(slice_cut_at(&text, '='));

	if (postconf_mapping_of(name) == NULL &&
	    postconf_group_of(name) == NULL)
		unknown(l, name);
	else
		take_value(l->config, l->where, name, slice_trim(text));
}

enum { EDIT = 1, MASTER = 2, SERVICE_PARAMETER = 4 };

/* -e, -M, -P, together or one by one; 0 when it is another. */
static unsigned flags_of(struct slice word)
{
	unsigned flags = 0;

	for (size_t i = 1; i < word.len; i++) {
		if (word.at[i] == 'e')
			flags |= EDIT;
		else if (word.at[i] == 'M')
			flags |= MASTER;
		else if (word.at[i] == 'P')
			flags |= SERVICE_PARAMETER;
		else
			return 0;
	}
	return flags;
}

static void take_operand(
    const struct line *l, unsigned flags, struct slice word)
{
	struct master_edit edit = {l->config, l->complaints, l->where};

	if (slice_find(word, '=') == word.len) {
		complain(l->complaints, l->where, "%s: write name=value",
		    shown(word).at);
		return;
	}
	/* postconf(1) takes name=value for an edit also without -e. */
	if (flags & MASTER)
		master_service(&edit, word);
	else if (flags & SERVICE_PARAMETER)
		master_parameter(&edit, word);
	else
		take_parameter(l, word);
}

void postconf_line(struct config *c, struct complaints *complaints,
    struct origin where, struct slice text)
{
	struct line l = {.config = c, .complaints = complaints, .where = where};
	unsigned flags = 0;

	if (!split(&l, text))
		return;
	for (unsigned i = 0; i < l.count; i++) {
		struct slice word = l.words[i];

		if (word.len < 2 || word.at[0] != '-') {
			take_operand(&l, flags, word);
			continue;
		}
		unsigned more = flags_of(word);
		if (more == 0) {
			complain(complaints, where,
			    "%s: only -e, -M -e and -P -e are understood",
			    shown(word).at);
			return;
		}
		flags |= more;
	}
}

void postconf_file(struct config *c, struct complaints *complaints,
    const char *name, struct slice text)
{
	struct text_lines lines = {.rest = text};
	struct slice line;

	while (text_next_line(&lines, &line))
		postconf_line(
		    c, complaints, (struct origin){name, lines.number}, line);
}

const struct postconf_value *postconf_find(
    const struct config *c, const char *name)
{
	const struct postconf_value *v = c->memory->postconf;

	while (v != NULL && strcmp(v->name, name) != 0)
		v = v->next;
	return v;
}

struct expansion {
	struct config *config;
	struct complaints *complaints;
	const struct postconf_value *value;
	struct buf out;
};

/* Forward, since values refer to values. */
static bool expand(struct expansion *e, struct slice text, unsigned depth);

static bool is_name_byte(uint8_t c)
{
	uint8_t lower = byte_lower(c);

	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static bool refuse(
    const struct expansion *e, const char *why, struct slice name)
{
	complain(e->complaints, e->value->where, "%s: $%s %s", e->value->name,
	    shown(name).at, why);
	return false;
}

static bool put_reference(
    struct expansion *e, struct slice name, unsigned depth)
{
	const struct config *c = e->config;
	struct slice domain = slice_of_str(c->hostname);
	char text[64];

	if (slice_eq(name, SLICE("APP_CONF")))
		/* Paths are relative to it. */
		return buf_put_str(&e->out, c->dir[0] == '/' ? c->dir : ".");
	if (name.len < sizeof(text)) {
		memcpy(text, name.at, name.len);
		text[name.len] = '\0';
		const struct postconf_value *v = postconf_find(c, text);

		if (v != NULL)
			return depth < DEPTH_MAX
				   ? expand(e, v->text, depth + 1)
				   : refuse(e, "refers to itself", name);
	}
	if (slice_eq(name, SLICE("myhostname")) ||
	    slice_eq(name, SLICE("myorigin")))
		return buf_put(&e->out, domain);
	if (slice_eq(name, SLICE("mydomain"))) {
		(void)slice_cut_at(&domain, '.');
		return buf_put(&e->out, domain);
	}
	return refuse(e, "is set nowhere here", name);
}

/* $name, $(name), ${name}; the '$' is taken already. */
static bool expand_one(struct expansion *e, struct slice *rest, unsigned depth)
{
	struct slice name;

	if (rest->len > 0 && (rest->at[0] == '{' || rest->at[0] == '(')) {
		uint8_t end = rest->at[0] == '{' ? '}' : ')';

		slice_cut(rest, 1);
		name = slice_cut_at(rest, end);
		for (size_t i = 0; i < name.len; i++)
			if (!is_name_byte(name.at[i]))
				return refuse(e, "is more than a name", name);
	} else {
		size_t len = 0;

		while (len < rest->len && is_name_byte(rest->at[len]))
			len++;
		name = slice_cut(rest, len);
	}
	if (name.len == 0)
		return refuse(e, "is no name", name);
	return put_reference(e, name, depth);
}

static bool expand(struct expansion *e, struct slice text, unsigned depth)
{
	while (text.len > 0) {
		uint8_t c = slice_cut(&text, 1).at[0];

		if (c != '$' || (text.len > 0 && text.at[0] == '$')) {
			buf_put_byte(&e->out, c);
			if (c == '$')
				slice_cut(&text, 1);
		} else if (!expand_one(e, &text, depth)) {
			return false;
		}
	}
	return true;
}

bool postconf_expand(struct config *c, struct complaints *complaints,
    const struct postconf_value *v, struct slice *text)
{
	struct expansion e = {
	    .config = c,
	    .complaints = complaints,
	    .value = v,
	    .out = buf_over(memory_take(c->memory, TEXT_LEN_MAX), TEXT_LEN_MAX),
	};

	/* Most refer to nothing; that may also be longer. */
	*text = v->text;
	if (slice_find(v->text, '$') == v->text.len)
		return true;
	if (!expand(&e, v->text, 0))
		return false;
	*text = buf_slice(&e.out);
	if (e.out.overflowed)
		complain(complaints, v->where, "%s: too long", v->name);
	return !e.out.overflowed;
}

static void apply_group(
    const struct mapped *m, const char *name, const struct postconf_group *g)
{
	if (g->class == POSTCONF_HARMLESS)
		complain_softly(m->complaints, m->where,
		    "%s has no meaning here: %s", name, g->reason);
	else if (!postconf_is_innocent(slice_of_str(name), m->text))
		complain(m->complaints, m->where, "%s cannot be had: %s%s%s%s",
		    name, g->reason, g->instead == NULL ? "" : " (see ",
		    g->instead == NULL ? "" : g->instead,
		    g->instead == NULL ? "" : ")");
}

static void apply(struct mapped *m, const struct postconf_value *v)
{
	struct slice name = slice_of_str(v->name);

	m->where = v->where;
	m->mapping = postconf_mapping_of(name);
	if (m->mapping == NULL) {
		m->text = v->text;
		apply_group(m, v->name, postconf_group_of(name));
	} else if (postconf_expand(m->config, m->complaints, v, &m->text)) {
		m->text = slice_trim(m->text);
		m->mapping->set(m);
	}
}

void postconf_apply(struct config *c, struct complaints *complaints)
{
	struct mapped m = {.config = c, .complaints = complaints};

	for (struct postconf_value *v = c->memory->postconf; v != NULL;
	     v = v->next) {
		if (!v->fresh)
			continue;
		v->fresh = false;
		apply(&m, v);
	}
}
