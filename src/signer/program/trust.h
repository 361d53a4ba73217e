/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* particleos-signer trust: an administrator vouches for programs. */

#include <glib.h>

/* Adds the programs in FILES (NULL-terminated) to the policy of PROJECT ("NAMESPACE/PROJECT") below
 * POLICIES, and says on standard output which. */
gboolean trust_files(
        const char *policies, const char *project, char *const *files, GError **error) G_GNUC_WARN_UNUSED_RESULT;
