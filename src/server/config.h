/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_CONFIG_H
#define SWS_SERVER_CONFIG_H

/* What the command line asks for.  Read-only once the server has started. */

#include <stdbool.h>
#include <stdint.h>

#include "server/sandbox.h"
#include "site/freshness.h"
#include "site/object.h"
#include "site/resolve.h"

#define CONFIG_ADDRESSES 16     /* -i may be given this often */
#define CONFIG_CGI_ENV 16       /* and --cgi-env so often */

enum config_mode {
	MODE_DAEMON,            /* detached, many connections */
	MODE_FOREGROUND,        /* -f */
	MODE_DEBUG,             /* -d: foreground, one connection at a time,
	                           log on standard output */
};

/* What one CGI program may use; 0 leaves a limit as the server has it. */
struct cgi_limits {
	unsigned cpu_s;                 /* RLIMIT_CPU */
	unsigned memory_mib;            /* RLIMIT_AS */
	unsigned processes;             /* RLIMIT_NPROC: of the whole user */
	unsigned files;                 /* RLIMIT_NOFILE */
	unsigned file_size_mib;         /* RLIMIT_FSIZE */
	unsigned nice;                  /* added to the server's own */
};

struct config {
	enum config_mode mode;
	const char *root;               /* the document root */
	const char *addresses[CONFIG_ADDRESSES];
	unsigned n_addresses;           /* 0: all of the host */
	unsigned port;                  /* 0: any free one */
	const char *port_file;          /* NULL: none */
	const char *log_file;           /* NULL: none; "-": standard output,
	                                   so in MODE_DEBUG; not a daemon's */
	bool log_reasons;               /* say there why requests were
	                                   refused */
	const char *engine;             /* NULL: the best that is there */
	unsigned workers;               /* processes that serve, 1 or more */
	const char *index;              /* "index.html" */
	bool listings;                  /* show directories without index */
	bool hidden;                    /* serve names that begin with a dot */
	enum symlinks symlinks;         /* follow these */
	struct freshness freshness;     /* Cache-Control */
	uint64_t compress_max;          /* bytes of a file; 0: nothing is
	                                   compressed here */
	const char *server_header;      /* "" drops the field */
	enum etag etag;
	uint64_t cache_bytes;           /* of a worker; 0: no cache */
	uint64_t cache_object_bytes;    /* the largest file in memory */
	unsigned header_ms;             /* for a whole request head */
	unsigned idle_ms;               /* between requests */
	unsigned grace_ms;              /* for what runs when told to stop */
	unsigned min_rate;              /* bytes a second that a peer must
	                                   take or give; 0: any */
	const char *user;               /* NULL: see identity_find */
	enum sandbox_mode sandbox;
	const char *user_dir;           /* in each home; "": no ~user */
	unsigned user_dir_min_uid;      /* users below have none */
	const char *cgi_root;           /* NULL: no CGI */
	const char *cgi_env[CONFIG_CGI_ENV];    /* names of variables that
	                                           programs get as well */
	unsigned n_cgi_env;
	unsigned cgi_timeout_ms;        /* without a byte to or from it */
	unsigned cgi_max;               /* programs at once */
	struct cgi_limits cgi_limits;
};

enum config_verdict {
	CONFIG_RUN,
	CONFIG_EXIT,            /* done: --help, --version, --engine=help */
	CONFIG_USAGE,           /* one line on standard error was written */
};

/*
 * Reads the arguments of main() into *out_config, whose strings point into
 * argv (which getopt_long(3) puts in order: options first).  Writes help to
 * standard output and complaints with log_error; *out_config is untouched
 * unless it returns CONFIG_RUN.
 */
enum config_verdict config_parse(int argc, char **argv,
    struct config *out_config);

#endif
