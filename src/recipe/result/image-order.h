/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* In which order images are built. Internal to the room. */

#include "recipe/result/image-values.h"

/* Puts IMAGES (ImageValues, the main image not among them) into build order and drops those that MAIN does not need,
 * directly or indirectly. The array owns its images; IMAGES loses them. NULL with ERROR set when one is missing, or when they
 * need each other in a circle; the error names where that is said. */
GPtrArray *images_order(GPtrArray *images, const ImageValues *main, GError **error);
