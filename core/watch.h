/* watch.h -- whether files of a configuration may have changed.
 *
 * Folders are watched, not files: editors, certbot and Kubernetes put a new
 * file, or a new symbolic link, in the place of the old one.  What came in a
 * burst (the swap of Kubernetes' ..data, a copy of many files) counts once:
 * when nothing more has come for a moment. */
#ifndef CORE_WATCH_H
#define CORE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/config/config.h"

struct watch {
	int fd; /* -1: nothing is watched */
	bool changed;
	uint64_t changed_ms;
};

/* Watches what the configuration was read from, instead of what was watched
 * before; and asks to look once more, for what changed in between. */
void watch_config(struct watch *w, const struct config *c, uint64_t now_ms);

/* Whether something has changed, and then nothing for a moment: once. */
bool watch_due(struct watch *w, uint64_t now_ms);

#endif
