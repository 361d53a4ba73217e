/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Answers requests with keys that are here. */

#include "crypto/sources/key-source.h"
#include "signing/request-directory.h"

/* Hears of each signature that was made. */
typedef void (*SigningReport)(gpointer user, const SigningRequest *request);

/* Signs what the things of DIRECTORY wait for and KEYS (an array of KeySource) can sign, and writes the answers. The bytes
 * are made from the things themselves, never taken from requests/: whoever holds the keys signs what he sees. Programs
 * with policies inside are answered in one go. RET_MADE receives how many signatures were made, RET_LEFT (of
 * SigningRequest) what no key is for. */
gboolean signing_sign(SigningDirectory *directory, GPtrArray *keys, SigningReport report, gpointer user, guint *ret_made,
        GPtrArray **ret_left, GError **error) G_GNUC_WARN_UNUSED_RESULT;
