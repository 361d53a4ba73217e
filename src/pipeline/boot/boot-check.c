/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/boot/boot-check.h"

#include <string.h>

#include "crypto/certificates/certificate.h"
#include "events/events.h"
#include "format/efi/pe/authenticode.h"
#include "image/definitions/partition-definition.h"
#include "image/disk/disk.h"
#include "image/volumes/boot-content.h"
#include "pipeline/boot/boot-entry.h"
#include "pipeline/boot/boot-loader.h"
#include "pipeline/boot/microcode.h"
#include "pipeline/integrity/offline.h"
#include "pipeline/state/boot-rules.h"
#include "tree/tree.h"

#define DEFINITION_HINT \
    "add a definition with Type=esp, Format=vfat, CopyFiles=/efi:/ and CopyFiles=/boot:/ to RepartDirectories="

gboolean wants_boot_check(const ImageBuild *image) {
    return image->disk.disk && image->config->format == OUTPUT_FORMAT_DISK && boot_wants_efi(image->config) &&
           image->boot.kernels->len > 0;
}

/* ---- what is wrong, as text that ends in what to do ---- */

static gboolean is_boot_role(PartitionRole role) {
    return role == PARTITION_ESP || role == PARTITION_XBOOTLDR;
}

static const PartitionDefinition *find_definition(GPtrArray *definitions, PartitionRole role) {
    for (guint i = 0; i < definitions->len; i++) {
        const PartitionDefinition *definition = definitions->pdata[i];
        if (definition->type.role == role)
            return definition;
    }
    return NULL;
}

/* A partition that is made like an ESP, but does not say that it is one. */
static const PartitionDefinition *find_mistyped(GPtrArray *definitions) {
    for (guint i = 0; i < definitions->len; i++) {
        const PartitionDefinition *definition = definitions->pdata[i];
        if (definition->format == PARTITION_FORMAT_VFAT && !is_boot_role(definition->type.role))
            return definition;
    }
    return NULL;
}

static char *judge_esp(ImageBuild *image, GPtrArray *definitions) {
    const PartitionDefinition *esp = find_definition(definitions, PARTITION_ESP);
    const PartitionDefinition *mistyped = find_mistyped(definitions);

    if (esp && esp->format == PARTITION_FORMAT_NONE && !esp->copy_blocks)
        return g_strdup_printf("%s: the EFI system partition is empty: set Format=vfat, CopyFiles=/efi:/ and "
                               "CopyFiles=/boot:/",
                esp->path);
    if (esp && !boot_content_is_readable(esp))
        return g_strdup_printf("%s: Format=%s: firmware reads an EFI system partition with Format=vfat only", esp->path,
                partition_format_to_string(esp->format));
    if (esp)
        return NULL;
    if (mistyped)
        return g_strdup_printf("it has no EFI system partition: firmware looks for one by its type, but %s says Type=%s "
                               "instead of Type=esp",
                mistyped->path, mistyped->type.name);
    if (image->config->repart_directories[0])
        return g_strdup("it has no EFI system partition: " DEFINITION_HINT);
    return g_strdup("it has no boot loader: add the package systemd-boot-efi (Debian 12: systemd-boot) to Packages=");
}

/* The files in a directory of the boot partitions of one role. */
static GPtrArray *list_boot(ImageBuild *image, const char *directory, PartitionRole role, GError **error) {
    return boot_content_list(disk_get_definitions(image->disk.disk), role, image->root_fd, directory, error);
}

/* systemd-boot reads more than FAT when it has a driver for it. */
static gboolean has_drivers(ImageBuild *image) {
    g_autoptr(GPtrArray) drivers = list_boot(image, "EFI/systemd/drivers", PARTITION_ESP, NULL);
    return drivers && drivers->len > 0;
}

/* Whether the ESP has room of its own for kernels: they are made in /boot, and UKIs may lie anywhere. */
static gboolean copies_boot(const PartitionDefinition *esp) {
    for (guint i = 0; i < esp->copy_files->len; i++) {
        const DefinitionPair *pair = esp->copy_files->pdata[i];
        if (g_str_equal(pair->source, "/") || g_str_has_prefix(pair->source, "/boot"))
            return TRUE;
    }
    return esp->copy_blocks != NULL;
}

static char *unreadable(const PartitionDefinition *xbootldr) {
    return g_strdup_printf("%s: Format=%s: neither firmware nor the boot loader can read the kernel on a partition that "
                           "is not FAT: use Format=vfat",
            xbootldr->path, partition_format_to_string(xbootldr->format));
}

/* What can be known from the definitions. */
static char *judge_partitions(ImageBuild *image) {
    GPtrArray *definitions = disk_get_definitions(image->disk.disk);
    const PartitionDefinition *xbootldr = find_definition(definitions, PARTITION_XBOOTLDR);
    char *wrong = judge_esp(image, definitions);

    if (wrong || !xbootldr || boot_content_is_readable(xbootldr) ||
            copies_boot(find_definition(definitions, PARTITION_ESP)) ||
            !boot_loader_is_systemd_boot(image->config->bootloader) || has_drivers(image))
        return wrong;
    return unreadable(xbootldr);
}

static gboolean has_name(const GPtrArray *files, const char *name) {
    for (guint i = 0; i < files->len; i++) {
        const BootContentFile *file = files->pdata[i];
        g_autofree char *base = g_path_get_basename(file->path);
        if (g_ascii_strcasecmp(base, name) == 0)
            return TRUE;
    }
    return FALSE;
}

/* The program that firmware of this architecture starts; firmware of 32 bits has one of its own. */
static gboolean has_fallback(const ImageBuild *image, const GPtrArray *programs) {
    g_autofree char *path = boot_first_stage_path(image);
    g_autofree char *name = g_path_get_basename(path);

    return has_name(programs, name) ||
           (image->config->architecture == ARCHITECTURE_X86_64 && has_name(programs, "BOOTIA32.EFI"));
}

static char *judge_loader(ImageBuild *image, const PartitionDefinition *esp, const GPtrArray *programs) {
    g_autofree char *path = boot_first_stage_path(image);
    const char *there = path + strlen("efi/");

    if (has_fallback(image, programs))
        return NULL;
    if (tree_exists(image->root_fd, path))
        return g_strdup_printf("firmware looks for %s, and %s does not copy it: add CopyFiles=/efi:/", there, esp->path);
    return g_strdup_printf("firmware looks for %s, and the image has no boot loader: add the package systemd-boot-efi "
                           "(Debian 12: systemd-boot) to Packages=",
            there);
}

static gboolean is_there(ImageBuild *image, const BootContentFile *entry, const char *path) {
    while (*path == '/')
        path++;
    g_autofree char *directory = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    g_autoptr(GPtrArray) files = list_boot(image, directory, entry->definition->type.role, NULL);

    return files && has_name(files, name);
}

/* A boot entry whose program is on its partition. */
static gboolean entry_starts(ImageBuild *image, const BootContentFile *entry) {
    g_autofree char *text = g_strndup(g_bytes_get_data(entry->content, NULL), g_bytes_get_size(entry->content));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++) {
        const char *key = g_strstrip(*line), *value = key + strcspn(key, " \t");
        g_autofree char *name = g_strndup(key, value - key);
        if ((g_str_equal(name, "linux") || g_str_equal(name, "efi") || g_str_equal(name, "uki")) &&
                is_there(image, entry, value + strspn(value, " \t")))
            return TRUE;
    }
    return FALSE;
}

static gboolean starts_something(
        ImageBuild *image, PartitionRole role, gboolean *ret_starts, GError **error) {
    g_autoptr(GPtrArray) ukis = list_boot(image, "EFI/Linux", role, error);
    g_autoptr(GPtrArray) entries = ukis ? list_boot(image, "loader/entries", role, error) : NULL;

    if (!entries)
        return FALSE;
    for (guint i = 0; i < ukis->len; i++)
        if (g_str_has_suffix(((BootContentFile *) ukis->pdata[i])->path, ".efi"))
            *ret_starts = TRUE;
    for (guint i = 0; i < entries->len; i++)
        if (entry_starts(image, entries->pdata[i]))
            *ret_starts = TRUE;
    return TRUE;
}

static char *judge_kernels(ImageBuild *image, GPtrArray *definitions, GError **error) {
    const PartitionDefinition *xbootldr = find_definition(definitions, PARTITION_XBOOTLDR);
    const PartitionDefinition *esp = find_definition(definitions, PARTITION_ESP);
    gboolean starts = FALSE;

    if (!boot_loader_is_systemd_boot(image->config->bootloader) || (xbootldr && xbootldr->copy_blocks) ||
            !starts_something(image, PARTITION_ESP, &starts, error) ||
            !starts_something(image, PARTITION_XBOOTLDR, &starts, error) || starts)
        return NULL;
    if (!xbootldr || boot_content_is_readable(xbootldr))
        return g_strdup_printf("the boot loader finds no kernel, since %s%s%s %s not copy it: add CopyFiles=/boot:/",
                esp->path, xbootldr ? " and " : "", xbootldr ? xbootldr->path : "", xbootldr ? "do" : "does");
    if (has_drivers(image))
        return NULL;
    return unreadable(xbootldr);
}

/* NULL without error: firmware finds a boot loader on the ESP, and that a kernel. */
static char *judge_files(ImageBuild *image, GError **error) {
    GPtrArray *definitions = disk_get_definitions(image->disk.disk);
    const PartitionDefinition *esp = find_definition(definitions, PARTITION_ESP);
    g_autoptr(GPtrArray) programs = list_boot(image, "EFI/BOOT", PARTITION_ESP, error);

    if (!programs || esp->copy_blocks)
        return NULL;
    char *wrong = judge_loader(image, esp, programs);
    return wrong ? wrong : judge_kernels(image, definitions, error);
}

/* ---- Secure Boot ---- */

/* Whether firmware that trusts CERTIFICATES takes a program by SIGNER. */
static gboolean is_trusted(const Certificate *signer, const GPtrArray *certificates) {
    for (guint i = 0; i < certificates->len; i++) {
        const Certificate *certificate = certificates->pdata[i];
        if (certificate_equal(signer, certificate) ||
                g_str_equal(certificate_get_issuer(signer), certificate_get_subject(certificate)))
            return TRUE;
    }
    return FALSE;
}

/* TRUSTED NULL: nobody knows what the firmware trusts. */
static void check_signature(ImageBuild *image, const BootContentFile *file, const GPtrArray *trusted) {
    g_autoptr(Certificate) signer = NULL;
    g_autoptr(GError) failure = NULL;
    gsize size;
    const void *data = g_bytes_get_data(file->content, &size);

    if (!g_str_has_suffix(file->path, ".efi") && !g_str_has_suffix(file->path, ".EFI"))
        return;
    if (offline_is_pending(image->build, file->content))
        return;
    if (!authenticode_verify(data, size, NULL, &signer, &failure))
        events_warning("%s: firmware with Secure Boot refuses %s: %s", image->name, file->path, failure->message);
    else if (trusted && !is_trusted(signer, trusted))
        events_warning("%s: firmware that has enrolled the keys of this image refuses %s, which is signed by %s: put that "
                   "certificate into mkosi.uefi.db/ of the recipe",
                image->name, file->path, certificate_get_description(signer));
}

/* What shim starts is judged by shim, which knows certificates of its own. */
static gboolean check_signatures(ImageBuild *image, GError **error) {
    static const char *const directories[] = {"EFI/BOOT", "EFI/Linux"};
    const ImageConfig *config = image->config;
    gboolean shim = config->shim_bootloader != SHIM_BOOTLOADER_NONE;
    g_autoptr(GPtrArray) trusted = NULL;

    if (!config->secure_boot)
        return TRUE;
    if (config->secure_boot_auto_enroll && boot_loader_is_systemd_boot(config->bootloader) &&
            !(trusted = boot_enrolled_certificates(image, "db", error)))
        return FALSE;
    for (size_t i = 0; i < G_N_ELEMENTS(directories); i++)
        for (PartitionRole role = PARTITION_ESP; role <= PARTITION_XBOOTLDR; role++) {
            g_autoptr(GPtrArray) files = list_boot(image, directories[i], role, error);
            if (!files)
                return FALSE;
            for (guint j = 0; j < files->len; j++)
                check_signature(image, files->pdata[j], shim ? NULL : trusted);
        }
    return TRUE;
}

/* ---- the root file system ---- */

/* Whether the kernel mounts what the last root= of the command line names by itself. */
static gboolean kernel_mounts_root(const char *command_line) {
    g_auto(GStrv) words = g_strsplit_set(command_line, " \t\n", -1);
    const char *root = "";

    for (char **word = words; *word; word++)
        if (g_str_has_prefix(*word, "root="))
            root = *word + strlen("root=");
        else if (g_str_has_prefix(*word, "usrhash=") || g_str_has_prefix(*word, "roothash=") ||
                 g_str_has_prefix(*word, "mount.usr="))
            return FALSE;
    if (g_str_has_prefix(root, "/dev/"))
        return !g_str_has_prefix(root, "/dev/mapper/") && !g_str_has_prefix(root, "/dev/disk/") &&
               !g_str_has_prefix(root, "/dev/gpt-auto");
    return g_str_has_prefix(root, "PARTUUID=") || g_str_has_prefix(root, "PARTLABEL=");
}

static gboolean check_root(ImageBuild *image, GError **error) {
    g_autoptr(GPtrArray) left = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
    g_autofree char *command_line = boot_command_line(image);

    if (image->config->initrds[0] || boot_wants_prebuilt_ukis(image->config))
        return TRUE;
    if (!boot_artifacts_collect(image, "io.mkosi.initrd", left, NULL, error))
        return FALSE;
    if (left->len == 0 && !kernel_mounts_root(command_line))
        events_warning("%s: there is no initrd, and a kernel alone cannot find the root file system of this image (its "
                   "command line is \"%s\"): leave Initrds= out, so that one is made, or name a partition with "
                   "root=PARTUUID in KernelCommandLine=",
                image->name, command_line);
    return TRUE;
}

/* ---- the steps ---- */

static gboolean report(const ImageBuild *image, const char *wrong, GError **error) {
    const char *origin = recipe_setting_origin(image->config, "Bootable");

    if (image->config->bootable != FEATURE_ENABLED) {
        events_warning("%s: no firmware can start this image: %s (Bootable=no says that none has to)", image->name, wrong);
        return TRUE;
    }
    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT, "%s%sBootable=yes, but no firmware can start this image: %s",
            origin ? origin : "", origin ? ": " : "", wrong);
    return FALSE;
}

gboolean boot_check_partitions(ImageBuild *image, GError **error) {
    g_autofree char *wrong =
            wants_boot_check(image) ? judge_partitions(image) : NULL;

    return !wrong || report(image, wrong, error);
}

gboolean step_boot_check(ImageBuild *image, GError **error) {
    g_autoptr(GError) failure = NULL;
    g_autofree char *said = judge_partitions(image);

    if (said)
        return TRUE;
    g_autofree char *wrong = judge_files(image, &failure);
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    return (!wrong || report(image, wrong, error)) && check_signatures(image, error) && check_root(image, error);
}
