/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What comes after the signatures: compression and checksums, as a build with keys makes them. */

#include "signing/request-directory.h"

/* Compresses and sums up the files of DIRECTORY, which are in FILES. */
gboolean signing_finish(const SigningDirectory *directory, const char *files, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes DIRECTORY from the disk. */
void signing_finish_remove(const SigningDirectory *directory);
