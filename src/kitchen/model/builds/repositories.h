/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Repositories of packages, by the address of the one file that has digests of all others, and which projects were built from
 * them. */

#include "kitchen/model/database/model.h"

typedef struct {
    char *url;
    char *digest;               /* SHA-256 of the file, hexadecimal; NULL: not known */
    char *etag, *last_modified; /* may be NULL */
} Repository;

Repository *repository_new(const char *url, const char *digest);
void repository_free(Repository *repository);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Repository, repository_free)

/* What a job of PROJECT is built from now: an array of Repository, whose URLs and digests count. */
gboolean project_set_repositories(
        Model *model, gint64 project, GPtrArray *repositories, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Repositories of projects that follow packages which were not looked at for INTERVAL milliseconds: an array of Repository, those
 * that wait longest first. Each once, however many projects use it. */
GPtrArray *repository_list_due(Model *model, gint64 interval, GError **error);

/* The repository was looked at now and is as REPOSITORY says; FAILURE is NULL when that worked. Wishes for builds are made for
 * projects that were built from other content: at once, or those with Packages=daily when their last wish is a day old.
 * RET_WISHES (may be NULL) says how many. */
gboolean repository_note(Model *model, const Repository *repository, const char *failure, guint *ret_wishes,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;
