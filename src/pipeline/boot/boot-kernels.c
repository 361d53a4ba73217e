/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The step that makes the kernels of an image startable: a unified kernel image for each, or boot entries of
 * type #1 (UAPI group specification "Boot Loader Specification"). */

#include "pipeline/boot/boot-kernels.h"

#include <string.h>

#include "events/step.h"
#include "format/efi/uki/uki.h"
#include "image/disk/disk.h"
#include "pipeline/boot/boot-entry.h"
#include "pipeline/boot/boot-parts.h"
#include "pipeline/boot/boot.h"
#include "pipeline/boot/devicetree.h"
#include "pipeline/boot/microcode.h"
#include "pipeline/boot/uki-image.h"
#include "pipeline/kernel/kernel.h"
#include "pipeline/state/boot-rules.h"
#include "pipeline/state/staged-files.h"
#include "text/size.h"
#include "tree/tree.h"

/* Initrds with the names that they have as files of their own. */
typedef struct {
    GPtrArray *contents; /* GBytes */
    GPtrArray *names;    /* char */
} Initrds;

static void initrds_clear(Initrds *initrds) {
    g_clear_pointer(&initrds->contents, g_ptr_array_unref);
    g_clear_pointer(&initrds->names, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Initrds, initrds_clear)

static void initrds_init(Initrds *initrds) {
    initrds->contents = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
    initrds->names = g_ptr_array_new_with_free_func(g_free);
}

/* Those of Initrds= and those that a script left in $ARTIFACTDIR, in the order in which the kernel unpacks
 * them. */
static gboolean collect_initrds(ImageBuild *image, Initrds *initrds, GError **error) {
    for (char **path = image->config->initrds; *path; path++) {
        g_autofree char *now = build_resolve_output(image->build, *path, error);
        g_autoptr(GMappedFile) mapped = now ? g_mapped_file_new(now, FALSE, error) : NULL;
        if (!mapped) {
            g_prefix_error(error, "Initrds=%s: ", *path);
            return FALSE;
        }
        g_ptr_array_add(initrds->contents, g_mapped_file_get_bytes(mapped));
        g_ptr_array_add(initrds->names, g_path_get_basename(*path));
    }
    return boot_artifacts_collect(image, "io.mkosi.initrd", initrds->contents, initrds->names, error);
}

static gboolean add_modules(ImageBuild *image, const char *version, Initrds *initrds, GError **error) {
    gboolean newest = g_strcmp0(version, image->boot.kernel_version) == 0;

    if (!image->config->kernel_modules_initrd)
        return TRUE;
    GBytes *modules = kernel_modules_initrd(image, version, error);
    if (!modules) {
        g_prefix_error(error, "Cannot make the kernel modules initrd: ");
        return FALSE;
    }
    g_ptr_array_add(initrds->contents, modules);
    g_ptr_array_add(initrds->names, g_strdup("kernel-modules.initrd"));
    return !newest || !(image->config->split_artifacts & ARTIFACT_KERNEL_MODULES_INITRD) ||
           staged_file_write_suffix(image, ".kernel-modules-initrd", modules, error);
}

/* ---- unified kernel images ---- */

static GBytes *build_uki(
        ImageBuild *image, const BootKernel *kernel, GPtrArray **ret_policies, GError **error) {
    g_auto(Initrds) initrds = {};
    g_autoptr(GPtrArray) devicetrees = NULL;
    g_autofree char *cmdline = boot_command_line(image);

    initrds_init(&initrds);
    if (!collect_initrds(image, &initrds, error) || !add_modules(image, kernel->version, &initrds, error) ||
            !(devicetrees = devicetrees_read(image, kernel->version, error)))
        return NULL;
    UkiParts parts = {
            .version = kernel->version,
            .kernel = kernel->image,
            .initrds = initrds.contents,
            .cmdline = cmdline,
            .devicetrees = devicetrees,
    };
    g_autoptr(EventsStep) step =
            events_step_begin(image->name, "Assembling the unified kernel image of %s", kernel->version);
    GBytes *uki = uki_assemble(image, &parts, ret_policies, error);
    if (!uki) {
        g_prefix_error(error, "Cannot assemble the unified kernel image: ");
        return NULL;
    }
    g_autofree char *size = text_format_size(g_bytes_get_size(uki));
    events_step_done(g_steal_pointer(&step), "%s", size);
    return uki;
}

/* Of this build; what a base tree or a package has there is replaced. */
static gboolean check_uki_free(
        ImageBuild *image, const BootKernel *kernel, const char *path, GError **error) {
    for (guint i = 0; i < image->boot.kernels->len && image->boot.kernels->pdata[i] != kernel; i++) {
        const BootKernel *other = image->boot.kernels->pdata[i];
        g_autofree char *other_path = boot_uki_path(image, other->version, error);
        if (!other_path)
            return FALSE;
        if (g_ascii_strcasecmp(path, other_path) != 0)
            continue;
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "UnifiedKernelImageFormat=%s: the unified kernel images of the kernels %s and %s are both "
                "/%s; use &k in it",
                image->config->unified_kernel_image_format, other->version, kernel->version, path);
        return FALSE;
    }
    return TRUE;
}

/* The newest UKI is the one whose parts become split artifacts. */
static gboolean install_uki(ImageBuild *image, const BootKernel *kernel, gboolean newest, GError **error) {
    g_autoptr(GPtrArray) policies = NULL;
    g_autofree char *path = boot_uki_path(image, kernel->version, error);
    g_autoptr(GBytes) uki = !path ? NULL
                            : boot_wants_prebuilt_ukis(image->config)
                                    ? g_bytes_ref(kernel->image)
                                    : build_uki(image, kernel, &policies, error);

    if (!uki || !check_uki_free(image, kernel, path, error) || !boot_write(image, path, uki, error))
        return FALSE;
    if (!newest)
        return TRUE;
    return (!(image->config->split_artifacts & ARTIFACT_UKI) ||
                   staged_file_write_suffix(image, ".efi", uki, error)) &&
           uki_write_artifacts(image, uki, policies, error);
}

/* ---- boot entries of type #1 ---- */

/* What an entry names, below the boot partition. */
static gboolean write_entry_file(ImageBuild *image, const char *directory, const char *name, GBytes *content,
        const char *key, GString *entry, GError **error) {
    g_autofree char *path = g_build_filename("boot", directory, name, NULL);

    g_string_append_printf(entry, "%s /%s/%s\n", key, directory, name);
    return boot_write(image, path, content, error);
}

/* They share a directory. */
static gboolean check_initrd_names(const Initrds *initrds, GError **error) {
    for (guint i = 0; i < initrds->names->len; i++)
        for (guint j = 0; j < i; j++)
            if (g_ascii_strcasecmp(initrds->names->pdata[i], initrds->names->pdata[j]) == 0) {
                g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                        "Initrds=: two of the initrds are called \"%s\", and a boot entry needs a file of its "
                        "own for each: rename one, or set UnifiedKernelImages=unsigned",
                        (const char *) initrds->names->pdata[i]);
                return FALSE;
            }
    return TRUE;
}

static gboolean write_entry_initrds(ImageBuild *image, const BootKernel *kernel, const char *token,
        const char *directory, GString *entry, GError **error) {
    g_auto(Initrds) initrds = {};
    g_autoptr(GPtrArray) microcode = NULL;

    initrds_init(&initrds);
    if (!(microcode = microcode_get(image, initrds.names, error)))
        return FALSE;
    for (guint i = 0; i < microcode->len; i++)
        g_ptr_array_add(initrds.contents, g_bytes_ref(microcode->pdata[i]));
    if (!collect_initrds(image, &initrds, error))
        return FALSE;
    guint shared = initrds.contents->len;
    if (!check_initrd_names(&initrds, error))
        return FALSE;
    if (!add_modules(image, kernel->version, &initrds, error))
        return FALSE;
    for (guint i = 0; i < initrds.contents->len; i++)
        if (!write_entry_file(image, i < shared ? token : directory, initrds.names->pdata[i],
                    initrds.contents->pdata[i], "initrd", entry, error))
            return FALSE;
    return TRUE;
}

static gboolean write_entry_devicetree(
        ImageBuild *image, const BootKernel *kernel, const char *directory, GString *entry, GError **error) {
    g_autoptr(GPtrArray) devicetrees = devicetrees_read(image, kernel->version, error);

    if (!devicetrees)
        return FALSE;
    if (devicetrees->len == 0)
        return TRUE;
    if (devicetrees->len > 1) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "Devicetrees= matches %u files, but a boot entry has one; name one, or set "
                "UnifiedKernelImages=unsigned",
                devicetrees->len);
        return FALSE;
    }
    const Devicetree *devicetree = devicetrees->pdata[0];
    return write_entry_file(
            image, directory, devicetree->name, devicetree->content, "devicetree", entry, error);
}

/* A boot loader signed by the distribution starts kernels signed by it. */
static GBytes *entry_kernel(ImageBuild *image, const BootKernel *kernel, GError **error) {
    return boot_wants_efi(image->config) && !boot_loader_is_signed(image->config->bootloader)
                   ? uki_sign_kernel(image, kernel->image, error)
                   : g_bytes_ref(kernel->image);
}

static gboolean install_entry(ImageBuild *image, const BootKernel *kernel, GError **error) {
    g_autofree char *token = boot_entry_token(image);
    g_autofree char *cmdline = boot_command_line(image);
    g_autofree char *directory = g_build_filename(token, kernel->version, NULL);
    g_autofree char *path = g_strdup_printf("boot/loader/entries/%s-%s.conf", token, kernel->version);
    g_autoptr(GString) entry = g_string_new(NULL);
    g_autoptr(EventsStep) step = events_step_begin(image->name, "Writing the boot entry of %s", kernel->version);
    g_autoptr(GBytes) linux_image = entry_kernel(image, kernel, error);

    g_string_append_printf(entry, "title %s %s\nversion %s\n", token, kernel->version, kernel->version);
    if (!linux_image || !write_entry_file(image, directory, "vmlinuz", linux_image, "linux", entry, error))
        return FALSE;
    g_string_append_printf(entry, "options %s\n", cmdline);
    if (!write_entry_initrds(image, kernel, token, directory, entry, error) ||
            !write_entry_devicetree(image, kernel, directory, entry, error))
        return FALSE;
    g_autoptr(GBytes) content = g_bytes_new(entry->str, entry->len);
    if (!boot_write(image, path, content, error))
        return FALSE;
    events_step_done(g_steal_pointer(&step), NULL);
    return TRUE;
}

/* ---- split artifacts without a UKI ---- */

static gboolean write_kernel(ImageBuild *image, const BootKernel *kernel, GError **error) {
    return !(image->config->split_artifacts & ARTIFACT_KERNEL) ||
           staged_file_write_suffix(image, ".vmlinuz", kernel->image, error);
}

static gboolean write_initrd(ImageBuild *image, const BootKernel *kernel, GError **error) {
    g_auto(Initrds) initrds = {};

    if (!(image->config->split_artifacts & ARTIFACT_INITRD))
        return TRUE;
    initrds_init(&initrds);
    if (!collect_initrds(image, &initrds, error))
        return FALSE;
    if (initrds.contents->len == 0)
        return TRUE;
    if (!add_modules(image, kernel->version, &initrds, error))
        return FALSE;
    g_autoptr(GBytes) joined = uki_join_initrds(initrds.contents);
    return staged_file_write_suffix(image, ".initrd", joined, error);
}

/* The kernel that the finished tree has, for machines that start it directly. */
static gboolean write_loose_artifacts(ImageBuild *image, GError **error) {
    g_autoptr(GError) failure = NULL;
    BootKernel *kernel;
    gboolean ok;

    if (!(image->config->split_artifacts & (ARTIFACT_KERNEL | ARTIFACT_INITRD)) ||
            image->config->format == OUTPUT_FORMAT_NONE || image->config->format == OUTPUT_FORMAT_UKI ||
            image->config->format == OUTPUT_FORMAT_ESP)
        return TRUE;
    kernel = boot_newest_kernel(image, &failure);
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (!kernel)
        return TRUE;
    ok = write_kernel(image, kernel, error) && write_initrd(image, kernel, error);
    boot_kernel_free(kernel);
    return ok;
}

/* ---- the step ---- */

static gboolean check_parts(ImageBuild *image, GError **error) {
    const ImageConfig *config = image->config;
    gboolean ukis = boot_wants_ukis(image), prebuilt = boot_wants_prebuilt_ukis(config);
    const char *missing = NULL;

    if (image->boot.kernels->len == 0 && config->bootable == FEATURE_ENABLED)
        missing = prebuilt ? "UKI signed by the distribution (/usr/lib/modules/VERSION/vmlinuz*.efi); set "
                             "UnifiedKernelImages=none for boot entries, or unsigned for UKIs made here"
                           : "kernel; add a linux-image package to Packages=";
    else if (image->boot.kernels->len > 0 && ukis && !prebuilt && !image->boot.stub)
        missing = "systemd-stub; add the package systemd-boot-efi (Debian 12: systemd-boot) to Packages=";
    if (!missing)
        return TRUE;
    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT, "%s, but the image has no %s",
            config->bootable == FEATURE_ENABLED ? "Bootable=yes" : "A unified kernel image is wanted",
            missing);
    return FALSE;
}

/* A disk without a boot partition has no place for boot entries. */
static gboolean has_place(ImageBuild *image) {
    return !image->disk.disk || disk_has_esp(image->disk.disk) || boot_wants_ukis(image);
}

gboolean step_install_kernels(ImageBuild *image, GError **error) {
    gboolean ukis = boot_wants_ukis(image);

    if (!boot_wants_kernels(image->config))
        return write_loose_artifacts(image, error);
    if (!check_parts(image, error))
        return FALSE;
    for (guint i = 0; i < image->boot.kernels->len && has_place(image); i++) {
        const BootKernel *kernel = image->boot.kernels->pdata[i];
        if (ukis ? !install_uki(image, kernel, i == 0, error) : !install_entry(image, kernel, error))
            return FALSE;
        /* There is one place where the firmware looks. */
        if (boot_loader_is_uki(image->config->bootloader))
            break;
    }
    return (ukis && image->boot.kernels->len > 0) || write_loose_artifacts(image, error);
}
