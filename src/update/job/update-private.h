/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the parts of an update share. */

#include "update/job/update.h"

struct Update {
    Machine *machine;
    char **definitions;
    char *transfer_source;
    gboolean no_verify, ignore_age, offline, no_deltas;
    Http *http;
    Keyring *keyring; /* NULL: there is none, or nobody asked yet */
    char *keyring_problem;
    GPtrArray *transfers; /* Transfer */
    GPtrArray *disks;     /* Disk */
    GPtrArray *targets;   /* Target, one for each transfer */
    GPtrArray *sources;   /* UpdateSource */
    GPtrArray *of;        /* UpdateSource of each transfer (borrowed; NULL when offline) */
    GPtrArray *versions;  /* UpdateVersion */
    int lock;
};

/* Reads targets again, and what follows from them. */
gboolean update_reload(Update *update, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* From now on nobody else updates this system with this program, until UPDATE is freed. */
gboolean update_lock(Update *update, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether VERSION stays in the target of TRANSFER, whatever comes. */
gboolean update_is_protected(const Update *update, const Transfer *transfer, const char *version);

/* The version that the system says it is; NULL: it does not say it. */
const UpdateVersion *update_get_running(const Update *update);

/* The file that the source of transfer NUMBER has for VERSION, and what its name tells; one that is not compressed is
 * preferred. Owned by the source; NULL: there is none. */
const char *update_pick_file(const Update *update, guint number, const char *version, PatternFields *ret);

/* Whether the file NAME is compressed with zstd. */
gboolean update_is_zstd(const char *name);

/* Fills in the versions from targets and sources. */
gboolean update_read_versions(Update *update, GError **error) G_GNUC_WARN_UNUSED_RESULT;
