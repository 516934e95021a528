/* test_turn.c -- the scheduler against a model.
 *
 * The model is a driver: it holds connections, delivers or fails at random, and
 * counts.  Nothing may be lost or doubled, no limit exceeded, and everything
 * must be delivered in the end; up to three workers share the sites. */
#include "core/outbound/turn.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#define NOW 1000000u
#define SITES 30
#define MESSAGES 600
#define CONNECTIONS 64
#define WORKERS 3

struct model {
	struct rng rng;
	struct ledger *ledger; /* shared with the other workers */
	struct scheduler *s;
	uint64_t now_s;
	unsigned max, all_max;
	bool calm; /* no more failures */
	struct {
		struct destination *d; /* NULL = closed */
		struct entry *e;       /* being attempted */
		bool connected, idle;
	} connections[CONNECTIONS];
	struct {
		struct entry *head;
		unsigned entry_count;
	} messages[MESSAGES];
	unsigned entry_count;
	unsigned added_count;
};

static bool chance(struct model *m, unsigned percent)
{
	return rng_below(&m->rng, 100) < percent;
}

static void model_add(struct model *m)
{
	unsigned count = 1 + (unsigned)rng_below(&m->rng, 3);
	unsigned i = m->added_count++;

	while (count-- > 0) {
		char name[16];
		uint32_t due_s =
		    chance(m, 20)
			? (uint32_t)(m->now_s + rng_below(&m->rng, 1000))
			: 0;

		snprintf(name, sizeof(name), "site%u",
		    (unsigned)rng_below(&m->rng, SITES));
		m->messages[i].head = scheduler_add(m->s, slice_of_str(name),
		    &m->messages[i], m->messages[i].head, (uint32_t)m->now_s,
		    due_s, 0, m->now_s);
		cr_assert(m->messages[i].head != NULL);
		m->messages[i].entry_count++;
		m->entry_count++;
	}
}

static unsigned model_message(const struct model *m, const struct entry *e)
{
	const char *at = e->message;
	size_t i =
	    (size_t)(at - (const char *)m->messages) / sizeof(m->messages[0]);

	cr_assert(lt(sz, i, MESSAGES));
	return (unsigned)i;
}

static void model_finish(struct model *m, struct entry *e)
{
	unsigned i = model_message(m, e);

	m->messages[i].head = scheduler_finished(m->s, e);
	cr_assert(gt(uint, m->messages[i].entry_count, 0));
	m->messages[i].entry_count--;
	m->entry_count--;
	cr_assert(eq(
	    int, m->messages[i].head == NULL, m->messages[i].entry_count == 0));
}

static void model_close(struct model *m, unsigned i)
{
	cr_assert(m->connections[i].e == NULL);
	if (m->connections[i].idle)
		scheduler_idle_count(m->s, m->connections[i].d, -1);
	scheduler_disconnected(m->s, m->connections[i].d);
	m->connections[i].d = NULL;
}

static void model_work(struct model *m, unsigned i)
{
	struct destination *d = m->connections[i].d;

	m->connections[i].idle = false;
	m->connections[i].e = scheduler_take(m->s, d, m->now_s);
	if (m->connections[i].e != NULL) {
		cr_assert(m->connections[i].e->destination == d);
		return;
	}
	if (!scheduler_keep(m->s, d)) {
		model_close(m, i);
		return;
	}
	m->connections[i].idle = true;
	scheduler_idle_count(m->s, d, 1);
}

/* Site 0 is dead, site 1 takes two connections, the others are moody. */
static bool model_connects(struct model *m, const struct destination *d)
{
	if (m->calm)
		return true;
	if (strcmp(d->name, "site0") == 0)
		return false;
	if (strcmp(d->name, "site1") == 0 && d->connection_count > 2)
		return false;
	return !chance(m, 5);
}

static void model_step(struct model *m, unsigned i)
{
	struct destination *d = m->connections[i].d;
	struct entry *e = m->connections[i].e;

	if (d == NULL)
		return;
	if (!m->connections[i].connected) {
		if (!model_connects(m, d)) {
			scheduler_site_failed(
			    m->s, d, SLICE("refused"), m->now_s);
			model_close(m, i);
			return;
		}
		m->connections[i].connected = true;
		model_work(m, i);
		return;
	}
	if (e == NULL) {
		if (chance(m, 10))
			model_close(m, i);
		return;
	}
	m->connections[i].e = NULL;
	if (!m->calm && chance(m, 3)) {
		scheduler_site_failed(m->s, d, SLICE("lost"), m->now_s);
		scheduler_put_off(m->s, e, true, m->now_s);
		model_close(m, i);
		return;
	}
	if (chance(m, 2)) {
		scheduler_untake(m->s, e);
		model_close(m, i);
		return;
	}
	scheduler_site_good(m->s, d);
	if (!m->calm && chance(m, 10))
		scheduler_put_off(m->s, e, false, m->now_s);
	else
		model_finish(m, e);
	if (chance(m, 10))
		model_close(m, i);
	else
		model_work(m, i);
}

static unsigned model_idle(const struct model *m, const struct destination *d)
{
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		if (m->connections[i].d == d && m->connections[i].idle)
			return i;
	}
	cr_assert(false, "no idle connection");
	return 0;
}

static void model_open(struct model *m, struct destination *d)
{
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		if (m->connections[i].d != NULL)
			continue;
		m->connections[i].d = d;
		m->connections[i].e = NULL;
		m->connections[i].connected = false;
		m->connections[i].idle = false;
		return;
	}
	cr_assert(false, "too many connections");
}

static void model_turn(struct model *m)
{
	for (int budget = 200; budget > 0; budget--) {
		struct destination *d;
		struct entry *e;
		unsigned i;

		switch (scheduler_next(m->s, m->now_s, &d, &e)) {
		case SCHEDULE_NOTHING:
			if (scheduler_wait_s(m->s, m->now_s) > 0)
				return;
			break;
		case SCHEDULE_CONNECT: model_open(m, d); break;
		case SCHEDULE_USE_IDLE:
			i = model_idle(m, d);
			scheduler_idle_count(m->s, d, -1);
			model_work(m, i);
			break;
		case SCHEDULE_CLOSE_IDLE:
			model_close(m, model_idle(m, d));
			break;
		case SCHEDULE_PUT_OFF:
			cr_assert(e->destination == d);
			cr_assert(gt(uint, d->error_len, 0));
			if (chance(m, 5))
				model_finish(m, e);
			else
				scheduler_put_off(m->s, e, true, m->now_s);
			break;
		}
	}
	cr_assert(false, "always something to do");
}

static void model_admin(struct model *m)
{
	unsigned i = (unsigned)rng_below(&m->rng, MESSAGES);
	struct entry *e = m->messages[i].head;

	if (e != NULL && chance(m, 50)) {
		scheduler_retry(m->s, e, m->now_s);
	} else if (e != NULL && chance(m, 20)) {
		unsigned left = 0;

		e = scheduler_remove(m->s, e);
		m->messages[i].head = e;
		for (struct entry *at = e; at != NULL;) {
			cr_assert(eq(int, at->state, ENTRY_TAKEN));
			left++;
			at = entry_sibling(at);
			if (at == e)
				break;
		}
		m->entry_count -= m->messages[i].entry_count - left;
		m->messages[i].entry_count = left;
	} else if (chance(m, 2)) {
		scheduler_retry_all(m->s);
	}
}

static void model_sum(void *arg, const struct destination *d)
{
	unsigned *sum = arg;

	sum[0] += d->ready_count + d->taken_count + d->waiting_count;
	sum[1] += d->connection_count;
	sum[2] += d->idle_count;
}

static void model_check(struct model *m)
{
	unsigned sum[3] = {0}, open = 0, idle = 0;
	struct scheduler_counts c = scheduler_count(m->s);

	for (unsigned i = 0; i < CONNECTIONS; i++) {
		const struct destination *d = m->connections[i].d;

		open += d != NULL;
		idle += d != NULL && m->connections[i].idle;
		if (d != NULL) {
			cr_assert(le(u32, d->connection_count, m->max));
			cr_assert(
			    le(uint, ledger_sum(m->ledger, d->slot), m->max));
			cr_assert(ge(uint, ledger_sum(m->ledger, d->slot),
			    d->connection_count));
		}
	}
	cr_assert(le(uint, open, m->all_max));
	scheduler_each_destination(m->s, model_sum, sum);
	cr_assert(eq(uint, sum[0], m->entry_count));
	cr_assert(eq(sz, c.entry_count, m->entry_count));
	cr_assert(eq(uint, sum[1], open));
	cr_assert(eq(sz, c.connection_count, open));
	cr_assert(eq(uint, sum[2], idle));
}

/* One step of one worker; whether it has delivered everything. */
static bool model_live(struct model *m, unsigned step)
{
	m->calm = step > 6000;
	if (m->added_count < MESSAGES && chance(m, 30))
		model_add(m);
	model_step(m, (unsigned)rng_below(&m->rng, m->all_max));
	if (chance(m, 1) && !m->calm)
		model_admin(m);
	if (chance(m, 3))
		m->now_s += rng_below(&m->rng, m->calm ? 200 : 20);
	if (chance(m, 10))
		scheduler_poke_wanting(m->s);
	model_turn(m);
	if (step % 16 == 0)
		model_check(m);
	return m->added_count == MESSAGES && m->entry_count == 0;
}

static void model_end(struct model *m)
{
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		if (m->connections[i].d != NULL)
			model_close(m, i);
	}
	m->now_s += DESTINATION_PAUSE_MAX_S * 2;
	model_turn(m);
	cr_assert(eq(sz, scheduler_count(m->s).destination_count, 0));
	cr_assert(not(scheduler_wanting(m->s)));
	scheduler_close(m->s);
}

static void model_run(uint64_t seed)
{
	static struct model models[WORKERS];
	unsigned worker_count = 1 + (unsigned)(seed % WORKERS);
	struct rng rng = {seed};
	unsigned max = 1 + (unsigned)rng_below(&rng, 10);
	unsigned left = worker_count;
	struct ledger *ledger;

	cr_assert(eq(int, ledger_open(&ledger, worker_count), 0));
	memset(models, 0, sizeof(models));
	for (unsigned w = 0; w < worker_count; w++) {
		struct model *m = &models[w];

		*m = (struct model){
		    .rng = {rng_next(&rng)},
		    .ledger = ledger,
		    .now_s = NOW,
		    .max = max,
		    .all_max = 1 + (unsigned)rng_below(&rng, CONNECTIONS),
		};
		struct scheduler_options options = {
		    .ledger = ledger,
		    .column = w,
		    .connections_max = m->max,
		    .connections_all_max = m->all_max,
		    .retry = {300, 14400, 432000, 86400},
		    .entry_count_max = MESSAGES * 3,
		    .destination_count_max = SITES,
		    .seed = seed,
		};
		cr_assert(eq(int, scheduler_open(&m->s, &options), 0));
	}
	for (unsigned step = 0; left > 0; step++) {
		cr_assert(
		    lt(uint, step, 60000), "seed %lu", (unsigned long)seed);
		left = 0;
		for (unsigned w = 0; w < worker_count; w++)
			left += !model_live(&models[w], step);
	}
	for (unsigned w = 0; w < worker_count; w++)
		model_end(&models[w]);
	ledger_close(ledger);
}

Test(turn, nothing_is_lost_over_seeds)
{
	for (uint64_t seed = 1; seed <= 60; seed++)
		model_run(seed);
}
