/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Certificates that a key signs for itself, and requests to an authority, as PEM. */

#include <glib.h>

#include "crypto/generate/genkey-options.h"
#include "crypto/sources/key-source.h"

/* A certificate for KEY by KEY. */
GBytes *certificate_make(const KeySource *key, const GenkeyOptions *options, GError **error);

/* A request (PKCS#10) that asks for a certificate to sign programs with. How long that holds is for the authority to
 * say. */
GBytes *certificate_request_make(const KeySource *key, const GenkeyOptions *options, GError **error);
