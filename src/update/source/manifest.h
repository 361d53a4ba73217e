/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SHA256SUMS: which files a server offers, by the word of whoever signed it. Foreign bytes. */

#include <glib.h>

#include "base/sha256.h"

typedef struct Manifest Manifest;

/* Lines as sha256sum(1) writes them; anything else, two digests for one name, or a name that is no plain file name is an
 * error. */
Manifest *manifest_parse(const char *text, gsize size, GError **error);
void manifest_free(Manifest *manifest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Manifest, manifest_free)

/* The names, sorted by byte; owned by the manifest. */
const GPtrArray *manifest_get_names(const Manifest *manifest);

/* The digest of NAME; NULL: there is no such file. */
const guint8 *manifest_find(const Manifest *manifest, const char *name);

/* Fails (UPDATE_ERROR_STALE) when the day until which the manifest may be used, given by an entry
 * BEST-BEFORE-YYYY-MM-DD, is over at NOW (seconds since 1970). Of several the first day counts. */
gboolean manifest_check_freshness(const Manifest *manifest, gint64 now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
