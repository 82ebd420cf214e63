/* SPDX-License-Identifier: ISC */
#include "capture.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit/cases.h"

void
capture_begin(struct capture *c)
{
	fflush(stderr);
	c->saved = dup(STDERR_FILENO);
	c->file = memfd_create("captured", MFD_CLOEXEC);
	assert_true(c->saved >= 0 && c->file >= 0);
	assert_int_equal(dup2(c->file, STDERR_FILENO), STDERR_FILENO);
}

void
capture_end(struct capture *c)
{
	ssize_t n;

	fflush(stderr);
	assert_int_equal(dup2(c->saved, STDERR_FILENO), STDERR_FILENO);
	n = pread(c->file, c->text, sizeof(c->text) - 1, 0);
	assert_true(n >= 0);
	c->text[n] = '\0';
	close(c->saved);
	close(c->file);
}
