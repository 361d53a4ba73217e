/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* CMS EnvelopedData (RFC 5652): what only the owners of certificates read. */

#include <glib.h>

/* CONTENT for the owners of RECIPIENTS (of Certificate), in DER: AES-256 in CBC mode with a new key, which each of them gets. Any of
 * them reads it with "openssl cms -decrypt". Refused: no recipient, and one whose key cannot be used to encrypt. */
GBytes *envelope_seal(GPtrArray *recipients, GBytes *content, GError **error);
