/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_SPY_H
#define SWS_SOCK_SPY_H

/*
 * Shows the socket calls of another program, and of all that it starts, as
 * --calls shows ours: by ptrace(2), which needs no privilege for one's own
 * children.
 */

/*
 * Forks, and returns in the child, which is watched from then on.  The parent
 * closes the two descriptors, which only the child should have, shows calls
 * until all that it watches has ended, and ends as the child did.  Returns in
 * the parent, too, only when there is no child: then unwatched.
 */
void spy_fork(int out, int err);

#endif
