/* dialogue.c -- what client and server say, shown as it is said.
 *
 * RFC 4954: a password lies behind AUTH's mechanism, or in the line that
 * answers a 334; so does what stands for one, and neither is shown. */
#include "core/dialogue.h"

#include <stdarg.h>

/* The CR of a line's end may come in a piece without its LF. */
static void put(FILE *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '\r')
			continue;
		bool control = text.at[i] < 0x20 || text.at[i] == 0x7f;

		fputc(control ? '?' : text.at[i], out);
	}
}

static void put_command(struct dialogue *d, struct slice line)
{
	struct slice word, mechanism, rest = line;

	fputs("> ", d->out);
	if (d->challenged && !slice_eq(line, SLICE("*\r"))) {
		fputs("***", d->out);
		return;
	}
	word = slice_cut_at(&rest, ' ');
	if (!slice_eq_nocase(word, SLICE("AUTH"))) {
		put(d->out, line);
		return;
	}
	mechanism = slice_cut_at(&rest, ' ');
	fputs("AUTH ", d->out);
	put(d->out, mechanism);
	if (rest.len > 0)
		fputs(" ***", d->out);
}

void dialogue_sent(struct dialogue *d, struct slice lines)
{
	if (d->out == NULL)
		return;
	while (lines.len > 0) {
		put_command(d, slice_cut_at(&lines, '\n'));
		fputc('\n', d->out);
		d->challenged = false;
	}
	fflush(d->out);
}

void dialogue_received(struct dialogue *d, struct slice piece)
{
	if (d->out == NULL)
		return;
	while (piece.len > 0) {
		size_t end = slice_find(piece, '\n');
		bool whole = end < piece.len;
		struct slice line = slice_cut_at(&piece, '\n');

		if (d->line_len == 0) {
			fputs("< ", d->out);
			d->challenged = true;
		}
		for (size_t i = 0; i < line.len && d->line_len + i < 3; i++)
			d->challenged &= line.at[i] == "334"[d->line_len + i];
		put(d->out, line);
		if (whole)
			fputc('\n', d->out);
		d->line_len = whole ? 0 : d->line_len + line.len;
	}
	fflush(d->out);
}

void dialogue_note(struct dialogue *d, const char *format, ...)
{
	va_list values;

	if (d->out == NULL)
		return;
	fputs("- ", d->out);
	va_start(values, format);
	vfprintf(d->out, format, values);
	va_end(values);
	fputc('\n', d->out);
	fflush(d->out);
}
