/* queue_list.c -- rows gathered, sorted, printed.
 *
 * The last column (what the other side said) is as long as it is; the others
 * are as wide as their widest, up to a limit past which a row sticks out.
 * Destinations, senders and errors come from strangers: they are printed
 * without control bytes, which could change what a terminal shows. */
#include "core/queue_list.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/buf.h"

#define FIELD_COUNT 9
#define CELL_MAX 40 /* the widest that columns are aligned for */
#define COLUMN_COUNT 8

struct queue_row {
	char *line; /* what the fields lie in */
	struct slice id, destinations, sender, error;
	uint64_t received_s, len, rcpt_count, attempt_count, due_s;
};

bool queue_list_add(struct queue_list *list, struct slice line)
{
	struct slice f[FIELD_COUNT];
	struct queue_row row = {.line = malloc(line.len + 1)};

	check(row.line != NULL);
	memcpy(row.line, line.at, line.len);
	struct slice rest = slice_of(row.line, line.len);
	for (size_t i = 0; i < FIELD_COUNT; i++)
		f[i] = slice_cut_at(&rest, '\t');
	row.id = f[0];
	row.destinations = f[6];
	row.sender = f[7];
	row.error = f[8];
	if (f[0].len == 0 || f[7].len == 0 ||
	    !slice_number(f[1], &row.received_s) ||
	    !slice_number(f[2], &row.len) ||
	    !slice_number(f[3], &row.rcpt_count) ||
	    !slice_number(f[4], &row.attempt_count) ||
	    !slice_number(f[5], &row.due_s)) {
		free(row.line);
		return false;
	}
	if (list->count == list->room) {
		list->room = list->room == 0 ? 64 : 2 * list->room;
		list->rows =
		    realloc(list->rows, list->room * sizeof(list->rows[0]));
		check(list->rows != NULL);
	}
	list->rows[list->count++] = row;
	return true;
}

void queue_list_free(struct queue_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->rows[i].line);
	free(list->rows);
	*list = (struct queue_list){0};
}

static int by_age(const void *a, const void *b)
{
	const struct queue_row *x = a, *y = b;
	size_t shorter = x->id.len < y->id.len ? x->id.len : y->id.len;

	if (x->received_s != y->received_s)
		return x->received_s < y->received_s ? -1 : 1;
	int order = memcmp(x->id.at, y->id.at, shorter);
	if (order != 0)
		return order;
	return x->id.len < y->id.len ? -1 : x->id.len > y->id.len;
}

/* Bytes of the UTF-8 character at the start (RFC 3629, 4), 0 = none. */
static size_t character_len(struct slice text)
{
	uint8_t first = text.at[0];
	uint8_t low = 0x80, high = 0xbf;
	size_t len;

	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	len = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (first == 0xe0)
		low = 0xa0;
	if (first == 0xed)
		high = 0x9f;
	if (first == 0xf0)
		low = 0x90;
	if (first == 0xf4)
		high = 0x8f;
	if (text.len < len || text.at[1] < low || text.at[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if (text.at[i] < 0x80 || text.at[i] > 0xbf)
			return 0;
	return len;
}

static void put_json_text(struct slice text, FILE *out)
{
	fputc('"', out);
	while (text.len > 0) {
		size_t len = character_len(text);
		struct slice whole = slice_cut(&text, len == 0 ? 1 : len);
		uint8_t byte = whole.at[0];

		if (len == 0)
			fputs("\\ufffd", out);
		else if (len > 1)
			fwrite(whole.at, 1, len, out);
		else if (byte == '"' || byte == '\\')
			fprintf(out, "\\%c", byte);
		else if (byte < 0x20 || byte == 0x7f)
			fprintf(out, "\\u%04x", byte);
		else
			fputc(byte, out);
	}
	fputc('"', out);
}

static void put_json(const struct queue_row *r, FILE *out)
{
	struct slice names = r->destinations;
	bool first = true;

	fputs("{\"id\":", out);
	put_json_text(r->id, out);
	fprintf(out,
	    ",\"received\":%" PRIu64 ",\"size\":%" PRIu64
	    ",\"recipients\":%" PRIu64 ",\"attempts\":%" PRIu64
	    ",\"next\":%" PRIu64 ",\"destinations\":[",
	    r->received_s, r->len, r->rcpt_count, r->attempt_count, r->due_s);
	while (names.len > 0 && !slice_eq(names, SLICE("-"))) {
		fputs(first ? "" : ",", out);
		put_json_text(slice_cut_at(&names, ','), out);
		first = false;
	}
	fputs("],\"sender\":", out);
	put_json_text(
	    slice_eq(r->sender, SLICE("<>")) ? SLICE("") : r->sender, out);
	fputs(",\"error\":", out);
	put_json_text(r->error, out);
	fputs("}\n", out);
}

/* 0s, 59s, 5m, 3h, 2d: what one wants to know of a wait. */
static void put_wait(struct buf *b, uint64_t seconds)
{
	if (seconds < 100)
		buf_printf(b, "%" PRIu64 "s", seconds);
	else if (seconds < 100 * 60)
		buf_printf(b, "%" PRIu64 "m", seconds / 60);
	else if (seconds < 48 * 3600)
		buf_printf(b, "%" PRIu64 "h", seconds / 3600);
	else
		buf_printf(b, "%" PRIu64 "d", seconds / 86400);
}

static void put_size(struct buf *b, uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	unsigned unit = 0;

	if (bytes < 1024) {
		buf_put_number(b, bytes);
		return;
	}
	/* Tenths, so that 1.5M is not 1M. */
	while (bytes >= 1024 * 1024) {
		bytes /= 1024;
		unit++;
	}
	buf_printf(b, "%" PRIu64 ".%" PRIu64 "%c", bytes / 1024,
	    bytes % 1024 * 10 / 1024, units[unit]);
}

static void put_clean(struct buf *b, struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		buf_put_byte(b,
		    text.at[i] < 0x20 || text.at[i] == 0x7f ? '?' : text.at[i]);
}

struct cells {
	struct buf at[COLUMN_COUNT];
	uint8_t room[COLUMN_COUNT][600];
};

/* A row as the texts of its columns. */
static void fill_cells(
    struct cells *c, const struct queue_row *r, uint64_t now_s)
{
	time_t received = (time_t)r->received_s;
	struct tm tm = {0};
	char date[32] = "";

	for (size_t i = 0; i < COLUMN_COUNT; i++)
		c->at[i] = buf_over(c->room[i], sizeof(c->room[i]));
	put_clean(&c->at[0], r->id);
	if (gmtime_r(&received, &tm) != NULL)
		strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm);
	buf_put_str(&c->at[1], date);
	put_size(&c->at[2], r->len);
	buf_put_number(&c->at[3], r->rcpt_count);
	buf_put_number(&c->at[4], r->attempt_count);
	if (r->due_s <= now_s)
		buf_put_str(&c->at[5], "now");
	else
		put_wait(&c->at[5], r->due_s - now_s);
	put_clean(&c->at[6], r->destinations);
	put_clean(&c->at[7], r->sender);
}

static const char *const titles[COLUMN_COUNT] = {"ID", "RECEIVED", "SIZE",
    "RCPTS", "TRIES", "NEXT", "DESTINATION", "SENDER"};
/* Numbers stand at the right of their column. */
static const bool right[COLUMN_COUNT] = {
    [2] = true, [3] = true, [4] = true, [5] = true};

static void put_cell(struct slice text, size_t column, size_t width, FILE *out)
{
	size_t pad = width > text.len ? width - text.len : 0;

	fprintf(out, "%*s%.*s%*s  ", right[column] ? (int)pad : 0, "",
	    (int)text.len, text.at, right[column] ? 0 : (int)pad, "");
}

static void put_columns(
    const struct queue_list *list, uint64_t now_s, FILE *out)
{
	size_t width[COLUMN_COUNT];
	struct cells cells;

	for (size_t i = 0; i < COLUMN_COUNT; i++)
		width[i] = strlen(titles[i]);
	for (size_t i = 0; i < list->count; i++) {
		fill_cells(&cells, &list->rows[i], now_s);
		for (size_t j = 0; j < COLUMN_COUNT; j++)
			if (cells.at[j].len > width[j])
				width[j] = cells.at[j].len < CELL_MAX
					       ? cells.at[j].len
					       : CELL_MAX;
	}
	for (size_t j = 0; j < COLUMN_COUNT; j++)
		put_cell(slice_of_str(titles[j]), j, width[j], out);
	fputs("LAST ERROR\n", out);
	for (size_t i = 0; i < list->count; i++) {
		struct slice error = list->rows[i].error;

		fill_cells(&cells, &list->rows[i], now_s);
		for (size_t j = 0; j < COLUMN_COUNT; j++)
			put_cell(buf_slice(&cells.at[j]), j, width[j], out);
		for (size_t j = 0; j < error.len; j++)
			fputc(error.at[j] < 0x20 || error.at[j] == 0x7f
				  ? '?'
				  : error.at[j],
			    out);
		fputc('\n', out);
	}
}

static void put_totals(const struct queue_list *list, FILE *out)
{
	uint64_t len = 0, rcpt_count = 0;
	char text[32];
	struct buf size = buf_over(text, sizeof(text));

	for (size_t i = 0; i < list->count; i++) {
		len += list->rows[i].len;
		rcpt_count += list->rows[i].rcpt_count;
	}
	put_size(&size, len);
	fprintf(out, "%zu message%s, %" PRIu64 " recipient%s, %.*s\n",
	    list->count, list->count == 1 ? "" : "s", rcpt_count,
	    rcpt_count == 1 ? "" : "s", (int)size.len, text);
}

void queue_list_print(
    struct queue_list *list, bool json, uint64_t now_s, FILE *out)
{
	if (list->count > 0)
		qsort(list->rows, list->count, sizeof(list->rows[0]), by_age);
	if (json) {
		for (size_t i = 0; i < list->count; i++)
			put_json(&list->rows[i], out);
		return;
	}
	if (list->count == 0) {
		fputs("the queue is empty\n", out);
		return;
	}
	put_columns(list, now_s, out);
	put_totals(list, out);
}
