/* client.c -- how many sessions one client address has. */
#include "core/inbound/client.h"

static void key_of(const union socket_address *a, uint8_t key[16])
{
	memset(key, 0, 16);
	if (a->any.sa_family == AF_INET6) {
		memcpy(key, &a->v6.sin6_addr, 16);
	} else {
		key[10] = key[11] = 0xff;
		memcpy(key + 12, &a->v4.sin_addr, 4);
	}
}

struct inbound_client *inbound_client_take(struct inbound_service *s,
    const union socket_address *address, uint32_t max)
{
	uint8_t key[16];

	if (max == 0)
		return NULL;
	key_of(address, key);
	uint64_t hash = slice_hash_nocase(slice_of(key, sizeof(key)), 0);

	for (struct map_node *n = map_first(&s->clients, hash); n != NULL;
	     n = map_next(n)) {
		struct inbound_client *client =
		    container_of(n, struct inbound_client, node);

		if (memcmp(client->address, key, sizeof(key)) != 0)
			continue;
		if (client->session_count >= max)
			return NULL;
		client->session_count++;
		return client;
	}
	struct inbound_client *client = pool_take(&s->client_pool);

	check(client != NULL); /* as many as there can be sessions */
	memcpy(client->address, key, sizeof(key));
	client->session_count = 1;
	map_insert(&s->clients, &client->node, hash);
	return client;
}

void inbound_client_give(
    struct inbound_service *s, struct inbound_client *client)
{
	if (client == NULL || --client->session_count > 0)
		return;
	map_remove(&s->clients, &client->node);
	pool_give(&s->client_pool, client);
}
