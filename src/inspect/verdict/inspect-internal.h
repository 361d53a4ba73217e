/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the checks of one inspection share. */

#include "format/fat/fat-audit.h"
#include "inspect/disk/partitions.h"
#include "inspect/verdict/inspect.h"

typedef struct {
    const char *path;
    int fd;
    const InspectOptions *options;
    guint64 size;          /* bytes of the file or disk */
    GPtrArray *partitions; /* of InspectPartition */
    GPtrArray *esps;       /* of InspectEsp: the file systems of all partitions that firmware reads */

    /* Certificates that signatures may be by, an array of Certificate: the pinned one, those of the
     * enrolment variables, those inside Authenticode signatures. */
    GPtrArray *known;
    /* The db that this image enrols, an array of Certificate; NULL when it enrols nothing. */
    GPtrArray *db;
    /* Root hashes of the volumes whose trees hold, as "DESIGNATOR=HEX" ("usr=01ab..."). */
    GPtrArray *root_hashes;
    /* Designators of volumes that are there at all ("usr", "root"). */
    GPtrArray *volumes;
} InspectContext;

/* The file systems that firmware reads. */
typedef struct {
    const InspectPartition *partition;
    FatReader *fat;
    GPtrArray *files;    /* of FatFile */
    GPtrArray *problems; /* strings: what readers could differ on */
} InspectEsp;

/* open.c: the file or disk PATH, unpacked into a temporary file when it is compressed and called so; -1 with
 * ERROR set when it is neither, or could be both. */
int inspect_open(const char *path, guint64 *ret_size, GError **error);

/* esp.c: boot loaders, UKIs and addons below NODE; inspect_esp_collect() runs first and fills KNOWN and
 * DB. */
void inspect_esp_collect(InspectContext *context, const InspectEsp *esp);
void inspect_esp_check_loaders(InspectContext *context, const InspectEsp *esp, InspectNode *node);
void inspect_esp_check_ukis(InspectContext *context, const InspectEsp *esp, InspectNode *node);
void inspect_esp_check_others(InspectContext *context, const InspectEsp *esp, InspectNode *node);
void inspect_esp_check_names(InspectContext *context, InspectNode *node);
void inspect_esp_check_file_system(InspectContext *context, const InspectEsp *esp, InspectNode *node);

/* inspect.c: the report on a disk image inside of another one. */
InspectNode *inspect_nested(InspectContext *context, GBytes *image, GError **error);

/* partition-content.c: a node for a partition below ROOT; all partitions that are neither for firmware nor
 * volumes. */
InspectNode *inspect_add_partition(InspectNode *root, const InspectPartition *partition);
void inspect_check_partitions(InspectContext *context, InspectNode *root);

/* pe-file.c: a child of NODE for each way in which IMAGE is no program that all firmware loads alike; what
 * an addon brings. */
void inspect_check_program(InspectNode *node, const char *path, GBytes *image);
void inspect_check_addon_content(
        InspectContext *context, InspectNode *node, const char *path, GBytes *image);

/* enrolment.c: the variables of loader/keys/ */
void inspect_enrolment_collect(InspectContext *context, const InspectEsp *esp);
void inspect_enrolment_check(InspectContext *context, const InspectEsp *esp, InspectNode *node);

/* authenticode.c: a child of NODE about the signature of IMAGE. What firmware itself checks
 * MUST_BE_ENROLLED: by a certificate of the db, if this image brings one. */
void inspect_check_authenticode(InspectContext *context, InspectNode *node, const char *id,
        const char *title, GBytes *image, gboolean must_be_enrolled);
void inspect_collect_signers(InspectContext *context, GBytes *image);

/* uki.c: children of NODE about what is inside of a UKI. */
void inspect_check_uki(InspectContext *context, InspectNode *node, GBytes *image);
void inspect_check_command_line_words(InspectNode *node, const char *command_line);
/* A child of NODE for each root hash that COMMAND_LINE names and that is of no sound volume of this image.
 */
void inspect_check_root_hashes(InspectContext *context, InspectNode *node, const char *command_line);

/* pe-file.c: whether the file is a program for UEFI rather than a disk, and its report. */
gboolean inspect_is_pe_file(const InspectContext *context);
InspectNode *inspect_pe_file(InspectContext *context, GError **error);

/* volume.c: verity, signature and file system of every volume of DESIGNATOR. */
void inspect_check_volumes(
        InspectContext *context, InspectNode *root, InspectDesignator designator, const char *title);

/* checksums.c */
void inspect_check_checksums(InspectContext *context, InspectNode *node);

/* Facts about who signed. */
void inspect_node_add_signer(InspectNode *node, const Certificate *signer);

/* Whether CERTIFICATES (may be NULL) hold CERTIFICATE. */
gboolean inspect_has_certificate(GPtrArray *certificates, const Certificate *certificate);
void inspect_add_known(InspectContext *context, Certificate *certificate);
