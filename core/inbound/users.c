/* users.c -- who may log in, found by name. */
#include "core/inbound/users.h"

#include <errno.h>

#include "proto/sasl.h"

const char *users_judge(const struct config_user *user)
{
	struct sasl_secret secret;
	const char *why;
	size_t len = strlen(user->name);

	if (len == 0 || len > SASL_USER_MAX)
		return "a user's name has 1 to 255 bytes";
	for (size_t i = 0; i < len; i++)
		if ((uint8_t)user->name[i] < 0x20 || user->name[i] == 0x7f)
			return "a control character in a user's name";
	return secret_parse(slice_of_str(user->password), &secret, &why) ? NULL
									 : why;
}

static void add(
    struct users *u, struct user *user, const struct config_user *from)
{
	const char *why;

	*user = (struct user){
	    .name = slice_of_str(from->name),
	    .allowed_from = &from->allowed_from,
	};
	/* One that users_judge refuses cannot log in. */
	if (!secret_parse(slice_of_str(from->password), &user->secret, &why))
		user->secret.is_decoy = true;
	else
		u->mechanisms |= secret_mechanisms(&user->secret);
	user->secret.memo = &user->memo;
	user->secret.key = u->key;
	secret_season(&user->secret, user->name, u->key);
	map_insert(
	    &u->map, &user->node, slice_hash_nocase(user->name, u->seed));
}

int users_open(struct users *u, const struct config_user *users, size_t count,
    const uint8_t key[HASH_SHA256_LEN])
{
	int err;

	*u = (struct users){.count = count};
	memcpy(u->key, key, sizeof(u->key));
	memcpy(&u->seed, key, sizeof(u->seed));
	err = map_init(&u->map, count + 1);
	if (err < 0)
		return err;
	err =
	    pool_init(&u->pool, "users", (count + 1) * sizeof(struct user), 1);
	if (err < 0) {
		map_deinit(&u->map);
		return err;
	}
	u->at = pool_take(&u->pool);
	check(u->at != NULL);
	for (size_t i = 0; i < count; i++)
		add(u, &u->at[i], &users[i]);
	return 0;
}

void users_close(struct users *u)
{
	explicit_bzero(u->at, u->count * sizeof(struct user));
	explicit_bzero(u->key, sizeof(u->key));
	map_deinit(&u->map);
	pool_deinit(&u->pool);
}

struct user *users_find(const struct users *u, struct slice name)
{
	struct map_node *node =
	    map_first(&u->map, slice_hash_nocase(name, u->seed));

	for (; node != NULL; node = map_next(node)) {
		struct user *user = container_of(node, struct user, node);

		if (slice_eq(user->name, name))
			return user;
	}
	return NULL;
}

const struct sasl_secret *users_secret(
    const struct users *u, struct slice name, struct sasl_secret *room)
{
	const struct user *user = users_find(u, name);
	struct slice parts[] = {SLICE("place of "), name};
	uint8_t hash[HASH_SHA256_LEN];
	uint64_t place;

	/* Both ways take their time, so that neither shows. */
	hash_hmac_sha256(
	    slice_of(u->key, sizeof(u->key)), parts, COUNT(parts), hash);
	memcpy(&place, hash, sizeof(place));
	if (u->count > 0)
		*room = u->at[place % u->count].secret;
	else
		secret_parse(SLICE("nobody's"), room, &(const char *){NULL});
	room->is_decoy = true;
	room->memo = NULL;
	secret_season(room, name, u->key);
	return user != NULL ? &user->secret : room;
}
