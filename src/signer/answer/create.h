/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* New projects: keys by a template, and a policy for them. Handing out what belongs to keys and is no
 * secret. */

#include "signer/judges/case.h"

/* Judges the request, and makes the keys, which nobody can use before the policy is there. Of a request that is repeated
 * nothing is made. */
gboolean signer_create_prepare(SignerCase *this, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Puts the policy in force, once the log has a leaf about it; repeating is harmless. The answer is as of
 * signer_add_certificates(). */
gboolean signer_create_finish(SignerCase *this, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Targets for a project in development: whether they may be added, and adding them. Those of others an administrator adds. */
gboolean signer_judge_targets(SignerCase *this, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean signer_finish_targets(SignerCase *this, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds certificates and the OpenPGP key of the project to the answer. */
gboolean signer_add_certificates(SignerCase *this, GError **error) G_GNUC_WARN_UNUSED_RESULT;
