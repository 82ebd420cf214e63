/* SPDX-License-Identifier: ISC */
/* The head of a response (RFC 9112 4 and 6): room once, then plain copies. */
#include "h1/write.h"

#include "http/status.h"

enum framing
h1_framing(const struct exchange *x)
{
	if (x->res.is_raw || x->req.version == VERSION_0_9)
		return FRAMING_CLOSE;
	if (x->res.length != LENGTH_UNKNOWN)
		return FRAMING_LENGTH;
	return x->req.version == VERSION_1_1 ? FRAMING_CHUNKED :
	    FRAMING_CLOSE;
}

bool
h1_sends_content(const struct exchange *x)
{
	return x->res.is_raw || (x->req.method != METHOD_HEAD &&
	    status_has_content(x->res.status));
}

static char *
put_status_line(char *at, const struct exchange *x)
{
	unsigned status = x->res.status;

	at = str_put(at, x->req.version == VERSION_1_0 ? S("HTTP/1.0 ") :
	    S("HTTP/1.1 "));
	if (status == 200)
		return str_put(at, S("200 OK\r\n"));
	at = str_put_u64(at, status);
	*at++ = ' ';
	at = str_put(at, status_phrase(status));
	return str_put(at, S("\r\n"));
}

static char *
put_framing(char *at, const struct exchange *x)
{
	if (!status_has_content(x->res.status))
		return at;
	switch (h1_framing(x)) {
	case FRAMING_LENGTH:
		at = str_put(at, S("Content-Length: "));
		at = str_put_u64(at, x->res.length);
		return str_put(at, S("\r\n"));
	case FRAMING_CHUNKED:
		return str_put(at, S("Transfer-Encoding: chunked\r\n"));
	case FRAMING_CLOSE:
		break;
	}
	return at;
}

int
h1_write_head(struct buf *out, const struct exchange *x, struct str stamp,
    bool keeps_alive)
{
	const size_t fixed = 256;       /* all that is not counted here */
	const struct response *res = &x->res;
	char *at;
	int err;

	if (x->req.version == VERSION_0_9 || res->is_raw)
		return 0;
	err = buf_reserve(out, fixed + stamp.n + res->block.n + res->fields.n);
	if (err < 0)
		return err;
	at = put_status_line(out->p + out->n, x);
	at = str_put(at, stamp);
	if (res->block.n > 0)
		at = str_put(at, res->block);
	if (res->fields.n > 0)
		at = str_put(at, buf_str(&res->fields));
	at = put_framing(at, x);
	if (!keeps_alive)
		at = str_put(at, S("Connection: close\r\n"));
	else if (x->req.version == VERSION_1_0)
		at = str_put(at, S("Connection: keep-alive\r\n"));
	at = str_put(at, S("\r\n"));
	out->n = (size_t)(at - out->p);
	return 0;
}

int
h1_write_chunk_size(struct buf *out, uint64_t n)
{
	return buf_printf(out, "%llx\r\n", (unsigned long long)n);
}
