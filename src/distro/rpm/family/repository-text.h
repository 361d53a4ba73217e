/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Writing files of repositories for dnf and zypper (dnf.conf(5), "repo options"). */

#include "recipe/result/image-config.h"

typedef enum {
    REPOSITORY_ENABLED = 1 << 0,
    REPOSITORY_SIGNED = 1 << 1,     /* its metadata is signed with a key that we know, not only its packages */
    REPOSITORY_OF_UPDATES = 1 << 2, /* what rolling releases and snapshots do not have */
    REPOSITORY_FIRST = 1 << 3,      /* its packages take the place of those of others */
} RepositoryFlags;

/* One repository. */
typedef struct {
    const char *id;
    const char *path; /* below the mirror; "@" at its start: the folder of the release */
    RepositoryFlags flags;
} RepositoryRow;

typedef struct {
    GString *text;
    const ImageConfig *config;
    const char *keys; /* what gpgkey= says, one a line; "" */
} RepositoryText;

/* MIRROR/PATH with one slash; owned by the caller. */
char *repository_text_join(const char *mirror, const char *path);

/* Adds the repository that is called ID and SUFFIX. */
void repository_text_add(RepositoryText *text, const char *id, const char *suffix, const char *mirror, const char *path,
        RepositoryFlags flags);

/* Adds N ROWS below MIRROR; those of updates only if UPDATES. */
void repository_text_add_rows(RepositoryText *text, const RepositoryRow *rows, gsize n, const char *mirror,
        const char *folder, gboolean updates);
