/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* New builds. */

#include "kitchen/model/builds/builds.h"

/* Adds a build that waits, with a queued job for each target, gives it a version, and supersedes those of
 * the project that wait. Returns its ID, or 0 with ERROR set. Project_id, commit, source, cause, caused_by
 * and priority of WHAT count. FORCE: its jobs do not skip. */
gint64 build_create(Model *model, const Build *what, gboolean force, gint64 user, GError **error);

/* A new build of the same commit, which does not skip; returns its ID, or 0 with ERROR set. */
gint64 build_retry(Model *model, gint64 id, gint64 user, const char *user_name, GError **error);
