/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Content of trees, scripts and other files as inputs, file by file, so that a reason can name the one that
 * changed. */

#include "pipeline/inputs/input-set-private.h"

/* Content of trees, scripts and other files that the settings of IMAGE name: setting -> name
 * of the source -> path below it ("": itself) -> fact. */
Value *input_files(const InputSet *set, const ImageBuild *image, gboolean tools, GError **error);

/* Notes what the settings of IMAGE name, so that it is told once, and not among the sources that scripts see
 * too. */
void input_files_note(const InputSet *set, const ImageBuild *image);

/* Whether what SETTING names is in there. */
gboolean input_files_have(const Setting *setting);

/* What is known of the file PATH alone. */
Value *input_files_single(const InputSet *set, const char *path, GError **error);
