/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Encrypted partitions without device-mapper: cryptsetup writes the LUKS2 header into a file, and the
 * content behind it is encrypted here (aes-xts-plain64 with sectors of 4096 bytes; LUKS2 On-Disk Format
 * Specification 1.1). */

#include "image/plan/partition-plan.h"

typedef struct {
    const char *passphrase; /* path of the file that is the passphrase, as a whole */
    const char *kdf;        /* "argon2id", "pbkdf2", "minimal"; NULL: argon2id */
    const char *label;
    Uuid uuid;
    const char *tools_tree; /* or NULL */
} LuksOptions;

/* Writes PLAIN (a file) encrypted to TARGET (made anew), LUKS_HEADER_SIZE bytes longer and rounded up to
 * whole sectors; RET_SIZE is its size. The key of the volume is random, so that two results are never the
 * same. */
gboolean luks_encrypt(const LuksOptions *options, const char *plain, const char *target, guint64 *ret_size,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds the lines that EncryptedVolume= asks for to /etc/crypttab of the tree. */
gboolean crypttab_write(const Plan *plan, int root_fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;
