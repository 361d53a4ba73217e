/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Objects of a request: parts of files that came as descriptors. They are somebody else's, who may change
 * them at any time: what is judged is read once, into memory of our own. */

#include <json-glib/json-glib.h>

typedef struct {
    char *name;
    int fd;               /* borrowed */
    guint64 offset, size; /* bytes */
    char digest[65];      /* once it was read: what stands for its content in the log */
} SignerObject;

/* The objects that ARRAY (may be NULL: none) names for DESCRIPTORS (of int), an array of SignerObject.
 * Refused: names that are there twice, other numbers of them than descriptors, what is no regular file open
 * for reading, parts beyond its end. */
GPtrArray *signer_objects_new(JsonArray *array, GArray *descriptors, GError **error);

/* The object NAME, or NULL with ERROR set. */
SignerObject *signer_objects_find(GPtrArray *objects, const char *name, GError **error);

/* Reads OBJECT and sets its digest. More than LARGEST bytes, or none, are refused. */
GBytes *signer_object_read(SignerObject *object, gsize largest, GError **error);

/* A copy of OBJECT in memory, as a file that nobody else has; -1 on failure. As above, but the digest is not
 * set. */
int signer_object_copy(const SignerObject *object, guint64 largest, GError **error);
