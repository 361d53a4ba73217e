/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Device trees that kernel packages bring. */

#include "pipeline/state/image-build.h"

typedef struct {
    char *name; /* path below the kernel's directory of device trees ("rockchip/rk3399.dtb") */
    GBytes *content;
} Devicetree;

void devicetree_free(gpointer devicetree);

/* The device trees of kernel VERSION that Devicetrees= names, sorted by path (elements Devicetree). Warns
 * when it names none that exist. */
GPtrArray *devicetrees_read(ImageBuild *image, const char *version, GError **error);
