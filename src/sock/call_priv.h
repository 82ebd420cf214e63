/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_CALL_PRIV_H
#define SWS_SOCK_CALL_PRIV_H

/*
 * A line in the notation of strace(1) while it grows.  What does not fit any
 * more is cut: it is for eyes, and the call itself was made with all of it.
 * None of these fails or changes what it is given but the line.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct call_line {
	size_t n;               /* bytes in text, without the NUL */
	char text[1024];
};

/* As printf(3). */
__attribute__((format(printf, 2, 3))) void call_put(struct call_line *l,
    const char *format, ...);

/* "AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP", of socket(2). */
void call_put_kind(struct call_line *l, int domain, int type, int protocol);
/* Kinds are those of call_flags_text(). */
void call_put_flags(struct call_line *l, char kind, int flags);
/* In quotes, CALL_SHOWN_BYTES of them at most; p may be NULL if n is 0. */
void call_put_bytes(struct call_line *l, const void *p, size_t n);
/* "{sa_family=AF_INET, ...}"; NULL for no address and for one too short. */
void call_put_address(struct call_line *l, const struct sockaddr *sa,
    socklen_t len);
/* "[128 => 16]", or "[16]" when the kernel left it as it was. */
void call_put_length(struct call_line *l, socklen_t before, socklen_t after);
/*
 * Of a call that gives an address, with the comma in front: it and its length.
 * sa may be NULL, and len with it.
 */
void call_put_given(struct call_line *l, const struct sockaddr *sa,
    socklen_t before, const socklen_t *len, bool has_failed);
/* ", SOL_SOCKET, SO_LINGER, " */
void call_put_option(struct call_line *l, int level, int option);
/* The value of that option, by its type in the table of options. */
void call_put_option_value(struct call_line *l, int level, int option,
    const void *p, socklen_t len);
/*
 * A message with commas around it.  n bytes are in its pieces; SIZE_MAX when
 * they all are full.
 */
void call_put_msg(struct call_line *l, const struct msghdr *m, size_t n);

#endif
