/* SPDX-License-Identifier: ISC */
#include "server/access.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "http/date.h"
#include "net/addr.h"

#define LINES_MAX ((size_t)128 << 10)
#define LINES_FULL ((size_t)64 << 10)
#define FLUSH_MS 100
#define REQUEST_MAX ((size_t)1024)      /* bytes of a request line shown */

/* What a line can need: address, time, the request all escaped, the rest. */
#define LINE_MAX_BYTES (ADDR_TEXT + 20 + 4 * REQUEST_MAX + 128)

static uint64_t
count_lines(struct str s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n';
	return n;
}

/* A log that cannot be written is said once, and once when it can again. */
static void
tell(struct access_log *a, int err)
{
	struct access_failure *f = a->failure;

	if (err != 0 && !atomic_exchange(&f->is_told, true))
		log_error("log %s: %s; lines are lost until it can be "
		    "written again", a->name, strerror(err));
	if (err == 0 && f->is_told && atomic_exchange(&f->is_told, false))
		log_info("log %s: written again, %llu lines were lost",
		    a->name, (unsigned long long)f->lost);
	if (err == 0 && f->lost > 0)
		f->lost = 0;
}

static void
flush(struct access_log *a)
{
	ssize_t n;

	while (a->lines.n > 0) {
		n = write(a->fd, a->lines.p, a->lines.n);
		if (n == -1 && errno == EINTR)
			continue;
		tell(a, n == -1 ? errno : 0);
		if (n == -1) {
			a->failure->lost += count_lines(buf_str(&a->lines));
			a->lines.n = 0;
		} else {
			buf_consume(&a->lines, (size_t)n);
		}
	}
	loop_timer_stop(a->loop, &a->flush);
}

static void
on_flush(struct timer *t)
{
	flush(list_entry(t, struct access_log, flush));
}

void
access_open(struct access_log *a, struct loop *l, int fd, const char *name,
    bool is_prompt)
{
	*a = (struct access_log){
		.fd = fd,
		.name = name,
		.is_prompt = is_prompt,
		.flush.fn = on_flush,
		.loop = l,
		.made = -1,
	};
	a->failure = &a->own;
	buf_init(&a->lines, LINES_MAX);
}

int
access_share(struct access_log *a)
{
	void *memory;

	memory = mmap(NULL, sizeof(*a->failure), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return -errno;
	a->failure = memory;
	return 0;
}

void
access_close(struct access_log *a)
{
	flush(a);
	if (a->failure != &a->own)
		munmap(a->failure, sizeof(*a->failure));
	a->failure = &a->own;
	buf_fini(&a->lines);
	if (a->fd != -1)
		close(a->fd);
	a->fd = -1;
}

void
access_reopen(struct access_log *a, int fd)
{
	flush(a);
	if (a->fd != -1)
		close(a->fd);
	a->fd = fd;
}

/* Whatever could end the line, the quotes or a terminal's peace as \xHH. */
static char *
put_escaped(char *at, struct str s)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c >= ' ' && c < 0x7f && c != '"' && c != '\\') {
			*at++ = (char)c;
			continue;
		}
		*at++ = '\\';
		*at++ = 'x';
		*at++ = hex[c >> 4];
		*at++ = hex[c & 15];
	}
	return at;
}

static char *
put_request(char *at, struct str line)
{
	if (line.n == 0)
		return str_put(at, S("-"));
	if (line.n <= REQUEST_MAX)
		return put_escaped(at, line);
	line.n = REQUEST_MAX;
	return str_put(put_escaped(at, line), S("..."));
}

static char *
put_line(struct access_log *a, char *at, const struct exchange *x)
{
	char text[ADDR_TEXT];

	if (x->received != a->made) {
		date_write_iso(a->time, x->received);
		a->made = x->received;
	}
	at = str_put(at, str_of(addr_host_text(x->peer, text)));
	*at++ = ' ';
	at = str_put(at, (struct str){ a->time, sizeof(a->time) });
	at = str_put(at, S(" \""));
	at = put_request(at, x->req.line);
	at = str_put(at, S("\" "));
	at = str_put_u64(at, x->res.status);
	*at++ = ' ';
	at = str_put_u64(at, x->body_sent);
	if (a->tells_reasons && x->res.reason != REASON_NONE) {
		*at++ = ' ';
		at = str_put(at, reason_code(x->res.reason));
	}
	*at++ = '\n';
	return at;
}

void
access_add(struct access_log *a, const struct exchange *x)
{
	if (a->fd == -1)
		return;
	if (buf_reserve(&a->lines, LINE_MAX_BYTES) < 0) {
		a->failure->lost++;
		return;
	}
	if (a->lines.n == 0 && !a->is_prompt)
		loop_timer_start(a->loop, &a->flush, FLUSH_MS);
	a->lines.n = (size_t)(put_line(a, a->lines.p + a->lines.n, x) -
	    a->lines.p);
	if (a->is_prompt || a->lines.n >= LINES_FULL)
		flush(a);
}
