/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Copies of a build service: a directory with the bytes of all files by digest (objects/, as a store has them), and an inventory for
 * each copy (snapshots/YYYYMMDDhhmmss). The service goes on meanwhile, and only what is new is read into the directory. Keys are in
 * none: neither that of credentials, nor the signer's. */

#include <glib.h>

#include "kitchen/backup/inventory.h"

/* Hears what is done: a line without newline. */
typedef void (*BackupSay)(gpointer user, const char *line);

/* The parts of a service. */
typedef struct {
    const char *database;      /* a file */
    const char *store;         /* a directory: objects/, logs/ */
    const char *publish;       /* a directory on the file system of STORE */
    const char *configuration; /* a file */
    BackupSay say;
    gpointer user;
} BackupPlan;

/* Adds the copy NAME (14 digits) to DIRECTORY, which is made if need be. What was acknowledged before the call is in it. RET_DIGEST
 * (owned by the caller) is that of its inventory: who keeps it elsewhere knows later that nothing was changed. */
gboolean backup_make(const BackupPlan *plan, const char *directory, const char *name, char **ret_digest,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The newest copy in DIRECTORY; owned by the caller. */
char *backup_newest(const char *directory, GError **error);

/* Reads the copy NAME in DIRECTORY: every object by its digest, the database by SQLite, and whether each object that the database
 * knows is there. EXPECTED (may be NULL) is the digest that the inventory has to have. */
gboolean backup_check(const BackupPlan *plan, const char *directory, const char *name, const char *expected,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same, and then brings it back to the places of PLAN. Refused where a database is. The database comes last, so that a service
 * finds all or nothing; what was interrupted is done again from the start. The configuration is put beside, as
 * STORE/kitchen.conf.restored. */
gboolean backup_restore(const BackupPlan *plan, const char *directory, const char *name, const char *expected,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;
