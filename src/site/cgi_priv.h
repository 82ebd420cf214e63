/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_CGI_PRIV_H
#define SWS_SITE_CGI_PRIV_H

/*
 * CGI, in files: cgi.c is the service, cgi_program.c the life of one program,
 * cgi_input.c what it reads and cgi_output.c what it writes.
 */

#include "site/cgi.h"
#include "site/cgi_env.h"
#include "site/spawn_msg.h"

struct cgi_service {
	struct loop *loop;
	struct cgi_setup setup;
	struct watch channel;           /* fd is -1 while there is no spawner */
	struct list programs;           /* struct cgi */
	unsigned n_programs;
	uint32_t last_id;
	struct buf unsent;              /* of cgi_tell */
	uint64_t spool_left;            /* bytes that spools may still take */
	int null;                       /* input for who gets none */
	int64_t complaints_ms;          /* begin of the second counted in */
	unsigned complaints;
};

/* One program, from its request to the last byte of its answer. */
struct cgi {
	struct list node;
	struct cgi_service *service;
	struct site *site;
	struct exchange *x;
	struct script script;           /* in the exchange's arena */
	uint32_t id;
	struct watch in, out, err;      /* our ends; fd is -1 once closed */
	struct timer idle;
	struct buf content;             /* not yet taken by the program */
	int spool;                      /* content of unknown length; or -1 */
	uint64_t spooled;
	struct buf output;              /* read, not yet lent */
	uint64_t left;                  /* of a length that was promised */
	bool is_started;
	bool has_all_content;
	bool has_head;
	size_t taken;           /* of its output, since the loop's last turn */
	bool is_lent;                   /* output is with the protocol */
	bool has_ended;                 /* its output: nothing more comes */
	bool has_failed;
};

#define CGI_READ_BYTES ((size_t)16 << 10)       /* of its output at once */

static inline struct cgi *
cgi_of(struct exchange *x)
{
	return x->handler_state;
}

/* cgi.c */

/* Tells the spawner that a program's answer has ended: DONE or KILL. */
void cgi_tell(struct cgi_service *s, enum spawn_kind kind, uint32_t id);

/* cgi_program.c */

/* Makes x one that a program answers.  NULL when memory is out. */
struct cgi *cgi_new(struct cgi_service *s, struct site *site,
    struct exchange *x, const struct script *script);

/*
 * Has the program run: at once, or when its content is whole.  A failure is
 * the answer.
 */
void cgi_begin(struct cgi *c);

/*
 * Has the spawner run it.  `in` is its standard input and stays the caller's;
 * -1: a pipe of ours.  A failure is the answer.
 */
void cgi_start(struct cgi *c, int in);

/* The answer is a refusal instead, unless it has begun. */
void cgi_refuse(struct cgi *c, enum reason r);

/* Says what is wrong with the program to the operator. */
void cgi_complain(struct cgi *c, const char *what);

/* It did something, and has its idle time from now on to do more. */
void cgi_expect(struct cgi *c);

/* Closes our end of a pipe, if it is open. */
void cgi_close_end(struct cgi *c, struct watch *w);

/* cgi_input.c: struct watch.fn, and two of struct handler */

void cgi_on_writable(struct watch *w, unsigned ready);
void cgi_on_content(struct exchange *x, struct str bytes);
void cgi_on_content_end(struct exchange *x);

/* cgi_output.c: struct watch.fn */

void cgi_on_output(struct watch *w, unsigned ready);

#endif
