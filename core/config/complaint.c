/* complaint.c -- "file:line: message". */
#include "core/config/complaint.h"

#include <stdarg.h>

#include "core/base/buf.h"

__attribute__((format(printf, 4, 0))) static void put(struct complaints *c,
    struct origin where, const char *what, const char *format,
    va_list arguments)
{
	fputs(where.source, c->out);
	if (where.line > 0)
		fprintf(c->out, ":%u", where.line);
	fprintf(c->out, ": %s", what);
	vfprintf(c->out, format, arguments);
	fputc('\n', c->out);
}

void complain(
    struct complaints *c, struct origin where, const char *format, ...)
{
	va_list arguments;

	c->count++;
	va_start(arguments, format);
	put(c, where, "", format, arguments);
	va_end(arguments);
}

void complain_softly(
    struct complaints *c, struct origin where, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	put(c, where, "warning: ", format, arguments);
	va_end(arguments);
}

struct shown shown(struct slice s)
{
	struct shown text = {0};
	struct buf b = buf_over(text.at, SHOWN_MAX);

	for (size_t i = 0; i < s.len; i++) {
		bool fits = s.at[i] < 0x20 || s.at[i] == 0x7f
				? buf_printf(&b, "\\x%02x", s.at[i])
				: buf_put_byte(&b, s.at[i]);
		if (!fits) {
			memcpy(text.at + b.len, "...", 4);
			break;
		}
	}
	return text;
}
