/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The OpenPGP signature of an image's checksums, made elsewhere. */

#include "signing/request-directory.h"

/* Asks ANSWER for the signatures of IMAGE.SHA256SUMS in FILES and of the key itself, and writes IMAGE.SHA256SUMS.gpg and
 * IMAGE.import-pubring.gpg when both are there; else THINGS (of SigningThing) receives what is to be signed, and REQUESTS
 * what is asked. */
gboolean signing_manifest(const SigningDirectory *directory, const char *files, SigningAnswer answer, gpointer user,
        GPtrArray *things, GPtrArray *requests, GError **error) G_GNUC_WARN_UNUSED_RESULT;
