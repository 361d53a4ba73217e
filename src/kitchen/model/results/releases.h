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
    char *state;     /* "publishing", "approval", "published", "failed", "withdrawn", "removed" */
    guint percent;   /* of the devices that get it */
    gboolean halted; /* no device gets it for now */
    char *schedule;  /* that PERCENT follows (kitchen/model/projects/schedule.h); NULL: it is raised by hand */
    char *detail;    /* what it waits for, or why it failed; NULL */
    gint64 created, published, begun; /* 0: not yet */
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

/* Begins the release of BUILD to CHANNEL with FILES (of ReleaseFile), state "publishing", for those that the schedule of the
 * channel begins with. The same again returns the same ID. MODEL_ERROR_STATE: a newer version is there, the version was
 * withdrawn, or a file of that name has other bytes. 0 with ERROR set. */
gint64 release_begin(Model *model, gint64 channel, gint64 build, GPtrArray *files, GError **error);

/* The set (its digest) that TARGET's channel points to in this release. */
gboolean release_set_note(
        Model *model, gint64 release, gint64 target, const char *digest, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* NULL without ERROR set: none. */
char *release_set_get(Model *model, gint64 release, gint64 target, GError **error);

/* The sets are in place: "published", with an event. Repeating is harmless. */
gboolean release_published(Model *model, gint64 release, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* It waits: the signer wants more approvals, as DETAIL says, than there were at the event SEEN. One that came since has it
 * tried again. */
gboolean release_waits(
        Model *model, gint64 release, const char *detail, gint64 seen, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* It cannot be published, as DETAIL says. */
gboolean release_failed(
        Model *model, gint64 release, const char *detail, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Why it is not published yet; no event. */
gboolean release_set_detail(
        Model *model, gint64 release, const char *detail, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* "removed": its files may go. */
gboolean release_removed(Model *model, gint64 release, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* An array of Release of CHANNEL, newest version first; published ones alone if ONLY_PUBLISHED. */
GPtrArray *release_list(Model *model, gint64 channel, gboolean only_published, GError **error);
GPtrArray *release_list_of_build(Model *model, gint64 build, GError **error);
/* Those that devices get: published, not halted, from the newest to the newest that all get. */
GPtrArray *release_list_live(Model *model, gint64 channel, GError **error);
/* Those of builds that are published, which somebody wished to release; oldest first. */
GPtrArray *release_list_wished(Model *model, GError **error);
Release *release_get(Model *model, gint64 id, GError **error);

/* Adds an event KIND about RELEASE: "CHANNEL VERSION" and MORE (may be NULL). */
gboolean release_note_event(Model *model, gint64 release, const char *kind, const char *more, gint64 user,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* An array of ReleaseFile, by name. TARGET 0: of all. */
GPtrArray *release_files(Model *model, gint64 release, gint64 target, GError **error);
