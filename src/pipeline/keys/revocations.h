/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Programs that firmware shall not start any more: a signed addition to its database dbx (NAME.auth), and
 * the same for people and scripts (NAME.list: digest, version and name of a file on each line). */

#include <glib.h>

#include "base/sha256.h"
#include "crypto/certificates/certificate.h"
#include "crypto/sources/key-source.h"

typedef struct {
    guint8 digest[SHA256_SIZE]; /* Authenticode */
    char *version;              /* of the image, or NULL */
    char *name;                 /* of the file, or NULL */
    gboolean is_new;            /* was not in the file that was loaded */
} Revocation;

/* What the pair at PATH (NAME.auth) holds, an array of Revocation; empty when there is no such file. Fails
 * when the file is damaged, is no addition to dbx, or holds anything but digests. RET_SIGNER (may be NULL)
 * receives who signed it, or NULL. */
GPtrArray *revocations_load(const char *path, Certificate **ret_signer, GError **error);

/* Adds a revocation, or completes the one with the same digest; VERSION and NAME may be NULL. */
void revocations_add(GPtrArray *revocations, const guint8 digest[static SHA256_SIZE], const char *version,
        const char *name);

/* Writes the pair, in the order of the digests, signed by KEY; each file is complete or as it was,
 * the list first. TIMESTAMP as in efi_authenticated_variable_sign(). Missing directories are made. */
gboolean revocations_save(GPtrArray *revocations, const char *path, gint64 timestamp, const KeySource *key,
        const Certificate *certificate, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The path of the list that belongs to NAME.auth; owned by the caller. */
char *revocations_list_path(const char *path);
