/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Tools of a distribution tree as judges. The variable PARTICLEOS_TEST_TREE names the tree; its programs run
 * on this machine through the tree's own dynamic loader, so no root is needed. */

#include <glib.h>

/* The tree, or NULL after skipping the running test. */
const char *tree_tool_root(void);

/* Path in the tree; owned by the caller. */
char *tree_tool_path(const char *path);

/* Runs PROGRAM (path in the tree) with ARGUMENTS (NULL-terminated); standard output, or NULL after failing
 * the running test. PYTHON: it is a Python program. */
char *tree_tool_run(const char *program, const char *const *arguments, gboolean python);

/* Whether the tree has PROGRAM; skips the running test when not. */
gboolean tree_tool_need(const char *program);
