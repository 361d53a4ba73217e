/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/boot/microcode.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "events/events.h"
#include "format/archive/cpio.h"
#include "pipeline/kernel/kernel-tree.h"
#include "tree/tree.h"

#define AMD_DIRECTORY "usr/lib/firmware/amd-ucode"
#define INTEL_DIRECTORY "usr/lib/firmware/intel-ucode"

/* What decides which microcode a processor takes. */
typedef struct {
    char *vendor;
    int family, model, stepping;
} Processor;

static void processor_clear(Processor *processor) {
    g_free(processor->vendor);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Processor, processor_clear)

static void read_field(Processor *processor, const char *line) {
    g_auto(GStrv) pair = g_strsplit(line, ":", 2);

    if (!pair[0] || !pair[1])
        return;
    g_strstrip(pair[0]);
    g_strstrip(pair[1]);
    if (g_str_equal(pair[0], "vendor_id")) {
        g_free(processor->vendor);
        processor->vendor = g_strdup(pair[1]);
    } else if (g_str_equal(pair[0], "cpu family"))
        processor->family = atoi(pair[1]);
    else if (g_str_equal(pair[0], "model"))
        processor->model = atoi(pair[1]);
    else if (g_str_equal(pair[0], "stepping"))
        processor->stepping = atoi(pair[1]);
}

/* The first processor of this machine. FALSE: it does not say what it is. */
static gboolean identify_processor(Processor *processor) {
    g_autofree char *text = NULL;

    *processor = (Processor){.family = -1, .model = -1, .stepping = -1};
    if (!g_file_get_contents("/proc/cpuinfo", &text, NULL, NULL))
        return FALSE;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line && **line; line++)
        read_field(processor, *line);
    return processor->vendor && processor->family >= 0 && processor->model >= 0 && processor->stepping >= 0;
}

static GBytes *read_file(ImageBuild *image, const char *path, GError **error) {
    gsize length = 0;
    char *data = tree_read_file(image->root_fd, path, &length, error);

    return data ? g_bytes_new_take(data, length) : NULL;
}

/* What the kernel would load on this machine; NULL without error when the tree has nothing for it. */
static GBytes *read_for_processor(ImageBuild *image, const Processor *processor, GError **error) {
    g_autofree char *amd =
            processor->family > 0x15
                    ? g_strdup_printf(AMD_DIRECTORY "/microcode_amd_fam%xh.bin", processor->family)
                    : g_strdup(AMD_DIRECTORY "/microcode_amd.bin");
    g_autofree char *intel = g_strdup_printf(
            INTEL_DIRECTORY "/%02x-%02x-%02x", processor->family, processor->model, processor->stepping);
    g_autofree char *intel_other = g_strconcat(intel, ".initramfs", NULL);
    const char *const paths[] = {amd, intel, intel_other};
    gboolean is_amd = g_str_equal(processor->vendor, "AuthenticAMD");

    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++)
        if ((i == 0) == is_amd && tree_exists(image->root_fd, paths[i]))
            return read_file(image, paths[i], error);
    return NULL;
}

char *microcode_processor(void) {
    g_auto(Processor) processor = {};

    return identify_processor(&processor) ? g_strdup_printf("%s %02x-%02x-%02x", processor.vendor, processor.family,
                                                    processor.model, processor.stepping)
                                          : NULL;
}

/* All files of DIRECTORY in the order of their names, one after the other: how the kernel wants microcode.
 */
static GBytes *concatenate(ImageBuild *image, const char *directory, GError **error) {
    g_autoptr(GPtrArray) names = kernel_tree_list(image->root_fd, directory, error);
    g_autoptr(GByteArray) content = g_byte_array_new();

    for (guint i = 0; names && i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *path = g_build_filename(directory, name, NULL);
        struct stat info;

        if (g_str_has_suffix(name, ".initramfs") || g_str_equal(name, "README") ||
                fstatat(image->root_fd, path, &info, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(info.st_mode))
            continue;
        g_autoptr(GBytes) file = read_file(image, path, error);
        if (!file)
            return NULL;
        g_byte_array_append(content, g_bytes_get_data(file, NULL), g_bytes_get_size(file));
    }
    return names && content->len > 0 ? g_byte_array_free_to_bytes(g_steal_pointer(&content)) : NULL;
}

static gboolean collect_for_host(ImageBuild *image, GPtrArray *archives, GError **error) {
    g_auto(Processor) processor = {};
    g_autoptr(GError) failure = NULL;
    g_autoptr(GBytes) code = NULL;
    GBytes *archive;

    if (identify_processor(&processor))
        code = read_for_processor(image, &processor, &failure);
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (!code) {
        events_warning("%s: MicrocodeHost=yes, but the image has no microcode for this machine's processor",
                image->name);
        return TRUE;
    }
    gboolean amd = g_str_equal(processor.vendor, "AuthenticAMD");
    if (!(archive = cpio_microcode(amd ? code : NULL, amd ? NULL : code, error)))
        return FALSE;
    g_ptr_array_add(archives, archive);
    return TRUE;
}

static gboolean collect_all(ImageBuild *image, GPtrArray *archives, GError **error) {
    g_autoptr(GError) failure = NULL;
    g_autoptr(GBytes) amd = concatenate(image, AMD_DIRECTORY, &failure);
    g_autoptr(GBytes) intel = failure ? NULL : concatenate(image, INTEL_DIRECTORY, &failure);
    GBytes *archive;

    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (!amd && !intel)
        return TRUE;
    if (!(archive = cpio_microcode(amd, intel, error)))
        return FALSE;
    g_ptr_array_add(archives, archive);
    return TRUE;
}

gboolean boot_artifacts_collect(
        ImageBuild *image, const char *name, GPtrArray *files, GPtrArray *names, GError **error) {
    g_autofree char *directory = g_build_filename(image->places.artifacts, name, NULL);
    g_autoptr(GPtrArray) found = kernel_tree_list(AT_FDCWD, directory, error);

    if (!found)
        return FALSE;
    for (guint i = 0; i < found->len; i++) {
        g_autofree char *path = g_build_filename(directory, found->pdata[i], NULL);
        g_autoptr(GMappedFile) mapped = g_mapped_file_new(path, FALSE, error);
        if (!mapped) {
            g_prefix_error(error, "$ARTIFACTDIR/%s/%s: ", name, (char *) found->pdata[i]);
            return FALSE;
        }
        g_ptr_array_add(files, g_mapped_file_get_bytes(mapped));
        if (names)
            g_ptr_array_add(names, g_strdup(found->pdata[i]));
    }
    return TRUE;
}

gboolean microcode_read(ImageBuild *image, GPtrArray *archives, GError **error) {
    if (image->config->architecture != ARCHITECTURE_X86_64 &&
            image->config->architecture != ARCHITECTURE_X86)
        return TRUE;
    return image->config->microcode_host ? collect_for_host(image, archives, error)
                                         : collect_all(image, archives, error);
}

GPtrArray *microcode_get(ImageBuild *image, GPtrArray *names, GError **error) {
    g_autoptr(GPtrArray) archives = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);

    if (!boot_artifacts_collect(image, "io.mkosi.microcode", archives, names, error))
        return NULL;
    if (archives->len > 0)
        return g_steal_pointer(&archives);
    for (guint i = 0; i < image->boot.microcode->len; i++) {
        g_ptr_array_add(archives, g_bytes_ref(image->boot.microcode->pdata[i]));
        if (names)
            g_ptr_array_add(names, g_strdup("microcode.initrd"));
    }
    return g_steal_pointer(&archives);
}
