/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files of the image in its staging directory, where they wait until every image of the recipe has succeeded. */

#include "pipeline/state/image-build.h"

/* The names of the files (no links, no directories) in staging, sorted: what checksums are of. */
GPtrArray *staged_files_list(const ImageBuild *image, GError **error);

/* Writes CONTENT to the file NAME in staging. */
gboolean staged_file_write(ImageBuild *image, const char *name, GBytes *content, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same with the name of the output and SUFFIX. */
gboolean staged_file_write_suffix(ImageBuild *image, const char *suffix, GBytes *content, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The main output, for formats that are one file made in memory. */
gboolean staged_file_write_main(ImageBuild *image, GBytes *content, GError **error) G_GNUC_WARN_UNUSED_RESULT;
