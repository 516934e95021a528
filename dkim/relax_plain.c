/* relax_plain.c -- the relaxed form, for any CPU. */
#include "dkim/relax_kernel.h"

size_t relax_plain(struct relax_room *room, struct slice in)
{
	return relax(room, in);
}
