/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A new private key with a self-signed certificate, or a request for one, for images or for manifests. */

#include <glib.h>

#include "crypto/generate/genkey-options.h"
#include "crypto/sources/key-source.h"

/* Makes DIRECTORY_FD/KEY_NAME (mode 0600, PEM) and DIRECTORY_FD/CERTIFICATE_NAME (mode 0644, PEM).
 * Neither may exist. Both appear complete or not at all. */
gboolean genkey_create_at(int directory_fd, const char *key_name, const char *certificate_name,
        const GenkeyOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes DIRECTORY_FD/CERTIFICATE_NAME for KEY, which is there already. */
gboolean genkey_certify_at(int directory_fd, const KeySource *key, const char *certificate_name,
        const GenkeyOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
