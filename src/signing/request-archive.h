/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The archives through which the signer of the Open Build Service is asked: hashes.cpio.rsasign holds a file for each
 * request; it signs the SHA-256 digest of each with RSA (PKCS#1 v1.5) and answers with an archive of the same files, with
 * ".sig" behind each name. */

#include <glib.h>

/* The archive of REQUESTS (of SigningRequest), in cpio's format "newc", without times. */
GBytes *request_archive_build(GPtrArray *requests, GError **error);

/* Reads an archive of answers, SIZE bytes at DATA: paths of requests to signatures (GBytes). */
GHashTable *request_archive_parse_answers(const void *data, gsize size, GError **error);

/* The same from the file PATH. NULL without ERROR set when it is not
 * there. */
GHashTable *request_archive_read_answers(const char *path, GError **error);
