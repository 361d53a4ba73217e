/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Partition definitions: the files of repart.d(5), as far as they concern building an image. */

#include <gio/gio.h>
#include <glib.h>

#include "format/gpt/partition-types.h"
#include "image/definitions/specifiers.h"

/* A size that a definition does not give. */
#define SIZE_NOT_SET G_MAXUINT64

/* No partition is smaller, and sizes and offsets are multiples of it. */
#define PARTITION_GRAIN 4096u

/* Weight= that a definition does not give. */
#define PARTITION_WEIGHT_DEFAULT 1000

typedef enum {
    PARTITION_FORMAT_NONE,
    PARTITION_FORMAT_EROFS,
    PARTITION_FORMAT_SQUASHFS,
    PARTITION_FORMAT_EXT4,
    PARTITION_FORMAT_BTRFS,
    PARTITION_FORMAT_VFAT,
    PARTITION_FORMAT_SWAP,
    PARTITION_FORMAT_LAST = PARTITION_FORMAT_SWAP,
} PartitionFormat;

const char *partition_format_to_string(PartitionFormat format);

typedef enum {
    PARTITION_MINIMIZE_OFF,
    PARTITION_MINIMIZE_BEST,
    PARTITION_MINIMIZE_GUESS,
} PartitionMinimize;

typedef enum {
    PARTITION_VERITY_OFF,
    PARTITION_VERITY_DATA,
    PARTITION_VERITY_HASH,
    PARTITION_VERITY_SIGNATURE,
} PartitionVerity;

typedef enum {
    TRISTATE_UNSET = -1,
    TRISTATE_NO,
    TRISTATE_YES,
} Tristate;

typedef struct {
    char *source; /* absolute path in the tree (symlinks: target text) */
    char *target; /* absolute path in the new file system */
} DefinitionPair;

typedef struct {
    char *path; /* absolute, without trailing slash; "" is the root */
    gboolean contents_only;
} DefinitionExclude;

typedef struct {
    char *path; /* of the file, for messages */
    char *name; /* base name */

    PartitionType type;
    gboolean type_set;
    char *label; /* NULL: not set; "" is an empty label */
    gboolean uuid_set;
    Uuid uuid; /* all zero: "null" */
    gint64 priority;
    guint64 weight, padding_weight;
    guint64 size_min, size_max, padding_min, padding_max; /* SIZE_NOT_SET or bytes, multiples of the grain */
    char *copy_blocks;                                    /* absolute path in the tree, or NULL */
    PartitionFormat format;
    gboolean format_empty; /* Format=empty: nothing is in it, which label and flags say */
    GPtrArray *copy_files;           /* DefinitionPair */
    GPtrArray *exclude_files;        /* DefinitionExclude */
    GPtrArray *exclude_files_target; /* DefinitionExclude */
    GPtrArray *make_directories;     /* char */
    GPtrArray *make_symlinks;        /* DefinitionPair: source is the link's place, target its text */
    GPtrArray *subvolumes;           /* DefinitionPair: path and flags (NULL: none) */
    GPtrArray *mount_points;         /* DefinitionPair: where and further options (NULL: none) */
    char *default_subvolume;
    PartitionMinimize minimize;
    PartitionVerity verity;
    char *verity_match_key;
    char *compression;
    gint64 compression_level; /* -1: not set */
    char *split_name;         /* with its specifiers; NULL: not set */
    guint64 flags;
    Tristate no_auto, read_only, grow_file_system;
    Tristate add_validatefs; /* after partition_definition_complete(): yes or no */
    guint fs_sector_size;    /* bytes, 0: that of the disk */
    gboolean encrypt;        /* with a passphrase */
    char *encrypt_kdf;       /* NULL: not set */
    char *encrypted_volume;  /* for crypttab: NAME[:KEY-FILE[:OPTIONS]], or NULL */
    char *volume_label;      /* of the LUKS header, or NULL */
    char *volume_name;       /* of the open volume while repart works, or NULL */
    char *supplement_for;    /* name of another definition without ".conf", or NULL */

    guint label_line; /* where the label was given; 0: nowhere */
    guint type_line;
} PartitionDefinition;

PartitionDefinition *partition_definition_new(const char *path);
void partition_definition_free(PartitionDefinition *definition);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PartitionDefinition, partition_definition_free)

/* Parses the LENGTH bytes at TEXT (foreign, need not be NUL-terminated) and applies what they say to
 * DEFINITION: several calls make drop-ins. PATH is for messages, which read "PATH:LINE: SETTING=: ...".
 * ARCHITECTURE is what "root" and "usr" mean. */
gboolean partition_definition_parse(PartitionDefinition *definition, const char *path, const char *text,
        gsize length, const char *architecture, const Specifiers *specifiers, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What can be said about one definition when all of it was read: required settings, settings that exclude
 * each other, implied values (Format= of an ESP, the three flags). SPECIFIERS checks SplitName=. */
gboolean partition_definition_complete(
        PartitionDefinition *definition, const Specifiers *specifiers, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Merges every definition that says SupplementFor= into the one it names and drops it: a new disk always has
 * room for that. */
gboolean partition_definitions_merge_supplements(GPtrArray *definitions, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Where the file system of TYPE is mounted when nothing else is said, or NULL; the ESP has two such places,
 * of which this is /efi. */
const char *partition_mount_point(PartitionRole role);

/* Reads the definitions of all DIRECTORIES, sorted by file name; NAME.conf.d/ *.conf are applied after
 * NAME.conf. The result is an array of PartitionDefinition, complete. An earlier directory wins over a later
 * one; an empty file or a link to /dev/null masks. No definition at all is an error. */
GPtrArray *partition_definitions_load(const char *const *directories, const char *architecture,
        const Specifiers *specifiers, GError **error);

/* The definitions that PARTS holds: names and contents, alternating, NULL-terminated. */
GPtrArray *partition_definitions_builtin(
        const char *const *parts, const char *architecture, const Specifiers *specifiers, GError **error);

/* The definitions of a recipe that has none: ESP of 512 MiB (if WITH_ESP) and a root partition of
 * ROOT_FORMAT that is as large as its content needs. */
GPtrArray *partition_definitions_default(gboolean with_esp, const char *root_format,
        const char *architecture, const Specifiers *specifiers, GError **error);

/* The same as text: names and contents, alternating, NULL-terminated; owned by the caller. */
char **partition_definitions_default_texts(gboolean with_esp, const char *root_format);

/* Number of UTF-16 units of valid UTF-8; GPT has room for 36 in a label. */
glong partition_label_length(const char *label);
#define PARTITION_LABEL_MAX 36
