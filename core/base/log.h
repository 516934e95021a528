/* log.h -- events and their facts, a line each, never blocking a turn.
 *
 *   log_begin(log, LOG_INFO, "delivered");
 *   log_id(log, "id", id);
 *   log_slice(log, "to", rcpt);
 *   log_end(log);
 *
 * writes  2026-11-22T10:00:00.123Z info delivered id=5KX9 to=a@b.c
 * or the same as a JSON object.  Lines gather in memory; the worker's loop
 * writes them once a turn.  When the reader of our output is too slow, lines
 * are dropped and counted, and a later line says how many. */
#ifndef CORE_BASE_LOG_H
#define CORE_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/loop.h"
#include "core/base/slice.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

/* One write of a chain: whole lines. */
#define LOG_WRITES_MAX 16

struct log_write {
	struct op op;
	struct log *log;
	size_t len;
	int result;
};

struct log {
	enum log_level level;
	enum log_format format;
	bool active; /* between begin and end, and not filtered */
	int fd;
	struct loop *loop;   /* NULL: written at once, with write(2) */
	struct buf lines[2]; /* one fills while the other is written */
	unsigned filling;
	size_t line_start; /* in lines[filling], of the line begun */
	bool broken; /* the last write failed: no report of it until something
		      * else is to be written */
	uint64_t dropped_count;
	struct log_write writes[LOG_WRITES_MAX];
	size_t write_len_max; /* a pipe: PIPE_BUF; a file: no limit */
	unsigned write_count; /* begun together */
	unsigned write_busy_count;
	size_t written_len;
	int64_t second; /* of the line before, and how it is written */
	uint8_t second_len;
	uint8_t second_text[24];
};

/* Memory for the lines is taken here, twice `room` bytes.  loop may be NULL
 * (supervisor, tools): every line is then written when it ends. */
MUST_USE int log_open(struct log *log, int fd, struct loop *loop, size_t room,
    enum log_level level, enum log_format format);
void log_close(struct log *log);

/* Whether a line of this level would be written (to spare work). */
static inline bool log_wants(const struct log *log, enum log_level level)
{
	return level <= log->level;
}

void log_begin(struct log *log, enum log_level level, const char *event);
void log_slice(struct log *log, const char *key, struct slice value);
void log_str(struct log *log, const char *key, const char *value);
void log_number(struct log *log, const char *key, int64_t number);
/* A queue id, as text (core/base/id.h). */
void log_id(struct log *log, const char *key, uint64_t id);
void log_address(
    struct log *log, const char *key, const union socket_address *a);
void log_end(struct log *log);

/* Begins to write what has gathered; the worker calls it once a turn. */
void log_flush(struct log *log);
/* Writes everything out: the last act of a process, when no write is under way.
 * An output that takes nothing for `max_ms` loses the rest, which is counted.
 */
void log_drain(struct log *log, unsigned max_ms);

#endif
