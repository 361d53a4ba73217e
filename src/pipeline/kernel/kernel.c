/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/kernel/kernel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"
#include "distro/distro.h"
#include "events/step.h"
#include "format/archive/cpio.h"
#include "pipeline/kernel/kernel-modules-files.h"
#include "pipeline/kernel/kernel-modules-stage.h"
#include "pipeline/kernel/kernel-modules.h"
#include "pipeline/kernel/module-index.h"
#include "pipeline/layers/layer.h"
#include "pipeline/state/boot-rules.h"
#include "pipeline/state/cache-places.h"
#include "sandbox/sandbox.h"
#include "tree/tree.h"

#define MODULES "usr/lib/modules"

static gboolean place_image(ImageBuild *image, const char *name, const char *prefix, GError **error) {
    const char *version = name + strlen(prefix);
    g_autofree char *source = g_build_filename("boot", name, NULL);
    g_autofree char *directory = g_build_filename(MODULES, version, NULL);
    g_autofree char *target =
            g_build_filename(directory, g_str_equal(prefix, "vmlinux-") ? "vmlinux" : "vmlinuz", NULL);
    struct stat info;

    if (fstatat(image->root_fd, source, &info, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(info.st_mode) ||
            !tree_exists(image->root_fd, directory) || tree_exists(image->root_fd, target))
        return TRUE;
    return tree_copy(image->root_fd, source, image->root_fd, target, 0, error);
}

gboolean kernel_place_images(ImageBuild *image, GError **error) {
    static const char *const prefixes[] = {"vmlinuz-", "vmlinux-"};
    AUTO_FD fd = openat(image->root_fd, "boot", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autoptr(GPtrArray) names = fd >= 0 ? list_directory_fd(steal_fd(&fd), NULL) : NULL;

    for (guint j = 0; names && j < names->len; j++)
        for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
            if (g_str_has_prefix(names->pdata[j], prefixes[i]) &&
                    !place_image(image, names->pdata[j], prefixes[i], error))
                return FALSE;
    return TRUE;
}

gboolean step_place_kernels(ImageBuild *image, GError **error) {
    return kernel_place_images(image, error);
}

static gboolean has_elements(char *const *list) {
    return list && list[0];
}

gboolean step_filter_modules(ImageBuild *image, GError **error) {
    const ImageConfig *config = image->config;
    KernelModuleFilter filter = {
            .modules = (const char *const *) config->kernel_modules,
            .modules_exclude = (const char *const *) config->kernel_modules_exclude,
            .firmware = (const char *const *) config->firmware_files,
            .firmware_exclude = (const char *const *) config->firmware_exclude,
            .include_host = config->kernel_modules_include_host,
    };

    /* Whoever the tree is laid over has the index. */
    gboolean index = !boot_format_is_attached(config->format);

    if (config->overlay || !tree_exists(image->root_fd, MODULES))
        return TRUE;
    if (!has_elements(config->kernel_modules) && !has_elements(config->kernel_modules_exclude) &&
            !has_elements(config->firmware_files) && !has_elements(config->firmware_exclude))
        return !index || module_index_make(image, FALSE, error);

    g_autoptr(EventsStep) step = events_step_begin(image->name, "Filtering kernel modules and firmware");
    g_auto(GStrv) versions = kernel_versions(image->root_fd, error);
    if (!versions)
        return FALSE;
    for (char **version = versions; *version; version++) {
        g_autoptr(KernelModuleSet) set = kernel_modules_required(image->root_fd, *version, &filter, error);
        if (!set || !kernel_modules_prune(image->root_fd, *version, set, error))
            return FALSE;
    }
    events_step_done(g_steal_pointer(&step), NULL);
    return !index || module_index_make(image, TRUE, error);
}

gboolean step_record_packages(ImageBuild *image, GError **error) {
    image->installed = distro_installed(image->distro, image->root, error);
    return image->installed != NULL;
}

static KernelModuleSet *initrd_module_set(ImageBuild *image, const char *version, GError **error) {
    const ImageConfig *config = image->config;
    KernelModuleFilter filter = {
            .modules = (const char *const *) config->kernel_initrd_modules,
            .modules_exclude = (const char *const *) config->kernel_modules_initrd_exclude,
            .firmware = (const char *const *) config->firmware_files,
            .firmware_exclude = (const char *const *) config->firmware_exclude,
            .include_host = config->kernel_modules_initrd_include_host,
    };
    return kernel_modules_required(image->root_fd, version, &filter, error);
}

static gboolean add_set_inputs(
        ImageBuild *image, LayerInputs *inputs, const GPtrArray *paths, const char *label, GError **error) {
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < paths->len; i++) {
        const char *path = paths->pdata[i];
        struct stat info;
        if (fstatat(image->root_fd, path, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode))
            continue;
        g_autofree char *digest = tree_digest(image->root_fd, path, TRUE, error);
        if (!digest)
            return FALSE;
        g_string_append_printf(text, "%s %s\n", path, digest);
    }
    layer_inputs_add(inputs, label, text->str);
    return TRUE;
}

/* Only what is in the set is indexed, so that modprobe does not look for modules that are not there. */
static gboolean stage_modules(ImageBuild *image, const char *version, const KernelModuleSet *set,
        const char *directory, GError **error) {
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tree(image->root, TRUE);
    const char *const argv[] = {"depmod", "--all", "--basedir=/run/modules", version, NULL};
    AUTO_FD fd = -1;

    if (!tree_mkdir_p(AT_FDCWD, directory, 0755, error))
        return FALSE;
    fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!kernel_modules_stage(image->root_fd, version, set, fd, error))
        return FALSE;
    /* Without depmod in the image the index that the packages brought has to do. */
    if (!tree_exists(image->root_fd, "usr/sbin/depmod"))
        return TRUE;
    /* depmod looks below BASEDIR/lib. */
    if (symlinkat("usr/lib", fd, "lib") < 0)
        return set_errno_error(error, errno, "Cannot prepare kernel modules");
    sandbox_bind(sandbox, directory, "/run/modules", 0);
    sandbox_suppress_sync(sandbox);
    return sandbox_run(sandbox, argv, error) && (unlinkat(fd, "lib", 0) == 0);
}

static gboolean write_modules_archive(
        ImageBuild *image, const char *directory, const char *path, GError **error) {
    AUTO_FD tree = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_FD output = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    CpioOptions options = {
            .compression = COMPRESSOR_ZSTD,
            .level = image->config->compress_level,
            .clamp_time = MAX(image->config->source_date_epoch, 0),
    };

    if (tree < 0 || output < 0)
        return set_errno_error(error, errno, "Cannot write %s", path);
    return cpio_write_tree(tree, output, &options, error);
}

static GBytes *map_file(const char *path, GError **error) {
    g_autoptr(GMappedFile) mapped = g_mapped_file_new(path, FALSE, error);
    return mapped ? g_mapped_file_get_bytes(mapped) : NULL;
}

GBytes *kernel_modules_initrd(ImageBuild *image, const char *version, GError **error) {
    g_autoptr(EventsStep) step = events_step_begin(image->name, "Packing kernel modules for the initrd");
    g_autoptr(KernelModuleSet) set = initrd_module_set(image, version, error);
    g_autoptr(LayerInputs) inputs = layer_inputs_new();
    g_autofree char *key = build_layer_name(image->config, "");
    gboolean newest = g_strcmp0(version, image->boot.kernel_version) == 0;
    g_autofree char *name =
            g_strconcat(key, ".kernel-modules", newest ? "" : ".", newest ? "" : version, NULL);
    g_autofree char *cache = build_cache_directory(image->build, image->config);
    g_autofree char *directory = g_strdup_printf("%s/kernel-modules-%s", image->places.directory, version);
    g_autofree char *archive = g_strconcat(directory, ".cpio.zst", NULL);
    gboolean incremental = image->config->incremental != INCREMENTAL_NO;
    g_autofree char *path = NULL;
    g_autofree char *level = NULL;
    AUTO_FD lock = -1;

    if (!set)
        return NULL;
    level = g_strdup_printf("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT, image->config->compress_level,
            image->config->source_date_epoch);
    layer_inputs_add(inputs, "level and time", level);
    layer_inputs_add(inputs, "kernel", version);
    if (incremental) {
        if (!add_set_inputs(image, inputs, set->modules, "modules", error) ||
                !add_set_inputs(image, inputs, set->firmware, "firmware", error))
            return NULL;
        if ((lock = layer_lock(cache, name, image->name, error)) < 0)
            return NULL;
        path = layer_lookup(cache, name, inputs, image->name);
    }
    if (path) {
        events_step_done(g_steal_pointer(&step), "unchanged, from the cache");
        return map_file(path, error);
    }
    if (!stage_modules(image, version, set, directory, error) ||
            !write_modules_archive(image, directory, archive, error))
        return NULL;
    if (incremental && !(path = layer_store(cache, name, inputs, archive, error)))
        return NULL;
    events_step_done(g_steal_pointer(&step), "%u modules", set->modules->len);
    return map_file(path ? path : archive, error);
}
