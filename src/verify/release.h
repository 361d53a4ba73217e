/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether files are what a build service published: from the fingerprint of the key of its log, which a person has, by the log to
 * the manifest, and by the manifest to the last byte. */

#include <json-glib/json-glib.h>

typedef struct {
    const char *address;    /* of a channel, or of a file in it; a directory, or a file with SHA256SUMS beside it */
    const char *key;        /* fingerprint, or the key itself (NAME+HASH+BASE64) */
    const char *log;        /* where the log is; NULL: where the service of ADDRESS has it, or nowhere for a directory */
    const char *checkpoint; /* file with a checkpoint that the log has to continue; replaced by the newest one; NULL: none */
    gboolean whole_log;     /* all entries are read, too */
    gint64 now;             /* seconds since 1970 */
} VerifyOptions;

/* What was verified, owned by the caller. NULL: something is not as it has to be, and ERROR says what. */
JsonObject *verify_release(const VerifyOptions *options, GError **error);
