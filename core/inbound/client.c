/* client.c -- how many of something one client has. */
#include "core/inbound/client.h"

int inbound_clients_init(
    struct inbound_clients *t, const char *name, size_t count_max)
{
	int err =
	    pool_init(&t->pool, name, sizeof(struct inbound_client), count_max);

	return err < 0 ? err : map_init(&t->map, count_max);
}

static void key_of(
    const union socket_address *a, uint8_t key[16], bool by_network)
{
	memset(key, 0, 16);
	if (a->any.sa_family == AF_INET6) {
		/* A /64 has one owner, who has all its addresses. */
		memcpy(key, &a->v6.sin6_addr, by_network ? 8 : 16);
	} else {
		key[10] = key[11] = 0xff;
		memcpy(key + 12, &a->v4.sin_addr, 4);
	}
}

struct inbound_client *inbound_client_take(struct inbound_clients *t,
    const union socket_address *address, uint32_t max)
{
	uint8_t key[16];

	if (max == 0)
		return NULL;
	key_of(address, key, t->by_network);
	uint64_t hash = slice_hash_nocase(slice_of(key, sizeof(key)), 0);

	for (struct map_node *n = map_first(&t->map, hash); n != NULL;
	     n = map_next(n)) {
		struct inbound_client *client =
		    container_of(n, struct inbound_client, node);

		if (memcmp(client->address, key, sizeof(key)) != 0)
			continue;
		if (client->count >= max)
			return NULL;
		client->count++;
		return client;
	}
	struct inbound_client *client = pool_take(&t->pool);

	check(client != NULL); /* as many as there can be of what is counted */
	memcpy(client->address, key, sizeof(key));
	client->count = 1;
	map_insert(&t->map, &client->node, hash);
	return client;
}

void inbound_client_give(
    struct inbound_clients *t, struct inbound_client *client)
{
	if (client == NULL || --client->count > 0)
		return;
	map_remove(&t->map, &client->node);
	pool_give(&t->pool, client);
}
