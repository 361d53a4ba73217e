/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From definitions to a layout: which partitions belong together, what they are called, where they are. No
 * input and output here. */

#include <glib.h>

#include "image/definitions/partition-definition.h"

/* What stands before the first partition, and after the last one (the backup table and its header). */
#define PLAN_HEAD_SIZE (1024u * 1024u)
#define LUKS_HEADER_SIZE G_GUINT64_CONSTANT(0x1000000) /* of encrypted partitions, before the content */
#define PLAN_TAIL_SIZE (20u * 1024u)

/* What Verity= of the recipe says. */
typedef enum {
    DISK_VERITY_AUTO,     /* sign when key and certificate are given; signature partitions need them */
    DISK_VERITY_DISABLED, /* no partition may ask for verity */
    DISK_VERITY_HASH,     /* no partition may ask for a signature */
    DISK_VERITY_SIGNED,   /* there must be a signature partition, key and certificate */
    DISK_VERITY_DEFER,    /* signature partitions are laid out and stay empty */
} DiskVerity;

typedef struct PlannedPartition PlannedPartition;

struct PlannedPartition {
    const PartitionDefinition *definition; /* borrowed */
    guint number;                          /* from 1 */
    char *label;
    Uuid uuid;        /* of verity data and hash partitions only final after plan_set_root_hash() */
    Uuid file_system; /* UUID of the file system */
    Uuid luks;        /* UUID of the LUKS header of encrypted partitions */

    /* Verity siblings: those of a data partition; data points back (to itself in a data partition). */
    PlannedPartition *data, *hash, *signature;
    char *root_hash; /* hex; set by plan_set_root_hash() */

    guint64 content_size; /* bytes that the content needs; SIZE_NOT_SET until it is written */
    guint64 offset, size; /* bytes; valid after plan_layout() */
};

typedef struct {
    GPtrArray *partitions; /* PlannedPartition, in the order of the table */
    Uuid disk_uuid;
    guint8 verity_salt[32];
    Uuid verity_uuid; /* of the verity superblock */
    guint sector_size;
    guint64 minimum_size; /* of the disk */
    guint64 size;         /* of the disk; valid after plan_layout() */
} Plan;

/* Matches verity partitions, derives UUIDs and labels. DEFINITIONS must outlive the plan. */
Plan *plan_new(GPtrArray *definitions, const Uuid *seed, guint sector_size, guint64 minimum_size,
        DiskVerity verity, gboolean can_sign, GError **error);
void plan_free(Plan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Plan, plan_free)

/* The smallest size that the definition allows, whatever the content: SizeMinBytes=, or what repart.d(5)
 * says when it is not set. */
guint64 plan_minimal_size(const Plan *plan, const PlannedPartition *partition);

/* The largest size that the definition allows; SIZE_NOT_SET: any. */
guint64 plan_maximal_size(const Plan *plan, const PlannedPartition *partition);

/* The size to make a file system in that fills its partition: the minimal size. */
guint64 plan_file_system_size(const Plan *plan, const PlannedPartition *partition);

/* Where PARTITION will begin, if that is known before any content is written; else 0. */
guint64 plan_early_offset(const Plan *plan, const PlannedPartition *partition);

/* Records the root hash for DATA and its siblings; their UUIDs follow from it where no UUID= is given. */
void plan_set_root_hash(PlannedPartition *data, const guint8 root_hash[32]);

/* Assigns sizes and offsets. Every content size must be known by now. Content over SizeMaxBytes= is an error
 * that names the definition. */
gboolean plan_layout(Plan *plan, GError **error) G_GNUC_WARN_UNUSED_RESULT;
