/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The partitions of a disk image and what the Discoverable Partitions Specification says they are. */

#include <glib.h>

typedef enum {
    INSPECT_OTHER,
    INSPECT_ESP,
    INSPECT_XBOOTLDR,
    INSPECT_ROOT,
    INSPECT_USR,
    INSPECT_SWAP,
    INSPECT_HOME,
    INSPECT_SRV,
    INSPECT_VAR,
    INSPECT_TMP,
    INSPECT_N_DESIGNATORS,
} InspectDesignator;

typedef enum {
    INSPECT_ROLE_DATA,
    INSPECT_ROLE_VERITY,
    INSPECT_ROLE_VERITY_SIGNATURE,
} InspectRole;

typedef struct {
    guint number; /* from 1 */
    InspectDesignator designator;
    InspectRole role;
    char *type, *uuid;    /* lower case */
    char *label;          /* never NULL */
    guint64 offset, size; /* bytes */
} InspectPartition;

/* Reads the partition table of the image PATH: an array of InspectPartition in the order of the disk.
 * RET_PROBLEMS (an array of strings, owned by the caller) says what is wrong with the table, though it can
 * be read. NULL with ERROR set when there is none. */
GPtrArray *inspect_partitions_read(const char *path, GPtrArray **ret_problems, GError **error);

/* "usr", "root", "esp", "xbootldr", "home"... */
const char *inspect_designator_to_string(InspectDesignator designator);
