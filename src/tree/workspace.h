/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A private directory for one build. It goes away when it is freed, when the process dies in any way (a
 * small watcher process removes it), and at the latest when the next workspace is made in the same place
 * (stale ones hold no lock). */

#include <glib.h>

typedef struct Workspace Workspace;

/* Makes "particleos-XXXXXX" in PARENT (created if missing). */
Workspace *workspace_new(const char *parent, GError **error);
const char *workspace_path(Workspace *workspace);

/* PATH/NAME of a new subdirectory, mode 0755; owned by the caller. */
char *workspace_mkdir(Workspace *workspace, const char *name, GError **error);

/* Leaves the directory where it is (--debug-workspace). */
void workspace_keep(Workspace *workspace);
void workspace_free(Workspace *workspace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Workspace, workspace_free)
