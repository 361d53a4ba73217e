/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From partition definitions (repart.d(5)) and a tree to a disk image: a GPT disk that describes itself
 * (Discoverable Partitions Specification). The work is done in the order in which the facts become known:
 *
 *     disk_new()            reads definitions, plans, reports every mistake that can be seen before work
 *     disk_write_volumes()  writes every partition but ESP and XBOOTLDR; the verity root hash is known after
 *     disk_usr_hash()       goes into the kernel command line, which goes into the UKI, which goes into /efi
 *     disk_write_esp()      writes ESP and XBOOTLDR
 *     disk_finish()         lays everything out, writes the partition table, names split artifacts
 *
 * Output is a function of the definitions, the tree, seed and epoch alone. All files are made next to the
 * output; disk_free() removes what was not handed out, so an error leaves nothing behind but what the caller
 * named.
 */

#include <glib.h>

#include "crypto/certificates/certificate.h"
#include "crypto/sources/key-source.h"
#include "image/definitions/disk-error.h"
#include "image/definitions/partition-definition.h"
#include "image/plan/partition-plan.h"
#include "image/volumes/fat-room.h"
#include "image/volumes/volume.h"
#include "packs/pack-store.h"

typedef struct {
    /* The disk image to be made (replaced if it exists); the caller renames it when all is done. */
    const char *output;
    /* Split artifacts get the name PREFIX.SPLITNAME.raw; NULL: no split artifacts. */
    const char *split_prefix;

    /* Directories with *.conf; of files with the same name the one in the earlier directory counts, as for
     * systemd-repart. Empty or NULL: the built-in definitions, see default_esp and default_root_format. */
    const char *const *definition_dirs;
    /* Definitions as text, instead of those: names and contents, alternating, NULL-terminated; or NULL. */
    const char *const *builtin_definitions;
    gboolean default_esp; /* built-in definitions: with an ESP of 512 MiB */
    const char
            *default_root_format; /* built-in definitions: Format= of the root partition, "ext4" if NULL */

    /* The tree of the image, by descriptor, and its path for messages. Sources of CopyFiles= are resolved
     * inside of it. */
    int root_fd;
    const char *root_path;
    const char *passphrase; /* file with the passphrase for encrypted partitions, or NULL */
    const char *tools_tree; /* where mkfs programs come from; NULL: the host */
    gboolean write_fstab;   /* what MountPoint= says goes into /etc/fstab of the tree, before it is copied */

    guint8 seed[16];      /* seed for all UUIDs, in the order of its text */
    gint64 epoch;         /* SOURCE_DATE_EPOCH in seconds: the time of everything made; -1: not given */
    guint sector_size;    /* 512, 1024, 2048 or 4096; 0 means 512 */
    guint64 minimum_size; /* the disk is at least so large, in bytes; 0: no minimum */

    /* Architecture as in the Discoverable Partitions Specification and recipes: "x86-64", "arm64", ... */
    const char *architecture;
    /* Specifiers; NULL is the empty string. */
    const char *image_id;       /* %M */
    const char *image_version;  /* %A */
    const char *os_id;          /* %o */
    const char *os_version_id;  /* %w */
    const char *os_build_id;    /* %B */
    const char *os_variant_id;  /* %W */
    const char *kernel_version; /* %v */

    DiskVerity verity;
    const KeySource *verity_key;           /* borrowed; NULL: none */
    const Certificate *verity_certificate; /* borrowed; NULL: none */

    /* For definitions that do not say Compression=: "zstd", "none", ...; NULL: zstd for erofs. Level -1:
     * default of the algorithm. */
    const char *compression;
    int compression_level;
    /* A kernel of the image that cannot read EROFS with zstd, or NULL: then nothing is compressed by default, and
     * a definition that wants zstd gets a warning. */
    const char *kernel_without_zstd;
    /* What earlier disks had compressed, and who compresses; see erofs-writer.h. NULL: none. */
    PackStore *store;
    const char *maker;
    VolumeLabel label_of;   /* SELinux labels of the files in the tree; NULL: they keep what they have */
    gpointer label_data;
    guint threads;          /* 0: as many as there are CPUs */
    const char *step_image; /* name of the image in progress messages, or NULL */
} DiskOptions;

typedef struct Disk Disk;

/* Reads the definitions and plans. OPTIONS is borrowed: it and what it points to must outlive the Disk.
 * Nothing is written yet. Temporary files go into a directory ".particleos-disk-XXXXXX" next to the output:
 * have the output in a workspace, which goes away when the process is killed. */
Disk *disk_new(const DiskOptions *options, GError **error);
void disk_free(Disk *disk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Disk, disk_free)

/* TRUE when a definition asks for an ESP (or XBOOTLDR), for a verity protected /usr, for one of root: known
 * right after disk_new(). */
gboolean disk_has_esp(Disk *disk);
gboolean disk_has_usr_verity(Disk *disk);
gboolean disk_has_root_verity(Disk *disk);

/* The definitions (PartitionDefinition) in the order of the table; borrowed, valid right after disk_new(). */
GPtrArray *disk_get_definitions(Disk *disk);

/* Fails when the smallest disk that the definitions allow is more than a file beside the output can be, which is
 * known before anything is written; DIRECTORY is where that will be. */
gboolean disk_check_size(Disk *disk, const char *directory, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes the content of all partitions but ESP and XBOOTLDR to files of their own. */
gboolean disk_write_volumes(Disk *disk, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Root hashes in lower case hex, NULL when there is none; valid after disk_write_volumes(). */
const char *disk_usr_hash(Disk *disk);
const char *disk_root_hash(Disk *disk);

typedef enum {
    DISK_ROLE_ROOT,
    DISK_ROLE_USR,
} DiskRole;

/* UUID of the first partition of that role, lower case, owned by the caller; NULL when there is none. Final
 * after disk_write_volumes(). */
char *disk_partition_uuid(Disk *disk, DiskRole role);

/* Writes ESP and XBOOTLDR. Their CopyFiles= sources (/efi:/, /boot:/) are read from the tree, into which the
 * caller has put boot loader, UKI and enrolment variables by now. A source that does not exist is skipped.
 */
gboolean disk_write_esp(Disk *disk, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How full the FAT of a boot partition is that disk_write_esp() wrote; FALSE: it has none, or does not say. */
gboolean disk_boot_room(Disk *disk, const PartitionDefinition *definition, FatRoom *ret);

/* Puts the partitions into the output file (sparse), writes the partition table, and names the split
 * artifacts. */
gboolean disk_finish(Disk *disk, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What the finished disk consists of, for reports and the rest of the pipeline. */
typedef struct {
    char *definition; /* base name of the definition file */
    char *type;       /* "esp", "usr-x86-64-verity", ... or a UUID */
    char *type_uuid;  /* lower case */
    char *uuid;       /* lower case */
    char *label;
    guint64 offset;   /* bytes */
    guint64 size;     /* bytes */
    char *root_hash;  /* of verity partitions, hex, or NULL */
    char *split_path; /* split artifact, or NULL */
} DiskPartition;

/* Array of DiskPartition in the order of the table; valid after disk_finish(), owned by DISK. */
GPtrArray *disk_partitions(Disk *disk);

/* TRUE when the signature partitions stayed empty (DISK_VERITY_DEFER). */
gboolean disk_signature_deferred(Disk *disk);
