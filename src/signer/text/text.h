/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Words of requests and policies: what they may look like. Pure functions over text; NULL is never one. */

#include <glib.h>

/* Namespaces, projects, targets, channels: 1 to 64 of a-z 0-9 _ - , a letter or digit first. No dots: they
 * stand between such names in what is published. */
gboolean signer_is_name(const char *text);

/* Requests and jobs: 1 to LONGEST of A-Z a-z 0-9 . _ : - */
gboolean signer_is_id(const char *text, gsize longest);

/* The version of an image: a time that exists, as 14 digits in UTC. RET_TIME (may be NULL) receives it. */
gboolean signer_is_version(const char *text, gint64 *ret_time);

/* A file that is published: 1 to 255 of A-Z a-z 0-9 . _ + @ = ~ - , none of ". - ~" first. */
gboolean signer_is_file_name(const char *text);

/* What a thing is called: 1 to 255 printable ASCII characters, a path without "..". */
gboolean signer_is_title(const char *text);

/* SHA-256 in lower-case hexadecimal. */
gboolean signer_is_digest(const char *text);

/* Whether VERSION is more than a day ahead of NOW (seconds since 1970). */
gboolean signer_is_far_ahead(const char *version, gint64 now);
