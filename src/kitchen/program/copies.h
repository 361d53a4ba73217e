/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The verbs backup and restore. */

#include "kitchen/program/settings.h"

typedef struct {
    const char *directory; /* with copies */
    const char *name;      /* of one; NULL: the newest */
    const char *expected;  /* the digest of its inventory; NULL: any */
    gboolean dry_run;      /* restore: only whether it could be brought back */
} CopyWishes;

/* Copies the service of CONFIG, which is the file PATH, while it runs. Says the copy's name and digest on standard output. */
gboolean copies_make(
        const KitchenConfig *config, const char *path, const char *directory, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Brings a copy back to where CONFIG says. */
gboolean copies_restore(const KitchenConfig *config, const char *path, const CopyWishes *wishes,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;
