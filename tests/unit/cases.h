/* SPDX-License-Identifier: ISC */
#ifndef SWS_TESTS_UNIT_CASES_H
#define SWS_TESTS_UNIT_CASES_H

/* What each table-driven test needs; cmocka.h wants its four in front. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(cases) (sizeof(cases) / sizeof((cases)[0]))

#endif
