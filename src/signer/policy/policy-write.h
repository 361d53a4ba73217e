/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Policies that the signer writes. Files appear complete or not at all. */

#include "signer/policy/policy.h"
#include "signer/request/request.h"

/* The text of a policy for what REQUEST (create) asks for; owned by the caller. Refused: targets that are none, values of
 * the wrong kind. DEVELOPMENT is what counts when it does not say. RET_SHARE receives whether keys are shared (signer_keys_shared_with()). */
char *signer_policy_make(const SignerRequest *request, gboolean development, gboolean *ret_share, GError **error);

/* Writes TEXT, the policy of a new PROJECT below DIRECTORY, where it has no effect yet. */
gboolean signer_policy_stage(
        const char *directory, const char *project, const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What was staged has effect from now on. A policy that is there stays; when there is neither, somebody took it away, and
 * that is SIGNER_ERROR_UNKNOWN. */
gboolean signer_policy_publish(const char *directory, const char *project, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Refuses TARGETS ({NAME: IMAGE_ID}) that are none, or that POLICY (may be NULL) has with other values. */
gboolean signer_policy_check_targets(
        const SignerPolicy *policy, JsonObject *targets, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds those of TARGETS that PROJECT does not have. The file keeps its owner and mode. RET_N (may be NULL) receives how many
 * were added. */
gboolean signer_policy_add_targets(const char *directory, const char *project, JsonObject *targets, guint *ret_n,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds DIGEST (Authenticode, in hexadecimal) to the programs that PROJECT trusts; NAME says for people what it is. The file
 * keeps its owner and mode. RET_ADDED is FALSE when it is trusted already. */
gboolean signer_policy_trust(const char *directory, const char *project, const char *digest, const char *name,
        gboolean *ret_added, GError **error) G_GNUC_WARN_UNUSED_RESULT;
