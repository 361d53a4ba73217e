/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Less than, equal to or greater than 0, as A is older than, the same as or newer than B, by the UAPI
 * group's version format specification. */
int version_compare(const char *a, const char *b);
