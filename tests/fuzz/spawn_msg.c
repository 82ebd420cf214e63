/* SPDX-License-Identifier: ISC */

/* What a worker that was taken over may send comes to strings that end within
   the message, and to a path below the CGI root, or to nothing. */

#include "site/spawn_msg.h"

#include "target.h"

static void
check_list(char *const *list, unsigned n, const char *begin, const char *end)
{
	for (unsigned i = 0; i < n; i++) {
		assert(list[i] > begin && list[i] < end);
		assert(list[i] + strlen(list[i]) < end);
	}
	assert(list[n] == NULL);
}

static void
check_path(const char *path)
{
	struct str rest = str_of(path), name;

	assert(rest.n > 0 && *path != '/');
	while (str_cut(&rest, '/', &name))
		assert(!str_eq(name, S("..")));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of its very size, so that a byte read too far is seen. */
	char *message = malloc(size > 0 ? size : 1);
	struct spawn_msg head;
	struct spawn_run run;

	assert(message != NULL);
	memcpy(message, data, size);
	if (spawn_run_parse(message, size, &run) == 0) {
		memcpy(&head, message, sizeof(head));
		assert(head.kind == SPAWN_RUN);
		check_path(run.path);
		check_list(run.args + 1, head.n_args, message,
		    message + size);
		check_list(run.env, head.n_env, message, message + size);
	}
	free(message);
	return 0;
}
