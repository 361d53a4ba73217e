/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What an administrator changes in policies: particleos-signer trust vouches for programs, particleos-signer target adds
 * targets. */

#include <glib.h>

/* Adds the programs in FILES (NULL-terminated) to the policy of PROJECT ("NAMESPACE/PROJECT") below
 * POLICIES, and says on standard output which. */
gboolean trust_files(
        const char *policies, const char *project, char *const *files, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds TARGETS ("NAME=IMAGE_ID", NULL-terminated) to the policy of PROJECT. */
gboolean add_targets(
        const char *policies, const char *project, char *const *targets, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether PROJECT is "NAMESPACE/PROJECT". */
gboolean check_project(const char *project, GError **error) G_GNUC_WARN_UNUSED_RESULT;
