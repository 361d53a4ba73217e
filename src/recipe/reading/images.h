/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From the parsed main image to all images of the recipe (reference, chapters 9 and 10). Internal. */

#include "recipe/reading/image-parser.h"

/* The images to build in order, the main image last (array of ImageValues), and the tools image or NULL in
 * RET_TOOLS. MAIN has been read completely. */
GPtrArray *images_resolve(ImageParser *main, ImageValues **ret_tools, GError **error);
