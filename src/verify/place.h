/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where published files are: a directory, or an address of a server. Whatever comes from there is judged, not believed. */

#include <glib.h>

#include "base/sha256.h"

#define VERIFY_ERROR verify_error_quark()
GQuark verify_error_quark(void);

typedef enum {
    VERIFY_ERROR_MISSING, /* a file is not there */
    VERIFY_ERROR_FETCH,   /* a file cannot be read */
    VERIFY_ERROR_BAD,     /* what was to be verified is not so */
} VerifyError;

typedef struct Place Place;

/* ADDRESS: a path, or a URL with http or https. */
Place *place_new(const char *address, GError **error);
void place_free(Place *place);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Place, place_free)

/* What messages call the file NAME; owned by the caller. */
char *place_describe(const Place *place, const char *name);
gboolean place_is_remote(const Place *place);

/* The file NAME, a relative path, of at most LARGEST bytes. */
GBytes *place_fetch(Place *place, const char *name, gsize largest, GError **error);

/* The digest of the file NAME, read to its end. */
gboolean place_digest(Place *place, const char *name, guint8 ret_digest[static SHA256_SIZE], guint64 *ret_size,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;
