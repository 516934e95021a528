/* complaint.c -- "file:line: message". */
#include "core/config/complaint.h"

#include <stdarg.h>

#include "core/base/buf.h"

void complain(
    struct complaints *c, struct origin where, const char *format, ...)
{
	va_list arguments;

	c->count++;
	if (where.line > 0)
		fprintf(c->out, "%s:%u: ", where.source, where.line);
	else
		fprintf(c->out, "%s: ", where.source);
	va_start(arguments, format);
	vfprintf(c->out, format, arguments);
	va_end(arguments);
	fputc('\n', c->out);
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
