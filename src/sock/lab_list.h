/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_LAB_LIST_H
#define SWS_SOCK_LAB_LIST_H

/* The labs, in the order of the lecture. */

#include "sock/lab.h"

/* X(function lesson_..., name, rows of the checklist, needs, title) */

#define LABS(X) \
	X(pipe, "pipe", "P1 P2 P3 P4 P5 P7", LAB_ALONE, \
	    "a pipe from parent to child, its end, and SIGPIPE") \
	X(pipe_atomic, "pipe-atomic", "P6 P7", LAB_ALONE, \
	    "several writers in one pipe: up to PIPE_BUF nothing is mixed") \
	X(pair, "pair", "S1 S5 P10", LAB_ALONE, \
	    "two processes talk both ways: by socketpair, by two pipes") \
	X(pair_matrix, "pair-matrix", "S2 S3 D2", LAB_LOOPBACK, \
	    "socketpair(2) for each domain, type and protocol") \
	X(pair_types, "pair-types", "S4 D9", LAB_ALONE, \
	    "what the type of a pair changes: borders, remainders, the end") \
	X(fork_socket, "fork-socket", "S6 S7", LAB_LOOPBACK, \
	    "a socket that is older than fork(2), and several writers") \
	X(fork_close, "fork-close", "S8", LAB_ALONE, \
	    "close(2) is for one process, shutdown(2) for all") \
	X(deadlock, "deadlock", "H3", LAB_ALONE, \
	    "to wait for a child before reading its output hangs") \
	X(kinds, "kinds", "D1 D2 D3 D4 D5", LAB_LOOPBACK, \
	    "which domains, types and protocols there are: not only TCP")

#define LAB_PROTOTYPE(function, name, rows, needs, title) \
	void lesson_##function(struct lab *lab);
LABS(LAB_PROTOTYPE)
#undef LAB_PROTOTYPE

#endif
