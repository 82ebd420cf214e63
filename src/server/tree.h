/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_TREE_H
#define SWS_SERVER_TREE_H

/*
 * What is served: the directories that the names in the configuration lead to
 * at the time they are opened.  Names may lead elsewhere later, which is how
 * people deploy: a link that is replaced.
 */

#include <sys/types.h>

#include "server/privileges.h"
#include "server/programs.h"

struct tree {
	int root;                       /* descriptor of the document root */
	dev_t dev;
	ino_t ino;
	struct programs programs;
};

#define TREE_WHY 512                    /* bytes of a reason */

/*
 * Opens the document root, which `identity` must be able to read, and the
 * directory of the CGI programs, if there is one, which it must be able to
 * enter.  The tree is the caller's to
 * free.  0, or a negative errno and in `why` what to tell people.
 */
int tree_open(const struct config *config, const struct identity *identity,
    unsigned port, struct tree **out_tree, char why[TREE_WHY]);
void tree_free(struct tree *t);         /* NULL is fine */

/* Do the names still lead to t?  No, when they lead nowhere. */
bool tree_is_current(const struct tree *t, const struct config *config);

#endif
