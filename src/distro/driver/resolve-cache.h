/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the package manager answered when it was asked to resolve: the answer is a function of the
 * repositories' metadata, its configuration, its version and the question, so it is kept under a digest over
 * all of them. */

#include <glib.h>

/* Adds the content of every file below DIRECTORY whose name ends in SUFFIX (NULL: all), by name. */
void resolve_cache_digest_files(GChecksum *checksum, const char *directory, const char *suffix);

/* Adds size and time of the program PATH: another version has others. */
void resolve_cache_digest_program(GChecksum *checksum, const char *path);

/* The answer kept under KEY in CACHE, or NULL; owned by the caller. */
char *resolve_cache_get(const char *cache, const char *key);

/* Keeps ANSWER; a failure only means that it is asked for again. */
void resolve_cache_put(const char *cache, const char *key, const char *answer);
