/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Copies of what the signer has but for private keys: log, policies, certificates, and the last checkpoint of its log. A copy grows; it
 * never goes backwards. STATE is the state directory, POLICIES that of the policies. */

#include <glib.h>

/* Brings the copy in DIRECTORY (made if need be, mode 0700) up to date, while the signer runs. The whole log is read, and refused where a
 * line does not follow the one before. Refused, too: a copy of another log, and one that has more than the log. */
gboolean copies_update(
        const char *state, const char *policies, const char *directory, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Puts the copy in DIRECTORY where no log is. CHECKPOINT (may be NULL) is a file with the newest one that was published: with it the signer
 * does not start when more was signed than the copy knows. Keys come back by keys_import(). */
gboolean copies_bring_back(const char *state, const char *policies, const char *directory, const char *checkpoint,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;
