/* dns_resolver.c -- one context of libunbound, set up as we want it.
 *
 * The library's defaults are meant for a program that asks now and then: 16
 * sockets, caches of 1 MiB, which the names of some thousand domains overflow.
 * The caches here are limits, memory is taken as they fill.
 *
 * The root's keys are compiled in (both: the change from the first to the
 * second is under way), so a container without any file validates. */
#include "core/outbound/dns_resolver.h"

#include <arpa/inet.h>
#include <unbound-event.h>
#include <unbound.h>

struct option {
	const char *name;
	const char *value;
};

static const struct option all_options[] = {
    {"outgoing-range:", "256"},
    {"outgoing-num-tcp:", "32"},
    {"rrset-cache-size:", "16m"},
    {"msg-cache-size:", "8m"},
    {"key-cache-size:", "4m"},
    {"neg-cache-size:", "1m"},
    /* A domain that was mended should get its mail soon. */
    {"cache-max-negative-ttl:", "900"},
    /* A server that was away is asked again at once, not after a quarter of
     * an hour. */
    {"infra-keep-probing:", "yes"},
    /* A resolver on this host is the usual one in containers. */
    {"do-not-query-localhost:", "no"},
    /* Names of private networks are the servers' business. */
    {"unblock-lan-zones:", "yes"},
    {"insecure-lan-zones:", "yes"},
    {"trust-anchor-signaling:", "no"},
    /* No names of servers that nobody asked for. */
    {"target-fetch-policy:", "0 0 0 0 0"},
};

static const char *const root_anchors[] = {
    ". DS 20326 8 2 "
    "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
    ". DS 38696 8 2 "
    "683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
};

/* libunbound answers these itself: there is no such name.  When there are
 * servers to ask, it is for them to say. */
static const char *const handed_on[] = {"test.", "invalid.", "home.arpa."};

bool dns_server_valid(struct slice text)
{
	char room[DNS_SERVER_LEN_MAX + 1];
	struct in6_addr address;
	uint64_t port = 53;

	if (text.len >= sizeof(room))
		return false;
	struct slice host = slice_cut_at(&text, '@');
	bool with_port = text.at != host.at + host.len;

	if (with_port &&
	    (!slice_number(text, &port) || port == 0 || port > UINT16_MAX))
		return false;
	struct slice bare = slice_cut_at(&host, '%');

	memcpy(room, bare.at, bare.len);
	room[bare.len] = '\0';
	return strlen(room) == bare.len &&
	       (inet_pton(AF_INET, room, &address) == 1 ||
		   inet_pton(AF_INET6, room, &address) == 1);
}

static int set_up(
    struct ub_ctx *resolver, const struct dns_resolver_options *options)
{
	int err = ub_ctx_debugout(resolver, NULL);

	for (size_t i = 0; err == 0 && i < COUNT(all_options); i++)
		err = ub_ctx_set_option(
		    resolver, all_options[i].name, all_options[i].value);
	for (unsigned i = 0; err == 0 && i < options->server_count; i++)
		err = ub_ctx_set_fwd(resolver, options->servers[i]);
	if (options->root_anchors)
		for (size_t i = 0; err == 0 && i < COUNT(root_anchors); i++)
			err = ub_ctx_add_ta(resolver, root_anchors[i]);
	if (err == 0 && options->anchor_file != NULL)
		err = ub_ctx_add_ta_file(resolver, options->anchor_file);
	/* This is the first call for which the set-up is put to work. */
	if (options->server_count > 0)
		for (size_t i = 0; err == 0 && i < COUNT(handed_on); i++)
			err = ub_ctx_zone_remove(resolver, handed_on[i]);
	return err;
}

struct ub_ctx *dns_resolver_open(const struct dns_resolver_options *options,
    struct dns_events *events, const char **why)
{
	struct ub_ctx *resolver =
	    ub_ctx_create_ub_event(dns_events_base(events));

	if (resolver == NULL) {
		*why = "no memory for libunbound";
		return NULL;
	}
	int err = set_up(resolver, options);

	if (err != 0) {
		*why = err == UB_INITFAIL && options->anchor_file != NULL
			   ? "libunbound does not take the trust anchor file"
			   : ub_strerror(err);
		ub_ctx_delete(resolver);
		return NULL;
	}
	return resolver;
}
