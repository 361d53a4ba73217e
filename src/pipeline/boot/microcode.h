/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Processor microcode for early loading (Documentation/arch/x86/microcode.rst of Linux). */

#include "pipeline/state/image-build.h"

/* Adds the archive made of the tree's microcode, of which MicrocodeHost= keeps what this machine's processor
 * wants, to ARCHIVES (elements GBytes); nothing when the tree has none. */
gboolean microcode_read(ImageBuild *image, GPtrArray *archives, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What this machine's processor is, as microcode is told apart; owned by the caller; NULL when it does not say. */
char *microcode_processor(void);

/* The microcode archives to boot with (elements GBytes): the files that a script put into
 * $ARTIFACTDIR/io.mkosi.microcode/, else what was read from the tree. NAMES as below. */
GPtrArray *microcode_get(ImageBuild *image, GPtrArray *names, GError **error);

/* Adds the files of the directory NAME of $ARTIFACTDIR, sorted by name, to FILES (elements GBytes). NAMES
 * may be NULL, else it receives their names. A directory that is not there is empty. */
gboolean boot_artifacts_collect(
        ImageBuild *image, const char *name, GPtrArray *files, GPtrArray *names, GError **error) G_GNUC_WARN_UNUSED_RESULT;
