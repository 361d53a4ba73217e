/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where versions come from: a web server with a signed manifest, or a directory. */

#include <glib.h>

#include "update/http/http.h"
#include "update/source/keyring.h"
#include "update/source/manifest.h"

typedef struct UpdateSource UpdateSource;

typedef struct {
    Http *http;                  /* borrowed */
    const Keyring *keyring;      /* borrowed; NULL: signatures are not looked at */
    const char *keyring_problem; /* why there is no key ring although there should be; NULL: there should not */
    gint64 now;                  /* seconds since 1970; 0: freshness is not looked at */
} SourceOptions;

/* Reads what is at the address PATH: SHA256SUMS and its signature, which has to be right. */
UpdateSource *update_source_open_url(const char *path, const SourceOptions *options, GError **error);

/* The directory PATH. With SHA256SUMS in it, files have to be as that says; it is not asked who signed it, because whoever
 * may write there is trusted, as by systemd-sysupdate. */
UpdateSource *update_source_open_directory(const char *path, GError **error);

void update_source_free(UpdateSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UpdateSource, update_source_free)

/* The address or directory; owned by the source. */
const char *update_source_get_path(const UpdateSource *source);

/* Names of its files, sorted by byte; owned by the source. */
const GPtrArray *update_source_get_names(const UpdateSource *source);

/* What the file NAME has to be; NULL where nobody says it. */
const guint8 *update_source_find_digest(const UpdateSource *source, const char *name);

/* How many bytes the file NAME has. */
gboolean update_source_measure(
        UpdateSource *source, const char *name, guint64 *ret_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* As http_fetch(), for either kind. */
gboolean update_source_fetch(UpdateSource *source, const char *name, guint64 size, const GArray *ranges, HttpSink sink,
        gpointer data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Bytes that came over the network. */
guint64 update_source_get_received(const UpdateSource *source);
