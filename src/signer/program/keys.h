/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Keys, for the administrator of the signer: which there are, out of the machine for those who keep them, and back. STATE is the state
 * directory, POLICIES that of the policies, OWNER "NAMESPACE/PROJECT", or "instance" for the keys of the log and of provenance. */

#include <glib.h>

/* Prints a line for each key of each project, and of the instance where it has any: owner, purpose, where it is, fingerprint of its certificate, until when that is valid,
 * and when the key was exported. */
gboolean keys_list(const char *state, const char *policies, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes the private keys of OWNER that are files, encrypted for the owners of the certificates in the files RECIPIENTS, to the new file
 * OUTPUT (mode 0600): CMS, which "openssl cms -decrypt" reads. That an owner was exported is written down; a second time is refused
 * without AGAIN. */
gboolean keys_export(const char *state, const char *policies, const char *owner, const char *output,
        char *const *recipients, gboolean again, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Puts keys of OWNER back, as what was encrypted says, which comes through the descriptor FD. Refused: keys of another owner, of
 * purposes that there is no file for, others than those of its certificates, and what would replace a key. All or nothing. */
gboolean keys_import(
        const char *state, const char *policies, const char *owner, int fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;
