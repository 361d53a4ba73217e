/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The configuration of dnf and rpm for a session: what SandboxTrees= bring, ours where they bring nothing, and
 * nothing of the host's. */

#include "distro/driver/driver.h"

struct RpmManager;

/* Makes WORKSPACE/rpm and the directories of the cache, and the RpmState of the session. Files of repositories lie in
 * the directory REPOSITORIES of /etc. */
gboolean rpm_configure(DistroSession *session, const struct RpmManager *manager, const char *repositories,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes WORKSPACE/rpm/NAME unless the recipe brought it. */
gboolean rpm_configure_default(
        DistroSession *session, const char *name, const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The files of repositories as text that is equal for equal ones; owned by the caller. */
char *rpm_repositories(DistroSession *session);

/* Adds the repository of PackageDirectories=. */
gboolean rpm_configure_local(DistroSession *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;
