/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Policies that the signer writes. Files appear complete or not at all. */

#include "signer/request.h"

/* The text of a policy for what REQUEST (create) asks for; owned by the caller. Refused: targets that are
 * none, values of the wrong kind. RET_SHARE receives whether keys are shared (signer_keys_shared_with()). */
char *signer_policy_make(const SignerRequest *request, gboolean *ret_share, GError **error);

/* Writes TEXT as the new policy of PROJECT below DIRECTORY; one that is there stays, and is an error. */
gboolean signer_policy_create(
        const char *directory, const char *project, const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds DIGEST (Authenticode, in hexadecimal) to the programs that PROJECT trusts; NAME says for people what
 * it is. The file keeps its owner and mode. RET_ADDED is FALSE when it is trusted already. */
gboolean signer_policy_trust(const char *directory, const char *project, const char *digest, const char *name,
        gboolean *ret_added, GError **error) G_GNUC_WARN_UNUSED_RESULT;
