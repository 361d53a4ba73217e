/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is to be done for one transfer of an update. */

#include "update/job/update-private.h"
#include "update/source/blocks.h"

typedef struct {
    const Transfer *transfer;
    Target *target;
    UpdateSource *source;
    const char *file;     /* of the source */
    const guint8 *digest; /* what it has to be; NULL: nobody says it */
    guint64 size;         /* of it */
    gboolean zstd;
    guint64 content_size; /* unpacked; 0: not known */
    PatternFields fields; /* of what will be there */
    char *name;           /* label or file name */
    gboolean present;     /* it is there already, and right */
    guint64 offset, room; /* of the slot */
    guint slot;           /* its number */
    GByteArray *content;  /* fetched before anything is written: hash trees and their signatures */
} Job;

/* The jobs for VERSION, one for each transfer, with all that can be known before anything is fetched: an array of Job. */
GPtrArray *jobs_plan(Update *update, const char *version, GError **error);

/* The job of JOBS for a volume's slot (PARTITION_USR, ...); NULL: there is none. */
Job *jobs_find(const GPtrArray *jobs, PartitionRole role);

/* Whether JOB is for the hash tree or for the signature of a volume. */
gboolean job_is_tree(const Job *job);
gboolean job_is_signature(const Job *job);

/* The volume that the tree or signature of ROLE belongs to. */
PartitionRole job_volume_role(PartitionRole role);

/* The hash tree of what JOB installs, checked, when JOB is for a volume and the tree is raw; NULL: there is none. */
const guint8 *job_tree(const GPtrArray *jobs, const Job *job, VeritySuperblock *ret);

/* Fetches trees and signatures of root hashes, and checks them against the manifest, against each other, against the
 * UUIDs in names, and against the certificates of the device. Nothing is written. */
gboolean jobs_check_trust(Update *update, GPtrArray *jobs, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Fails when a file system has no room for a file, as far as its size is known: what update_make_room() removes counts as
 * room. */
gboolean jobs_check_room(const Update *update, const GPtrArray *jobs, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes what makes room for VERSION: what others left unfinished, and the oldest versions beyond InstancesMax=. Files
 * first, in the reverse order of transfers: what starts a version goes before what it starts.
 * RET_REMOVED: how many. */
gboolean update_make_room(
        Update *update, const char *version, guint *ret_removed, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Bytes in files that update_make_room() would remove from the target NUMBER. */
guint64 update_removable_size(const Update *update, guint number, const char *version);

/* Puts the content of JOB into its slot or temporary file, checks it, and flushes it. */
gboolean job_install(Update *update, GPtrArray *jobs, Job *job, BlockResult *result, BlockProgress progress,
        gpointer data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* As that, for files. */
gboolean job_install_file(Update *update, const GPtrArray *jobs, Job *job, BlockResult *result, BlockProgress progress, gpointer data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes blocks of the volume of JOB out of deltas that fit what the device has. Whatever is wrong with them is a warning:
 * what does not come of them is fetched. */
typedef struct {
    Update *update;
    const GPtrArray *jobs;
    const Job *job;
    BlockProgress progress;
    gpointer data;
} JobDelta;
gboolean job_supply_blocks(
        gpointer delta, BlockInstall *install, guint64 wanted, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes the file of JOB in FD out of a delta that has less than WANTED bytes. FALSE: there is none, or it did not become what it
 * has to be; then FD is empty, if it was touched. RET_SIZE: bytes of the delta. */
gboolean job_make_file(const JobDelta *delta, int fd, guint64 wanted, guint64 *ret_size);

/* Removes deltas that were fetched. */
void jobs_forget_deltas(const Update *update);

/* Gives the file of JOB its name. */
gboolean job_name_file(const Job *job, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Fetches all of JOB's file to FD at OFFSET, where ROOM bytes are, unpacked if it is packed, and checks its digest.
 * RET_SIZE: how many bytes that were. */
gboolean job_fetch_whole(Job *job, int fd, guint64 offset, guint64 room, BlockProgress progress, gpointer data,
        guint64 *ret_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Checks each volume that JOBS installed against its hash tree, block by block, as the disk gives both back. */
gboolean jobs_verify(const GPtrArray *jobs, GError **error) G_GNUC_WARN_UNUSED_RESULT;
