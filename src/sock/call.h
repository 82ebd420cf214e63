/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_CALL_H
#define SWS_SOCK_CALL_H

/*
 * The socket calls of sock.  Each does what the system call of its name does,
 * returns a negative errno where that sets errno, and with --calls shows call,
 * arguments, result and time in the notation of strace(1).  read and write are
 * shown too, since the lecture uses them on sockets.
 *
 * A call that a signal interrupted is -EINTR, as ever.
 */

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

int call_socket(int domain, int type, int protocol);
int call_socketpair(int domain, int type, int protocol, int out_ends[2]);
int call_bind(int fd, const struct sockaddr *sa, socklen_t len);
int call_listen(int fd, int backlog);
int call_accept(int fd, struct sockaddr *sa, socklen_t *len, int flags);
int call_connect(int fd, const struct sockaddr *sa, socklen_t len);
int call_shutdown(int fd, int how);
int call_getsockname(int fd, struct sockaddr *sa, socklen_t *len);
int call_getpeername(int fd, struct sockaddr *sa, socklen_t *len);
int call_getsockopt(int fd, int level, int option, void *value,
    socklen_t *len);
int call_setsockopt(int fd, int level, int option, const void *value,
    socklen_t len);

ssize_t call_send(int fd, const void *p, size_t n, int flags);
ssize_t call_sendto(int fd, const void *p, size_t n, int flags,
    const struct sockaddr *sa, socklen_t len);
ssize_t call_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t call_recv(int fd, void *p, size_t n, int flags);
ssize_t call_recvfrom(int fd, void *p, size_t n, int flags,
    struct sockaddr *sa, socklen_t *len);
ssize_t call_recvmsg(int fd, struct msghdr *m, int flags);
ssize_t call_read(int fd, void *p, size_t n);
ssize_t call_write(int fd, const void *p, size_t n);
int call_close(int fd);

/*
 * The words of that notation, for calls that others made.  Each returns text.
 */
#define CALL_TEXT 512
#define CALL_SHOWN_BYTES 32     /* of data, as strace does by default */

/* "AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP" */
const char *call_kind_text(char text[CALL_TEXT], int domain, int type,
    int protocol);
/* "{sa_family=AF_INET, ...}"; NULL when len is too short for that. */
const char *call_address_text(char text[CALL_TEXT], const struct sockaddr *sa,
    socklen_t len);
/* The first `shown` of n bytes, in quotes. */
const char *call_bytes_text(char text[CALL_TEXT], const void *p, size_t shown,
    size_t n);
/* Of an option: "SOL_SOCKET, SO_REUSEADDR, [1]". */
const char *call_option_text(char text[CALL_TEXT], int level, int option,
    const void *value, socklen_t len);
/* Flags: 'm' MSG_ of messages, 't' SOCK_ of types, 'h' SHUT_ of shutdown. */
const char *call_flags_text(char text[CALL_TEXT], char kind, int flags);

#endif
