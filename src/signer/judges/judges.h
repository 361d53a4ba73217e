/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What may be signed. Each judge reads the objects of THIS and looks at their bytes; what it is not sure
 * about it refuses. It sets what will be signed, and the facts for the log. What depends on signatures
 * before is judged by comparing with the log, when nothing else can be signed in between. */

#include "signer/judges/case.h"

gboolean signer_judge_verity(SignerCase *this, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean signer_judge_pe(SignerCase *this, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean signer_judge_ipe(SignerCase *this, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean signer_judge_enrolment(SignerCase *this, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean signer_judge_addition(SignerCase *this, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean signer_judge_revocation(SignerCase *this, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean signer_judge_manifest(SignerCase *this, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The parts of judging a program: it is a UKI, or it is none. IMAGE is what THIS has the thing of. */
gboolean signer_judge_uki(SignerCase *this, GBytes *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean signer_judge_program(SignerCase *this, GBytes *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether SIZE bytes at DATA are a Linux kernel that firmware starts. */
gboolean signer_is_kernel(const guint8 *data, gsize size);

/* Comparing with what was signed before. */
gboolean signer_compare_pe(SignerCase *this, const SignerIndex *index, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean signer_compare_ipe(SignerCase *this, const SignerIndex *index, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean signer_compare_revocation(
        SignerCase *this, const SignerIndex *index, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean signer_compare_manifest(SignerCase *this, const SignerIndex *index, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether as many people as the policy says approved the release; their names go into the log. */
gboolean signer_compare_approvals(SignerCase *this, const SignerIndex *index, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether what the request lists was withdrawn: asked of repeated requests, too. */
gboolean signer_check_withdrawn(SignerCase *this, const SignerIndex *index, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Signing what is no thing. */
gboolean signer_sign_update(SignerCase *this, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean signer_sign_manifest(SignerCase *this, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Refuses words of COMMAND_LINE that POLICY does not allow. WHERE says whose it is. */
gboolean signer_check_words(const SignerPolicy *policy, const char *command_line, const char *where,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The root hashes that COMMAND_LINE names (usrhash=, roothash=): an array of strings. */
GPtrArray *signer_list_root_hashes(const char *command_line);
