/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Checksums of files as sha256sum(1) writes and checks them. */

#include <glib.h>

/* The text for NAMES (an array of file names without directory) in DIRECTORY: a line for each, in that order, with
 * "DIGEST *NAME". The files are read at the same time. Owned by the caller. */
char *sha256sums_text(const char *directory, GPtrArray *names, GError **error);

/* The digest of NAME in such a text, in hexadecimal; owned by the caller; NULL if there is none. */
char *sha256sums_find(const char *text, const char *name);
