/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include <unistd.h>

#include "inspect/inspect-internal.h"
#include "inspect/luks.h"

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

/* Firmware looks for file systems in all partitions. */
static gboolean looks_like_fat(InspectContext *context, const InspectPartition *partition) {
    guint8 signature[2] = {0};
    return partition->size >= 512 &&
           pread(context->fd, signature, sizeof signature, partition->offset + 510) == sizeof signature &&
           signature[0] == 0x55 && signature[1] == 0xaa;
}

static gboolean starts_empty(InspectContext *context, const InspectPartition *partition) {
    g_autofree guint8 *data = g_malloc0(128 * 1024);
    gsize size = MIN(partition->size, 128 * 1024);
    if (pread(context->fd, data, size, partition->offset) != (gssize) size)
        return FALSE;
    for (gsize i = 0; i < size; i++)
        if (data[i] != 0)
            return FALSE;
    return TRUE;
}

static gboolean is_slot(const InspectPartition *partition) {
    return (partition->designator == INSPECT_USR || partition->designator == INSPECT_ROOT) &&
           strcmp(partition->label, EMPTY_SLOT_LABEL) == 0;
}

static void check_state(InspectContext *context, InspectNode *link, const InspectPartition *partition) {
    g_autoptr(GError) error = NULL;
    if (inspect_luks_check(context->fd, partition->offset, partition->size, &error))
        inspect_node_set(link, INSPECT_OK, "encrypted; what is in it is the machine's");
    else if (starts_empty(context, partition))
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
    if (partition->designator == INSPECT_ESP || partition->designator == INSPECT_XBOOTLDR)
        return;
    if (looks_like_fat(context, partition)) {
        inspect_node_set(inspect_add_partition(root, partition), INSPECT_BROKEN,
                "it has a boot sector, so firmware may take it for its own");
        return;
    }
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
