/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What apt and dpkg say while they work: progress, and the reason when they fail. */

#include <glib.h>

#include "distro/driver/types.h"

typedef struct AptOutput AptOutput;

/* PROGRESS may be NULL; it is called with DATA and counts up to TOTAL steps. */
AptOutput *apt_output_new(DistroProgress progress, gpointer data, guint total);
void apt_output_free(AptOutput *output);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AptOutput, apt_output_free)

/* Takes one LINE of output; a SandboxLine. */
void apt_output_line(const char *line, gpointer output);

/* Why it failed: complaints of apt ("E:", unmet dependencies) and of dpkg, and what a maintainer script said
 * before it failed. Lines with two spaces before each, without a newline at the end; "" when nobody
 * complained. Borrowed. */
const char *apt_output_reason(const AptOutput *output);

/* What to do about that reason, or FALLBACK when it is none that is known. */
const char *apt_output_advice(const AptOutput *output, const char *fallback);
