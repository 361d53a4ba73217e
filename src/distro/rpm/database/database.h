/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The database of rpm inside a tree. It is copied out of the tree before anybody reads it, and back after a change: a link
 * in the tree cannot lead out of it, and a tree that nobody may change stays as it is. */

#include "distro/driver/driver.h"

GPtrArray *rpm_installed(DistroSession *session, const char *root, GError **error);

char *rpm_changelog(DistroSession *session, const char *root, const char *package);

/* Puts SOURCE_DATE_EPOCH in place of the times of installation, and the database into one file that can be read
 * where nobody can write; removes what the package manager notes of its own doings. */
gboolean rpm_forget_installation(DistroSession *session, const char *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean rpm_clean_metadata(int root_fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;
