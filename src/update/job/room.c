/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Making room for a version. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "events/events.h"
#include "text/version.h"
#include "update/job/job.h"
#include "update/transfer/error.h"

/* Of the target NUMBER: the instances that go, the oldest first (borrowed). VERSION and what is protected stays. NULL for
 * VERSION: nothing is about to come. */
static GPtrArray *find_removable(const Update *update, guint number, const char *version) {
    const Target *target = update->targets->pdata[number];
    GPtrArray *found = g_ptr_array_new();
    guint keep = target->transfer->instances_max, n = target->instances->len;
    gboolean here = version && target_find(target, version);

    /* One more will be there. */
    if (version && !here && keep != G_MAXUINT)
        keep--;
    gboolean full = version && !here && target->disk && target->free->len == 0;
    for (guint i = n; i > 0 && (n - found->len > keep || (full && found->len == 0)); i--) {
        const Instance *instance = target->instances->pdata[i - 1];
        if (!update_is_protected(update, target->transfer, instance->fields.version) &&
                (!version || version_compare(instance->fields.version, version) != 0))
            g_ptr_array_add(found, (gpointer) instance);
    }
    return found;
}

guint64 update_removable_size(const Update *update, guint number, const char *version) {
    const Target *target = update->targets->pdata[number];
    g_autoptr(GPtrArray) found = find_removable(update, number, version);
    guint64 size = 0;

    for (guint i = 0; i < found->len; i++)
        size += ((const Instance *) found->pdata[i])->size;
    for (guint i = 0; i < target->left_over->len; i++) {
        g_autofree char *path = g_build_filename(target->directory, target->left_over->pdata[i], NULL);
        struct stat info;
        if (lstat(path, &info) == 0)
            size += (guint64) info.st_size;
    }
    return size;
}

static gboolean remove_file(const Target *target, int directory, const char *name, guint *removed, GError **error) {
    if (unlinkat(directory, name, 0) < 0)
        return errno == ENOENT || set_errno_error(error, errno, "Cannot remove %s/%s", target->directory, name);
    ++*removed;
    return TRUE;
}

/* Files that another one left unfinished go; what this program has of VERSION stays, to be continued. */
static gboolean clear_directory(
        const Update *update, guint number, const char *version, guint *removed, GError **error) {
    const Target *target = update->targets->pdata[number];
    g_autoptr(GPtrArray) found = find_removable(update, number, version);
    guint before = *removed;

    if (found->len == 0 && target->left_over->len == 0)
        return TRUE;
    AUTO_FD directory = open(target->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return set_errno_error(error, errno, "Cannot open %s", target->directory);
    for (guint i = 0; i < target->left_over->len; i++) {
        const char *name = target->left_over->pdata[i];
        g_auto(PatternFields) fields;
        pattern_fields_init(&fields);
        gboolean ours = version && g_str_has_prefix(name, FILE_PARTIAL) &&
                        pattern_match_any(target->transfer->target_patterns, name + strlen(FILE_PARTIAL), &fields) &&
                        version_compare(fields.version, version) == 0;
        if (!ours && !remove_file(target, directory, name, removed, error))
            return FALSE;
    }
    for (guint i = 0; i < found->len; i++) {
        const Instance *instance = found->pdata[i];
        events_info("Removing %s", instance->name);
        if (!remove_file(target, directory, instance->name, removed, error))
            return FALSE;
    }
    if (*removed > before && (fsync(directory) < 0 || syncfs(directory) < 0))
        return set_errno_error(error, errno, "Cannot flush %s", target->directory);
    return TRUE;
}

static gboolean clear_slots(const Update *update, guint number, const char *version, guint *removed, GError **error) {
    const Target *target = update->targets->pdata[number];
    g_autoptr(GPtrArray) found = find_removable(update, number, version);

    for (guint i = 0; i < target->free->len; i++) {
        const GptPartition *slot = target->free->pdata[i];
        if (uuid_is_equal(&slot->type, &target->transfer->type.uuid))
            continue;
        if (!target_clear_slot(target, slot, error))
            return FALSE;
        ++*removed;
    }
    for (guint i = 0; i < found->len; i++) {
        const Instance *instance = found->pdata[i];
        events_info("Emptying the slot %s", instance->name);
        if (!target_clear_slot(target, instance->slot, error))
            return FALSE;
        ++*removed;
    }
    return TRUE;
}

gboolean update_make_room(Update *update, const char *version, guint *ret_removed, GError **error) {
    guint removed = 0, files;

    for (guint i = update->targets->len; i > 0; i--)
        if (((const Target *) update->targets->pdata[i - 1])->directory &&
                !clear_directory(update, i - 1, version, &removed, error))
            return FALSE;
    files = removed;
    for (guint i = 0; i < update->targets->len; i++)
        if (((const Target *) update->targets->pdata[i])->disk && !clear_slots(update, i, version, &removed, error))
            return FALSE;
    for (guint i = 0; removed > files && i < update->disks->len; i++)
        if (!disk_write_table(update->disks->pdata[i], error))
            return FALSE;
    *ret_removed = removed;
    return removed == 0 || update_reload(update, error);
}
