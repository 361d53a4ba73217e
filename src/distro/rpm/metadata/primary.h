/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reading a repository's list of packages (primary.xml of repodata, with any usual compression): files and digests. */

#include <glib.h>

#include "distro/driver/types.h"

/* What identifies a package in a list: "NAME EVR ARCHITECTURE", where an epoch of 0 is left out; owned by the caller. */
char *rpm_primary_key(const char *name, const char *evr, const char *architecture);

/* Looks for packages in the list FILE: WANTED maps keys (rpm_primary_key()) to packages (DistroPackage) of which file, place
 * (below the repository), digest and size are filled in when they are found. ERROR when FILE cannot be read, is no such list, or has a package
 * that is wanted without a SHA-256 or with the name of another file. */
gboolean rpm_primary_find(const char *file, GHashTable *wanted, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same with the list TEXT; for tests and fuzzing. */
gboolean rpm_primary_find_in_text(
        const char *text, gsize length, GHashTable *wanted, GError **error) G_GNUC_WARN_UNUSED_RESULT;
