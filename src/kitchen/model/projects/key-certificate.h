/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The public halves of keys, as the signer last gave them out: pages show them also when it does not answer. */

#include "kitchen/model/database/database.h"

/* The purpose of the OpenPGP key ring, whose text is base64; all others are certificates as PEM. */
#define KEY_RING_PURPOSE "key-ring"

typedef struct {
    char *purpose; /* "secure-boot", "verity", … */
    char *text;
    gint64 created; /* when it was first seen */
} KeyCertificate;
void key_certificate_free(KeyCertificate *certificate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KeyCertificate, key_certificate_free)

/* TEXT is what the key of PURPOSE has from now on. The same again changes nothing. */
gboolean key_certificate_note(Database *database, gint64 project_id, const char *purpose, const char *text, gint64 now,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* An array of KeyCertificate, by purpose. */
GPtrArray *key_certificate_list(Database *database, gint64 project_id, GError **error);

/* NULL without an error: there is none. */
KeyCertificate *key_certificate_find(Database *database, gint64 project_id, const char *purpose, GError **error);
