/* SPDX-License-Identifier: ISC */
#include "http/body.h"

static enum pull
memory_pull(struct body *b, struct piece *out_piece)
{
	if (b->left == 0)
		return PULL_END;
	*out_piece = (struct piece){ .p = b->state, .n = b->left };
	b->left = 0;
	return PULL_PIECE;
}

static const struct body_ops memory_ops = {
	.pull = memory_pull,
};

void
body_memory(struct body *b, struct str content)
{
	/* Only ever read through: body.state has no const for its owner. */
	*b = (struct body){
		.ops = &memory_ops,
		.state = (void *)(uintptr_t)content.p,
		.left = content.n,
	};
}
