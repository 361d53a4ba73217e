/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vm/qemu/direct-boot.h"

#include <errno.h>
#include <libfdisk.h>
#include <string.h>

#include "vm/host/host.h"

/* Types of the Discoverable Partitions Specification, for the architectures that machines can have. */
static const struct {
    const char *type;
    gboolean usr, verity;
} types[] = {
        {"4f68bce3-e8cd-4db1-96e7-fbcaf984b709", FALSE, FALSE}, /* x86-64 */
        {"2c7357ed-ebd2-46d9-aec1-23d437ec2bf5", FALSE, TRUE},
        {"8484680c-9521-48c6-9c11-b0720656f69e", TRUE, FALSE},
        {"77ff5f63-e7b6-4633-acf4-1565b864c0e6", TRUE, TRUE},
        {"b921b045-1df0-41c3-af44-4c6f280d3fae", FALSE, FALSE}, /* arm64 */
        {"df3300ce-d69f-4c92-978c-9bfb0f38d820", FALSE, TRUE},
        {"b0e01050-ee5f-4390-949a-9101b17104e9", TRUE, FALSE},
        {"6e11a4e7-fbca-4ded-b9e9-e1a512bb664e", TRUE, TRUE},
};

/* The first partition of each kind: UUIDs by usr and verity. */
typedef struct {
    char *uuids[2][2];
} Found;

static void found_clear(Found *found) {
    for (gsize i = 0; i < 4; i++)
        g_free(found->uuids[i / 2][i % 2]);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Found, found_clear)

static void unref_context(struct fdisk_context **context) {
    fdisk_unref_context(*context);
}

static void unref_table(struct fdisk_table **table) {
    fdisk_unref_table(*table);
}

static void look_at(struct fdisk_partition *partition, Found *found) {
    struct fdisk_parttype *type = fdisk_partition_get_type(partition);
    const char *text = type ? fdisk_parttype_get_string(type) : NULL;
    const char *uuid = fdisk_partition_get_uuid(partition);
    for (gsize i = 0; text && uuid && i < G_N_ELEMENTS(types); i++) {
        char **place = &found->uuids[types[i].usr][types[i].verity];
        if (g_ascii_strcasecmp(types[i].type, text) == 0 && !*place)
            *place = g_ascii_strdown(uuid, -1);
    }
}

/* The UUIDs of a volume and of its verity data are the two halves of the root hash. */
static char *join_hash(const char *name, const char *data, const char *verity) {
    g_autofree char *text = g_strconcat(data, verity, NULL);
    g_auto(GStrv) parts = g_strsplit(text, "-", -1);
    g_autofree char *hash = g_strjoinv("", parts);
    return g_strdup_printf("%s=%s", name, hash);
}

char *vm_root_argument(const char *image, GError **error) {
    __attribute__((cleanup(unref_context))) struct fdisk_context *context = fdisk_new_context();
    __attribute__((cleanup(unref_table))) struct fdisk_table *table = NULL;
    g_auto(Found) found = {0};
    int r = fdisk_assign_device(context, image, TRUE);
    if (r < 0 || (r = fdisk_get_partitions(context, &table)) < 0) {
        g_set_error(error, VM_ERROR, VM_ERROR_MACHINE, "Cannot read the partition table of %s: %s", image,
                g_strerror(-r));
        return NULL;
    }
    for (size_t i = 0; i < fdisk_table_get_nents(table); i++)
        look_at(fdisk_table_get_partition(table, i), &found);
    char *const *root = found.uuids[0], *const *usr = found.uuids[1];
    if (root[0] && root[1])
        return join_hash("roothash", root[0], root[1]);
    if (usr[0] && usr[1])
        return join_hash("usrhash", usr[0], usr[1]);
    if (root[0])
        return g_strdup_printf("root=PARTUUID=%s", root[0]);
    if (usr[0])
        return g_strdup_printf("mount.usr=PARTUUID=%s", usr[0]);
    g_set_error(error, VM_ERROR, VM_ERROR_MISSING,
            "%s has neither a root nor a /usr partition, so a kernel cannot be booted directly", image);
    return NULL;
}
