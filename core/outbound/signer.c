/* signer.c -- DKIM signatures of messages that are about to be delivered.
 *
 *   begin    an attempt's first block is there: From is read, and with no rule
 *            for its address the mail goes as it is.  Else the attempt waits
 *   turn     at the end of the loop's turn up to DKIM_BATCH_MAX signatures are
 *            made in one call, whosever they are; no timer waits for more
 *   reading  a header section longer than the first block, or a body that was
 *            not hashed when it came (the key is newer than the mail, or it is
 *            a report of ours), is read from the spool, one message at a time
 *   made     kept for the message's other destinations, for a while
 *
 * Must hold: mail for which there is a rule leaves with all its signatures, or
 * is put off with a line in the log that says why. */
#include "core/outbound/signer.h"

#include <stdio.h>

#include "core/outbound/attempt.h"
#include "dkim/header.h"
#include "proto/idna.h"

#define MADE_COUNT_MAX 256
#define FRESH_S 600 /* then a new one is made: t= and x= are of its time */

_Static_assert(DKIM_BATCH_MAX >= DKIM_TABLE_MATCH_MAX,
    "the signatures of a message are made in one batch");

static void on_turn(struct op *op, int result);

struct attempt *signature_waiter(const struct signature *g)
{
	check(!list_empty(&g->waiters));
	return container_of(g->waiters.next, struct attempt, sign_link);
}

const uint8_t *signature_hash(const struct signature *g, enum dkim_canon canon)
{
	const struct attempt *a = signature_waiter(g);

	if (a->envelope.body_hash[canon].len == DKIM_HASH_LEN)
		return a->envelope.body_hash[canon].at;
	return g->has_hash[canon] ? g->hash[canon] : NULL;
}

/* What is large, and there once. */
struct large {
	struct signer_reading reading;
	uint8_t fields[DKIM_BATCH_MAX][DKIM_FIELD_MAX];
	uint8_t from_room[SIGNER_HEADER_MAX];
};

int signer_init(struct signer *s, struct loop *loop, struct log *log,
    size_t attempt_count_max)
{
	size_t count = attempt_count_max + MADE_COUNT_MAX + 1;
	int err;

	*s = (struct signer){.loop = loop, .log = log};
	list_init(&s->ready);
	list_init(&s->unread);
	list_init(&s->made);
	s->turn.done = on_turn;
	if ((err = pool_init(&s->pool, "signatures", sizeof(struct signature),
		 count)) < 0 ||
	    (err = pool_init(
		 &s->large_pool, "signer", sizeof(struct large), 1)) < 0 ||
	    (err = map_init(&s->by_id, count)) < 0)
		return err;
	struct large *large = pool_take(&s->large_pool);

	check(large != NULL);
	s->reading = &large->reading;
	s->reading->signature = NULL;
	s->reading->signer = s;
	s->fields = large->fields;
	s->from_room = large->from_room;
	return 0;
}

static uint64_t hash_of(uint64_t id)
{
	return slice_hash_nocase(slice_of(&id, sizeof(id)), 0);
}

static struct signature *find(const struct signer *s, uint64_t id)
{
	struct map_node *node = map_first(&s->by_id, hash_of(id));

	for (; node != NULL; node = map_next(node)) {
		struct signature *g =
		    container_of(node, struct signature, node);

		if (g->id == id)
			return g;
	}
	return NULL;
}

static void forget(struct signer *s, struct signature *g)
{
	check(g->made);
	map_remove(&s->by_id, &g->node);
	list_remove(&g->link);
	g->made = false;
	s->made_count--;
	if (g->holder_count == 0)
		pool_give(&s->pool, g);
}

void signer_release(struct signer *s, struct signature *g)
{
	check(g->holder_count > 0);
	g->holder_count--;
	if (g->holder_count == 0 && !g->made)
		pool_give(&s->pool, g);
}

void signer_configure(struct signer *s, struct dkim_table *table)
{
	s->table = table;
	LIST_EACH_SAFE (node, &s->made)
		forget(s, container_of(node, struct signature, link));
}

static void say_failed(struct signer *s, uint64_t id, struct slice domain,
    const char *key, const char *why)
{
	metric_inc(s->metrics, METRIC_DKIM_FAILED);
	log_begin(s->log, LOG_ERROR, "dkim_failed");
	log_id(s->log, "id", id);
	if (domain.len > 0)
		log_slice(s->log, "domain", domain);
	if (key != NULL)
		log_str(s->log, "key", key);
	log_str(s->log, "reply", why);
	log_end(s->log);
}

static struct slice domain_of(const struct signature *g)
{
	return slice_of(g->domain, g->domain_len);
}

/* Domains in Unicode are looked up and named as A-labels. */
static bool put_domain(struct buf *out, struct slice domain)
{
	size_t start = out->len;

	buf_put(out, domain);
	for (size_t i = start; i < out->len; i++) {
		out->at[i] = byte_lower(out->at[i]);
		if (out->at[i] & 0x80) {
			out->len = start;
			return idna_put(out, domain);
		}
	}
	return !out->overflowed;
}

/* Who wrote it: the first address of the first From.  NULL, or why it cannot be
 * known.  *local is valid until the next call. */
static const char *read_author(struct signer *s, struct slice section,
    struct slice *local, struct buf *domain)
{
	struct dkim_field from;
	const char *why = "";

	if (!dkim_field_find(section, SLICE("From"), &from))
		return "there is no From field";
	if (from.value.len > SIGNER_HEADER_MAX)
		return "the From field is too long";
	if (!mailbox_list_parse(from.value, s->from_room, &s->from, &why))
		return why;
	if (s->from.count == 0)
		return "From names nobody";
	*local = s->from.at[0].local;
	return put_domain(domain, s->from.at[0].domain)
		   ? NULL
		   : "the domain of From cannot be read";
}

/* The attempts that waited go on. */
static void finish(struct signer *s, struct signature *g, const char *why)
{
	struct list waiters, *node;

	list_init(&waiters);
	while ((node = list_pop_front(&g->waiters)) != NULL) {
		struct attempt *a =
		    container_of(node, struct attempt, sign_link);

		a->sign_why = why;
		if (why == NULL && g->len > 0) {
			a->signature = g;
			g->holder_count++;
		}
		list_push_back(&waiters, node);
	}
	list_remove(&g->link);
	list_push_front(&s->made, &g->link);
	g->made = true;
	g->made_s = loop_wall_s(s->loop);
	s->made_count++;
	if (why != NULL || g->len == 0)
		forget(s, g);
	else if (s->made_count > MADE_COUNT_MAX)
		forget(s, container_of(s->made.prev, struct signature, link));
	while ((node = list_pop_front(&waiters)) != NULL)
		attempt_signed(container_of(node, struct attempt, sign_link));
}

/* Signatures that are made in one call. */
struct batch {
	unsigned count;
	struct dkim_job jobs[DKIM_BATCH_MAX];
	struct signature *owners[DKIM_BATCH_MAX];
	const char *sources[DKIM_BATCH_MAX];
	struct buf outs[DKIM_BATCH_MAX];
};

enum joined {
	JOINED,	      /* its jobs are in the batch */
	JOINED_NOT,   /* it is finished: unsigned by right, or failed */
	JOINED_FULL,  /* the batch has no room for all of its jobs */
	JOINED_UNREAD /* its body must be hashed first */
};

/* RFC 6376, 3.5: i= is of the domain d= or below it. */
static struct slice identity_of(struct slice author, struct slice domain)
{
	bool below =
	    author.len > domain.len + 1 &&
	    author.at[author.len - domain.len - 1] == '.' &&
	    slice_eq_nocase(
		slice_of(author.at + author.len - domain.len, domain.len),
		domain);

	return below ? author : (struct slice){NULL, 0};
}

static void add_job(struct signer *s, struct batch *b, struct signature *g,
    struct slice section, const struct dkim_table_key *key,
    struct dkim_key *opened)
{
	uint64_t now_s = loop_wall_s(s->loop);
	unsigned i = b->count++;
	struct slice domain =
	    slice_eq(key->domain, SLICE("%")) ? domain_of(g) : key->domain;

	b->owners[i] = g;
	b->sources[i] = key->source;
	b->outs[i] = buf_over(s->fields[i], DKIM_FIELD_MAX);
	b->jobs[i] = (struct dkim_job){
	    .key = opened,
	    .domain = domain,
	    .selector = key->selector,
	    .identity = identity_of(domain_of(g), domain),
	    .header = section,
	    .body_hash = signature_hash(g, key->body_canon),
	    .header_canon = key->header_canon,
	    .body_canon = key->body_canon,
	    .time_s = now_s,
	    .expire_s = key->expire_s > 0 ? now_s + key->expire_s : 0,
	    .out = &b->outs[i],
	};
}

static struct dkim_key *open_key(
    struct signer *s, struct dkim_table_key *key, const char **why)
{
	const char *warning;
	struct dkim_key *opened = dkim_table_use(s->table, key, why, &warning);

	if (opened != NULL && warning != NULL) {
		log_begin(s->log, LOG_WARN, "dkim_key_weak");
		log_str(s->log, "key", key->source);
		log_str(s->log, "reply", warning);
		log_end(s->log);
	}
	return opened;
}

static enum joined fail(
    struct signer *s, struct signature *g, const char *key, const char *why)
{
	say_failed(s, g->id, domain_of(g), key, why);
	finish(s, g, why);
	return JOINED_NOT;
}

/* Its signatures, by the rules as they are now. */
static enum joined join(struct signer *s, struct batch *b, struct signature *g,
    struct slice section)
{
	struct dkim_table_key *keys[DKIM_TABLE_MATCH_MAX];
	struct dkim_key *opened[DKIM_TABLE_MATCH_MAX];
	struct buf domain = buf_over(g->domain, sizeof(g->domain));
	struct slice local;
	const char *why = read_author(s, section, &local, &domain);
	unsigned count;

	g->domain_len = (uint16_t)domain.len;
	if (why != NULL)
		return fail(s, g, NULL, why);
	count = s->table == NULL
		    ? 0
		    : dkim_table_find(s->table, local, domain_of(g), keys);
	if (count == 0) { /* not any more */
		finish(s, g, NULL);
		return JOINED_NOT;
	}
	if (count > DKIM_TABLE_MATCH_MAX)
		return fail(s, g, NULL, "more than 8 keys are to sign it");
	if (b->count + count > DKIM_BATCH_MAX)
		return JOINED_FULL;
	for (unsigned i = 0; i < count; i++) {
		opened[i] = open_key(s, keys[i], &why);
		if (opened[i] == NULL)
			return fail(s, g, keys[i]->source, why);
		if (signature_hash(g, keys[i]->body_canon) == NULL)
			return JOINED_UNREAD;
	}
	for (unsigned i = 0; i < count; i++)
		add_job(s, b, g, section, keys[i], opened[i]);
	return JOINED;
}

static void say_signed(
    struct signer *s, const struct signature *g, const struct dkim_job *job)
{
	metric_inc(s->metrics, METRIC_DKIM_SIGNED);
	log_begin(s->log, LOG_DEBUG, "signed");
	log_id(s->log, "id", g->id);
	log_slice(s->log, "domain", job->domain);
	log_slice(s->log, "selector", job->selector);
	log_end(s->log);
	if (!job->faulted)
		return;
	log_begin(s->log, LOG_WARN, "dkim_fault");
	log_id(s->log, "id", g->id);
	log_str(s->log, "reply",
	    "a signature was wrong and was made again by wolfSSL: this CPU may "
	    "be failing");
	log_end(s->log);
}

/* The jobs from *i on that are of one message; *i is then behind them. */
static void complete(struct signer *s, struct batch *b, unsigned *i)
{
	struct signature *g = b->owners[*i];
	struct buf text = buf_over(g->text, sizeof(g->text));
	const char *why = NULL, *key = NULL;

	for (; *i < b->count && b->owners[*i] == g; (*i)++) {
		const struct dkim_job *job = &b->jobs[*i];

		if (why == NULL && job->why == NULL) {
			say_signed(s, g, job);
			if (!buf_put(&text, buf_slice(job->out)))
				why = "the signatures are too long";
		} else if (why == NULL) {
			why = job->why;
			key = b->sources[*i];
		}
	}
	if (why != NULL) {
		fail(s, g, key, why);
		return;
	}
	g->len = (uint16_t)text.len;
	finish(s, g, NULL);
}

static void sign(struct signer *s, struct batch *b)
{
	struct dkim_job *jobs[DKIM_BATCH_MAX];

	if (b->count == 0)
		return;
	for (unsigned i = 0; i < b->count; i++)
		jobs[i] = &b->jobs[i];
	dkim_sign(s->table->dkim, jobs, b->count);
	for (unsigned i = 0; i < b->count;)
		complete(s, b, &i);
}

void signer_was_read(struct signer *s, struct signature *g,
    struct slice section, const char *why)
{
	struct batch batch = {.count = 0};

	if (why != NULL)
		fail(s, g, NULL, why);
	else if (join(s, &batch, g, section) == JOINED)
		sign(s, &batch);
}

/* A message that is all there needs no reading. */
static void hash_block(struct signer *s, struct signature *g)
{
	const struct attempt *a = signature_waiter(g);
	struct dkim_body body;

	if (s->table == NULL ||
	    (uint64_t)a->body_len != a->message->content_len)
		return;
	dkim_body_init(&body, s->table->canons);
	dkim_body_feed(&body, attempt_content(a));
	for (unsigned i = 0; i < DKIM_CANON_COUNT; i++) {
		if (!(s->table->canons & 1u << i))
			continue;
		dkim_body_finish(&body, (enum dkim_canon)i, g->hash[i]);
		g->has_hash[i] = true;
	}
}

static bool section_of(const struct attempt *a, struct slice *section)
{
	return dkim_header_section(attempt_content(a),
	    (uint64_t)a->body_len == a->message->content_len, section);
}

/* The first of `ready` joins the batch.  False: the batch is full. */
static bool join_ready(struct signer *s, struct batch *b)
{
	struct signature *g =
	    container_of(s->ready.next, struct signature, link);
	struct slice section;
	bool whole = section_of(signature_waiter(g), &section);

	check(whole); /* signer_begin saw it */
	list_remove(&g->link);
	enum joined joined = join(s, b, g, section);

	if (joined == JOINED_UNREAD) {
		hash_block(s, g);
		joined = join(s, b, g, section);
	}
	if (joined == JOINED_UNREAD)
		list_push_back(&s->unread, &g->link);
	else if (joined == JOINED_FULL)
		list_push_front(&s->ready, &g->link);
	return joined != JOINED_FULL;
}

static void on_turn(struct op *op, int result)
{
	struct signer *s = container_of(op, struct signer, turn);
	struct batch batch = {.count = 0};

	(void)result;
	while (!list_empty(&s->ready) && join_ready(s, &batch))
		;
	sign(s, &batch);
	signer_read_next(s);
	if (!list_empty(&s->ready) && !s->turn.busy)
		loop_defer(s->loop, &s->turn, 0);
}

static void enqueue(struct signer *s, struct attempt *a, struct list *where)
{
	struct signature *g = pool_take(&s->pool);

	check(g != NULL); /* one for each attempt, and those that are kept */
	/* `text` is written before it is read. */
	g->id = a->message->id;
	g->made = false;
	g->holder_count = 0;
	g->has_hash[DKIM_SIMPLE] = g->has_hash[DKIM_RELAXED] = false;
	g->domain_len = 0;
	g->len = 0;
	list_init(&g->link);
	list_init(&g->waiters);
	list_push_back(&g->waiters, &a->sign_link);
	list_push_back(where, &g->link);
	map_insert(&s->by_id, &g->node, hash_of(g->id));
	if (!s->turn.busy)
		loop_defer(s->loop, &s->turn, 0);
}

/* Whether there is a rule for this mail; a->sign_why when that cannot be said.
 */
static bool has_rule(struct signer *s, struct attempt *a, struct slice section)
{
	struct dkim_table_key *keys[DKIM_TABLE_MATCH_MAX];
	uint8_t room[SIGNER_DOMAIN_MAX];
	struct buf domain = buf_over(room, sizeof(room));
	struct slice local;

	a->sign_why = read_author(s, section, &local, &domain);
	if (a->sign_why != NULL) {
		say_failed(s, a->message->id, (struct slice){NULL, 0}, NULL,
		    a->sign_why);
		return false;
	}
	return dkim_table_find(s->table, local, buf_slice(&domain), keys) > 0;
}

bool signer_begin(struct signer *s, struct attempt *a)
{
	struct signature *g;
	struct slice section;

	a->sign_why = NULL;
	if (s->table == NULL || s->table->rule_count == 0)
		return false;
	g = find(s, a->message->id);
	if (g != NULL && g->made &&
	    loop_wall_s(s->loop) - g->made_s > FRESH_S) {
		forget(s, g);
		g = NULL;
	}
	if (g != NULL && g->made) {
		a->signature = g;
		g->holder_count++;
		return false;
	}
	if (g != NULL) {
		list_push_back(&g->waiters, &a->sign_link);
		return true;
	}
	if (!section_of(a, &section)) {
		enqueue(s, a, &s->unread);
		return true;
	}
	if (!has_rule(s, a, section))
		return false;
	enqueue(s, a, &s->ready);
	return true;
}
