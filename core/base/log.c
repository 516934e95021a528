/* log.c -- events and their facts, a line each, never blocking a turn.
 *
 * Two rooms: lines gather in one while the other is being written.  A line that
 * does not fit is dropped and counted; the first line of the next room that has
 * a place says how many.  Without a loop (supervisor, tools) each line is
 * written when it ends.
 *
 * Several workers may write to one pipe, which keeps a write whole only up to
 * PIPE_BUF (a file in append mode has no such limit): so a chain of writes of
 * whole lines is begun, each behind the one before. */
#include "core/base/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/id.h"

int log_open(struct log *log, int fd, struct loop *loop, size_t room,
    enum log_level level, enum log_format format)
{
	uint8_t *at = mmap(NULL, 2 * room, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		return -ENOMEM;
	struct stat output;
	bool file = fstat(fd, &output) == 0 && S_ISREG(output.st_mode);

	*log = (struct log){
	    .write_len_max = file ? room : PIPE_BUF,
	    .level = level,
	    .format = format,
	    .fd = fd,
	    .loop = loop,
	    .lines = {buf_over(at, room), buf_over(at + room, room)},
	};
	return 0;
}

void log_close(struct log *log)
{
	check(log->write_busy_count == 0);
	if (log->lines[0].at != NULL)
		munmap(log->lines[0].at, 2 * log->lines[0].room);
	*log = (struct log){.fd = -1};
}

static struct buf *line(struct log *log)
{
	return &log->lines[log->filling];
}

static const char *level_name(enum log_level level)
{
	switch (level) {
	case LOG_ERROR: return "error";
	case LOG_WARN: return "warn";
	case LOG_INFO: return "info";
	case LOG_DEBUG: return "debug";
	}
	return "?";
}

static uint64_t wall_ms(const struct log *log)
{
	struct timespec t;

	if (log->loop != NULL)
		return loop_wall_ms(log->loop);
	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void put_two(struct buf *out, char before, unsigned number)
{
	buf_put_byte(out, (uint8_t)before);
	buf_put_byte(out, (uint8_t)('0' + number / 10 % 10));
	buf_put_byte(out, (uint8_t)('0' + number % 10));
}

/* 2026-11-22T10:00:00.123Z; the part up to the seconds is made once a second.
 */
static void put_time(struct log *log, struct buf *out, uint64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);

	if (log->second != seconds) {
		struct buf text =
		    buf_over(log->second_text, sizeof(log->second_text));
		struct tm t;

		gmtime_r(&seconds, &t);
		buf_put_number(&text, (uint64_t)t.tm_year + 1900);
		put_two(&text, '-', (unsigned)t.tm_mon + 1);
		put_two(&text, '-', (unsigned)t.tm_mday);
		put_two(&text, 'T', (unsigned)t.tm_hour);
		put_two(&text, ':', (unsigned)t.tm_min);
		put_two(&text, ':', (unsigned)t.tm_sec);
		log->second = seconds;
		log->second_len = (uint8_t)text.len;
	}
	uint8_t rest[5] = {'.', (uint8_t)('0' + ms / 100 % 10),
	    (uint8_t)('0' + ms / 10 % 10), (uint8_t)('0' + ms % 10), 'Z'};

	buf_put(out, slice_of(log->second_text, log->second_len));
	buf_put(out, slice_of(rest, sizeof(rest)));
}

static void begin_line(struct log *log, enum log_level level, const char *event)
{
	struct buf *out = line(log);

	log->line_start = out->len;
	out->overflowed = false;
	if (log->format == LOG_JSON) {
		buf_put_str(out, "{\"time\":\"");
		put_time(log, out, wall_ms(log));
		buf_put_str(out, "\",\"level\":\"");
		buf_put_str(out, level_name(level));
		buf_put_str(out, "\",\"event\":\"");
		buf_put_str(out, event);
		buf_put_byte(out, '"');
	} else {
		put_time(log, out, wall_ms(log));
		buf_put_byte(out, ' ');
		buf_put_str(out, level_name(level));
		buf_put_byte(out, ' ');
		buf_put_str(out, event);
	}
}

void log_begin(struct log *log, enum log_level level, const char *event)
{
	check(!log->active);
	if (!log_wants(log, level))
		return;
	log->active = true;
	begin_line(log, level, event);
}

static void put_key(struct log *log, const char *key)
{
	struct buf *out = line(log);

	if (log->format == LOG_JSON) {
		buf_put_str(out, ",\"");
		buf_put_str(out, key);
		buf_put_str(out, "\":");
	} else {
		buf_put_byte(out, ' ');
		buf_put_str(out, key);
		buf_put_byte(out, '=');
	}
}

static void put_escaped(struct buf *out, struct slice value, bool json)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < value.len; i++) {
		uint8_t c = value.at[i];

		if (c == '"' || c == '\\') {
			buf_put_byte(out, '\\');
			buf_put_byte(out, c);
		} else if (c >= 0x20 && c != 0x7f) {
			buf_put_byte(out, c);
		} else {
			buf_put_str(out, json ? "\\u00" : "\\x");
			buf_put_byte(out, (uint8_t)hex[c >> 4]);
			buf_put_byte(out, (uint8_t)hex[c & 15]);
		}
	}
}

/* Whether a text value can stand without quotes. */
static bool is_plain(struct slice value)
{
	for (size_t i = 0; i < value.len; i++) {
		uint8_t c = value.at[i];

		if (c <= 0x20 || c == '"' || c == '\\' || c == 0x7f)
			return false;
	}
	return value.len > 0;
}

void log_slice(struct log *log, const char *key, struct slice value)
{
	if (!log->active)
		return;
	struct buf *out = line(log);
	bool json = log->format == LOG_JSON;

	put_key(log, key);
	if (!json && is_plain(value)) {
		buf_put(out, value);
		return;
	}
	buf_put_byte(out, '"');
	put_escaped(out, value, json);
	buf_put_byte(out, '"');
}

void log_str(struct log *log, const char *key, const char *value)
{
	log_slice(log, key, slice_of_str(value));
}

void log_number(struct log *log, const char *key, int64_t number)
{
	if (!log->active)
		return;
	put_key(log, key);
	if (number < 0)
		buf_put_byte(line(log), '-');
	buf_put_number(
	    line(log), number < 0 ? -(uint64_t)number : (uint64_t)number);
}

void log_id(struct log *log, const char *key, uint64_t id)
{
	struct id_text text = id_format(id);

	log_slice(log, key, slice_of(text.at, text.len));
}

void log_address(
    struct log *log, const char *key, const union socket_address *a)
{
	if (!log->active)
		return;
	struct socket_address_text text = socket_address_format(a);

	log_slice(log, key, socket_address_slice(&text));
}

/* Ends the line that was begun, or takes it back when it did not fit. */
static void end_line(struct log *log)
{
	struct buf *out = line(log);

	if (log->format == LOG_JSON)
		buf_put_byte(out, '}');
	buf_put_byte(out, '\n');
	if (out->overflowed) {
		out->len = log->line_start;
		out->overflowed = false;
		log->dropped_count++;
	}
}

void log_end(struct log *log)
{
	if (!log->active)
		return;
	log->active = false;
	end_line(log);
	if (log->loop == NULL)
		log_drain(log, 1000);
}

static void report_dropped(struct log *log)
{
	uint64_t dropped_count = log->dropped_count;

	if (dropped_count == 0)
		return;
	log->dropped_count = 0;
	log->active = true;
	begin_line(log, LOG_WARN, "log_lines_dropped");
	log_number(log, "count", (int64_t)dropped_count);
	log->active = false;
	end_line(log);
}

/* The longest run of whole lines from `from` that one write may take. */
static size_t whole_lines(struct slice lines, size_t max)
{
	size_t len = lines.len < max ? lines.len : max;

	if (len == lines.len)
		return len;
	const uint8_t *last = memrchr(lines.at, '\n', len);
	if (last != NULL)
		return (size_t)(last - lines.at) + 1;
	last = memchr(lines.at, '\n', lines.len); /* one very long line */
	return last == NULL ? lines.len : (size_t)(last - lines.at) + 1;
}

/* Lines that could not be written. */
static void count_lost(struct log *log, struct slice rest)
{
	for (size_t i = 0; i < rest.len; i++)
		log->dropped_count += rest.at[i] == '\n';
}

static void write_some(struct log *log);

/* The chain is over: how far did it get? */
static void chain_ended(struct log *log)
{
	struct buf *out = &log->lines[log->filling ^ 1];
	int err = 0;

	for (unsigned i = 0; i < log->write_count; i++) {
		const struct log_write *w = &log->writes[i];

		if (w->result > 0)
			log->written_len += (size_t)w->result;
		if (w->result == (int)w->len)
			continue;
		if (w->result <= 0)
			err = w->result == 0 ? -EPIPE : w->result;
		break;
	}
	struct slice rest =
	    slice_of(out->at + log->written_len, out->len - log->written_len);

	log->broken = err != 0 && err != -ECANCELED;
	if (rest.len > 0 && (err == 0 || err == -ECANCELED)) {
		write_some(log);
		return;
	}
	/* A broken output (its reader is gone) must not stop the mail. */
	count_lost(log, rest);
	buf_clear(out);
	log->written_len = 0;
}

static void on_written(struct op *op, int result)
{
	struct log_write *w = container_of(op, struct log_write, op);

	w->result = result;
	if (--w->log->write_busy_count == 0)
		chain_ended(w->log);
}

static void write_some(struct log *log)
{
	struct buf *out = &log->lines[log->filling ^ 1];
	struct slice rest =
	    slice_of(out->at + log->written_len, out->len - log->written_len);

	log->write_count = 0;
	while (rest.len > 0 && log->write_count < LOG_WRITES_MAX) {
		struct log_write *w = &log->writes[log->write_count++];
		struct slice lines =
		    slice_cut(&rest, whole_lines(rest, log->write_len_max));
		bool chained =
		    rest.len > 0 && log->write_count < LOG_WRITES_MAX;

		w->log = log;
		w->len = lines.len;
		log->write_busy_count++;
		loop_write_stream(log->loop, &w->op, log->fd, lines.at,
		    lines.len, chained, on_written);
	}
}

void log_flush(struct log *log)
{
	check(!log->active);
	if (log->write_busy_count > 0)
		return;
	/* That a write failed is told with the next line, not by a write of
	 * its own, which would fail at once, again and again. */
	if (!log->broken)
		report_dropped(log);
	if (line(log)->len == 0)
		return;
	if (log->broken)
		report_dropped(log);
	log->filling ^= 1;
	log->written_len = 0;
	write_some(log);
}

/* A pipe that is ready takes PIPE_BUF without blocking. */
static bool may_write(const struct log *log, unsigned max_ms)
{
	struct pollfd p = {.fd = log->fd, .events = POLLOUT};
	int count;

	do
		count = poll(&p, 1, (int)max_ms);
	while (count < 0 && errno == EINTR);
	return count > 0;
}

static void write_out(
    struct log *log, struct buf *out, size_t from, unsigned max_ms)
{
	struct slice rest = slice_of(out->at + from, out->len - from);

	while (rest.len > 0 && may_write(log, max_ms)) {
		ssize_t len = write(
		    log->fd, rest.at, whole_lines(rest, log->write_len_max));

		if (len > 0)
			slice_cut(&rest, (size_t)len);
		else if (len == 0 || (errno != EINTR && errno != EAGAIN))
			break;
	}
	count_lost(log, rest);
	buf_clear(out);
}

void log_drain(struct log *log, unsigned max_ms)
{
	if (log->write_busy_count == 0) {
		write_out(log, &log->lines[log->filling ^ 1], log->written_len,
		    max_ms);
		log->written_len = 0;
	}
	if (log->dropped_count > 0 && may_write(log, max_ms))
		report_dropped(log);
	write_out(log, line(log), 0, max_ms);
}
