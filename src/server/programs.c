/* SPDX-License-Identifier: ISC */
#include "server/programs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

static int
add_variable(struct programs *p, const char *name, const char *value)
{
	size_t n = 0;

	if (value == NULL)
		return 0;
	while (p->env[n] != NULL)
		n++;
	if (asprintf(&p->env[n], "%s=%s", name, value) == -1) {
		p->env[n] = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int
add_environment(struct programs *p, const struct config *config)
{
	const char *path = getenv("PATH");
	int err;

	err = add_variable(p, "PATH", path != NULL ? path : DEFAULT_PATH);
	if (err == 0)
		err = add_variable(p, "TZ", getenv("TZ"));
	if (err == 0)
		err = add_variable(p, "LANG", getenv("LANG"));
	for (unsigned i = 0; i < config->n_cgi_env && err == 0; i++)
		err = add_variable(p, config->cgi_env[i],
		    getenv(config->cgi_env[i]));
	return err;
}

static int
open_root(struct programs *p, const struct config *config)
{
	p->cgi.root = open(config->cgi_root,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->cgi.root == -1)
		return -errno;
	p->root_path = realpath(config->cgi_root, NULL);
	p->document_root = realpath(config->root, NULL);
	if (p->root_path == NULL || p->document_root == NULL)
		return -errno;
	return 0;
}

int
programs_open(struct programs *p, const struct config *config, unsigned port)
{
	int err;

	*p = (struct programs){ .cgi.root = -1 };
	if (config->cgi_root == NULL)
		return 0;
	err = open_root(p, config);
	if (err == 0)
		err = add_environment(p, config);
	if (err < 0)
		return err;
	p->cgi.symlinks = config->symlinks;
	p->cgi.root_path = p->root_path;
	p->cgi.document_root = p->document_root;
	p->cgi.env = (const char *const *)p->env;
	p->cgi.software = "sws/" SWS_VERSION;
	p->cgi.port = port;
	p->cgi.idle_ms = config->cgi_timeout_ms;
	p->cgi.max_programs = config->cgi_max;
	return 0;
}

void
programs_close(struct programs *p)
{
	if (p->cgi.root != -1)
		close(p->cgi.root);
	free(p->root_path);
	free(p->document_root);
	for (size_t i = 0; p->env[i] != NULL; i++)
		free(p->env[i]);
}
