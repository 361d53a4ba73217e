/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* For the sources that move keys. */

#include "signer/policy/policy.h"

/* Where it is written down that PROJECT was exported: "DAY FINGERPRINT…". Owned by the caller. */
char *keys_mark_path(const char *state, const char *project);

/* The file NAME of a policy of PROJECT; owned by the caller. */
char *keys_file_path(const char *state, const char *project, const char *name);

/* Whether POLICY has a key of its own for PURPOSE, in a file of the project's directory. */
gboolean keys_is_own_file(const SignerPolicy *policy, SignerPurpose purpose);
