/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "update/device/target.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"
#include "text/version.h"
#include "update/transfer/error.h"

void disk_free(Disk *disk) {
    if (!disk)
        return;
    gpt_table_free(disk->table);
    if (disk->fd >= 0)
        close(disk->fd);
    g_free(disk->path);
    g_free(disk);
}

gboolean disk_reload(Disk *disk, GError **error) {
    GptTable *table = gpt_table_read(disk->fd, error);

    if (!table) {
        g_prefix_error(error, "%s: ", disk->path);
        return FALSE;
    }
    gpt_table_free(disk->table);
    disk->table = table;
    return TRUE;
}

Disk *disk_open(const char *path, gboolean writable, GError **error) {
    Disk *disk = g_new0(Disk, 1);

    disk->path = g_strdup(path);
    disk->fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOCTTY);
    if (disk->fd < 0)
        set_errno_error(error, errno, "Cannot open the disk %s", path);
    else if (disk_reload(disk, error))
        return disk;
    disk_free(disk);
    return NULL;
}

gboolean disk_write_table(Disk *disk, GError **error) {
    /* A descriptor of its own: when it is closed, udev looks at the disk again. */
    AUTO_FD fd = open(disk->path, O_RDWR | O_CLOEXEC | O_NOCTTY);
    struct stat info;

    if (fd < 0 || fstat(fd, &info) < 0)
        return set_errno_error(error, errno, "Cannot open the disk %s", disk->path);
    if (S_ISBLK(info.st_mode) && flock(fd, LOCK_EX) < 0)
        return set_errno_error(error, errno, "Cannot lock the disk %s", disk->path);
    if (!gpt_table_write(disk->table, fd, error)) {
        g_prefix_error(error, "%s: ", disk->path);
        return FALSE;
    }
    return TRUE;
}

static void instance_free(gpointer data) {
    Instance *instance = data;

    g_free(instance->name);
    pattern_fields_clear(&instance->fields);
    g_free(instance);
}

void target_free(Target *target) {
    if (!target)
        return;
    g_free(target->directory);
    g_ptr_array_unref(target->instances);
    g_ptr_array_unref(target->free);
    g_ptr_array_unref(target->left_over);
    g_free(target);
}

Instance *target_find(const Target *target, const char *version) {
    for (guint i = 0; i < target->instances->len; i++) {
        Instance *instance = target->instances->pdata[i];
        if (version_compare(instance->fields.version, version) == 0)
            return instance;
    }
    return NULL;
}

/* As sd_id128_get_app_specific(3) derives it. */
static Uuid derive_type(const Uuid *type, const guint8 name[16]) {
    guint8 digest[32];
    Uuid derived;

    uuid_hmac(type, name, 16, digest);
    memcpy(derived.bytes, digest, sizeof derived.bytes);
    derived.bytes[6] = (derived.bytes[6] & 0x0f) | 0x40;
    derived.bytes[8] = (derived.bytes[8] & 0x3f) | 0x80;
    return derived;
}

gboolean target_is_unfinished_type(const Uuid *type, const Uuid *found) {
    static const guint8 partial[16] = {
            0xac, 0xcf, 0xa0, 0xc2, 0xda, 0x24, 0x46, 0x0a, 0x9f, 0xc9, 0x0b, 0xb8, 0xfc, 0x78, 0x52, 0x19};
    static const guint8 pending[16] = {
            0x80, 0xf3, 0xd6, 0x1e, 0x23, 0x83, 0x43, 0xb9, 0x81, 0xf5, 0xce, 0x37, 0x93, 0xf4, 0x7d, 0x4c};
    Uuid writing = derive_type(type, partial), written = derive_type(type, pending);

    return uuid_is_equal(found, &writing) || uuid_is_equal(found, &written);
}

static void add_instance(
        Target *target, const char *name, PatternFields *fields, const GptPartition *slot, guint64 size) {
    Instance *instance = g_new0(Instance, 1);

    instance->name = g_strdup(name);
    instance->fields = *fields;
    fields->version = NULL;
    instance->slot = slot;
    instance->size = size;
    g_ptr_array_add(target->instances, instance);
}

static void read_slot(Target *target, const GptPartition *slot) {
    gboolean unfinished = target_is_unfinished_type(&target->transfer->type.uuid, &slot->type);
    g_auto(PatternFields) fields;

    pattern_fields_init(&fields);
    if (!unfinished && !uuid_is_equal(&slot->type, &target->transfer->type.uuid))
        return;
    if (unfinished || g_str_equal(slot->label, SLOT_EMPTY))
        g_ptr_array_add(target->free, (gpointer) slot);
    else if (pattern_match_any(target->transfer->target_patterns, slot->label, &fields))
        add_instance(target, slot->label, &fields, slot, 0);
}

static void read_file(Target *target, const char *name) {
    g_autofree char *path = g_build_filename(target->directory, name, NULL);
    g_auto(PatternFields) fields;
    struct stat info;

    pattern_fields_init(&fields);
    if (lstat(path, &info) < 0 || !S_ISREG(info.st_mode))
        return;
    if (g_str_has_prefix(name, FILE_PARTIAL) || g_str_has_prefix(name, FILE_PENDING))
        g_ptr_array_add(target->left_over, g_strdup(name));
    else if (pattern_match_any(target->transfer->target_patterns, name, &fields))
        add_instance(target, name, &fields, NULL, (guint64) info.st_size);
}

static int newest_first(gconstpointer a, gconstpointer b) {
    const Instance *x = *(Instance *const *) a, *y = *(Instance *const *) b;

    return version_compare(y->fields.version, x->fields.version);
}

static int smallest_first(gconstpointer a, gconstpointer b) {
    const GptPartition *x = *(GptPartition *const *) a, *y = *(GptPartition *const *) b;

    return x->size != y->size ? (x->size < y->size ? -1 : 1) : (int) x->number - (int) y->number;
}

Target *target_read(const Transfer *transfer, const Machine *machine, Disk *disk, GError **error) {
    g_autoptr(Target) target = g_new0(Target, 1);

    target->transfer = transfer;
    target->disk = disk;
    target->instances = g_ptr_array_new_with_free_func(instance_free);
    target->free = g_ptr_array_new();
    target->left_over = g_ptr_array_new_with_free_func(g_free);
    if (disk) {
        const GPtrArray *slots = gpt_table_get_partitions(disk->table);
        for (guint i = 0; i < slots->len; i++)
            read_slot(target, slots->pdata[i]);
    } else {
        target->directory = machine_target_directory(machine, transfer, error);
        if (!target->directory)
            return NULL;
        g_autoptr(GPtrArray) names = list_directory_if_any(target->directory);
        for (guint i = 0; i < names->len; i++)
            read_file(target, names->pdata[i]);
    }
    g_ptr_array_sort(target->instances, newest_first);
    g_ptr_array_sort(target->free, smallest_first);
    return g_steal_pointer(&target);
}

gboolean target_clear_slot(const Target *target, const GptPartition *slot, GError **error) {
    return gpt_table_set(target->disk->table, slot->number, &target->transfer->type.uuid, &slot->uuid, slot->flags,
            SLOT_EMPTY, error);
}
