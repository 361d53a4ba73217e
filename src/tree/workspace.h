/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A private directory for one build. It goes away when it is freed, when the process dies in any way (a
 * small watcher process removes it), and at the latest when the next workspace is made in the same place
 * (stale ones hold no lock). */

#include <glib.h>

typedef struct Workspace Workspace;

/* Where temporary trees go when nobody says it: on disk, and kept by nobody for long. */
#define WORKSPACE_FALLBACK "/var/tmp"

/* The directory for workspaces: CONFIGURED (WorkspaceDirectory=) unless NULL, else what the environment
 * variable TMPDIR names, else FALLBACK. Owned by the caller; absolute when it comes from TMPDIR. NULL with
 * ERROR set when TMPDIR names no directory in which this process can make files. */
char *workspace_parent(const char *configured, const char *fallback, GError **error);

/* Makes "particleos-XXXXXX" in PARENT (created if missing). */
Workspace *workspace_new(const char *parent, GError **error);
const char *workspace_path(Workspace *workspace);

/* PATH/NAME of a new subdirectory, mode 0755; owned by the caller. */
char *workspace_mkdir(Workspace *workspace, const char *name, GError **error);

/* Leaves the directory where it is (--debug-workspace). */
void workspace_keep(Workspace *workspace);
void workspace_free(Workspace *workspace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Workspace, workspace_free)
