/* SPDX-License-Identifier: ISC */

/*
 * A byte that says how many descriptors came along, then a message: what is
 * taken for a question, or for a reply, is one in every part that is used.
 */

#include "site/encode_msg.h"

#include "target.h"

static void
check_ask(struct str in, unsigned n_fds)
{
	struct encode_ask ask;

	memset(&ask, 0xff, sizeof(ask));
	memcpy(&ask, in.p, in.n < sizeof(ask) ? in.n : sizeof(ask));
	if (!encode_ask_is_valid(&ask, in.n, n_fds))
		return;
	assert(in.n == sizeof(ask) && n_fds == 1);
	assert(coding_suffix((enum coding)ask.coding).n > 0);
}

static void
check_reply(struct str in, unsigned n_fds)
{
	struct encode_reply reply;

	memset(&reply, 0xff, sizeof(reply));
	memcpy(&reply, in.p, in.n < sizeof(reply) ? in.n : sizeof(reply));
	if (!encode_reply_is_valid(&reply, in.n, n_fds))
		return;
	assert(in.n == sizeof(reply));
	assert(n_fds == (reply.kind == ENCODE_MADE));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = { (const char *)data, size };
	unsigned n_fds;

	if (size == 0)
		return 0;
	n_fds = data[0] % 4;
	in = str_skip(in, 1);
	check_ask(in, n_fds);
	check_reply(in, n_fds);
	return 0;
}
