/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An update of a system: what is installed, what a source offers, and how one becomes the other. Reports what it does as
 * events. */

#include <glib.h>

#include "update/device/machine.h"
#include "update/device/target.h"
#include "update/source/source.h"

typedef struct {
    const char *root;            /* NULL: the system that runs */
    const char *image;           /* the disk; NULL: the one that /usr is on */
    const char *boot;            /* where the boot partition is mounted; NULL: found */
    const char *definitions;     /* a directory of transfer files instead of the usual ones */
    const char *transfer_source; /* for PathRelativeTo=explicit */
    const char *ca_file;
    guint timeout;       /* seconds */
    gboolean no_verify;  /* whatever Verify= says */
    gboolean ignore_age; /* BEST-BEFORE- does not count */
    gboolean offline;    /* sources are not asked */
    gboolean no_deltas;  /* blocks are fetched as they are */
} UpdateOptions;

typedef struct {
    char *version;
    guint available;    /* of that many transfers the source has a file */
    guint installed;    /* of that many transfers it is here */
    gboolean complete;  /* here, all of it */
    gboolean offered;   /* there, all of it */
    gboolean running;   /* the system that is updated says it is this one */
    gboolean protected; /* stays, whatever comes */
    gboolean obsolete;  /* older than MinVersion= */
    gint64 tries_left;  /* of the boot loader; -1: it came up once, or nobody counts */
    gint64 tries_done;  /* likewise */
} UpdateVersion;

typedef struct Update Update;

/* Reads transfer files, targets and (unless offline) sources. */
Update *update_new(const UpdateOptions *options, GError **error);
void update_free(Update *update);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Update, update_free)

/* All versions, the newest first: an array of UpdateVersion, owned by it. */
const GPtrArray *update_get_versions(const Update *update);

/* The version that an update would install: the newest one that the source has whole, newer than what runs and than all
 * that is here whole, and than MinVersion=. With WANTED that one, which has to be such. NULL without ERROR: there is
 * nothing to do. What is here already and did not come up is not tried again. */
const UpdateVersion *update_find_candidate(const Update *update, const char *wanted, GError **error);

typedef struct {
    char *version;    /* NULL: there was nothing to do */
    guint64 received; /* bytes over the network */
    guint64 written;
    guint64 kept; /* bytes that the device had */
    guint64 made; /* bytes that came of deltas */
} UpdateResult;

void update_result_clear(UpdateResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(UpdateResult, update_result_clear)

/* Installs WANTED, or the candidate. At every moment the disk holds the old version or the new one, whole; what is
 * interrupted goes on the next time. */
gboolean update_run(Update *update, const char *wanted, UpdateResult *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes the boot loader start WANTED, or the newest version that came up once and is older than what runs: newer ones are
 * marked as such that did not come up. RET_VERSION: which one. */
gboolean update_roll_back(
        Update *update, const char *wanted, char **ret_version, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Checks all versions that are here against their hash trees and the signatures of these. RET_CHECKED: how many slots. */
gboolean update_verify(Update *update, guint *ret_checked, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes what was not finished, versions that are not whole, and those beyond InstancesMax=. RET_REMOVED: how many
 * files and slots. */
gboolean update_clean_up(Update *update, guint *ret_removed, GError **error) G_GNUC_WARN_UNUSED_RESULT;
