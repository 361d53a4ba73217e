/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/disk/partitions.h"

#include <errno.h>
#include <fcntl.h>
#include <libfdisk.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "crypto/sources/error.h"
#include "inspect/disk/gpt-audit.h"

typedef struct fdisk_context FdiskContext;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FdiskContext, fdisk_unref_context)
typedef struct fdisk_table FdiskTable;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FdiskTable, fdisk_unref_table)

static const struct {
    const char *uuid;
    InspectDesignator designator;
    InspectRole role;
} partition_types[] = {
        {"c12a7328-f81f-11d2-ba4b-00a0c93ec93b", INSPECT_ESP, INSPECT_ROLE_DATA},
        {"bc13c2ff-59e6-4262-a352-b275fd6f7172", INSPECT_XBOOTLDR, INSPECT_ROLE_DATA},
        {"0657fd6d-a4ab-43c4-84e5-0933c84b4f4f", INSPECT_SWAP, INSPECT_ROLE_DATA},
        {"933ac7e1-2eb4-4f13-b844-0e14e2aef915", INSPECT_HOME, INSPECT_ROLE_DATA},
        {"3b8f8425-20e0-4f3b-907f-1a25a76f98e8", INSPECT_SRV, INSPECT_ROLE_DATA},
        {"4d21b016-b534-45c2-a9fb-5c16e091fd2d", INSPECT_VAR, INSPECT_ROLE_DATA},
        {"7ec6f557-3bc5-4aca-b293-16ef5df639d1", INSPECT_TMP, INSPECT_ROLE_DATA},
        /* x86-64 */
        {"4f68bce3-e8cd-4db1-96e7-fbcaf984b709", INSPECT_ROOT, INSPECT_ROLE_DATA},
        {"2c7357ed-ebd2-46d9-aec1-23d437ec2bf5", INSPECT_ROOT, INSPECT_ROLE_VERITY},
        {"41092b05-9fc8-4523-994f-2def0408b176", INSPECT_ROOT, INSPECT_ROLE_VERITY_SIGNATURE},
        {"8484680c-9521-48c6-9c11-b0720656f69e", INSPECT_USR, INSPECT_ROLE_DATA},
        {"77ff5f63-e7b6-4633-acf4-1565b864c0e6", INSPECT_USR, INSPECT_ROLE_VERITY},
        {"e7bb33fb-06cf-4e81-8273-e543b413e2e2", INSPECT_USR, INSPECT_ROLE_VERITY_SIGNATURE},
        /* arm64 */
        {"b921b045-1df0-41c3-af44-4c6f280d3fae", INSPECT_ROOT, INSPECT_ROLE_DATA},
        {"df3300ce-d69f-4c92-978c-9bfb0f38d820", INSPECT_ROOT, INSPECT_ROLE_VERITY},
        {"6db69de6-29f4-4758-a7a5-962190f00ce3", INSPECT_ROOT, INSPECT_ROLE_VERITY_SIGNATURE},
        {"b0e01050-ee5f-4390-949a-9101b17104e9", INSPECT_USR, INSPECT_ROLE_DATA},
        {"6e11a4e7-fbca-4ded-b9e9-e1a512bb664e", INSPECT_USR, INSPECT_ROLE_VERITY},
        {"c23ce4ff-44bd-4b00-b2d4-b41b3419e02a", INSPECT_USR, INSPECT_ROLE_VERITY_SIGNATURE},
};

const char *inspect_designator_to_string(InspectDesignator designator) {
    static const char *const names[] = {
            "other", "esp", "xbootldr", "root", "usr", "swap", "home", "srv", "var", "tmp"};
    return names[designator];
}

static void inspect_partition_free(InspectPartition *partition) {
    g_free(partition->type);
    g_free(partition->uuid);
    g_free(partition->label);
    g_free(partition);
}

/* Collects what libfdisk would print. */
static int collect_message(struct fdisk_context *fdisk, struct fdisk_ask *ask, void *data) {
    GPtrArray *problems = data;
    int type = fdisk_ask_get_type(ask);
    if (type == FDISK_ASKTYPE_WARN || type == FDISK_ASKTYPE_WARNX) {
        const char *message = fdisk_ask_print_get_mesg(ask);
        if (message)
            g_ptr_array_add(problems, g_strdup(message));
    }
    return 0;
}

static gboolean check_size(const char *path, GError **error) {
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
    if (size < 0 || inspect_gpt_is_small(fd, size))
        return TRUE;
    g_set_error_literal(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED,
            "the GPT has more entries than anybody needs");
    return FALSE;
}

static FdiskContext *open_table(const char *path, guint sector_size, GPtrArray *problems, GError **error) {
    if (!check_size(path, error))
        return NULL;
    g_autoptr(FdiskContext) fdisk = fdisk_new_context();
    fdisk_set_ask(fdisk, collect_message, problems);
    if (sector_size > 0)
        fdisk_save_user_sector_size(fdisk, sector_size, sector_size);
    int r = fdisk_assign_device(fdisk, path, 1);
    if (r < 0) {
        set_errno_error(error, -r, "the disk cannot be opened");
        return NULL;
    }
    if (fdisk_is_labeltype(fdisk, FDISK_DISKLABEL_GPT))
        return g_steal_pointer(&fdisk);
    g_set_error_literal(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED, "there is no GPT partition table");
    return NULL;
}

static void classify(InspectPartition *partition, const char *type_uuid) {
    for (gsize i = 0; type_uuid && i < G_N_ELEMENTS(partition_types); i++)
        if (g_ascii_strcasecmp(type_uuid, partition_types[i].uuid) == 0) {
            partition->designator = partition_types[i].designator;
            partition->role = partition_types[i].role;
        }
}

static InspectPartition *read_partition(struct fdisk_context *fdisk, struct fdisk_partition *pa) {
    guint64 sector = fdisk_get_sector_size(fdisk);
    const char *uuid = fdisk_partition_get_uuid(pa);
    const char *label = fdisk_partition_get_name(pa);
    struct fdisk_parttype *type = fdisk_partition_get_type(pa);
    InspectPartition *partition = g_new0(InspectPartition, 1);
    partition->number = (guint) fdisk_partition_get_partno(pa) + 1;
    partition->uuid = g_ascii_strdown(uuid ? uuid : "", -1);
    partition->label = g_strdup(label ? label : "");
    partition->offset = fdisk_partition_get_start(pa) * sector;
    partition->size = fdisk_partition_get_size(pa) * sector;
    partition->type = g_ascii_strdown(type ? fdisk_parttype_get_string(type) : "", -1);
    classify(partition, type ? fdisk_parttype_get_string(type) : NULL);
    return partition;
}

static int compare_partitions(gconstpointer a, gconstpointer b) {
    const InspectPartition *x = *(InspectPartition *const *) a, *y = *(InspectPartition *const *) b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

GPtrArray *inspect_partitions_read(const char *path, GPtrArray **ret_problems, GError **error) {
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(FdiskContext) fdisk = open_table(path, 0, problems, error);
    if (!fdisk) {
        g_autoptr(GPtrArray) ignored = g_ptr_array_new_with_free_func(g_free);
        fdisk = open_table(path, 4096, ignored, NULL);
        if (!fdisk)
            return NULL;
        g_clear_error(error);
    }
    int n_problems = fdisk_verify_disklabel(fdisk);
    if (n_problems > 0 && problems->len == 0)
        g_ptr_array_add(problems, g_strdup("the partition table is damaged"));

    struct fdisk_table *raw_table = NULL;
    if (fdisk_get_partitions(fdisk, &raw_table) < 0) {
        g_set_error_literal(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED, "the partitions cannot be read");
        return NULL;
    }
    g_autoptr(FdiskTable) table = raw_table;
    GPtrArray *partitions = g_ptr_array_new_with_free_func((GDestroyNotify) inspect_partition_free);
    for (gsize i = 0; i < fdisk_table_get_nents(table); i++)
        g_ptr_array_add(partitions, read_partition(fdisk, fdisk_table_get_partition(table, i)));
    g_ptr_array_sort(partitions, compare_partitions);
    *ret_problems = g_steal_pointer(&problems);
    return partitions;
}
