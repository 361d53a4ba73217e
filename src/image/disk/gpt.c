/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/disk/gpt.h"

#include "image/definitions/disk-error.h"

#include <errno.h>
#include <libfdisk.h>
#include <string.h>

static void unref_context(struct fdisk_context **context) {
    fdisk_unref_context(*context);
}

static void unref_partition(struct fdisk_partition **partition) {
    fdisk_unref_partition(*partition);
}

static void unref_parttype(struct fdisk_parttype **type) {
    fdisk_unref_parttype(*type);
}

#define AUTO_CONTEXT __attribute__((cleanup(unref_context))) struct fdisk_context *
#define AUTO_PARTITION __attribute__((cleanup(unref_partition))) struct fdisk_partition *
#define AUTO_PARTTYPE __attribute__((cleanup(unref_parttype))) struct fdisk_parttype *

/* Checks a result of libfdisk, which is 0 or a negative errno. */
static gboolean check(int result, const char *doing, GError **error) {
    if (result >= 0)
        return TRUE;
    g_set_error(error, DISK_ERROR, DISK_ERROR_WRITE, "writing the partition table: %s: %s", doing,
            g_strerror(-result));
    return FALSE;
}

static gboolean add_partition(
        struct fdisk_context *context, const Plan *plan, const PlannedPartition *planned, GError **error) {
    AUTO_PARTITION partition = fdisk_new_partition();
    AUTO_PARTTYPE type = fdisk_new_parttype();
    g_autofree char *type_text = uuid_to_text(&planned->definition->type.uuid);
    g_autofree char *uuid_text = uuid_to_text(&planned->uuid);
    size_t number = planned->number - 1;

    return check(fdisk_parttype_set_typestr(type, type_text), "type", error) &&
           check(fdisk_partition_set_type(partition, type), "type", error) &&
           check(fdisk_partition_set_partno(partition, number), "number", error) &&
           check(fdisk_partition_set_start(partition, planned->offset / plan->sector_size), "start",
                   error) &&
           check(fdisk_partition_set_size(partition, planned->size / plan->sector_size), "size", error) &&
           check(fdisk_partition_size_explicit(partition, TRUE), "size", error) &&
           check(fdisk_partition_set_name(partition, planned->label), "label", error) &&
           check(fdisk_partition_set_uuid(partition, uuid_text), "UUID", error) &&
           check(fdisk_add_partition(context, partition, NULL), planned->definition->name, error) &&
           check(fdisk_gpt_set_partition_attrs(context, number, planned->definition->flags), "attributes",
                   error);
}

gboolean gpt_write(const Plan *plan, const char *path, GError **error) {
    AUTO_CONTEXT context = fdisk_new_context();
    g_autofree char *disk_uuid = uuid_to_text(&plan->disk_uuid);

    fdisk_disable_dialogs(context, TRUE);
    if (!check(fdisk_save_user_sector_size(context, plan->sector_size, plan->sector_size), "sector size",
                error) ||
            !check(fdisk_assign_device(context, path, FALSE), path, error) ||
            !check(fdisk_create_disklabel(context, "gpt"), "new table", error) ||
            !check(fdisk_set_disklabel_id_from_string(context, disk_uuid), "UUID of the disk", error))
        return FALSE;
    /* libfdisk rounds positions to 1 MiB unless told otherwise; ours are exact. */
    if (!check(fdisk_save_user_grain(context, PARTITION_GRAIN), "alignment", error) ||
            !check(fdisk_reset_alignment(context), "alignment", error) ||
            !check(fdisk_set_first_lba(context, PLAN_HEAD_SIZE / plan->sector_size), "first sector", error))
        return FALSE;
    for (guint i = 0; i < plan->partitions->len; i++)
        if (!add_partition(context, plan, plan->partitions->pdata[i], error))
            return FALSE;
    return check(fdisk_write_disklabel(context), path, error) &&
           check(fdisk_deassign_device(context, TRUE), path, error);
}

gboolean gpt_move_backup(const char *path, gboolean *ret_moved, GError **error) {
    AUTO_CONTEXT context = fdisk_new_context();
    *ret_moved = FALSE;
    fdisk_disable_dialogs(context, TRUE);
    if (!check(fdisk_assign_device(context, path, FALSE), path, error))
        return FALSE;
    if (!fdisk_is_label(context, GPT))
        return TRUE;
    fdisk_gpt_disable_relocation(fdisk_get_label(context, "gpt"), FALSE);
    *ret_moved = TRUE;
    if (!check(fdisk_write_disklabel(context), path, error))
        return FALSE;
    /* Fails where partitions are not for the kernel, and udev looks again anyway. */
    (void) fdisk_reread_partition_table(context);
    return check(fdisk_deassign_device(context, FALSE), path, error);
}
