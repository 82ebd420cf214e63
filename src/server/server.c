/* SPDX-License-Identifier: ISC */
/*
 * The start.  Everything that can fail is done before the process detaches,
 * so that it fails in front of whoever started it.
 */
#include "server/server.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "http/mime.h"
#include "server/announce.h"
#include "server/listener.h"
#include "server/privileges.h"
#include "server/sandbox.h"
#include "server/supervisor.h"
#include "server/worker.h"
#include "site/sniff.h"

#define MIME_TYPES "/etc/mime.types"
#define MIME_TYPES_MAX ((size_t)4 << 20)

struct server {
	const struct config *config;
	struct listeners listeners;
	struct site site;
	struct mime_table *types;
	struct tree *tree;
	struct identity identity;
	unsigned layers;                /* of the workers' sandbox */
	struct sandbox_filter filter;   /* the same; made once for all */
	bool has_filter;
	char *log_path;                 /* absolute; NULL when no file */
	char *root, *cgi_root;          /* the same, of the configuration's */
	int log_fd;
};

/* A daemon keeps nothing of the shell that started it. */
static void
close_inherited(const struct config *config)
{
	if (config->mode == MODE_DAEMON)
		close_range(3, ~0u, 0);
}

/*
 * What is opened later must not become a standard descriptor: detach(), log
 * lines and programs would write over it.
 */
static bool
fill_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
	return fd != -1;
}

/* As many connections as the system lets us have. */
static void
raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int
open_tree(struct server *s)
{
	char why[TREE_WHY];
	int err;

	err = tree_open(s->config, &s->identity, 0, &s->tree, why);
	if (err < 0)
		log_error("%s", why);
	return err;
}

/* Absolute, since it may be reopened from another directory. */
static char *
absolute(const char *path)
{
	char dir[PATH_MAX], *out;

	if (*path == '/')
		return strdup(path);
	if (getcwd(dir, sizeof(dir)) == NULL ||
	    asprintf(&out, "%s/%s", dir, path) == -1)
		return NULL;
	return out;
}

/* The configuration for later, when the working directory is another. */
static int
name_roots(struct server *s, struct config *out_config)
{
	*out_config = *s->config;
	out_config->root = s->root = absolute(s->config->root);
	if (s->root == NULL)
		return -errno;
	if (s->config->cgi_root == NULL)
		return 0;
	out_config->cgi_root = s->cgi_root = absolute(s->config->cgi_root);
	return s->cgi_root == NULL ? -errno : 0;
}

static int
open_log(struct server *s)
{
	const struct config *config = s->config;
	int err;

	s->log_fd = -1;
	if (config->log_file != NULL && strcmp(config->log_file, "-") == 0) {
		s->log_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
		return s->log_fd == -1 ? -errno : 0;
	}
	if (config->log_file == NULL)
		return 0;
	s->log_path = absolute(config->log_file);
	if (s->log_path == NULL) {
		err = -errno;
		log_error("-l %s: %s; give an absolute name",
		    config->log_file, strerror(-err));
		return err;
	}
	s->log_fd = open(s->log_path, O_WRONLY | O_APPEND | O_CREAT |
	    O_CLOEXEC, 0644);
	if (s->log_fd == -1) {
		err = -errno;
		log_error("-l %s: %s; the log must be a file that can be "
		    "written", config->log_file, strerror(-err));
		return err;
	}
	return 0;
}

/* A system without the file has the built-in types. */
static void
read_mime_types(struct mime_table *types)
{
	struct buf text;
	struct stat st;
	ssize_t n;
	int fd;

	fd = open(MIME_TYPES, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return;
	buf_init(&text, MIME_TYPES_MAX);
	if (fstat(fd, &st) == 0 && st.st_size > 0 &&
	    buf_reserve(&text, (size_t)st.st_size) == 0) {
		n = read(fd, text.p, (size_t)st.st_size);
		if (n > 0)
			mime_add(types, (struct str){ text.p, (size_t)n });
	}
	buf_fini(&text);
	close(fd);
}

static int
load_types(struct server *s)
{
	s->types = mime_new();
	if (s->types == NULL) {
		log_error("no memory for the media types");
		return -ENOMEM;
	}
	read_mime_types(s->types);
	s->site.types = s->types;
	s->site.sniffer = sniffer_new();
	if (s->site.sniffer == NULL)
		log_info("no magic(5) database: files without a known "
		    "extension are application/octet-stream");
	return 0;
}

static int
write_port_file(const struct server *s)
{
	const char *path = s->config->port_file;
	FILE *f;

	if (path == NULL)
		return 0;
	f = fopen(path, "we");
	if (f == NULL || fprintf(f, "%u\n",
	    listeners_port(&s->listeners)) < 0 || fclose(f) != 0) {
		log_error("--port-file=%s: %s", path, strerror(errno));
		return -EIO;
	}
	return 0;
}

static int
try_sandbox(struct server *s)
{
	struct sandbox sandbox = {
		.role = worker_sandbox(s->config),
		.mode = s->config->sandbox,
		.read_roots = &s->tree->root,
		.n_roots = 1,
		.filter = &s->filter,
	};
	char lacks[SANDBOX_LAYERS_TEXT];
	int err;

	/* Where that fails, it does in the child, and is a missing layer. */
	if (sandbox.mode == SANDBOX_OFF ||
	    sandbox_compile(sandbox.role, &s->filter) < 0)
		sandbox.filter = NULL;
	s->has_filter = sandbox.filter != NULL;
	err = sandbox_probe(&sandbox, &s->layers);
	if (err < 0)
		log_error("sandbox: %s cannot be had here (%s); "
		    "--sandbox=on goes without",
		    sandbox_layers_text(sandbox_layers(sandbox.role) &
		    ~s->layers, lacks, sizeof(lacks)), strerror(-err));
	return err;
}

/* Which walls stand around the workers. */
static void
tell_sandbox(const struct server *s)
{
	unsigned lacks = sandbox_layers(SANDBOX_WORKER) & ~s->layers;
	char text[SANDBOX_LAYERS_TEXT], rest[SANDBOX_LAYERS_TEXT];

	sandbox_layers_text(s->layers, text, sizeof(text));
	sandbox_layers_text(lacks, rest, sizeof(rest));
	if (s->config->sandbox == SANDBOX_OFF)
		log_info("sandbox: off");
	else
		log_info("sandbox: %s%s%s", text, lacks ? "; not here: " : "",
		    lacks ? rest : "");
}

static int
prepare(struct server *s)
{
	const struct config *config = s->config;
	int err;

	s->site.index = str_of(config->index);
	s->site.lists = config->listings;
	s->site.shows_hidden = config->hidden;
	s->site.freshness = &config->freshness;
	s->site.compress_max = config->compress_max;
	err = identity_find(config->user, &s->identity);
	if (err == 0) {
		privileges_bound(&s->identity);
		err = open_tree(s);
	}
	if (err == 0)
		err = open_log(s);
	if (err == 0)
		err = listeners_open(&s->listeners, config);
	if (err == 0) {
		s->tree->programs.cgi.port = listeners_port(&s->listeners);
		err = load_types(s);
	}
	if (err == 0)
		err = try_sandbox(s);
	if (err == 0)
		err = write_port_file(s);
	return err;
}

static void
release(struct server *s)
{
	listeners_close(&s->listeners);
	tree_free(s->tree);
	mime_free(s->types);
	sniffer_free(s->site.sniffer);
	free(s->log_path);
	free(s->root);
	free(s->cgi_root);
}

/* The process that was started: it ends when the daemon says it is ready. */
static void
wait_for_daemon(int ready)
{
	char byte;

	_exit(read(ready, &byte, 1) == 1 ? 0 : 1);
}

/*
 * Leaves the terminal: a session of its own, the root directory, nothing on
 * the standard descriptors.  Returns where to say that it is ready, or a
 * negative errno.
 */
static int
detach(void)
{
	int ends[2], null;

	if (pipe2(ends, O_CLOEXEC) == -1)
		return -errno;
	switch (fork()) {
	case -1:
		return -errno;
	case 0:
		break;
	default:
		close(ends[1]);
		wait_for_daemon(ends[0]);
	}
	close(ends[0]);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (setsid() == -1 || chdir("/") == -1 || null == -1)
		return -errno;
	log_use_syslog();
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	close(null);
	return ends[1];
}

static int
serve(struct server *s)
{
	const struct config *config = s->config;
	struct config absolute;
	struct supervisor_setup setup;
	int ready = -1;
	int err = name_roots(s, &absolute);

	if (err < 0) {
		log_error("%s: %s; give an absolute name", config->root,
		    strerror(-err));
		return 1;
	}
	announce(config, &s->listeners);
	if (config->mode == MODE_DAEMON && (ready = detach()) < 0) {
		log_error("cannot detach: %s; try -f", strerror(-ready));
		return 1;
	}
	tell_sandbox(s);
	setup = (struct supervisor_setup){
		.config = &absolute,
		.listeners = &s->listeners,
		.site = &s->site,
		.tree = s->tree,
		.identity = &s->identity,
		.filter = s->has_filter ? &s->filter : NULL,
		.log_path = s->log_path,
		.log_fd = s->log_fd,
		.ready = ready,
	};
	s->tree = NULL;
	return supervisor_run(&setup);
}

int
server_run(const struct config *config)
{
	struct server s = {
		.config = config,
		.log_fd = -1,
	};
	int status = 1;

	signal(SIGPIPE, SIG_IGN);
	close_inherited(config);
	raise_descriptors();
	if (fill_standard() && prepare(&s) == 0)
		status = serve(&s);
	release(&s);
	return status;
}
