/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/boot/boot-parts.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>

#include "format/efi/pe/pe.h"
#include "pipeline/boot/boot.h"
#include "pipeline/boot/microcode.h"
#include "pipeline/integrity/offline-early.h"
#include "pipeline/integrity/offline.h"
#include "pipeline/kernel/kernel-modules.h"
#include "pipeline/kernel/kernel-tree.h"
#include "pipeline/state/boot-rules.h"
#include "tree/tree.h"

#define MODULES "usr/lib/modules"
#define EFI_PROGRAMS "usr/lib/systemd/boot/efi"

void boot_kernel_free(gpointer data) {
    BootKernel *kernel = data;

    g_free(kernel->version);
    g_clear_pointer(&kernel->image, g_bytes_unref);
    g_free(kernel);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BootKernel, boot_kernel_free)

void boot_file_free(gpointer data) {
    BootFile *file = data;

    g_free(file->name);
    g_clear_pointer(&file->content, g_bytes_unref);
    g_free(file);
}

/* RET stays as it is when the tree has no such file. */
static gboolean read_bytes(ImageBuild *image, const char *path, GBytes **ret, GError **error) {
    gsize length = 0;
    char *content;

    if (!tree_exists(image->root_fd, path))
        return TRUE;
    if (!(content = tree_read_file(image->root_fd, path, &length, error)))
        return FALSE;
    g_clear_pointer(ret, g_bytes_unref);
    *ret = g_bytes_new_take(content, length);
    return TRUE;
}

gboolean boot_is_uki(GBytes *bytes) {
    g_autoptr(PeImage) pe = pe_image_new(bytes, NULL);

    return pe && pe_image_find_section(pe, ".linux") && pe_image_find_section(pe, ".sdmagic") &&
           pe_image_find_section(pe, ".osrel");
}

/* The first file below DIRECTORY that matches PATTERN and is a UKI, or is none, as PREBUILT wants. */
static gboolean find_kernel(ImageBuild *image, const char *directory, const char *pattern, gboolean prebuilt,
        GBytes **ret, GError **error) {
    g_autoptr(GPtrArray) names = kernel_tree_list(image->root_fd, directory, error);

    if (!names)
        return FALSE;
    for (guint i = 0; i < names->len && !*ret; i++) {
        g_autofree char *path = g_build_filename(directory, names->pdata[i], NULL);
        if (fnmatch(pattern, names->pdata[i], 0) != 0)
            continue;
        if (!read_bytes(image, path, ret, error))
            return FALSE;
        if (*ret && boot_is_uki(*ret) != prebuilt)
            g_clear_pointer(ret, g_bytes_unref);
    }
    return TRUE;
}

/* NULL without error: modules without a kernel. */
static BootKernel *read_kernel(ImageBuild *image, const char *version, GError **error) {
    gboolean prebuilt = boot_wants_prebuilt_ukis(image->config);
    g_autofree char *directory = g_build_filename(MODULES, version, NULL);
    g_autoptr(BootKernel) kernel = g_new0(BootKernel, 1);

    kernel->version = g_strdup(version);
    if (prebuilt) {
        if (!find_kernel(image, directory, "vmlinuz*.efi", TRUE, &kernel->image, error))
            return NULL;
    } else if (!find_kernel(image, directory, "vmlinuz*", FALSE, &kernel->image, error) ||
               (!kernel->image && !find_kernel(image, directory, "vmlinux*", FALSE, &kernel->image, error)))
        return NULL;
    return kernel->image ? g_steal_pointer(&kernel) : NULL;
}

/* Newest first, at most MAX of them. */
static gboolean read_kernels(ImageBuild *image, GPtrArray *kernels, guint max, GError **error) {
    g_auto(GStrv) versions = NULL;

    if (!tree_exists(image->root_fd, MODULES))
        return TRUE;
    if (!(versions = kernel_versions(image->root_fd, error)))
        return FALSE;
    for (guint n = g_strv_length(versions); n > 0 && kernels->len < max; n--) {
        g_autoptr(GError) failure = NULL;
        BootKernel *kernel = read_kernel(image, versions[n - 1], &failure);
        if (failure) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return FALSE;
        }
        if (kernel)
            g_ptr_array_add(kernels, kernel);
    }
    return TRUE;
}

BootKernel *boot_newest_kernel(ImageBuild *image, GError **error) {
    g_autoptr(GPtrArray) kernels = g_ptr_array_new_with_free_func(boot_kernel_free);

    if (!read_kernels(image, kernels, 1, error) || kernels->len == 0)
        return NULL;
    return g_ptr_array_steal_index(kernels, 0);
}

static gboolean add_file(ImageBuild *image, GPtrArray *files, const char *path, const char *name,
        gboolean is_signed, GError **error) {
    BootFile *file = g_new0(BootFile, 1);

    g_ptr_array_add(files, file);
    file->name = g_strdup(name);
    file->is_signed = is_signed;
    return read_bytes(image, path, &file->content, error);
}

/* Every systemd-boot of the image: a machine's firmware can be of another width than its processor. What the
 * distribution signed is taken when it is asked for, and also when nothing would be signed otherwise. */
static gboolean read_boot_loaders(ImageBuild *image, GError **error) {
    gboolean want_signed = boot_loader_is_signed(image->config->bootloader);
    g_autoptr(GPtrArray) names = kernel_tree_list(image->root_fd, EFI_PROGRAMS, error);

    if (!names)
        return FALSE;
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *path = g_build_filename(EFI_PROGRAMS, name, NULL);
        g_autofree char *ready = g_strconcat(path, ".signed", NULL);
        g_autofree char *plain = g_strndup(name, strcspn(name, ".") + strlen(".efi"));
        gboolean is_signed = g_str_has_suffix(name, ".efi.signed");

        if (!g_str_has_prefix(name, "systemd-boot") || !(is_signed || g_str_has_suffix(name, ".efi")))
            continue;
        gboolean prefer_signed =
                want_signed || (!image->config->secure_boot && tree_exists(image->root_fd, ready));
        if (is_signed ? !(want_signed || !image->config->secure_boot) : prefer_signed)
            continue;
        if (!add_file(image, image->boot.boot_loaders, path, plain, is_signed, error))
            return FALSE;
    }
    return TRUE;
}

/* A key that is elsewhere has to sign it before the tree is whole. */
static GBytes *sign_for_tree(ImageBuild *image, const char *path, GBytes *plain, GError **error) {
    g_autoptr(GBytes) binary = boot_sign(image, plain, AUTHENTICODE_REPLACE, error);

    if (!binary || !offline_is_wanted(image->build))
        return g_steal_pointer(&binary);
    return offline_sign_early(
            image, SIGNING_PE, path, binary, image->build->secure_boot_certificate, error);
}

/* What is signed for the ESP stays in the image as well: "bootctl update" of a later version of the system
 * takes it from there, and would otherwise replace a signed boot loader by one that the firmware refuses. */
static gboolean keep_signed_boot_loaders(ImageBuild *image, GError **error) {
    const ImageConfig *config = image->config;

    if (!config->secure_boot || !boot_wants_loader(image) ||
            !boot_loader_is_systemd_boot(config->bootloader))
        return TRUE;
    for (guint i = 0; i < image->boot.boot_loaders->len; i++) {
        BootFile *file = image->boot.boot_loaders->pdata[i];
        g_autofree char *path = g_strconcat(EFI_PROGRAMS "/", file->name, ".signed", NULL);
        g_autoptr(GBytes) plain = NULL;

        if (file->is_signed)
            continue;
        plain = g_steal_pointer(&file->content);
        if (!(file->content = sign_for_tree(image, path, plain, error)) ||
                !boot_write(image, path, file->content, error))
            return FALSE;
        file->is_signed = TRUE;
    }
    return TRUE;
}

/* The first file, by name, that matches PATTERN (a path whose components may be globs); NULL: none. */
static char *find_file(int root_fd, const char *directory, char *const *components) {
    g_autoptr(GPtrArray) names = kernel_tree_list(root_fd, *directory ? directory : ".", NULL);

    for (guint i = 0; names && i < names->len; i++) {
        g_autofree char *path =
                *directory ? g_build_filename(directory, names->pdata[i], NULL) : g_strdup(names->pdata[i]);
        if (fnmatch(components[0], names->pdata[i], FNM_PERIOD) != 0)
            continue;
        if (!components[1])
            return g_steal_pointer(&path);
        char *found = find_file(root_fd, path, components + 1);
        if (found)
            return found;
    }
    return NULL;
}

/* PATTERNS hold the EFI name of the architecture where they say %s. */
static gboolean read_shim_file(
        ImageBuild *image, const char *const *patterns, const char *name, GError **error) {
    const char *efi = architecture_to_efi(image->config->architecture);
    gboolean is_signed = image->config->shim_bootloader == SHIM_BOOTLOADER_SIGNED;

    for (; *patterns; patterns++) {
        g_auto(GStrv) parts = g_strsplit(*patterns, "{}", 2);
        g_autofree char *pattern = g_strjoinv(efi, parts);
        g_auto(GStrv) components = g_strsplit(pattern, "/", -1);
        g_autofree char *path = find_file(image->root_fd, "", components);
        if (path && tree_exists(image->root_fd, path))
            return add_file(image, image->boot.shim, path, name, is_signed, error);
    }
    return TRUE;
}

/* Where Debian, Ubuntu, Fedora, openSUSE and Arch keep shim and its key manager. */
static gboolean read_shim(ImageBuild *image, GError **error) {
    static const char *const shim_signed[] = {"usr/lib/shim/shim{}.efi.signed.latest",
            "usr/lib/shim/shim{}.efi.signed", "boot/efi/EFI/*/shim{}.efi", "usr/share/efi/*/shim.efi", NULL};
    static const char *const shim_unsigned[] = {
            "usr/lib/shim/shim{}.efi", "usr/share/shim/*/*/shim{}.efi", "usr/share/shim/shim{}.efi", NULL};
    static const char *const manager_signed[] = {"usr/lib/shim/mm{}.efi.signed", "usr/lib/shim/mm{}.efi",
            "boot/efi/EFI/*/mm{}.efi", "usr/share/efi/*/MokManager.efi", NULL};
    static const char *const manager_unsigned[] = {
            "usr/lib/shim/mm{}.efi", "usr/share/shim/*/*/mm{}.efi", "usr/share/shim/mm{}.efi", NULL};
    const char *efi = architecture_to_efi(image->config->architecture);
    gboolean is_signed = image->config->shim_bootloader == SHIM_BOOTLOADER_SIGNED;
    g_autofree char *upper = g_ascii_strup(efi, -1);
    g_autofree char *boot = g_strdup_printf("BOOT%s.EFI", upper);
    /* shim looks for its manager under a name that its distribution built in. */
    g_autofree char *manager = image->config->distribution == DISTRIBUTION_OPENSUSE
                                       ? g_strdup("MokManager.efi")
                                       : g_strdup_printf("mm%s.efi", efi);

    if (image->config->shim_bootloader == SHIM_BOOTLOADER_NONE)
        return TRUE;
    return read_shim_file(image, is_signed ? shim_signed : shim_unsigned, boot, error) &&
           read_shim_file(image, is_signed ? manager_signed : manager_unsigned, manager, error);
}

static gboolean read_splash(ImageBuild *image, GError **error) {
    const char *path = image->config->splash;

    if (!path || image->boot.kernels->len == 0 || !read_bytes(image, path, &image->boot.splash, error))
        return !path || image->boot.kernels->len == 0;
    if (!image->boot.splash)
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT, "Splash=%s: the image has no such file", path);
    return image->boot.splash != NULL;
}

gboolean step_save_boot_parts(ImageBuild *image, GError **error) {
    const ImageConfig *config = image->config;
    const char *efi = architecture_to_efi(config->architecture);
    gboolean addon = config->format == OUTPUT_FORMAT_ADDON;
    gboolean wanted = boot_wants_efi(config) || boot_wants_kernels(config);

    if (!read_bytes(image, "usr/lib/os-release", &image->os_release, error) ||
            (!image->os_release && !read_bytes(image, "etc/os-release", &image->os_release, error)))
        return FALSE;
    if (efi && (wanted || boot_format_is_tree_uki(config->format))) {
        g_autofree char *stub =
                g_strdup_printf(EFI_PROGRAMS "/%s%s.efi.stub", addon ? "addon" : "linux", efi);
        if (!read_bytes(image, stub, &image->boot.stub, error))
            return FALSE;
    }
    if (addon && !wanted)
        return TRUE;
    if ((wanted || boot_format_is_tree_uki(config->format)) &&
            !(read_kernels(image, image->boot.kernels, G_MAXUINT, error) &&
                    microcode_read(image, image->boot.microcode, error)))
        return FALSE;
    if (image->boot.kernels->len > 0)
        image->boot.kernel_version = g_strdup(((BootKernel *) image->boot.kernels->pdata[0])->version);
    if (!read_splash(image, error))
        return FALSE;
    return !boot_wants_efi(config) ||
           (read_boot_loaders(image, error) && keep_signed_boot_loaders(image, error) &&
                   read_shim(image, error));
}
