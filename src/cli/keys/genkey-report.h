/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What genkey says about keys that it made. */

#include "cli/keys/genkey-use.h"
#include "crypto/certificates/certificate.h"
#include "crypto/sources/key-source.h"
#include "format/openpgp/openpgp.h"

/* The key ring is called as on devices. */
#define GENKEY_KEYRING "import-pubring.gpg"

/* One key and what was made of it. */
typedef struct {
    const GenkeyUse *use;
    char *key_name, *certificate_name; /* of files in the directory; the latter is that of a request, too */
    char *locator;                     /* the key, if it was named; NULL: the file KEY_NAME */
    gboolean is_new;                   /* the key was made */
    gboolean kept;                     /* key and certificate were there, and nothing was made */
} GenkeyItem;

void genkey_item_free(gpointer item);

/* One key for everything, in a file. */
void genkey_report_images(const char *directory, const Certificate *certificate, int days);

/* The key for manifests. */
void genkey_report_openpgp(const char *directory, const OpenpgpKey *key);

/* ITEMS of GenkeyItem: where they are, and what the recipe has to say so that builds use them. SOURCE is as in
 * KeySource=, NULL for files. */
void genkey_report_items(const char *directory, GPtrArray *items, const char *source, gboolean requests);
