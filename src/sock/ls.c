/* SPDX-License-Identifier: ISC */
/*
 * sock ls: the sockets there are, whose they are and what they are doing.
 * With --watch it goes on and says what comes, goes and changes its state.
 */
#include <errno.h>
#include <fnmatch.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "sock/diag.h"
#include "sock/owners.h"
#include "sock/stop.h"
#include "sock/verbs.h"

#define PATTERN_MAX 512
#define OWNERS_SHOWN 3
#define WATCH_MS 20             /* states shorter than this may be missed */

struct ls {
	struct job job;
	bool shows_info, only_listeners, watches, shows_numbers;
};

#define OPTION(name, letter, field, about) \
	{ name, letter, NULL, OPTION_FLAG, offsetof(struct ls, field), about }

static const struct option_row options[] = {
	OPTION("info", 'i', shows_info, "show what TCP knows of connections"),
	OPTION("listening", 'l', only_listeners, "only those that listen"),
	OPTION("no-owners", 'n', shows_numbers,
	    "do not look for the processes"),
	OPTION("watch", 'w', watches, "go on, and say what changes"),
	{ .name = NULL },
};

#undef OPTION

/* What is looked at: one reading of the kernel's lists. */
struct view {
	const struct ls *asked;
	struct diag_list list;
	struct owners owners;
	const struct diag_socket **by_inode;    /* UNIX sockets, sorted */
	size_t n_by_inode;
	bool is_missing[DIAG_KINDS];    /* the kernel has no list of it */
};

/* -------------------------------------------------------------- patterns */

static bool
is_of_process(const char *pattern)
{
	return strncmp(pattern, "pid:", 4) == 0;
}

/* "tcp::80" and "tcp:[::1]:*" as patterns of fnmatch(3). */
static void
to_fnmatch(const char *pattern, char out[PATTERN_MAX])
{
	const char *colon = strchr(pattern, ':');
	size_t n = 0;

	for (const char *p = pattern; *p != '\0' && n + 3 < PATTERN_MAX; p++) {
		if (*p == '[' || *p == ']')
			out[n++] = '\\';
		out[n++] = *p;
		/* No host is any host. */
		if (p == colon && p[1] == ':')
			out[n++] = '*';
	}
	out[n] = '\0';
}

static bool
is_kind(const char *pattern, const struct diag_socket *s)
{
	const char *kind = diag_kind_name(s->kind);
	size_t n = strlen(kind);

	if (strncmp(pattern, kind, n) != 0)
		return false;
	if (pattern[n] == '4' || pattern[n] == '6') {
		if ((pattern[n] == '4') != (s->family == AF_INET))
			return false;
		n++;
	}
	return pattern[n] == '\0';
}

static bool
matches(const char *pattern, const struct diag_socket *s, const char *local,
    const char *peer)
{
	char glob[PATTERN_MAX];

	if (is_kind(pattern, s))
		return true;
	to_fnmatch(pattern, glob);
	return fnmatch(glob, local, 0) == 0 ||
	    (peer[0] != '\0' && fnmatch(glob, peer, 0) == 0);
}

/* "pid:1234" and "pid:1234/5"; the number of the descriptor may be *. */
static bool
matches_owner(const char *pattern, const struct owners *owners,
    const struct diag_socket *s)
{
	bool has_fd = strchr(pattern, '/') != NULL;
	const struct owner *first;
	char text[64];
	size_t n = 0;

	if (!is_of_process(pattern))
		return false;
	first = owners_find(owners, s->inode, &n);
	for (size_t i = 0; first != NULL && i < n; i++) {
		snprintf(text, sizeof(text), "pid:%d/%d", first[i].pid,
		    first[i].fd);
		if (!has_fd)
			*strchr(text, '/') = '\0';
		if (fnmatch(pattern, text, 0) == 0)
			return true;
	}
	return false;
}

static bool
is_wanted(const struct view *v, const struct diag_socket *s,
    const char *local, const char *peer)
{
	const struct ls *asked = v->asked;
	const char *state = diag_state_name(s);
	const struct job *job = &asked->job;

	if (asked->only_listeners &&
	    (state == NULL || strcmp(state, "LISTEN") != 0) &&
	    !(s->kind == DIAG_UDP && s->peer.len == 0))
		return false;
	if ((job->only_v4 && !job->only_v6 && s->family != AF_INET) ||
	    (job->only_v6 && !job->only_v4 && s->family != AF_INET6))
		return false;
	for (unsigned i = 0; i < job->n_operands; i++)
		if (matches(job->operands[i], s, local, peer) ||
		    matches_owner(job->operands[i], &v->owners, s))
			return true;
	return job->n_operands == 0;
}

/* ------------------------------------------------------------------ text */

static int
compare_inodes(const void *a, const void *b)
{
	const struct diag_socket *const *x = a, *const *y = b;

	return ((*x)->inode > (*y)->inode) - ((*x)->inode < (*y)->inode);
}

static int
compare_key(const void *key, const void *element)
{
	const struct diag_socket *const *s = element;
	uint32_t inode = *(const uint32_t *)key;

	return (inode > (*s)->inode) - (inode < (*s)->inode);
}

/* The peer of a UNIX socket is known by its inode; perhaps it has a name. */
static void
unix_peer_text(const struct view *v, uint32_t inode, char text[ENDPOINT_TEXT])
{
	const struct diag_socket *const *peer = NULL;

	if (v->n_by_inode > 0)
		peer = bsearch(&inode, v->by_inode, v->n_by_inode,
		    sizeof(*peer), compare_key);
	if (peer != NULL && (*peer)->local.len > sizeof(sa_family_t))
		diag_local_text(*peer, text);
	else
		snprintf(text, ENDPOINT_TEXT, "inode %u", inode);
}

static void
peer_text(const struct view *v, const struct diag_socket *s,
    char text[ENDPOINT_TEXT])
{
	text[0] = '\0';
	if (s->peer.len > 0)
		endpoint_text(&s->peer, text);
	else if (s->peer_inode != 0)
		unix_peer_text(v, s->peer_inode, text);
}

static void
owners_text(const struct owner *first, size_t n, char *text, size_t size)
{
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < n && i < OWNERS_SHOWN && at < size; i++)
		at += (size_t)snprintf(text + at, size - at, "%s%s[%d]/%d",
		    i > 0 ? " " : "", first[i].comm, first[i].pid,
		    first[i].fd);
	if (n > OWNERS_SHOWN && at < size)
		snprintf(text + at, size - at, " and %zu more",
		    n - OWNERS_SHOWN);
}

static void
timer_text(const struct diag_socket *s, char text[64])
{
	static const char *const names[] = {
		[DIAG_TIMER_RETRANSMIT] = "retransmit",
		[DIAG_TIMER_KEEPALIVE] = "keepalive",
		[DIAG_TIMER_TIME_WAIT] = "ends",
		[DIAG_TIMER_PROBE] = "probe",
	};

	text[0] = '\0';
	if (s->timer == DIAG_TIMER_NONE ||
	    s->timer >= sizeof(names) / sizeof(names[0]))
		return;
	snprintf(text, 64, "  %s in %.1f s", names[s->timer],
	    s->timer_ms / 1e3);
}

/* --------------------------------------------------------------- telling */

static void
record_owners(struct record *r, const struct owner *first, size_t n)
{
	record_list_begin(r, "owners");
	for (size_t i = 0; i < n; i++) {
		char text[64];

		snprintf(text, sizeof(text), "%s[%d]/%d", first[i].comm,
		    first[i].pid, first[i].fd);
		record_text(r, NULL, text);
	}
	record_list_end(r);
}

static void
record_tcp(struct record *r, const struct diag_tcp *t)
{
	record_text(r, "congestion", t->congestion);
	record_real(r, "rtt_ms", t->rtt_us / 1e3);
	record_real(r, "rttvar_ms", t->rttvar_us / 1e3);
	record_real(r, "rto_ms", t->rto_us / 1e3);
	record_number(r, "mss", t->mss);
	record_number(r, "path_mtu", t->path_mtu);
	record_number(r, "cwnd", t->cwnd);
	record_number(r, "unacked", t->unacked);
	record_number(r, "lost", t->lost);
	record_number(r, "retransmitted", t->retransmitted);
	record_number(r, "bytes_acked", (int64_t)t->bytes_acked);
	record_number(r, "bytes_received", (int64_t)t->bytes_received);
}

static void
say_tcp(const struct diag_tcp *t)
{
	char acked[SAY_UNIT_TEXT], received[SAY_UNIT_TEXT];
	struct record r;

	record_begin(&r, "tcp");
	record_say(&r, SAY_ANSWER,
	    "        %s rtt %.3f ms (+-%.3f) rto %.0f ms mss %u cwnd %u "
	    "unacked %u lost %u retransmitted %u acked %s received %s",
	    t->congestion, t->rtt_us / 1e3, t->rttvar_us / 1e3,
	    t->rto_us / 1e3, t->mss, t->cwnd, t->unacked, t->lost,
	    t->retransmitted, say_bytes(t->bytes_acked, acked),
	    say_bytes(t->bytes_received, received));
}

static void
record_socket(struct record *r, const struct diag_socket *s, const char *local,
    const char *peer, const char *state)
{
	record_text(r, "kind", diag_kind_name(s->kind));
	record_text(r, "state", state);
	record_text(r, "local", local);
	record_text(r, "peer", peer[0] != '\0' ? peer : NULL);
	record_number(r, "receive_queue", s->receive_queue);
	record_number(r, "send_queue", s->send_queue);
	record_number(r, "uid", s->uid);
	record_number(r, "inode", s->inode);
	if (s->timer != DIAG_TIMER_NONE)
		record_number(r, "timer_ms", s->timer_ms);
}

static void
say_socket(const struct view *v, const char *event,
    const struct diag_socket *s, const char *local, const char *peer)
{
	const char *state = diag_state_name(s);
	const struct owner *first;
	char owners[256], timer[64];
	struct record r;
	size_t n;

	first = owners_find(&v->owners, s->inode, &n);
	n = first != NULL ? n : 0;
	owners_text(first, n, owners, sizeof(owners));
	timer_text(s, timer);
	record_begin(&r, event);
	record_socket(&r, s, local, peer, state);
	record_owners(&r, first, n);
	if (v->asked->shows_info && s->tcp != NULL)
		record_tcp(&r, s->tcp);
	record_say(&r, SAY_ANSWER, "%-11s %6u %6u  %-28s %-28s uid %-5u %s%s",
	    state != NULL ? state : "-", s->receive_queue, s->send_queue, local,
	    peer[0] != '\0' ? peer : "-", s->uid, owners, timer);
	if (v->asked->shows_info && s->tcp != NULL &&
	    !v->asked->job.style.is_json)
		say_tcp(s->tcp);
}

/* --------------------------------------------------------------- reading */

static bool
is_named(const char *pattern, enum diag_kind kind)
{
	const char *name = diag_kind_name(kind);

	return strncmp(pattern, name, strlen(name)) == 0;
}

/* A pattern begins with its kind, or with what may be of any. */
static bool
may_mean(const char *pattern, enum diag_kind kind)
{
	return is_named(pattern, kind) || is_of_process(pattern) ||
	    strpbrk(pattern, "*?") == pattern;
}

/* One that can match nothing is a mistake, not an empty answer. */
static enum outcome
check_patterns(const struct ls *asked)
{
	const struct job *job = &asked->job;
	bool is_one;

	for (unsigned i = 0; i < job->n_operands; i++) {
		if (asked->shows_numbers && is_of_process(job->operands[i]))
			return say_error(OUTCOME_USAGE, job->operands[i],
			    "usage", 0, "without owners no process is known");
		is_one = false;
		for (enum diag_kind k = 0; k < DIAG_KINDS; k++)
			is_one = is_one || may_mean(job->operands[i], k);
		if (!is_one)
			return say_error(OUTCOME_USAGE, job->operands[i],
			    "no such pattern", 0, "it begins with a kind, "
			    "like 'tcp:*:80' or unix, or with *");
	}
	return OUTCOME_DONE;
}

/* Which kinds can the patterns mean?  Reading all costs more. */
static bool
may_want(const struct job *job, enum diag_kind kind)
{
	bool is_inet = kind != DIAG_UNIX && kind != DIAG_PACKET &&
	    kind != DIAG_NETLINK;

	if ((job->only_v4 || job->only_v6) && !is_inet)
		return false;
	for (unsigned i = 0; i < job->n_operands; i++)
		if (may_mean(job->operands[i], kind))
			return true;
	return job->n_operands == 0;
}

static int
index_unix(struct view *v)
{
	size_t n = 0;

	v->by_inode = calloc(v->list.n + 1, sizeof(*v->by_inode));
	if (v->by_inode == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < v->list.n; i++)
		if (v->list.sockets[i].kind == DIAG_UNIX)
			v->by_inode[n++] = &v->list.sockets[i];
	qsort(v->by_inode, n, sizeof(*v->by_inode), compare_inodes);
	v->n_by_inode = n;
	return 0;
}

static void
view_close(struct view *v)
{
	free(v->by_inode);
	owners_free(&v->owners);
	diag_free(&v->list);
}

static enum outcome
view_open(struct view *v, const struct ls *asked)
{
	int err = 0;

	*v = (struct view){ .asked = asked };
	for (enum diag_kind k = 0; k < DIAG_KINDS && err == 0; k++) {
		if (may_want(&asked->job, k))
			err = diag_read(&v->list, k, asked->shows_info);
		/* The others can still be shown. */
		if (err == -ENOENT) {
			v->is_missing[k] = true;
			err = 0;
		}
	}
	if (err == 0)
		err = index_unix(v);
	if (err == 0 && !asked->shows_numbers)
		err = owners_read(&v->owners);
	if (err == 0)
		return OUTCOME_DONE;
	view_close(v);
	return say_error(OUTCOME_UNAVAILABLE, NULL, "list sockets", err, NULL);
}

/* Once; a kind that was asked for by its name is missed. */
static enum outcome
say_missing(const struct view *v)
{
	const struct job *job = &v->asked->job;
	struct record r;

	for (enum diag_kind k = 0; k < DIAG_KINDS; k++) {
		if (!v->is_missing[k])
			continue;
		for (unsigned i = 0; i < job->n_operands; i++)
			if (is_named(job->operands[i], k))
				return say_error(OUTCOME_UNAVAILABLE,
				    job->operands[i], "list sockets", ENOENT,
				    "this kernel has no list of them");
		record_begin(&r, "missing");
		record_text(&r, "kind", diag_kind_name(k));
		record_say(&r, SAY_STATUS, "%s: this kernel has no list of "
		    "such sockets", diag_kind_name(k));
	}
	return OUTCOME_DONE;
}

/* ----------------------------------------------------------------- verbs */

static bool
has_enough(const struct job *job, uint64_t shown)
{
	return job->count > 0 && shown >= job->count;
}

static uint64_t
show_all(const struct view *v)
{
	char local[ENDPOINT_TEXT], peer[ENDPOINT_TEXT];
	uint64_t shown = 0;

	for (size_t i = 0; i < v->list.n; i++) {
		const struct diag_socket *s = &v->list.sockets[i];

		diag_local_text(s, local);
		peer_text(v, s, peer);
		if (!is_wanted(v, s, local, peer))
			continue;
		say_socket(v, "socket", s, local, peer);
		if (has_enough(&v->asked->job, ++shown))
			break;
	}
	return shown;
}

static const struct diag_socket *
find_same(const struct view *v, const struct diag_socket *s)
{
	for (size_t i = 0; i < v->list.n; i++) {
		const struct diag_socket *other = &v->list.sockets[i];

		if (other->kind == s->kind && other->cookie == s->cookie)
			return other;
	}
	return NULL;
}

/* Those in `v` that are not the same, or not there, in `old`. */
static uint64_t
show_changes(const struct view *v, const struct view *old, const char *event,
    bool only_missing)
{
	char local[ENDPOINT_TEXT], peer[ENDPOINT_TEXT];
	const struct diag_socket *s, *same;
	uint64_t shown = 0;

	for (size_t i = 0; i < v->list.n; i++) {
		s = &v->list.sockets[i];
		diag_local_text(s, local);
		peer_text(v, s, peer);
		if (!is_wanted(v, s, local, peer))
			continue;
		same = find_same(old, s);
		if (same != NULL && (only_missing || same->state == s->state))
			continue;
		say_socket(v, event, s, local, peer);
		shown++;
	}
	return shown;
}

/* False when it is time to stop. */
static bool
await_next(int stop_fd, int64_t until_ms)
{
	struct pollfd p = { .fd = stop_fd, .events = POLLIN };

	return poll(&p, 1, WATCH_MS) == 0 && clock_mono_ms() < until_ms;
}

static enum outcome
watch(const struct ls *asked, struct view *v)
{
	int64_t until_ms = asked->job.for_ms > 0 ?
	    clock_mono_ms() + asked->job.for_ms : INT64_MAX;
	enum outcome o = OUTCOME_DONE;
	int stop_fd = stop_open();
	struct view next;
	uint64_t shown = 0;

	if (stop_fd < 0)
		return say_error(OUTCOME_LOCAL, NULL, "signalfd", stop_fd,
		    NULL);
	while (!has_enough(&asked->job, shown) &&
	    await_next(stop_fd, until_ms)) {
		o = view_open(&next, asked);
		if (o != OUTCOME_DONE)
			break;
		shown += show_changes(&next, v, "state", false);
		shown += show_changes(v, &next, "gone", true);
		view_close(v);
		*v = next;
	}
	stop_close(stop_fd);
	return o;
}

static enum outcome
ls_run(struct job *job)
{
	const struct ls *asked = (const struct ls *)job;
	struct view v;
	enum outcome o;

	o = check_patterns(asked);
	if (o == OUTCOME_DONE)
		o = view_open(&v, asked);
	if (o != OUTCOME_DONE)
		return o;
	o = say_missing(&v);
	if (o != OUTCOME_DONE) {
		view_close(&v);
		return o;
	}
	say_hold();
	if (show_all(&v) == 0 && job->n_operands > 0)
		o = OUTCOME_PARTIAL;
	say_flush();
	if (asked->watches)
		o = watch(asked, &v);
	view_close(&v);
	return o;
}

const struct verb verb_ls = {
	.name = "ls",
	.operands = "[PATTERN...]",
	.least = 0,
	.most = 64,
	.about = "list sockets, their state and who has them",
	.details =
	    "A PATTERN is a kind (tcp, mptcp, udp6, icmp, raw, unix, packet,\n"
	    "netlink), pid:PID or pid:PID/FD, or an address with * for any\n"
	    "part: 'tcp:*:80', 'unix:/run/*'; the local one or the peer's.\n"
	    "Columns: state, bytes not read, bytes not sent (for listeners:\n"
	    "clients that wait, and how many may), local address, peer, user,\n"
	    "processes.\n",
	.options = options,
	.size = sizeof(struct ls),
	.run = ls_run,
};
