/* loop_threads.c -- file operations for the loop on epoll: a few threads that
 * may wait for the disk.
 *
 * epoll knows no files: a write that waits for the disk would stop every
 * session.  So three threads take files' jobs from one queue, in any order, and
 * one takes the streams' (the log), in theirs: a chain of writes ends with the
 * first that is not whole, as io_uring's does.
 *
 * The threads touch nothing but jobs; results go back through a list and an
 * eventfd.  All signals are blocked in them. */
#include "core/base/loop_threads.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define JOBS_MAX 256
#define FILE_THREADS 3
#define THREADS (FILE_THREADS + 1)
#define STACK_LEN (128 * 1024)

struct job_queue {
	struct file_job *first;
	struct file_job *last;
	pthread_cond_t filled;
};

struct loop_threads {
	pthread_mutex_t lock;
	struct job_queue files;
	struct job_queue streams;
	struct job_queue results;
	struct file_job *unused;
	pthread_t threads[THREADS];
	unsigned thread_count;
	int event_fd;
	bool stopping;
	bool streaming; /* a stream's job runs */
	bool chained;	/* the stream's last job was chained ... */
	bool broken;	/* ... and it, or one before it, was not whole */
	struct file_job jobs[JOBS_MAX];
};

static void push(struct job_queue *q, struct file_job *job)
{
	job->next = NULL;
	if (q->last == NULL)
		q->first = job;
	else
		q->last->next = job;
	q->last = job;
}

static struct file_job *pop(struct job_queue *q)
{
	struct file_job *job = q->first;

	if (job == NULL)
		return NULL;
	q->first = job->next;
	if (q->first == NULL)
		q->last = NULL;
	return job;
}

static int result_of(ssize_t n)
{
	return n < 0 ? -errno : (int)n;
}

int loop_threads_run_now(const struct file_job *job)
{
	struct iovec iov = {job->at, job->len};

	switch (job->kind) {
	case JOB_WRITE:
		return result_of(pwritev2(job->fd, &iov, 1, (off_t)job->offset,
		    job->durable ? RWF_DSYNC : 0));
	case JOB_READ:
		return result_of(
		    pread(job->fd, job->at, job->len, (off_t)job->offset));
	case JOB_FDATASYNC: return result_of(fdatasync(job->fd));
	case JOB_STREAM: return result_of(write(job->fd, job->at, job->len));
	}
	return -EINVAL;
}

/* With the lock held. */
static void give_result(struct loop_threads *t, struct file_job *job)
{
	uint64_t one = 1;

	if (t->results.first == NULL)
		(void)!write(t->event_fd, &one, sizeof(one));
	push(&t->results, job);
}

static void *run_files(void *arg)
{
	struct loop_threads *t = arg;
	struct file_job *job;

	pthread_mutex_lock(&t->lock);
	for (;;) {
		job = pop(&t->files);
		if (job == NULL && t->stopping)
			break;
		if (job == NULL) {
			pthread_cond_wait(&t->files.filled, &t->lock);
			continue;
		}
		pthread_mutex_unlock(&t->lock);
		job->result = loop_threads_run_now(job);
		pthread_mutex_lock(&t->lock);
		give_result(t, job);
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

/* One write of a stream, or none when the chain before it broke. */
static void run_stream(struct loop_threads *t, struct file_job *job)
{
	bool skipped = t->chained && t->broken;

	if (skipped) {
		job->result = -ECANCELED;
	} else {
		t->streaming = true;
		pthread_mutex_unlock(&t->lock);
		job->result = loop_threads_run_now(job);
		pthread_mutex_lock(&t->lock);
		t->streaming = false;
	}
	t->broken = skipped || job->result != (int)job->len;
	t->chained = job->chained;
	give_result(t, job);
}

static void *run_streams(void *arg)
{
	struct loop_threads *t = arg;
	struct file_job *job;

	pthread_mutex_lock(&t->lock);
	for (;;) {
		job = pop(&t->streams);
		if (job == NULL && t->stopping)
			break;
		if (job == NULL)
			pthread_cond_wait(&t->streams.filled, &t->lock);
		else
			run_stream(t, job);
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

struct loop_threads *loop_threads_open(void)
{
	struct loop_threads *t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (t == MAP_FAILED)
		return NULL;
	t->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->event_fd < 0) {
		munmap(t, sizeof(*t));
		return NULL;
	}
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->files.filled, NULL);
	pthread_cond_init(&t->streams.filled, NULL);
	for (size_t i = 0; i < JOBS_MAX; i++) {
		t->jobs[i].next = t->unused;
		t->unused = &t->jobs[i];
	}
	return t;
}

void loop_threads_close(struct loop_threads *t)
{
	bool left_behind;

	pthread_mutex_lock(&t->lock);
	t->stopping = true;
	pthread_cond_broadcast(&t->files.filled);
	pthread_cond_broadcast(&t->streams.filled);
	left_behind = t->streaming;
	pthread_mutex_unlock(&t->lock);
	for (unsigned i = 0; i < t->thread_count; i++) {
		if (left_behind && i == FILE_THREADS)
			return; /* it has our memory; the process ends soon */
		pthread_join(t->threads[i], NULL);
	}
	pthread_cond_destroy(&t->files.filled);
	pthread_cond_destroy(&t->streams.filled);
	pthread_mutex_destroy(&t->lock);
	close(t->event_fd);
	munmap(t, sizeof(*t));
}

int loop_threads_fd(const struct loop_threads *t)
{
	return t->event_fd;
}

/* Signals are for the thread that has the loop. */
static int start_threads(struct loop_threads *t)
{
	pthread_attr_t attr;
	sigset_t all, before;
	int err = pthread_attr_init(&attr);

	if (err != 0)
		return -err;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_attr_setstacksize(&attr, STACK_LEN);
	while (err == 0 && t->thread_count < THREADS) {
		err = pthread_create(&t->threads[t->thread_count], &attr,
		    t->thread_count < FILE_THREADS ? run_files : run_streams,
		    t);
		if (err == 0)
			t->thread_count++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return -err;
}

int loop_threads_begin(struct loop_threads *t, const struct file_job *what)
{
	struct job_queue *q =
	    what->kind == JOB_STREAM ? &t->streams : &t->files;
	struct file_job *job;
	int err = 0;

	if (t->thread_count < THREADS)
		err = start_threads(t);
	if (err < 0)
		return err;
	pthread_mutex_lock(&t->lock);
	job = t->unused;
	if (job != NULL) {
		t->unused = job->next;
		*job = *what;
		push(q, job);
		pthread_cond_signal(&q->filled);
	}
	pthread_mutex_unlock(&t->lock);
	return job != NULL ? 0 : -EAGAIN;
}

static bool take_out(
    struct loop_threads *t, struct job_queue *q, const struct op *op)
{
	struct file_job *before = NULL;

	for (struct file_job *job = q->first; job != NULL; job = job->next) {
		if (job->op != op) {
			before = job;
			continue;
		}
		if (before == NULL)
			q->first = job->next;
		else
			before->next = job->next;
		if (q->last == job)
			q->last = before;
		job->next = t->unused;
		t->unused = job;
		return true;
	}
	return false;
}

bool loop_threads_cancel(struct loop_threads *t, const struct op *op)
{
	bool taken;

	pthread_mutex_lock(&t->lock);
	taken = take_out(t, &t->files, op) || take_out(t, &t->streams, op);
	pthread_mutex_unlock(&t->lock);
	return taken;
}

bool loop_threads_next(struct loop_threads *t, struct op **op, int *result)
{
	struct file_job *job;
	uint64_t count;

	pthread_mutex_lock(&t->lock);
	job = pop(&t->results);
	if (job != NULL) {
		*op = job->op;
		*result = job->result;
		job->next = t->unused;
		t->unused = job;
	} else {
		(void)!read(t->event_fd, &count, sizeof(count));
	}
	pthread_mutex_unlock(&t->lock);
	return job != NULL;
}
