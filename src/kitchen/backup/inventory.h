/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a backup has, as text: "particleos-kitchen backup 1", then a line for each thing, "end" with the SHA-256 digest of all before
 * it. Whoever reads one trusts nobody: paths stay where they belong, links stay in what is published.
 *
 *     file MODE DIGEST SIZE PATH
 *     link PATH TARGET
 *     end DIGEST
 *
 * PATH is "database", "configuration", or begins with "store/" or "publish/". Only files in "publish/" are read by others. */

#include <glib.h>

#define BACKUP_ERROR backup_error_quark()
GQuark backup_error_quark(void);

typedef struct {
    char *path;
    char *target; /* of a link; NULL: a file */
    guint mode;   /* 0400, 0444, 0600 or 0644 */
    char *digest;
    gint64 size;
} BackupEntry;

BackupEntry *backup_file_new(const char *path, guint mode, const char *digest, gint64 size);
BackupEntry *backup_link_new(const char *path, const char *target);
void backup_entry_free(BackupEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BackupEntry, backup_entry_free)

/* Whether ENTRY may stand in an inventory. */
gboolean backup_entry_check(const BackupEntry *entry, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The text for ENTRIES (of BackupEntry), owned by the caller. */
char *backup_inventory_write(GPtrArray *entries);

/* The entries of SIZE bytes at TEXT: an array of BackupEntry. Errors name the line. Refused, besides what is malformed: two entries
 * of one path, and a path below that of a file or a link. */
GPtrArray *backup_inventory_parse(const char *text, gsize size, GError **error);
