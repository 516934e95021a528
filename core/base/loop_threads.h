/* loop_threads.h -- file operations for the loop on epoll: a few threads that
 * may wait for the disk.  For the loop_epoll*.c files alone. */
#ifndef CORE_BASE_LOOP_THREADS_H
#define CORE_BASE_LOOP_THREADS_H

#include "core/base/loop_backend.h"

enum file_job_kind { JOB_WRITE, JOB_READ, JOB_FDATASYNC, JOB_STREAM };

struct file_job {
	struct file_job *next;
	struct op *op;
	enum file_job_kind kind;
	int fd;
	bool durable; /* JOB_WRITE */
	bool chained; /* JOB_STREAM: the next one needs this one whole */
	void *at;
	size_t len;
	uint64_t offset;
	int result;
};

struct loop_threads;

/* No thread begins before the first job.  NULL: no memory or descriptor. */
struct loop_threads *loop_threads_open(void);
/* Waits for the files' jobs; a stream that nobody reads is left behind. */
void loop_threads_close(struct loop_threads *t);

/* Readable when there are results. */
int loop_threads_fd(const struct loop_threads *t);

/* Takes a copy of the job.  -EAGAIN: too many are under way; -errno: no
 * thread. */
MUST_USE int loop_threads_begin(
    struct loop_threads *t, const struct file_job *job);
/* The result of a job that is done here and now. */
int loop_threads_run_now(const struct file_job *job);
/* True: it had not begun and will not. */
bool loop_threads_cancel(struct loop_threads *t, const struct op *op);
/* The next result; false: no more now. */
bool loop_threads_next(struct loop_threads *t, struct op **op, int *result);

#endif
