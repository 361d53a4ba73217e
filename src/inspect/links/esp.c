/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "base/hex.h"
#include "base/sha256.h"
#include "format/efi/uki/uki-sections.h"
#include "inspect/boot/esp-path.h"
#include "inspect/boot/loader-files.h"
#include "inspect/verdict/inspect-internal.h"

/* What firmware, boot loader and kernel images find on the ESP (and XBOOTLDR): every file is of a kind that
 * is known, and judged as that, or broken. */

typedef void (*FileFunc)(InspectContext *context, InspectNode *node, const char *path, GBytes *content);

/* Calls FUNC for each file of KIND. NODE (may be NULL) hears of files that cannot be read. */
static void for_each_file(
        InspectContext *context, const InspectEsp *esp, InspectNode *node, EspFileKind kind, FileFunc func) {
    for (guint i = 0; i < esp->files->len; i++) {
        const FatFile *file = esp->files->pdata[i];
        if (file->entry->is_directory || esp_file_classify(file->path) != kind)
            continue;
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) content = fat_reader_read(esp->fat, file->entry, &error);
        if (content)
            func(context, node, file->path, content);
        else if (node)
            inspect_node_set_error(inspect_node_add(node, "file", file->path), error);
    }
}

static void collect_image(InspectContext *context, InspectNode *node, const char *path, GBytes *image) {
    inspect_collect_signers(context, image);
}

void inspect_esp_collect(InspectContext *context, const InspectEsp *esp) {
    for_each_file(context, esp, NULL, ESP_FILE_LOADER, collect_image);
    for_each_file(context, esp, NULL, ESP_FILE_UKI, collect_image);
}

static void check_loader(InspectContext *context, InspectNode *node, const char *path, GBytes *image) {
    inspect_check_program(node, path, image);
    inspect_check_authenticode(context, node, "authenticode", path, image, TRUE);
}

void inspect_esp_check_loaders(InspectContext *context, const InspectEsp *esp, InspectNode *node) {
    for_each_file(context, esp, node, ESP_FILE_LOADER, check_loader);
}

static void check_uki(InspectContext *context, InspectNode *node, const char *path, GBytes *image) {
    inspect_check_uki(context, inspect_node_add(node, "uki", path), image);
}

static void check_addon(InspectContext *context, InspectNode *node, const char *path, GBytes *image) {
    g_autofree char *title = g_strdup_printf("addon %s", path);
    inspect_check_authenticode(context, node, "addon", title, image, TRUE);
    inspect_check_program(node, path, image);
    inspect_check_addon_content(context, node, path, image);
}

/* Without boot loader the firmware starts a UKI. */
static void check_uki_as_loader(
        InspectContext *context, InspectNode *node, const char *path, GBytes *image) {
    g_autoptr(UkiView) view = uki_view_new(image, NULL);
    if (view)
        check_uki(context, node, path, image);
}

void inspect_esp_check_ukis(InspectContext *context, const InspectEsp *esp, InspectNode *node) {
    for_each_file(context, esp, node, ESP_FILE_LOADER, check_uki_as_loader);
    for_each_file(context, esp, node, ESP_FILE_UKI, check_uki);
    for_each_file(context, esp, node, ESP_FILE_ADDON, check_addon);
}

/* Where a line or a word ends is the same for all readers only without other control characters: to the boot
 * loader a carriage return alone ends a line. */
static gboolean is_plain_text(const char *data, gsize size) {
    for (gsize i = 0; i < size; i++)
        if (((guchar) data[i] < ' ' && data[i] != '\n' && data[i] != '\t') || data[i] == 0x7f)
            return FALSE;
    return size == 0 || g_utf8_validate(data, size, NULL);
}

/* Text of a small file, or NULL with the verdict set. */
static char *read_text(InspectNode *link, GBytes *content) {
    gsize size = 0;
    const char *data = g_bytes_get_data(content, &size);
    if (size <= 64 * 1024 && is_plain_text(data, size))
        return g_strndup(data ? data : "", size);
    inspect_node_set(link, INSPECT_BROKEN, "it is no text");
    return NULL;
}

/* The UKIs of all file systems, as paths (or as names, which is what loader.conf has). */
static GPtrArray *list_ukis(InspectContext *context, gboolean as_names) {
    GPtrArray *result = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < context->esps->len; i++) {
        const InspectEsp *esp = context->esps->pdata[i];
        for (guint j = 0; j < esp->files->len; j++) {
            const FatFile *file = esp->files->pdata[j];
            if (file->entry->is_directory || esp_file_classify(file->path) != ESP_FILE_UKI)
                continue;
            g_autofree char *path = as_names ? esp_uki_name(file->path) : g_ascii_strdown(file->path, -1);
            g_ptr_array_add(result, g_strdup(as_names ? strrchr(path, '/') + 1 : path));
        }
    }
    return result;
}

static void check_text(InspectContext *context, InspectNode *link, EspFileKind kind, GBytes *content) {
    g_autofree char *text = read_text(link, content);
    if (!text)
        return;
    g_autoptr(GPtrArray) ukis = list_ukis(context, kind == ESP_FILE_CONF);
    g_autofree char *problem = kind == ESP_FILE_CONF ? loader_conf_find_problem(text, ukis)
                                                     : loader_entry_find_problem(text, ukis);
    if (problem)
        inspect_node_set(link, INSPECT_BROKEN, "%s", problem);
    else
        inspect_node_set(link, INSPECT_OK, "%s",
                kind == ESP_FILE_CONF ? "settings of the boot loader" : "starts a UKI, as it is");
}

/* A disk image that a UKI takes along: what is in it must be signed as /usr is. */
static void check_extension(InspectContext *context, InspectNode *link, GBytes *content) {
    g_autoptr(GError) error = NULL;
    g_autoptr(InspectNode) report = inspect_nested(context, content, &error);
    if (!report) {
        inspect_node_set(link, INSPECT_BROKEN, "an extension that nobody signed: %s", error->message);
        return;
    }
    if (inspect_node_get_worst(report) == INSPECT_BROKEN || inspect_node_count(report, INSPECT_MISSING) > 0)
        inspect_node_set(link, INSPECT_BROKEN, "an extension that nobody signed");
    else
        inspect_node_set(link, INSPECT_OK, "a signed extension");
    g_ptr_array_add(link->children, g_steal_pointer(&report));
}

static void check_small(InspectNode *link, EspFileKind kind, GBytes *content) {
    gsize size = 0;
    const char *data = g_bytes_get_data(content, &size);
    if (kind == ESP_FILE_SEED) {
        gboolean sound = size == 32 || size == 512;
        inspect_node_set(link, sound ? INSPECT_OK : INSPECT_BROKEN,
                sound ? "random seed" : "a random seed has 32 or 512 bytes");
        return;
    }
    gboolean sound = size >= 5 && size <= 6 && strncmp(data, "type", 4) == 0 &&
                     (data[4] == '1' || data[4] == '2') && (size == 5 || data[5] == '\n');
    inspect_node_set(link, sound ? INSPECT_OK : INSPECT_BROKEN,
            sound ? "names a kind of boot entries" : "it should name a kind of boot entries");
}

/* Files that the caller knows: exactly these bytes. */
static gboolean is_listed(InspectContext *context, const char *path, GBytes *content) {
    g_autofree char *lower = g_ascii_strdown(path, -1);
    const char *wanted =
            context->options->known_files ? g_hash_table_lookup(context->options->known_files, lower) : NULL;
    if (!wanted)
        return FALSE;
    gsize size = 0;
    guint8 digest[SHA256_SIZE];
    const void *data = g_bytes_get_data(content, &size);
    sha256_buffer(data, size, digest);
    g_autofree char *hex = hex_encode(digest, sizeof digest);
    return g_ascii_strcasecmp(hex, wanted) == 0;
}

static void check_other(
        InspectContext *context, InspectNode *node, const char *path, EspFileKind kind, GBytes *content) {
    InspectNode *link = inspect_node_add(node, "file", path);
    if (is_listed(context, path, content)) {
        inspect_node_set(link, INSPECT_OK, "as in the list of known files");
        return;
    }
    switch (kind) {
    case ESP_FILE_CONF:
    case ESP_FILE_ENTRY:
        check_text(context, link, kind, content);
        break;
    case ESP_FILE_SEED:
    case ESP_FILE_MARKER:
        check_small(link, kind, content);
        break;
    case ESP_FILE_EXTENSION:
        check_extension(context, link, content);
        break;
    case ESP_FILE_CREDENTIAL:
        inspect_node_set(link, INSPECT_BROKEN, "a credential for the initrd, which nobody signed");
        break;
    default:
        inspect_node_set(link, INSPECT_BROKEN, "nobody knows what reads it");
    }
}

void inspect_esp_check_others(InspectContext *context, const InspectEsp *esp, InspectNode *node) {
    for (guint i = 0; i < esp->files->len; i++) {
        const FatFile *file = esp->files->pdata[i];
        EspFileKind kind = esp_file_classify(file->path);
        if (file->entry->is_directory || kind == ESP_FILE_LOADER || kind == ESP_FILE_UKI ||
                kind == ESP_FILE_ADDON || kind == ESP_FILE_KEY)
            continue;
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) content = fat_reader_read(esp->fat, file->entry, &error);
        if (content)
            check_other(context, node, file->path, kind, content);
        else
            inspect_node_set_error(inspect_node_add(node, "file", file->path), error);
    }
}

/* Of two UKIs that differ only in the counter of their attempts the boot loader takes one or the other. */
void inspect_esp_check_names(InspectContext *context, InspectNode *node) {
    g_autoptr(GPtrArray) names = list_ukis(context, TRUE);
    for (guint i = 0; i < names->len; i++)
        for (guint j = 0; j < i; j++)
            if (strcmp(names->pdata[i], names->pdata[j]) == 0)
                inspect_node_set(inspect_node_add(node, "uki", names->pdata[i]), INSPECT_BROKEN,
                        "there are two of this name");
}

void inspect_esp_check_file_system(InspectContext *context, const InspectEsp *esp, InspectNode *node) {
    InspectNode *link = inspect_node_add(node, "fat", "file system");
    if (esp->problems->len == 0) {
        inspect_node_set(link, INSPECT_OK, "FAT%d, %u files and directories, the same for all readers",
                fat_reader_get_bits(esp->fat), esp->files->len);
        return;
    }
    for (guint i = 0; i < esp->problems->len; i++)
        inspect_node_set(inspect_node_add(link, "fat", esp->partition->label), INSPECT_BROKEN, "%s",
                (const char *) esp->problems->pdata[i]);
}
