/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "format/uki-sections.h"
#include "inspect/inspect-internal.h"

/* What the firmware and the boot loader find on the ESP (and XBOOTLDR). */

typedef void (*ImageFunc)(InspectContext *context, InspectNode *node, const char *path, GBytes *image);

static void report_unreadable(InspectNode *node, const char *path, const GError *error) {
    if (node)
        inspect_node_set_error(inspect_node_add(node, "file", path), error);
}

/* Calls FUNC for each file of DIRECTORY whose name ends in SUFFIX, in any case. NODE (may be NULL) hears of
 * files that cannot be read. */
static void for_each_image(InspectContext *context, const InspectEsp *esp, InspectNode *node,
        const char *directory, const char *suffix, ImageFunc func) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) entries = fat_reader_list(esp->fat, directory, &error);
    if (!entries) {
        report_unreadable(node, directory, error);
        return;
    }
    for (guint i = 0; i < entries->len; i++) {
        const FatEntry *entry = entries->pdata[i];
        g_autofree char *name = g_ascii_strdown(entry->name, -1);
        if (entry->is_directory || !g_str_has_suffix(name, suffix))
            continue;
        g_autofree char *path = g_strdup_printf("%s/%s", directory, entry->name);
        g_autoptr(GError) local = NULL;
        g_autoptr(GBytes) image = fat_reader_read(esp->fat, entry, &local);
        if (image)
            func(context, node, path, image);
        else
            report_unreadable(node, path, local);
    }
}

static const char *const loader_directories[] = {"EFI/BOOT", "EFI/systemd"};

static void collect_image(InspectContext *context, InspectNode *node, const char *path, GBytes *image) {
    inspect_collect_signers(context, image);
}

void inspect_esp_collect(InspectContext *context, const InspectEsp *esp) {
    for (gsize i = 0; i < G_N_ELEMENTS(loader_directories); i++)
        for_each_image(context, esp, NULL, loader_directories[i], ".efi", collect_image);
    for_each_image(context, esp, NULL, "EFI/Linux", ".efi", collect_image);
}

static void check_loader(InspectContext *context, InspectNode *node, const char *path, GBytes *image) {
    inspect_check_authenticode(context, node, "authenticode", path, image, TRUE);
}

void inspect_esp_check_loaders(InspectContext *context, const InspectEsp *esp, InspectNode *node) {
    for (gsize i = 0; i < G_N_ELEMENTS(loader_directories); i++)
        for_each_image(context, esp, node, loader_directories[i], ".efi", check_loader);
}

static void check_uki(InspectContext *context, InspectNode *node, const char *path, GBytes *image) {
    inspect_check_uki(context, inspect_node_add(node, "uki", path), image);
}

static void check_addon(InspectContext *context, InspectNode *node, const char *path, GBytes *image) {
    g_autofree char *title = g_strdup_printf("addon %s", path);
    inspect_check_authenticode(context, node, "addon", title, image, TRUE);
}

/* Without boot loader the firmware starts a UKI. */
static void check_uki_as_loader(
        InspectContext *context, InspectNode *node, const char *path, GBytes *image) {
    g_autoptr(UkiView) view = uki_view_new(image, NULL);
    if (view)
        check_uki(context, node, path, image);
}

void inspect_esp_check_ukis(InspectContext *context, const InspectEsp *esp, InspectNode *node) {
    for_each_image(context, esp, node, "EFI/BOOT", ".efi", check_uki_as_loader);
    for_each_image(context, esp, node, "EFI/Linux", ".efi", check_uki);
    for_each_image(context, esp, node, "loader/addons", ".addon.efi", check_addon);

    g_autoptr(GPtrArray) entries = fat_reader_list(esp->fat, "EFI/Linux", NULL);
    for (guint i = 0; entries && i < entries->len; i++) {
        const FatEntry *entry = entries->pdata[i];
        g_autofree char *directory = g_strdup_printf("EFI/Linux/%s", entry->name);
        if (entry->is_directory)
            for_each_image(context, esp, node, directory, ".addon.efi", check_addon);
    }
}
