/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the signer needs to use a PKCS#11 token: its module, and the PIN as a credential of its unit. */

#include "kitchen/install/install.h"

/* Whether TOKEN (may be NULL: none) is "softhsm" or the absolute path of a module. */
gboolean token_check(const char *token, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A drop-in for the signer; for "softhsm" also a token with a new PIN, which is made where ELSEWHERE does not say that the root is
 * not this machine's. The PIN is in a file that root alone reads, never in an argument. */
gboolean token_install(
        Install *install, gboolean elsewhere, const char *token, GError **error) G_GNUC_WARN_UNUSED_RESULT;
