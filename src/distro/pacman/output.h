/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What pacman says while it works: progress, and the reason when something fails. That of a scriptlet or a hook is no
 * failure for pacman. */

#include <glib.h>

#include "distro/driver/types.h"

typedef struct PacmanOutput PacmanOutput;

/* PROGRESS may be NULL; it is called with DATA and counts up to TOTAL packages. */
PacmanOutput *pacman_output_new(DistroProgress progress, gpointer data, guint total);
void pacman_output_free(PacmanOutput *output);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PacmanOutput, pacman_output_free)

/* Takes one LINE of output; a SandboxLine. */
void pacman_output_line(const char *line, gpointer output);

/* TRUE when a program of a package failed, whatever pacman's own status is. */
gboolean pacman_output_failed(const PacmanOutput *output);

/* TRUE when pacman found files that are not what the database or a signature says, and removed them. */
gboolean pacman_output_removed_files(const PacmanOutput *output);

/* What was complained about, and what the program of a package said before it failed. Lines with two spaces before
 * each, without a newline at the end; "" when nobody complained. Borrowed. */
const char *pacman_output_reason(const PacmanOutput *output);

/* What to do about that reason, or FALLBACK when it is none that is known. */
const char *pacman_output_advice(const PacmanOutput *output, const char *fallback);
