/* SPDX-License-Identifier: ISC */
#ifndef SWS_TESTS_FOLDER_H
#define SWS_TESTS_FOLDER_H

/*
 * A directory for one test.  What cannot be done fails the test.  Paths are
 * relative to it.
 */

#include <time.h>

#include "base/str.h"

/* When its files were last modified: Thu, 02 Jan 2020 03:04:05 GMT. */
#define FOLDER_TIME ((time_t)1577934245)
#define FOLDER_DATE "Thu, 02 Jan 2020 03:04:05 GMT"

struct folder {
	char path[64];
	int fd;
};

void folder_open(struct folder *f);

/* Removes it with all that is in it. */
void folder_close(struct folder *f);

void folder_dir(const struct folder *f, const char *path);

/* Writes the file anew. */
void folder_file(const struct folder *f, const char *path, struct str content);

/* A file of n bytes, of which byte i is `folder_byte(i)`. */
void folder_large(const struct folder *f, const char *path, size_t n);
char folder_byte(size_t i);

void folder_link(const struct folder *f, const char *path, const char *target);

/* Gives the file FOLDER_TIME, so that it is old enough to be relied on. */
void folder_age(const struct folder *f, const char *path);

/* How many descriptors this process has: what is not closed shows. */
unsigned folder_descriptors(void);

#endif
