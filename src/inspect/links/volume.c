/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/errors.h"
#include "base/hex.h"
#include "base/io.h"
#include "crypto/sources/error.h"
#include "format/erofs/erofs-format.h"
#include "format/verity/signature/verity-signature.h"
#include "format/verity/verity.h"
#include "inspect/disk/luks.h"
#include "inspect/verdict/inspect-internal.h"

#define EMPTY_SLOT_LABEL "_empty"

/* A volume: its data, the hash tree over it, and the signature of the tree's root hash. */

typedef struct {
    const InspectPartition *data, *verity; /* without VERITY there is no tree */
} Volume;

/* The partition of this kind after SKIP others. Slots that wait for an update do not count. */
static const InspectPartition *find_partition(
        InspectContext *context, InspectDesignator designator, InspectRole role, guint skip) {
    for (guint i = 0; i < context->partitions->len; i++) {
        const InspectPartition *partition = context->partitions->pdata[i];
        if (partition->designator == designator && partition->role == role &&
                strcmp(partition->label, EMPTY_SLOT_LABEL) != 0 && skip-- == 0)
            return partition;
    }
    return NULL;
}

static gboolean read_at(InspectContext *context, guint64 offset, void *buffer, gsize size, GError **error) {
    gssize n = pread_up_to(context->fd, buffer, size, offset);
    if (n < 0)
        return set_errno_error(error, errno, "Cannot read the image at byte %" G_GUINT64_FORMAT, offset);
    if (n == (gssize) size)
        return TRUE;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_IO,
            "Cannot read the image at byte %" G_GUINT64_FORMAT ": it ends there", offset + n);
    return FALSE;
}

static char *format_uuid(const guint8 uuid[static 16]) {
    g_autofree char *hex = hex_encode(uuid, 16);
    return g_strdup_printf("%.8s-%.4s-%.4s-%.4s-%s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

/* Recomputes the tree; RET_REPORT holds the root hash even when data does not match it. */
static gboolean check_tree(
        InspectContext *context, InspectNode *node, const Volume *volume, VerityReport *ret_report) {
    InspectNode *link = inspect_node_add(node, "verity", "hash tree");
    g_autoptr(GError) error = NULL;
    if (!verity_verify(context->fd, volume->data->offset, volume->data->size, context->fd,
                volume->verity->offset, volume->verity->size, context->options->threads, ret_report,
                &error)) {
        inspect_node_set_error(link, error);
        return FALSE;
    }
    g_autofree char *hash = hex_encode(ret_report->root_hash, VERITY_DIGEST_SIZE);
    inspect_node_add_fact(link, "root-hash", hash);
    if (ret_report->bad_hash_block != VERITY_NO_BLOCK)
        inspect_node_set(link, INSPECT_BROKEN, "block %" G_GUINT64_FORMAT " of the hash tree was changed",
                ret_report->bad_hash_block);
    else if (ret_report->bad_data_block != VERITY_NO_BLOCK)
        inspect_node_set(link, INSPECT_BROKEN, "block %" G_GUINT64_FORMAT " of the data was changed",
                ret_report->bad_data_block);
    else
        inspect_node_set(link, INSPECT_OK, "%" G_GUINT64_FORMAT " blocks, root hash %s",
                ret_report->superblock.data_blocks, hash);
    return link->verdict == INSPECT_OK;
}

/* The kernel's mount code finds data and tree by their UUIDs, which are the halves of the root hash. */
static void check_uuids(InspectNode *node, const Volume *volume, const VerityReport *report) {
    guint8 data[16], verity[16];
    verity_partition_uuids(report->root_hash, data, verity);
    g_autofree char *data_uuid = format_uuid(data);
    g_autofree char *verity_uuid = format_uuid(verity);
    InspectNode *link = inspect_node_add(node, "uuids", "partition UUIDs");
    if (strcmp(data_uuid, volume->data->uuid) != 0)
        inspect_node_set(link, INSPECT_BROKEN, "the data partition is %s, its root hash says %s",
                volume->data->uuid, data_uuid);
    else if (strcmp(verity_uuid, volume->verity->uuid) != 0)
        inspect_node_set(link, INSPECT_BROKEN, "the verity partition is %s, its root hash says %s",
                volume->verity->uuid, verity_uuid);
    else
        inspect_node_set(link, INSPECT_OK, "derive from the root hash");
}

static VeritySignature *read_signature(
        InspectContext *context, const InspectPartition *partition, GError **error) {
    gsize size = MIN(partition->size, 16 * VERITY_SIGNATURE_PARTITION_SIZE);
    g_autofree guint8 *data = g_malloc(size + 1);
    if (!read_at(context, partition->offset, data, size, error))
        return NULL;
    if (size > 0 && data[0] == 0) {
        g_set_error_literal(
                error, CRYPTO_ERROR, CRYPTO_ERROR_MISSING, "the signature partition is still empty");
        return NULL;
    }
    return verity_signature_parse(data, size, error);
}

/* The signature partition that speaks of ROOT_HASH, or the only one there is. */
static VeritySignature *find_signature(InspectContext *context, InspectDesignator designator,
        const guint8 root_hash[static VERITY_DIGEST_SIZE], gboolean *ret_any, GError **error) {
    VeritySignature *first = NULL;
    for (guint i = 0;; i++) {
        const InspectPartition *partition =
                find_partition(context, designator, INSPECT_ROLE_VERITY_SIGNATURE, i);
        if (!partition)
            return first;
        *ret_any = TRUE;
        g_autoptr(VeritySignature) signature =
                read_signature(context, partition, !*error && !first ? error : NULL);
        if (!signature)
            continue;
        if (g_bytes_get_size(signature->root_hash) == VERITY_DIGEST_SIZE &&
                memcmp(g_bytes_get_data(signature->root_hash, NULL), root_hash, VERITY_DIGEST_SIZE) == 0) {
            verity_signature_free(first);
            g_clear_error(error);
            return g_steal_pointer(&signature);
        }
        if (!first)
            first = g_steal_pointer(&signature);
    }
}

/* Judges a signature that speaks of the right root hash. */
static void judge_signature(InspectContext *context, InspectNode *link, const VeritySignature *signature) {
    const Certificate *pinned = context->options->root_hash_certificate ? context->options->root_hash_certificate
                                                                        : context->options->certificate;
    g_autoptr(GError) error = NULL;
    g_autoptr(Certificate) signer = NULL;
    if (!verity_signature_verify(signature, context->known, &signer, &error)) {
        gboolean unknown = g_error_matches(error, CRYPTO_ERROR, CRYPTO_ERROR_MISSING);
        inspect_node_set(link, unknown && !pinned && !context->db ? INSPECT_MISSING : INSPECT_BROKEN, "%s%s",
                error->message, unknown && !pinned ? "; give it with --certificate" : "");
        return;
    }
    inspect_node_add_signer(link, signer);
    if (pinned && !certificate_equal(pinned, signer))
        inspect_node_set(link, INSPECT_BROKEN, "signed by %s, not by %s",
                certificate_get_description(signer), certificate_get_description(pinned));
    else if (signature->fingerprint &&
             strcmp(signature->fingerprint, certificate_get_fingerprint(signer)) != 0)
        inspect_node_set(link, INSPECT_BROKEN, "names the certificate %s, but is by %s",
                signature->fingerprint, certificate_get_fingerprint(signer));
    else if (context->db && !inspect_has_certificate(context->db, signer))
        inspect_node_set(link, INSPECT_BROKEN,
                "signed by %s, whose certificate is not in the db that this image enrols, so the kernel "
                "will "
                "not know it",
                certificate_get_description(signer));
    else
        inspect_node_set(link, INSPECT_OK, "signed by %s", certificate_get_description(signer));
}

static void check_signature(InspectContext *context, InspectNode *node, InspectDesignator designator,
        const VerityReport *report) {
    InspectNode *link = inspect_node_add(node, "verity-signature", "root hash signature");
    g_autoptr(GError) error = NULL;
    gboolean any = FALSE;
    g_autoptr(VeritySignature) signature =
            find_signature(context, designator, report->root_hash, &any, &error);
    if (!any)
        inspect_node_set(link, context->options->certificate ? INSPECT_BROKEN : INSPECT_MISSING,
                "there is no signature partition");
    else if (!signature && g_error_matches(error, CRYPTO_ERROR, CRYPTO_ERROR_MISSING) &&
             !context->options->certificate)
        inspect_node_set(link, INSPECT_MISSING, "%s", error->message);
    else if (!signature)
        inspect_node_set_error(link, error);
    else if (g_bytes_get_size(signature->root_hash) != VERITY_DIGEST_SIZE ||
             memcmp(g_bytes_get_data(signature->root_hash, NULL), report->root_hash, VERITY_DIGEST_SIZE) !=
                     0) {
        g_autofree char *other = hex_encode(
                g_bytes_get_data(signature->root_hash, NULL), g_bytes_get_size(signature->root_hash));
        inspect_node_set(link, INSPECT_BROKEN, "it is the signature of another root hash, %s", other);
    } else
        judge_signature(context, link, signature);
}

/* The checksum is over the block from the superblock on, with the field itself zero. */
static void check_erofs(InspectNode *link, guint8 *block, gsize block_size) {
    ErofsSuperblock super;
    memcpy(&super, block + EROFS_SUPER_OFFSET, sizeof super);
    guint32 stored = GUINT32_FROM_LE(super.checksum);
    if ((GUINT32_FROM_LE(super.feature_compat) & EROFS_COMPAT_SB_CHECKSUM) == 0) {
        inspect_node_set(link, INSPECT_OK, "EROFS without superblock checksum");
        return;
    }
    memset(block + EROFS_SUPER_OFFSET + G_STRUCT_OFFSET(ErofsSuperblock, checksum), 0, 4);
    guint32 computed = crc32c_update(~0u, block + EROFS_SUPER_OFFSET, block_size - EROFS_SUPER_OFFSET);
    if (stored == computed)
        inspect_node_set(
                link, INSPECT_OK, "EROFS, %" G_GUINT64_FORMAT " inodes", GUINT64_FROM_LE(super.inodes));
    else
        inspect_node_set(link, INSPECT_BROKEN,
                "the checksum of the EROFS superblock is %08x instead of %08x", stored, computed);
}

static void check_file_system(InspectContext *context, InspectNode *node, const InspectPartition *data) {
    InspectNode *link = inspect_node_add(node, "file-system", "file system");
    guint8 block[4096];
    g_autoptr(GError) error = NULL;
    guint32 magic = 0;
    if (data->size < sizeof block) {
        inspect_node_set(link, INSPECT_BROKEN, "the partition is too small for one");
        return;
    }
    if (!read_at(context, data->offset, block, sizeof block, &error)) {
        inspect_node_set_error(link, error);
        return;
    }
    memcpy(&magic, block + EROFS_SUPER_OFFSET, sizeof magic);
    if (GUINT32_FROM_LE(magic) == EROFS_SUPER_MAGIC)
        check_erofs(link, block, sizeof block);
    else
        inspect_node_set(link, INSPECT_NOT_APPLICABLE, "not EROFS, so not examined");
}

/* Notes a sound tree, so that command lines that name its root hash are judged well. */
static void remember_root_hash(
        InspectContext *context, InspectDesignator designator, const VerityReport *report) {
    g_autofree char *hash = hex_encode(report->root_hash, VERITY_DIGEST_SIZE);
    g_ptr_array_add(
            context->root_hashes, g_strdup_printf("%s=%s", inspect_designator_to_string(designator), hash));
}

static void check_volume(
        InspectContext *context, InspectNode *node, InspectDesignator designator, const Volume *volume) {
    check_file_system(context, node, volume->data);
    if (!volume->verity) {
        InspectNode *link = inspect_node_add(node, "verity", "hash tree");
        inspect_node_set(link, context->options->certificate ? INSPECT_BROKEN : INSPECT_MISSING,
                "the volume is not verity protected");
        return;
    }
    VerityReport report;
    memset(&report, 0, sizeof report);
    if (check_tree(context, node, volume, &report))
        remember_root_hash(context, designator, &report);
    else if (report.superblock.data_blocks == 0)
        return;
    check_uuids(node, volume, &report);
    check_signature(context, node, designator, &report);
}

static guint count_partitions(InspectContext *context, InspectDesignator designator, InspectRole role) {
    guint n = 0;
    while (find_partition(context, designator, role, n))
        n++;
    return n;
}

/* Every hash tree and every signature must be of a volume. */
static void check_counts(InspectContext *context, InspectNode *root, InspectDesignator designator) {
    guint n = count_partitions(context, designator, INSPECT_ROLE_DATA);
    for (InspectRole role = INSPECT_ROLE_VERITY; role <= INSPECT_ROLE_VERITY_SIGNATURE; role++)
        for (guint i = n; i < count_partitions(context, designator, role); i++)
            inspect_node_set(inspect_add_partition(root, find_partition(context, designator, role, i)),
                    INSPECT_BROKEN, "it belongs to no volume");
}

static void check_lonely_verity(
        InspectContext *context, InspectNode *root, InspectDesignator designator, const char *title) {
    if (!find_partition(context, designator, INSPECT_ROLE_VERITY, 0) &&
            !find_partition(context, designator, INSPECT_ROLE_VERITY_SIGNATURE, 0))
        return;
    InspectNode *link = inspect_node_add(root, inspect_designator_to_string(designator), title);
    inspect_node_set(link, INSPECT_BROKEN, "a hash tree or a signature without data");
}

void inspect_check_volumes(
        InspectContext *context, InspectNode *root, InspectDesignator designator, const char *title) {
    Volume volume = {0};
    for (guint i = 0; (volume.data = find_partition(context, designator, INSPECT_ROLE_DATA, i)); i++) {
        volume.verity = find_partition(context, designator, INSPECT_ROLE_VERITY, i);
        /* A root file system of its own, without verity, beside a verified /usr is the machine's state. */
        if (designator == INSPECT_ROOT && !volume.verity &&
                (context->volumes->len > 0 ||
                        inspect_luks_check(context->fd, volume.data->offset, volume.data->size, NULL)))
            continue;
        const char *name = inspect_designator_to_string(designator);
        if (!g_ptr_array_find_with_equal_func(context->volumes, name, g_str_equal, NULL))
            g_ptr_array_add(context->volumes, g_strdup(name));
        g_autofree char *slot = g_strdup_printf("%s (partition %u%s%s)", title, volume.data->number,
                *volume.data->label ? ", " : "", volume.data->label);
        check_volume(context, inspect_node_add(root, name, slot), designator, &volume);
    }
    if (!find_partition(context, designator, INSPECT_ROLE_DATA, 0))
        check_lonely_verity(context, root, designator, title);
    else
        check_counts(context, root, designator);
}
