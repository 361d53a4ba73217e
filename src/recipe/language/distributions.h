/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the recipe language itself must know of distributions, and of the host's. */

#include <glib.h>

#include "recipe/language/enums.h"

const char *distribution_default_release(Distribution distribution);
const char *distribution_file_system(Distribution distribution); /* of %F */
Distribution distribution_for_tools(Distribution host);
gboolean distribution_is_kernel_package(Distribution distribution, const char *package);

/* TRUE for distributions whose keys another distribution's tools do not come with (RepositoryKeyFetch=). */
gboolean distribution_has_foreign_keys(Distribution distribution);

/* The distribution of the tree at ROOT: FALSE when it is none that we know. RET_RELEASE (owned by the
 * caller) is never NULL on success; RET_ID (or NULL) is the raw ID. */
gboolean distribution_detect(const char *root, Distribution *ret, char **ret_release, char **ret_id);

/* The host, or what the environment says is the host. */
gboolean distribution_detect_host(Distribution *ret, char **ret_release);
