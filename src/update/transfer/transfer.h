/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Transfer files (sysupdate.d(5)): from where something is updated, and to where. */

#include <glib.h>

#include "format/gpt/partition-types.h"
#include "update/transfer/pattern.h"

typedef enum {
    TRANSFER_SOURCE_URL_FILE,     /* Path= is an address, with a signed SHA256SUMS */
    TRANSFER_SOURCE_REGULAR_FILE, /* Path= is a directory */
} TransferSource;

typedef enum {
    TRANSFER_TARGET_PARTITION,    /* Path= is a disk, NULL: the one that /usr is on */
    TRANSFER_TARGET_REGULAR_FILE, /* Path= is a directory */
} TransferTarget;

/* What a path is below of. */
typedef enum {
    TRANSFER_RELATIVE_ROOT,
    TRANSFER_RELATIVE_ESP,
    TRANSFER_RELATIVE_XBOOTLDR,
    TRANSFER_RELATIVE_BOOT,     /* XBOOTLDR where there is one, else ESP */
    TRANSFER_RELATIVE_EXPLICIT, /* the directory that --transfer-source= names */
} TransferRelative;

/* Where is what: texts may be NULL, which is an empty one. Owned by the caller. */
typedef struct {
    const char *architecture;  /* %a */
    const char *image_version; /* %A */
    const char *boot_id;       /* %b */
    const char *build_id;      /* %B */
    const char *host_name;     /* %H */
    const char *image_id;      /* %M */
    const char *machine_id;    /* %m */
    const char *os_id;         /* %o */
    const char *kernel;        /* %v */
    const char *version_id;    /* %w */
    const char *variant_id;    /* %W */
} TransferSpecifiers;

typedef struct {
    char *name; /* of the file, without ".transfer" */
    char *path; /* of the file, for messages */

    char *min_version;
    GPtrArray *protected; /* versions */
    gboolean verify;

    TransferSource source;
    char *source_path;
    TransferRelative source_relative;
    GPtrArray *source_patterns; /* Pattern */

    TransferTarget target;
    char *target_path;
    TransferRelative target_relative;
    GPtrArray *target_patterns; /* the first one makes names */
    PartitionType type;
    PatternFields fields; /* what [Target] sets, whatever the name of the source says; without version */
    guint instances_max;
    char *current_symlink;
} Transfer;

void transfer_free(Transfer *transfer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Transfer, transfer_free)

/* A transfer file and its drop-ins in the order they count, as pairs of path and text. Errors
 * (UPDATE_ERROR_CONFIGURATION) name file, line and setting. What is not known, or not done here (archives, directories,
 * subvolumes, features), is an error: an update that does something else than its author wrote is none. */
typedef struct {
    const char *path, *text;
    gsize size;
} TransferText;
Transfer *transfer_parse(
        const char *name, const TransferText *texts, guint n, const TransferSpecifiers *specifiers, GError **error);

/* All transfers of DIRECTORIES (NULL-terminated, the one that counts most first), each with its drop-ins
 * (NAME.transfer.d), sorted by name: an array of Transfer. Files in former directories take the place of those of the
 * same name in later ones; a link to /dev/null takes one away. Old names (*.conf) are read where there are no others. None
 * at all is an error. */
GPtrArray *transfer_load(const char *const *directories, const TransferSpecifiers *specifiers, GError **error);
