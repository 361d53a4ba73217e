/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Looks whether a repository of packages has changed: its one file with digests of all others (InRelease, repomd.xml, core.db). */

#include <glib.h>

#include "kitchen/net/outbound.h"

/* What is known of a repository; all strings may be NULL. */
typedef struct {
    char *etag;
    char *last_modified;
    char *digest; /* SHA-256 of the file, hexadecimal */
} RepositoryState;

void repository_state_clear(RepositoryState *state);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RepositoryState, repository_state_clear)

/* Asks for the file at URL, unless STATE says that it is the same, and brings STATE up to date. RET_CHANGED: its content is
 * another one than STATE said, which had said something. After an error STATE is as before. Blocks. */
gboolean repository_watch(const OutboundLimits *limits, const char *url, RepositoryState *state, gboolean *ret_changed,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;
