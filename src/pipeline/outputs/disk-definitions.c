/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/outputs/disk-definitions.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "pipeline/integrity/offline.h"
#include "pipeline/kernel/kernel-tree.h"
#include "pipeline/state/boot-rules.h"
#include "tree/tree.h"

#define MIB (1024 * 1024ull)
#define GRAIN 4096ull

/* FAT32 needs so many clusters that firmware does not take a smaller file system for one. */
#define ESP_MINIMUM_512 (36 * MIB)
#define ESP_MINIMUM_LARGE (260 * MIB)
/* For the file allocation tables and directories. */
#define ESP_OVERHEAD (10 * MIB)

gboolean disk_definitions_with_verity(const Build *build, const ImageConfig *config) {
    if (offline_verity_is_wanted(build, config))
        return TRUE;
    return config->verity == VERITY_AUTO ? config->verity_key && config->verity_certificate
                                         : config->verity != VERITY_DISABLED;
}

typedef struct {
    ImageBuild *image;
    const char *directory;
    guint64 size;
} Sum;

static void add_size(const char *path, gpointer data) {
    Sum *sum = data;
    g_autofree char *whole = g_build_filename(sum->directory, path, NULL);
    struct stat info;

    if (fstatat(sum->image->root_fd, whole, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode))
        sum->size += (info.st_size + GRAIN - 1) & ~(GRAIN - 1);
}

static char **esp_definitions(ImageBuild *image, GError **error) {
    static const char *const directories[] = {"boot", "efi"};
    guint64 minimum = image->config->sector_size == 512 ? ESP_MINIMUM_512 : ESP_MINIMUM_LARGE;
    guint64 size = 0;
    char *text;

    for (size_t i = 0; i < G_N_ELEMENTS(directories); i++) {
        Sum sum = {.image = image, .directory = directories[i]};
        if (tree_exists(image->root_fd, directories[i]) &&
                !kernel_tree_walk(image->root_fd, directories[i], add_size, &sum, error))
            return NULL;
        size += sum.size;
    }
    size = MAX(size, minimum - ESP_OVERHEAD) + ESP_OVERHEAD;
    text = g_strdup_printf("[Partition]\nType=esp\nFormat=vfat\nCopyFiles=/boot:/\nCopyFiles=/efi:/\n"
                           "SizeMinBytes=%" G_GUINT64_FORMAT "\nSizeMaxBytes=%" G_GUINT64_FORMAT "\n",
            size, size);
    char *parts[] = {g_strdup("00-esp.conf"), text, NULL};
    return g_memdup2(parts, sizeof parts);
}

/* Directories that the format is about; those that the tree does not have are left out. */
static char *root_definition(ImageBuild *image, gboolean verity) {
    static const char *const sysext[] = {"/opt/", "/usr/", NULL};
    static const char *const confext[] = {"/etc/", NULL};
    static const char *const portable[] = {"/", NULL};
    OutputFormat format = image->config->format;
    const char *const *directory = format == OUTPUT_FORMAT_SYSEXT    ? sysext
                                   : format == OUTPUT_FORMAT_CONFEXT ? confext
                                                                     : portable;
    GString *text = g_string_new("[Partition]\nType=root\nFormat=erofs\nMinimize=best\n");

    for (; *directory; directory++)
        if (tree_exists(image->root_fd, *directory))
            g_string_append_printf(text, "CopyFiles=%s\n", *directory);
    if (verity)
        g_string_append(text, "Verity=data\nVerityMatchKey=root\n");
    return g_string_free(text, FALSE);
}

static char **attached_definitions(ImageBuild *image) {
    gboolean verity = disk_definitions_with_verity(image->build, image->config);
    GPtrArray *parts = g_ptr_array_new();

    g_ptr_array_add(parts, g_strdup("10-root.conf"));
    g_ptr_array_add(parts, root_definition(image, verity));
    if (verity) {
        g_ptr_array_add(parts, g_strdup("20-root-verity.conf"));
        g_ptr_array_add(parts, g_strdup("[Partition]\nType=root-verity\nVerity=hash\nVerityMatchKey=root\n"
                                        "Minimize=best\n"));
    }
    if (verity && image->config->verity != VERITY_HASH) {
        g_ptr_array_add(parts, g_strdup("30-root-verity-sig.conf"));
        g_ptr_array_add(parts,
                g_strdup("[Partition]\nType=root-verity-sig\nVerity=signature\nVerityMatchKey=root\n"));
    }
    g_ptr_array_add(parts, NULL);
    return (char **) g_ptr_array_free(parts, FALSE);
}

char **disk_definitions(ImageBuild *image, GError **error) {
    if (image->config->format == OUTPUT_FORMAT_ESP)
        return esp_definitions(image, error);
    return boot_format_is_attached(image->config->format) ? attached_definitions(image) : NULL;
}
