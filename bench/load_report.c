/* load_report.c -- what the load generator has to say at its end. */
#include "bench/load.h"

static const struct {
	enum load_time time;
	const char *name;
} names[] = {
    {LOAD_CONNECT, "connect"},
    {LOAD_GREETING, "greeting"},
    {LOAD_EHLO, "ehlo"},
    {LOAD_TLS, "tls"},
    {LOAD_AUTH, "auth"},
    {LOAD_MAIL, "mail"},
    {LOAD_RCPT, "rcpt"},
    {LOAD_DATA, "data"},
    {LOAD_DOT, "dot"},
    {LOAD_QUIT, "quit"},
    {LOAD_MESSAGE, "message"},
};

static double us(uint64_t ns)
{
	return (double)ns / 1e3;
}

static void put_times_json(const struct load *l, FILE *out)
{
	const char *comma = "";

	fputs(", \"us\": {", out);
	for (size_t i = 0; i < COUNT(names); i++) {
		const struct histogram *h = &l->times[names[i].time];

		if (h->count == 0)
			continue;
		fprintf(out,
		    "%s\"%s\": {\"count\": %lu, \"mean\": %.1f, \"p50\": %.1f, "
		    "\"p90\": %.1f, \"p99\": %.1f, \"p999\": %.1f, "
		    "\"max\": %.1f}",
		    comma, names[i].name, h->count, us(histogram_mean(h)),
		    us(histogram_at(h, 500)), us(histogram_at(h, 900)),
		    us(histogram_at(h, 990)), us(histogram_at(h, 999)),
		    us(h->max));
		comma = ", ";
	}
	fputs("}", out);
}

static void put_times_text(const struct load *l, FILE *out)
{
	fprintf(out, "%-10s %10s %10s %10s %10s %10s %10s  microseconds\n", "",
	    "count", "p50", "p90", "p99", "p99.9", "max");
	for (size_t i = 0; i < COUNT(names); i++) {
		const struct histogram *h = &l->times[names[i].time];

		if (h->count > 0)
			fprintf(out,
			    "%-10s %10lu %10.0f %10.0f %10.0f %10.0f %10.0f\n",
			    names[i].name, h->count, us(histogram_at(h, 500)),
			    us(histogram_at(h, 900)), us(histogram_at(h, 990)),
			    us(histogram_at(h, 999)), us(h->max));
	}
}

void load_report(const struct load *l, uint64_t cpu_ns, bool json, FILE *out)
{
	const struct load_counts *c = &l->counts;
	const struct {
		const char *name;
		uint64_t value;
	} counts[] = {
	    {"connections", c->connections},
	    {"connections_failed", c->connections_failed},
	    {"sent", c->sent},
	    {"accepted", c->accepted},
	    {"accepted_rcpts", c->accepted_rcpts},
	    {"refused", c->refused},
	    {"refused_rcpts", c->refused_rcpts},
	    {"retried", c->retried},
	    {"broken", c->broken},
	    {"unknown", c->unknown},
	    {"bytes", c->bytes},
	};
	double seconds = (double)(l->ended_ns - l->begun_ns) / 1e9;
	double rate = seconds > 0 ? (double)c->accepted / seconds : 0;

	fputs(json ? "{" : "", out);
	for (size_t i = 0; i < COUNT(counts); i++)
		fprintf(out, json ? "\"%s\": %lu, " : "%s=%lu\n",
		    counts[i].name, counts[i].value);
	fprintf(out,
	    json ? "\"begun_ns\": %lu, \"ended_ns\": %lu, \"seconds\": %.6f, "
		   "\"accepted_per_s\": %.1f, \"cpu_s\": %.6f"
		 : "begun_ns=%lu\nended_ns=%lu\nseconds=%.6f\n"
		   "accepted_per_s=%.1f\ncpu_s=%.6f\n",
	    l->begun_ns, l->ended_ns, seconds, rate, (double)cpu_ns / 1e9);
	if (json)
		put_times_json(l, out);
	else
		put_times_text(l, out);
	fputs(json ? "}\n" : "", out);
	fflush(out);
}
