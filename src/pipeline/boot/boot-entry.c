/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/boot/boot-entry.h"

#include <string.h>

#include "image/disk/disk.h"
#include "pipeline/boot/boot-loader.h"
#include "pipeline/state/boot-rules.h"
#include "text/os-release.h"
#include "tree/tree.h"

static char *read_optional(int root_fd, const char *path) {
    char *text = tree_exists(root_fd, path) ? tree_read_file(root_fd, path, NULL, NULL) : NULL;
    return text ? g_strstrip(text) : NULL;
}

/* The machine ID of the tree, or NULL when it is to be made at the first boot. */
static char *machine_id(ImageBuild *image) {
    g_autofree char *id = read_optional(image->root_fd, "etc/machine-id");

    return id && strlen(id) == 32 && strspn(id, "0123456789abcdef") == 32 && strspn(id, "0") != 32
                   ? g_steal_pointer(&id)
                   : NULL;
}

char *boot_entry_token(ImageBuild *image) {
    static const char *const files[] = {"etc/kernel/entry-token", "usr/lib/kernel/entry-token"};
    static const char *const names[] = {"IMAGE_ID", "ID"};
    g_autofree char *os_release = NULL;
    char *token;

    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *text = read_optional(image->root_fd, files[i]);
        if (text && *text && !strchr(text, '/'))
            return g_steal_pointer(&text);
    }
    if ((token = machine_id(image)))
        return token;
    os_release = image->os_release ? g_strndup(g_bytes_get_data(image->os_release, NULL),
                                             g_bytes_get_size(image->os_release))
                                   : g_strdup("");
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        token = os_release_get(os_release, names[i]);
        if (token && *token)
            return token;
        g_free(token);
    }
    return g_strdup(image->config->image_id ? image->config->image_id : "linux");
}

static const char *disk_hash(const ImageBuild *image) {
    return image->disk.root_hash ? image->disk.root_hash : image->disk.usr_hash;
}

static char *uki_name(ImageBuild *image, const char *token, const char *version, GError **error) {
    const char *hash = disk_hash(image);
    const char *format = image->config->unified_kernel_image_format;
    g_autoptr(GString) name = g_string_new(NULL);

    if (!format)
        format = hash ? "&e-&k-&h" : "&e-&k";
    for (const char *c = format; *c; c++) {
        if (*c != '&' || !c[1]) {
            g_string_append_c(name, *c);
            continue;
        }
        switch (*++c) {
        case 'e':
            g_string_append(name, token);
            break;
        case 'k':
            g_string_append(name, version);
            break;
        case 'h':
            g_string_append(name, hash ? hash : "");
            break;
        case '&':
            g_string_append_c(name, '&');
            break;
        }
    }
    if (name->len > 0 && !strchr(name->str, '/'))
        return g_string_free(g_steal_pointer(&name), FALSE);
    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
            "UnifiedKernelImageFormat=%s makes \"%s\", which is no file name", format, name->str);
    return NULL;
}

char *boot_uki_path(ImageBuild *image, const char *version, GError **error) {
    g_autofree char *token = boot_entry_token(image);
    g_autofree char *name = NULL;

    if (boot_loader_is_uki(image->config->bootloader))
        return image->config->shim_bootloader == SHIM_BOOTLOADER_NONE ? boot_first_stage_path(image)
                                                                      : boot_second_stage_path(image);
    if (!(name = uki_name(image, token, version, error)))
        return NULL;
    return g_strdup_printf("boot/EFI/Linux/%s.efi", name);
}

/* The word, with the UUID of the partition behind "root=PARTUUID". */
static char *expand_word(ImageBuild *image, const char *word) {
    const struct {
        const char *word;
        DiskRole role;
    } words[] = {{"root=PARTUUID", DISK_ROLE_ROOT}, {"mount.usr=PARTUUID", DISK_ROLE_USR}};

    for (size_t i = 0; image->disk.disk && !disk_hash(image) && i < G_N_ELEMENTS(words); i++) {
        g_autofree char *uuid =
                g_str_equal(word, words[i].word) ? disk_partition_uuid(image->disk.disk, words[i].role) : NULL;
        if (uuid)
            return g_strconcat(word, "=", uuid, NULL);
    }
    return g_strdup(word);
}

char *boot_command_line(ImageBuild *image) {
    g_autofree char *file = read_optional(image->root_fd, "etc/kernel/cmdline");
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);

    if (!file)
        file = read_optional(image->root_fd, "usr/lib/kernel/cmdline");
    if (file && *file)
        g_ptr_array_add(words, g_strdup(file));
    /* When both are protected, that of root counts. */
    if (image->disk.root_hash)
        g_ptr_array_add(words, g_strconcat("roothash=", image->disk.root_hash, NULL));
    else if (image->disk.usr_hash)
        g_ptr_array_add(words, g_strconcat("usrhash=", image->disk.usr_hash, NULL));
    for (char **word = image->config->kernel_command_line; *word; word++)
        g_ptr_array_add(words, expand_word(image, *word));
    g_ptr_array_add(words, NULL);
    return g_strjoinv(" ", (char **) words->pdata);
}
