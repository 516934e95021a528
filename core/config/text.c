/* text.c -- lines and words of a configuration's text, read and written. */
#include "core/config/text.h"

#include "core/base/check.h"

bool text_has_control(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] < 0x20 || s.at[i] == 0x7f)
			return true;
	return false;
}

bool text_has(struct slice s, const char *part)
{
	return s.len > 0 && memmem(s.at, s.len, part, strlen(part)) != NULL;
}

bool text_next_line(struct text_lines *lines, struct slice *line)
{
	if (lines->rest.len == 0)
		return false;
	*line = slice_cut_at(&lines->rest, '\n');
	if (line->len > 0 && line->at[line->len - 1] == '\r')
		line->len--;
	lines->number++;
	return true;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

struct slice text_cut_word(struct slice *s)
{
	size_t len = 0;

	while (len < s->len && !is_blank(s->at[len]))
		len++;
	struct slice word = slice_cut(s, len);
	while (s->len > 0 && is_blank(s->at[0]))
		slice_cut(s, 1);
	return word;
}

/* A word that YAML takes for nothing but itself. */
static bool is_plain(const char *text)
{
	static const char *const letters =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char *const special[] = {
	    "null", "true", "false", "yes", "no", "on", "off", "y", "n"};

	if (*text == '\0' || (*text != '/' && strchr(letters, *text) == NULL))
		return false;
	for (const char *at = text; *at != '\0'; at++)
		if (strchr(letters, *at) == NULL &&
		    strchr("0123456789._/-", *at) == NULL)
			return false;
	for (size_t i = 0; i < COUNT(special); i++)
		if (slice_eq_nocase(
			slice_of_str(text), slice_of_str(special[i])))
			return false;
	return true;
}

/* In single quotes nothing means anything but '' itself. */
void text_put_yaml(const char *text, FILE *out)
{
	if (text != NULL && is_plain(text)) {
		fputs(text, out);
		return;
	}
	fputc('\'', out);
	for (; text != NULL && *text != '\0'; text++) {
		if (*text == '\'')
			fputc('\'', out);
		fputc(*text, out);
	}
	fputc('\'', out);
}

void text_put_yaml_list(const struct string_list *list, FILE *out)
{
	fputc('[', out);
	for (size_t i = 0; i < list->count; i++) {
		fputs(i == 0 ? "" : ", ", out);
		text_put_yaml(list->at[i], out);
	}
	fputc(']', out);
}
