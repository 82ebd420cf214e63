/* SPDX-License-Identifier: ISC */
#include "site/cgi_env.h"

#include "net/addr.h"
#include "site/spawn_msg.h"

/* A message that is being written; the first failure stays. */
struct writer {
	struct buf *b;
	uint32_t n;             /* strings so far */
	int err;
};

static void
put(struct writer *w, struct str s)
{
	if (w->err == 0)
		w->err = buf_add(w->b, s);
}

/* Ends a string. */
static void
end(struct writer *w)
{
	put(w, (struct str){ "", 1 });
	w->n++;
}

/* A value cannot hold NUL: the request's parser lets none through. */
static void
put_variable(struct writer *w, struct str name, struct str value)
{
	put(w, name);
	put(w, S("="));
	put(w, value);
	end(w);
}

static void
put_number(struct writer *w, struct str name, uint64_t value)
{
	char digits[20];

	put_variable(w, name, str_from(digits, str_put_u64(digits, value)));
}

/* Appends a decoded search word; false when it cannot be one. */
static bool
put_decoded(struct writer *w, struct str word)
{
	for (size_t i = 0; i < word.n; i++) {
		char c = word.p[i];

		if (c == '%') {
			int high = -1, low = -1;

			if (i + 2 < word.n) {
				high = str_hex_digit(word.p[i + 1]);
				low = str_hex_digit(word.p[i + 2]);
			}
			if (high < 0 || low < 0 || (high | low) == 0)
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		}
		put(w, (struct str){ &c, 1 });
	}
	return true;
}

/*
 * An indexed query, "word+word", becomes arguments (RFC 3875 4.4).  If one
 * word is wrong there are none.
 */
static uint32_t
put_arguments(struct writer *w, const struct exchange *x)
{
	struct str rest = x->req.query, word;
	size_t begin = w->b->n;

	if (rest.p == NULL || rest.n == 0 ||
	    memchr(rest.p, '=', rest.n) != NULL ||
	    (x->req.method != METHOD_GET && x->req.method != METHOD_HEAD))
		return 0;
	w->n = 0;
	while (str_cut(&rest, '+', &word)) {
		if (w->n == SPAWN_ARGS_MAX || !put_decoded(w, word)) {
			w->b->n = begin;
			return 0;
		}
		end(w);
	}
	return w->n;
}

/*
 * Fields that do not become HTTP_ variables: those with variables of their
 * own, those of the connection, credentials, and Proxy, which programs would
 * take for HTTP_PROXY.
 */
static bool
is_hidden(struct str name)
{
	static const struct str hidden[] = {
		STR("Content-Type"), STR("Content-Length"), STR("Proxy"),
		STR("Authorization"), STR("Proxy-Authorization"),
		STR("Connection"), STR("Keep-Alive"), STR("Proxy-Connection"),
		STR("TE"), STR("Trailer"), STR("Transfer-Encoding"),
		STR("Upgrade"), STR("Expect"),
	};

	/* "A_B" would look like "A-B" and take its place. */
	if (memchr(name.p, '_', name.n) != NULL)
		return true;
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		if (str_eq_nocase(name, hidden[i]))
			return true;
	}
	return false;
}

static void
put_field_name(struct writer *w, struct str name)
{
	put(w, S("HTTP_"));
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		else if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9'))
			c = '_';
		put(w, (struct str){ &c, 1 });
	}
}

static bool
was_before(const struct request *req, unsigned i)
{
	for (unsigned k = 0; k < i; k++) {
		if (str_eq_nocase(req->fields[k].name, req->fields[i].name))
			return true;
	}
	return false;
}

/* The value of the field and of those of its name that follow it. */
static void
put_values(struct writer *w, const struct request *req, unsigned i)
{
	struct str name = req->fields[i].name;
	/* A comma may stand in a cookie (RFC 9110 5.3, RFC 6265 5.4). */
	struct str between = str_eq_nocase(name, S("Cookie")) ? S("; ") :
	    S(", ");

	put(w, req->fields[i].value);
	while (++i < req->n_fields) {
		if (!str_eq_nocase(req->fields[i].name, name))
			continue;
		put(w, between);
		put(w, req->fields[i].value);
	}
}

/* One variable for each name; what is repeated is joined (4.1.18). */
static void
put_fields(struct writer *w, struct exchange *x)
{
	const struct request *req = &x->req;
	/* It names further fields that end here (RFC 9110 7.6.1). */
	struct str hops = exchange_list(x, FIELD_CONNECTION);

	for (unsigned i = 0; i < req->n_fields; i++) {
		struct str name = req->fields[i].name;

		if (is_hidden(name) || field_list_has(hops, name) ||
		    was_before(req, i) || w->n == SPAWN_ENV_MAX)
			continue;
		put_field_name(w, name);
		put(w, S("="));
		put_values(w, req, i);
		end(w);
	}
}

/* The authority's host, without the port; an IPv6 address keeps brackets. */
static struct str
host_of(struct str authority)
{
	const char *colon;

	if (authority.n == 0)
		return S("localhost");
	colon = memrchr(authority.p, ':', authority.n);
	if (colon != NULL && memchr(colon, ']',
	    (size_t)(authority.p + authority.n - colon)) == NULL)
		authority.n = (size_t)(colon - authority.p);
	return authority;
}

static struct str
protocol_name(enum version v)
{
	if (v == VERSION_0_9)
		return S("HTTP/0.9");
	return v == VERSION_1_0 ? S("HTTP/1.0") : S("HTTP/1.1");
}

static void
put_path(struct writer *w, struct str name, const char *root, struct str rest)
{
	put(w, name);
	put(w, S("="));
	put(w, str_of(root));
	put(w, rest);
	end(w);
}

static void
put_script(struct writer *w, const struct cgi_setup *setup,
    const struct exchange *x, const struct script *script)
{
	put_path(w, S("SCRIPT_NAME"), "/cgi-bin/", script->path);
	put(w, S("SCRIPT_FILENAME="));
	put(w, str_of(setup->root_path));
	put(w, S("/"));
	put(w, script->path);
	end(w);
	if (script->info.n > 0) {
		put_variable(w, S("PATH_INFO"), script->info);
		put_path(w, S("PATH_TRANSLATED"), setup->document_root,
		    script->info);
	}
	put(w, S("REQUEST_URI="));
	put(w, x->req.path);
	if (x->req.query.p != NULL) {
		put(w, S("?"));
		put(w, x->req.query);
	}
	end(w);
	put_variable(w, S("QUERY_STRING"), x->req.query.p != NULL ?
	    x->req.query : S(""));
}

static void
put_peer(struct writer *w, const struct exchange *x)
{
	char text[ADDR_TEXT];

	addr_host_text(x->peer, text);
	put_variable(w, S("REMOTE_ADDR"), str_of(text));
	put_variable(w, S("REMOTE_HOST"), str_of(text));
	put_number(w, S("REMOTE_PORT"), addr_port(x->peer));
}

static uint32_t
put_environment(struct writer *w, const struct cgi_setup *setup,
    struct exchange *x, const struct script *script, uint64_t length)
{
	w->n = 0;
	put_variable(w, S("GATEWAY_INTERFACE"), S("CGI/1.1"));
	put_variable(w, S("SERVER_SOFTWARE"), str_of(setup->software));
	put_variable(w, S("SERVER_NAME"), host_of(x->req.authority));
	put_number(w, S("SERVER_PORT"), setup->port);
	put_variable(w, S("SERVER_PROTOCOL"), protocol_name(x->req.version));
	put_variable(w, S("REQUEST_SCHEME"), S("http"));
	/*
	 * Without it php-cgi, which thinks of servers where everybody could
	 * call an interpreter by its name, runs no script.
	 */
	put_variable(w, S("REDIRECT_STATUS"), S("200"));
	put_variable(w, S("REQUEST_METHOD"), x->req.method_name);
	put_variable(w, S("DOCUMENT_ROOT"), str_of(setup->document_root));
	put_script(w, setup, x, script);
	put_peer(w, x);
	if (length != LENGTH_UNKNOWN)
		put_number(w, S("CONTENT_LENGTH"), length);
	if (request_has(&x->req, FIELD_CONTENT_TYPE))
		put_variable(w, S("CONTENT_TYPE"),
		    request_field(&x->req, FIELD_CONTENT_TYPE));
	for (const char *const *env = setup->env; *env != NULL; env++) {
		put(w, str_of(*env));
		end(w);
	}
	put_fields(w, x);
	return w->n;
}

int
cgi_write_message(struct buf *b, const struct cgi_setup *setup,
    struct exchange *x, const struct script *script, uint64_t content_length,
    uint32_t id)
{
	struct writer w = { .b = b };
	struct spawn_msg head = { .kind = SPAWN_RUN, .id = id };

	put(&w, (struct str){ (char *)&head, sizeof(head) });
	put(&w, script->path);
	end(&w);
	head.n_args = put_arguments(&w, x);
	head.n_env = put_environment(&w, setup, x, script, content_length);
	if (w.err < 0)
		return w.err;
	memcpy(b->p, &head, sizeof(head));
	return 0;
}
