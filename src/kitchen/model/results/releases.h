/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Releases: builds that a channel offers to devices. */

#include "kitchen/model/database/model.h"

/* So many published releases of a channel keep their files. */
#define RELEASES_KEPT 5

typedef struct {
    gint64 id;
    gint64 channel_id;
    gint64 build_id;
    char *version;
    char *state;               /* "publishing", "published", "withdrawn", "removed" */
    gint64 created, published; /* 0: not yet */
} Release;

typedef struct {
    gint64 target_id;
    char *name; /* as published: TARGET.CHANNEL.NAME */
    char *digest;
    gint64 size;
} ReleaseFile;

void release_free(Release *release);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Release, release_free)
ReleaseFile *release_file_new(gint64 target_id, const char *name, const char *digest, gint64 size);
void release_file_free(ReleaseFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ReleaseFile, release_file_free)

/* Begins the release of BUILD to CHANNEL with FILES (of ReleaseFile), state "publishing". The same again
 * returns the same ID. MODEL_ERROR_STATE: a newer version is there, or a file of that name has other bytes.
 * 0 with ERROR set. */
gint64 release_begin(Model *model, gint64 channel, gint64 build, GPtrArray *files, GError **error);

/* The set (its digest) that TARGET's channel points to in this release. */
gboolean release_set_note(
        Model *model, gint64 release, gint64 target, const char *digest, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* NULL without ERROR set: none. */
char *release_set_get(Model *model, gint64 release, gint64 target, GError **error);

/* The sets are in place: "published", with an event. Repeating is harmless. */
gboolean release_published(Model *model, gint64 release, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* "removed": its files may go. */
gboolean release_removed(Model *model, gint64 release, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* An array of Release of CHANNEL, newest version first; published ones alone if ONLY_PUBLISHED. */
GPtrArray *release_list(Model *model, gint64 channel, gboolean only_published, GError **error);
GPtrArray *release_list_of_build(Model *model, gint64 build, GError **error);
/* An array of ReleaseFile, by name. TARGET 0: of all. */
GPtrArray *release_files(Model *model, gint64 release, gint64 target, GError **error);
