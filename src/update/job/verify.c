/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Volumes in slots, checked against their hash trees. */

#include <string.h>

#include "base/io.h"
#include "update/device/trust.h"
#include "update/job/job.h"
#include "update/transfer/error.h"

typedef struct {
    int fd;
    const char *name;
    guint64 data, data_size, hash, hash_size;
} Volume;

/* RET_ROOT_HASH: what the tree says. */
static gboolean verify_volume(const Volume *volume, guint8 ret_root_hash[VERITY_DIGEST_SIZE], GError **error) {
    VerityReport report;

    if (!verity_verify(volume->fd, volume->data, volume->data_size, volume->fd, volume->hash, volume->hash_size, 0,
                &report, error)) {
        g_prefix_error(error, "%s: ", volume->name);
        return FALSE;
    }
    if (report.bad_data_block != VERITY_NO_BLOCK || report.bad_hash_block != VERITY_NO_BLOCK)
        return update_fail(error, UPDATE_ERROR_DEVICE, "%s: block %" G_GUINT64_FORMAT " of %s is not what it has to be",
                volume->name, report.bad_data_block != VERITY_NO_BLOCK ? report.bad_data_block : report.bad_hash_block,
                report.bad_data_block != VERITY_NO_BLOCK ? "the data" : "the hash tree");
    memcpy(ret_root_hash, report.root_hash, VERITY_DIGEST_SIZE);
    return TRUE;
}

gboolean jobs_verify(const GPtrArray *jobs, GError **error) {
    static const PartitionRole roles[][2] = {
            {PARTITION_USR, PARTITION_USR_VERITY}, {PARTITION_ROOT, PARTITION_ROOT_VERITY}};

    for (guint i = 0; i < G_N_ELEMENTS(roles); i++) {
        const Job *data = jobs_find(jobs, roles[i][0]), *tree = jobs_find(jobs, roles[i][1]);
        guint8 root_hash[VERITY_DIGEST_SIZE], planned[VERITY_DIGEST_SIZE];
        VeritySuperblock superblock;
        if (!data || !tree || data->target->disk != tree->target->disk)
            continue;
        Volume volume = {data->target->disk->fd, data->name, data->offset, data->room, tree->offset, tree->room};
        if (!verify_volume(&volume, root_hash, error))
            return FALSE;
        if (tree->content &&
                (!verity_area_check(tree->content->data, tree->content->len, &superblock, planned, error) ||
                        memcmp(planned, root_hash, sizeof planned) != 0))
            return update_fail(error && *error ? NULL : error, UPDATE_ERROR_DEVICE,
                    "%s: the disk gives back another tree than was written", tree->name);
    }
    return TRUE;
}

/* ---- what is installed ---- */

static const Instance *find_instance(
        const Update *update, PartitionRole role, const char *version, const Target **ret_target) {
    for (guint i = 0; i < update->targets->len; i++) {
        const Target *target = update->targets->pdata[i];
        const Instance *instance =
                target->disk && target->transfer->type.role == role ? target_find(target, version) : NULL;
        *ret_target = target;
        if (instance)
            return instance;
    }
    return NULL;
}

static gboolean check_signature(const Target *target, const Instance *sig, const guint8 *root_hash,
        const GPtrArray *certificates, GError **error) {
    g_auto(TrustSignature) signature = {.signature = NULL};
    g_autofree guint8 *bytes = g_malloc(sig->slot->size);

    if (sig->slot->size > 16 * 1024 * 1024)
        return update_fail(error, UPDATE_ERROR_DEVICE, "%s: too large for a signature", sig->name);
    if (!pread_all(target->disk->fd, bytes, sig->slot->size, sig->slot->offset, error) ||
            !trust_signature_parse(bytes, sig->slot->size, &signature, error)) {
        g_prefix_error(error, "%s: ", sig->name);
        return FALSE;
    }
    if (memcmp(signature.root_hash, root_hash, VERITY_DIGEST_SIZE) != 0)
        return update_fail(error, UPDATE_ERROR_DEVICE, "%s: it is about another root hash", sig->name);
    return trust_check(&signature, certificates, error);
}

/* The volume of VERSION, if there is one with a tree. */
static gboolean verify_version(const Update *update, const char *version, const PartitionRole roles[3],
        const GPtrArray *certificates, guint *checked, GError **error) {
    const Target *target, *tree_target, *sig_target;
    const Instance *data = find_instance(update, roles[0], version, &target);
    const Instance *tree = find_instance(update, roles[1], version, &tree_target);
    const Instance *sig = find_instance(update, roles[2], version, &sig_target);
    guint8 root_hash[VERITY_DIGEST_SIZE];
    Uuid first, last;

    if (!data || !tree || target->disk != tree_target->disk)
        return TRUE;
    Volume volume = {
            target->disk->fd, data->name, data->slot->offset, data->slot->size, tree->slot->offset, tree->slot->size};
    if (!verify_volume(&volume, root_hash, error))
        return FALSE;
    verity_partition_uuids(root_hash, first.bytes, last.bytes);
    if (!uuid_is_equal(&first, &data->slot->uuid) || !uuid_is_equal(&last, &tree->slot->uuid))
        return update_fail(
                error, UPDATE_ERROR_DEVICE, "%s: the UUIDs of its slots are not those of its root hash", data->name);
    *checked += 2;
    if (!sig)
        return TRUE;
    ++*checked;
    return check_signature(sig_target, sig, root_hash, certificates, error);
}

gboolean update_verify(Update *update, guint *ret_checked, GError **error) {
    static const PartitionRole roles[][3] = {{PARTITION_USR, PARTITION_USR_VERITY, PARTITION_USR_VERITY_SIG},
            {PARTITION_ROOT, PARTITION_ROOT_VERITY, PARTITION_ROOT_VERITY_SIG}};
    g_autoptr(GPtrArray) certificates = trust_load(update->machine, error);

    *ret_checked = 0;
    if (!certificates)
        return FALSE;
    for (guint i = 0; i < update->versions->len; i++) {
        const UpdateVersion *version = update->versions->pdata[i];
        for (guint j = 0; version->installed > 0 && j < G_N_ELEMENTS(roles); j++)
            if (!verify_version(update, version->version, roles[j], certificates, ret_checked, error))
                return FALSE;
    }
    return TRUE;
}
