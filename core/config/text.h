/* text.h -- lines and words of a configuration's text, read and written. */
#ifndef CORE_CONFIG_TEXT_H
#define CORE_CONFIG_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include "core/base/slice.h"
#include "core/config/config.h"

/* Whether it has control characters, line ends among them. */
bool text_has_control(struct slice s);
/* Whether `part` is in it. */
bool text_has(struct slice s, const char *part);

/* The lines of a text, without their ends (LF, or CR LF). */
struct text_lines {
	struct slice rest;
	unsigned number; /* of the line that was taken last, from 1 */
};
bool text_next_line(struct text_lines *lines, struct slice *line);

/* Takes the first word off *s, and the blanks behind it. */
struct slice text_cut_word(struct slice *s);

/* As YAML, in quotes where it would mean something else. */
void text_put_yaml(const char *text, FILE *out);
void text_put_yaml_list(const struct string_list *list, FILE *out);

#endif
