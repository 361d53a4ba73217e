/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where in the files of a build things wait for signatures: partitions, files on the ESP, files that stand alone. */

#include "signing/thing.h"

/* A copy of a thing. */
typedef struct {
    char *artifact; /* name of the file */
    GArray *ranges; /* of FatRange: where in it the content is, piece after piece */
} SigningPlace;

/* The things in the files NAMES (an array of strings) of DIRECTORY that wait for signatures by CERTIFICATES: an array of
 * SigningThing, in the order of their titles; the same content in several places is one thing. Files that are not there
 * are passed over. */
GPtrArray *signing_scan(const char *directory, GPtrArray *names, GPtrArray *certificates, GError **error);

/* Writes CONTENT, of the same size, to all places of THING, whose files are in DIRECTORY. Only bytes that differ are
 * written; RET_WRITTEN is increased by their bytes. */
gboolean signing_thing_write(const SigningThing *thing, const char *directory, GBytes *content, guint64 *ret_written,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;
