/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What dnf, zypper and rpm say while they work: progress, and the reason when they fail. */

#include "distro/driver/types.h"

typedef struct RpmOutput RpmOutput;

/* PROGRESS may be NULL; it is called with DATA. */
RpmOutput *rpm_output_new(DistroProgress progress, gpointer data);
void rpm_output_free(RpmOutput *output);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpmOutput, rpm_output_free)

/* Takes one LINE of output; a SandboxLine. */
void rpm_output_line(const char *line, gpointer output);

/* Takes all lines of TEXT. */
void rpm_output_text(RpmOutput *output, const char *text);

/* Why it failed: complaints of the package manager, and what a script of a package said before it failed. Lines with two
 * spaces before each, without a newline at the end; "" when nobody complained. Borrowed. */
const char *rpm_output_reason(const RpmOutput *output);

/* Scripts that failed although the transaction went on, each with what it said before: strings; borrowed. */
const GPtrArray *rpm_output_failed_scripts(const RpmOutput *output);

/* The last lines that were said, in the same form; owned by the caller. */
char *rpm_output_last_lines(const RpmOutput *output);

/* What to do about REASON, or FALLBACK when it is none that is known. */
const char *rpm_output_advice(const char *reason, const char *fallback);
