/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which files of a package cache have been checked against which digest. A record in the cache remembers,
 * with each file, what the kernel says of it (inode, size, times of change); as long as that is the same the
 * content is, and it is not read again. The time of the last change of an inode cannot be set by programs.
 * Only the user who builds can write to the cache: programs that run in the sandbox see it read-only, and a
 * cache that somebody else can write to is refused by verified_check_owner(). */

#include <glib.h>

typedef struct Verified Verified;

/* Reads the record NAME of DIRECTORY; an empty one when there is none, or none that can be read. */
Verified *verified_read(const char *directory, const char *name);
void verified_free(Verified *verified);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Verified, verified_free)

/* Writes the record as it is now. Files that are gone are left out. */
gboolean verified_write(Verified *verified, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The SHA-256 in hex of the regular file FILE (a path below the directory of the record), read only when the
 * record does not know the file as it is; the record knows it afterwards. Owned by the caller. NULL with
 * ERROR set when it cannot be read or is no regular file of ours. */
char *verified_digest(Verified *verified, const char *file, GError **error);

/* The digest that the record has of FILE, changed or not; NULL when it does not know it. Borrowed. */
const char *verified_recorded(const Verified *verified, const char *file);

/* The files that the record knows, sorted; owned by the caller, the strings are borrowed. */
GPtrArray *verified_files(const Verified *verified);

/* FALSE with ERROR set when somebody else than this user could change what is in DIRECTORY. */
gboolean verified_check_owner(const char *directory, GError **error) G_GNUC_WARN_UNUSED_RESULT;
