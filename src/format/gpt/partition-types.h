/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Partition types by name, as the Discoverable Partitions Specification (UAPI.2) and repart.d(5) have them.
 */

#include <glib.h>

#include "base/uuid.h"

/* What a partition is for, whatever the architecture. */
typedef enum {
    PARTITION_OTHER, /* any UUID that is not in the table */
    PARTITION_ROOT,
    PARTITION_ROOT_VERITY,
    PARTITION_ROOT_VERITY_SIG,
    PARTITION_USR,
    PARTITION_USR_VERITY,
    PARTITION_USR_VERITY_SIG,
    PARTITION_ESP,
    PARTITION_XBOOTLDR,
    PARTITION_SWAP,
    PARTITION_HOME,
    PARTITION_SRV,
    PARTITION_VAR,
    PARTITION_TMP,
    PARTITION_USER_HOME,
    PARTITION_LINUX_GENERIC,
} PartitionRole;

typedef struct {
    Uuid uuid;
    PartitionRole role;
    char name[UUID_TEXT_LENGTH + 1]; /* canonical ("usr-x86-64-verity"); a UUID for PARTITION_OTHER */
} PartitionType;

/* WORD: an identifier ("root", "usr-arm64-verity", "root-secondary", "esp") or a UUID. ARCHITECTURE decides
 * what "root" and "usr" mean. FALSE: neither, or there is no such type for the architecture. */
gboolean partition_type_parse(const char *word, const char *architecture, PartitionType *ret);

/* TRUE when ARCHITECTURE ("x86-64", "arm64", ...) has partition types. */
gboolean partition_type_architecture_known(const char *architecture);

/* TRUE for the hash tree of a volume and its signature. */
gboolean partition_role_is_verity(PartitionRole role);

/* Which attributes of the specification make sense for a type. */
gboolean partition_role_knows_read_only(PartitionRole role);
gboolean partition_role_knows_no_auto(PartitionRole role);
gboolean partition_role_knows_grow(PartitionRole role);

/* Bits of the GPT attribute field. */
#define PARTITION_FLAG_GROW_FILE_SYSTEM (G_GUINT64_CONSTANT(1) << 59)
#define PARTITION_FLAG_READ_ONLY (G_GUINT64_CONSTANT(1) << 60)
#define PARTITION_FLAG_NO_AUTO (G_GUINT64_CONSTANT(1) << 63)
