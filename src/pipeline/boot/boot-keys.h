/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Keys and certificates are opened before any work is spent. */

#include "pipeline/state/image-build.h"

/* Loads the keys and certificates that the recipe names and that its settings need. */
gboolean boot_load_keys(Build *build, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SecureBootKey= and SecureBootCertificate=, which have to be there and to belong together. */
gboolean boot_load_secure_boot_pair(KeySession *session, const ImageConfig *config, KeySource **ret_key,
        Certificate **ret_certificate, GError **error) G_GNUC_WARN_UNUSED_RESULT;
