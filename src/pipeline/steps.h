/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is done to make an image, in order. */

#include "pipeline/state/image-build.h"

/* One stage of building an image. WANTED NULL: always. */
typedef struct {
    const char *name;
    gboolean (*wanted)(const ImageBuild *image);
    gboolean (*run)(ImageBuild *image, GError **error);
    gboolean (*last)(const ImageBuild *image); /* no step comes after this one; NULL: never */
} BuildStep;

/* All stages in the order in which they run, ended by one without name. */
extern const BuildStep build_steps[];
