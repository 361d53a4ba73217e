/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What SSH writes (RFC 4251 section 5), read piece by piece, never beyond its end. */

#include <glib.h>

typedef struct {
    const guint8 *data;
    gsize left;
} SshReader;

/* Bytes that belong to who gave them. */
typedef struct {
    const guint8 *data;
    gsize size;
} SshBytes;

/* The next SIZE bytes, a byte, 32 bits, a string. FALSE: there is not so much, and nothing moves on. */
gboolean ssh_read_bytes(SshReader *reader, gsize size, SshBytes *ret) G_GNUC_WARN_UNUSED_RESULT;
gboolean ssh_read_byte(SshReader *reader, guint8 *ret) G_GNUC_WARN_UNUSED_RESULT;
gboolean ssh_read_number(SshReader *reader, guint32 *ret) G_GNUC_WARN_UNUSED_RESULT;
gboolean ssh_read_string(SshReader *reader, SshBytes *ret) G_GNUC_WARN_UNUSED_RESULT;

/* A positive whole number (mpint) in its shortest form, without the zero byte before a first bit that is set. */
gboolean ssh_read_positive(SshReader *reader, SshBytes *ret) G_GNUC_WARN_UNUSED_RESULT;

/* Whether BYTES are those of TEXT. */
gboolean ssh_bytes_are(SshBytes bytes, const char *text) G_GNUC_WARN_UNUSED_RESULT;
