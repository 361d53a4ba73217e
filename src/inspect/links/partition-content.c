/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include <unistd.h>

#include "inspect/disk/luks.h"
#include "inspect/verdict/inspect-internal.h"

/* Partitions that are neither for firmware nor volumes with a hash tree: what a machine makes for itself,
 * which has to be encrypted, and what nobody knows. */

#define EMPTY_SLOT_LABEL "_empty"

static const char *describe(InspectDesignator designator) {
    static const char *const words[] = {
            [INSPECT_OTHER] = "unknown partition",
            [INSPECT_ESP] = "EFI system partition",
            [INSPECT_XBOOTLDR] = "extended boot loader partition",
            [INSPECT_ROOT] = "root file system",
            [INSPECT_USR] = "/usr",
            [INSPECT_SWAP] = "swap space",
            [INSPECT_HOME] = "/home",
            [INSPECT_SRV] = "/srv",
            [INSPECT_VAR] = "/var",
            [INSPECT_TMP] = "/var/tmp",
    };
    return words[designator];
}

InspectNode *inspect_add_partition(InspectNode *root, const InspectPartition *partition) {
    static const char *const roles[] = {"", ", hash tree", ", signature"};
    g_autofree char *title = g_strdup_printf("%s%s (partition %u%s%s)", describe(partition->designator),
            roles[partition->role], partition->number, *partition->label ? ", " : "", partition->label);
    return inspect_node_add(root, "partition", title);
}

/* Whether the bytes MAGIC are at OFFSET of the partition. */
static gboolean has_magic(InspectContext *context, const InspectPartition *partition, guint64 offset,
        const char *magic, gsize size) {
    guint8 data[16];
    return size <= sizeof data && offset + size <= partition->size &&
           pread(context->fd, data, size, partition->offset + offset) == (gssize) size &&
           memcmp(data, magic, size) == 0;
}

/* Firmware looks for file systems in all partitions, and for tables of partitions as well: FAT or an MBR, a
 * GPT for either size of sectors, ISO 9660 with El Torito or UDF from byte 32768 on. NULL: it finds nothing.
 */
static const char *find_firmware_format(InspectContext *context, const InspectPartition *partition) {
    static const char *const volumes[] = {"CD001", "BEA01", "NSR02", "NSR03", "TEA01"};
    if (partition->designator != INSPECT_ESP && partition->designator != INSPECT_XBOOTLDR &&
            has_magic(context, partition, 510, "\x55\xaa", 2))
        return "a boot sector";
    if (has_magic(context, partition, 512, "EFI PART", 8) ||
            has_magic(context, partition, 4096, "EFI PART", 8))
        return "a partition table of its own";
    for (guint sector = 16; sector < 32; sector++)
        for (gsize i = 0; i < G_N_ELEMENTS(volumes); i++)
            if (has_magic(context, partition, sector * 2048 + 1, volumes[i], 5))
                return "the descriptor of a CD or DVD";
    return NULL;
}

static gboolean is_zero(InspectContext *context, guint64 offset, gsize size) {
    g_autofree guint8 *data = g_malloc0(size + 1);
    if (pread(context->fd, data, size, offset) != (gssize) size)
        return FALSE;
    return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

/* Nothing where file systems, RAID members or second headers of encryption have their marks: in the first 8
 * MiB and the last. */
static gboolean is_empty(InspectContext *context, const InspectPartition *partition) {
    gsize head = MIN(partition->size, 8 * 1024 * 1024), tail = MIN(partition->size, 1024 * 1024);
    return is_zero(context, partition->offset, head) &&
           is_zero(context, partition->offset + partition->size - tail, tail);
}

static gboolean is_slot(const InspectPartition *partition) {
    return (partition->designator == INSPECT_USR || partition->designator == INSPECT_ROOT) &&
           strcmp(partition->label, EMPTY_SLOT_LABEL) == 0;
}

static void check_state(InspectContext *context, InspectNode *link, const InspectPartition *partition) {
    g_autoptr(GError) error = NULL;
    if (inspect_luks_check(context->fd, partition->offset, partition->size, &error))
        inspect_node_set(link, INSPECT_OK, "encrypted; what is in it is the machine's");
    else if (is_empty(context, partition))
        inspect_node_set(link, INSPECT_NOT_APPLICABLE, "still empty");
    else
        inspect_node_set_error(link, error);
}

/* Whether volume.c judges the partition. */
static gboolean is_volume(InspectContext *context, const InspectPartition *partition) {
    if (partition->designator == INSPECT_USR || partition->role != INSPECT_ROLE_DATA)
        return TRUE;
    if (partition->designator != INSPECT_ROOT)
        return FALSE;
    for (guint i = 0; i < context->partitions->len; i++) {
        const InspectPartition *other = context->partitions->pdata[i];
        if (other->designator == INSPECT_USR ||
                (other->designator == INSPECT_ROOT && other->role != INSPECT_ROLE_DATA))
            return other->designator == INSPECT_ROOT;
    }
    return !inspect_luks_check(context->fd, partition->offset, partition->size, NULL);
}

static void check_partition(InspectContext *context, InspectNode *root, const InspectPartition *partition) {
    const char *format = find_firmware_format(context, partition);
    if (format) {
        inspect_node_set(inspect_add_partition(root, partition), INSPECT_BROKEN,
                "it has %s, so firmware may take it for its own", format);
        return;
    }
    if (partition->designator == INSPECT_ESP || partition->designator == INSPECT_XBOOTLDR)
        return;
    if (is_slot(partition)) {
        inspect_node_set(inspect_add_partition(root, partition), INSPECT_NOT_APPLICABLE,
                "an empty slot, which waits for an update");
        return;
    }
    if (partition->designator == INSPECT_OTHER)
        inspect_node_set(inspect_add_partition(root, partition), INSPECT_BROKEN,
                "nobody knows what reads partitions of the type %s", partition->type);
    else if (!is_volume(context, partition))
        check_state(context, inspect_add_partition(root, partition), partition);
}

/* Where only one can be meant, the other readers would find is not known. */
static void check_twice(InspectContext *context, InspectNode *root) {
    guint counts[INSPECT_N_DESIGNATORS] = {0};
    for (guint i = 0; i < context->partitions->len; i++) {
        const InspectPartition *partition = context->partitions->pdata[i];
        if (partition->designator == INSPECT_OTHER || partition->designator == INSPECT_USR ||
                partition->designator == INSPECT_SWAP || partition->role != INSPECT_ROLE_DATA ||
                (partition->designator == INSPECT_ROOT && is_volume(context, partition)))
            continue;
        if (++counts[partition->designator] > 1)
            inspect_node_set(inspect_add_partition(root, partition), INSPECT_BROKEN,
                    "there are several of this type, and readers differ on which counts");
    }
}

void inspect_check_partitions(InspectContext *context, InspectNode *root) {
    for (guint i = 0; i < context->partitions->len; i++)
        check_partition(context, root, context->partitions->pdata[i]);
    check_twice(context, root);
}
