/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The fields of a repository's Release or InRelease file that say which repository it is and how long it is
 * good for (https://wiki.debian.org/DebianRepository/Format). */

#include <glib.h>

typedef struct {
    char *origin, *suite;     /* NULL: not there */
    char *valid_until_text;   /* as it stands in the file; NULL: the repository does not say */
    gint64 date, valid_until; /* seconds since 1970; -1: not there, or no date */
} ReleaseFile;

void release_file_clear(ReleaseFile *release);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ReleaseFile, release_file_clear)

/* Reads TEXT. Whether it is signed is for apt to say. */
void release_file_parse(const char *text, ReleaseFile *ret);

/* A date of RFC 5322 in UTC, as "Tue, 14 Nov 2023 22:13:20 UTC": seconds since 1970, or -1. */
gint64 release_file_parse_date(const char *text);
