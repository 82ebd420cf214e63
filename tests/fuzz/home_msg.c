/* SPDX-License-Identifier: ISC */

/* Whatever a worker asks, it comes to one user and one path, or to nothing. */

#include "site/home_msg.h"

#include "target.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of its very size, so that a byte read too far is seen. */
	struct home_ask *ask = malloc(size > 0 ? size : 1);
	const char *user, *path;
	size_t all;

	assert(ask != NULL);
	memcpy(ask, data, size);
	if (size <= sizeof(*ask) &&
	    home_ask_parse(ask, size, &user, &path) == 0) {
		assert(home_is_user(str_of(user)));
		assert(user == ask->path);
		all = strlen(user);
		if (path != NULL) {
			assert(path == user + all + 1);
			all += 1 + strlen(path);
		}
		assert(home_ask_size(all) == size);
	}
	free(ask);
	return 0;
}
