/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/boot/boot-room.h"

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "events/events.h"
#include "image/disk/disk.h"
#include "image/volumes/boot-content.h"
#include "image/volumes/fat-room.h"
#include "text/size.h"
#include "tree/tree.h"

#define UKIS "EFI/Linux"
#define MIB (G_GUINT64_CONSTANT(1024) * 1024)

/* ---- who keeps two versions ---- */

/* TRUE: this file, by itself or with others of its kind, lays a second version beside the first. */
typedef gboolean (*IsReason)(const char *text, guint *count);

static gboolean has_line(const char *text, const char *prefix, const char *word, const char *without) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++)
        if (g_str_has_prefix(g_strstrip(*line), prefix) && strstr(*line, word) &&
                !(without && strstr(*line, without)))
            return TRUE;
    return FALSE;
}

/* A transfer of systemd-sysupdate (sysupdate.d(5)) to where the boot loader looks for UKIs. */
static gboolean is_uki_transfer(const char *text, guint *count) {
    return has_line(text, "Path=", UKIS, NULL);
}

/* The second definition (repart.d(5)) of a partition for /usr. */
static gboolean is_second_slot(const char *text, guint *count) {
    return has_line(text, "Type=", "=usr", "-verity") && ++*count == 2;
}

/* The path of a file in DIRECTORY of the tree ROOT_FD that is a reason, or NULL. */
static char *find_reason(int root_fd, const char *directory, IsReason is_reason) {
    int fd = tree_open(root_fd, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, NULL);
    g_autoptr(GPtrArray) names = fd >= 0 ? tree_list(fd, NULL) : NULL;
    guint count = 0;

    for (guint i = 0; names && i < names->len; i++) {
        g_autofree char *path = g_build_filename(directory, names->pdata[i], NULL);
        g_autofree char *text = NULL;
        if (!g_str_has_suffix(path, ".conf") && !g_str_has_suffix(path, ".transfer"))
            continue;
        if ((text = tree_read_file(root_fd, path, NULL, NULL)) && is_reason(text, &count))
            return g_steal_pointer(&path);
    }
    return NULL;
}

static char *who_keeps_two(ImageBuild *image) {
    static const struct {
        const char *directory;
        IsReason is_reason;
    } places[] = {
            {"usr/lib/sysupdate.d", is_uki_transfer},
            {"etc/sysupdate.d", is_uki_transfer},
            {"usr/lib/repart.d", is_second_slot},
            {"etc/repart.d", is_second_slot},
    };
    const char *directory = image->config->sysupdate_directory;
    char *reason = directory ? find_reason(AT_FDCWD, directory, is_uki_transfer) : NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(places) && !reason; i++) {
        g_autofree char *path = find_reason(image->root_fd, places[i].directory, places[i].is_reason);
        if (path)
            reason = g_strconcat("/", path, " of the image", NULL);
    }
    GPtrArray *definitions = disk_get_definitions(image->disk.disk);
    for (guint i = 0, slots = 0; i < definitions->len && !reason; i++) {
        const PartitionDefinition *definition = definitions->pdata[i];
        if (definition->type.role == PARTITION_USR && ++slots == 2)
            reason = g_strdup(definition->path);
    }
    return reason;
}

/* ---- what a version takes ---- */

static guint64 version_size(const GPtrArray *ukis, guint64 cluster) {
    guint64 size = 0;

    for (guint i = 0; i < ukis->len; i++) {
        const BootContentFile *file = ukis->pdata[i];
        if (g_str_has_suffix(file->path, ".efi"))
            size += (g_bytes_get_size(file->content) + cluster - 1) / cluster * cluster;
    }
    return size;
}

static void check_role(ImageBuild *image, PartitionRole role, const char *reason) {
    g_autoptr(GPtrArray) ukis =
            boot_content_list(disk_get_definitions(image->disk.disk), role, image->root_fd, UKIS, NULL);
    FatRoom room;

    if (!ukis || ukis->len == 0)
        return;
    const PartitionDefinition *definition = ((BootContentFile *) ukis->pdata[0])->definition;
    if (!disk_boot_room(image->disk.disk, definition, &room))
        return;
    guint64 size = version_size(ukis, room.cluster);
    if (size <= room.free)
        return;
    g_autofree char *free = text_format_size(room.free), *needed = text_format_size(size);
    events_warning("%s:%u: the partition has no room for a second version of the kernel images, which %s keeps beside the "
               "first: they have %s, %s are free; set SizeMinBytes= and SizeMaxBytes= to %" G_GUINT64_FORMAT
               "M or more",
            definition->path, MAX(definition->type_line, 1), reason, needed, free,
            (room.size + size - room.free + MIB - 1) / MIB + 1);
}

void boot_room_check(ImageBuild *image) {
    g_autofree char *reason = who_keeps_two(image);

    if (!reason)
        return;
    check_role(image, PARTITION_ESP, reason);
    check_role(image, PARTITION_XBOOTLDR, reason);
}
