/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/check.h"

#include <string.h>

#include "events/task.h"
#include "pipeline/integrity/signature.h"
#include "pipeline/outputs/compress.h"
#include "pipeline/outputs/el-torito-record.h"
#include "pipeline/recipe-limits.h"
#include "pipeline/state/boot-rules.h"
#include "pipeline/state/image-build.h"
#include "pipeline/state/output-conflicts.h"
#include "pipeline/state/output-names.h"
#include "sandbox/sandbox.h"

/* TRUE in UNSUPPORTED is an error that names the setting where it was made. */
static gboolean check_value(const ImageConfig *config, gboolean unsupported, const char *setting,
        const char *value, const char *instead, GError **error) {
    const char *origin = unsupported ? recipe_setting_origin(config, setting) : NULL;

    if (!unsupported)
        return TRUE;
    g_set_error(error, BUILD_ERROR, BUILD_ERROR_NOT_IMPLEMENTED,
            "%s%s%s=%s: this value is part of the recipe language, but this version of particleos cannot do "
            "what it "
            "says yet; use %s",
            origin ? origin : "", origin ? ": " : "", setting, value, instead);
    return FALSE;
}

/* What the OCI image specification has no name for. */
static gboolean check_oci(const ImageConfig *config, GError **error) {
    gboolean known = config->compress_output == COMPRESSION_NONE ||
                     config->compress_output == COMPRESSION_GZ ||
                     config->compress_output == COMPRESSION_ZSTD;

    if (config->format != OUTPUT_FORMAT_OCI)
        return TRUE;
    if (!known) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "CompressOutput=%s is not possible with Format=oci (expected gz, zstd or none)",
                compression_to_string(config->compress_output));
        return FALSE;
    }
    if (!architecture_to_oci(config->architecture)) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "Architecture=%s is not possible with Format=oci, which has no name for it",
                architecture_to_string(config->architecture));
        return FALSE;
    }
    return TRUE;
}

static gboolean check_foreign_range(const ImageConfig *config, GError **error) {
    if (!config->foreign_uid_range || config->format != OUTPUT_FORMAT_DIRECTORY || sandbox_caller_uid() == 0)
        return TRUE;
    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
            "ForeignUIDRange=yes: only root can give files to users of that range");
    return FALSE;
}

static gboolean check_output(const ImageConfig *config, GError **error) {
    return check_oci(config, error) && compress_check(config, error) && signature_check(config, error) &&
           el_torito_check(config, error) && check_foreign_range(config, error);
}

static gboolean check_boot(const ImageConfig *config, GError **error) {
    if (config->bootable == FEATURE_DISABLED && config->format != OUTPUT_FORMAT_ESP)
        return TRUE;
    if (config->bootable == FEATURE_ENABLED && !architecture_to_efi(config->architecture)) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "Bootable=yes, but machines of the architecture %s have no UEFI to boot with",
                architecture_to_string(config->architecture));
        return FALSE;
    }
    return check_value(config, boot_loader_is_grub(config->bootloader), "Bootloader",
                   bootloader_to_string(config->bootloader), "systemd-boot, uki or none", error) &&
           check_value(config, config->bios_bootloader == BIOS_BOOTLOADER_GRUB, "BiosBootloader", "grub",
                   "none, and firmware with UEFI", error);
}

static gboolean fail(GError **error, const ImageConfig *config, const char *setting, const char *message) {
    const char *origin = recipe_setting_origin(config, setting);

    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT, "%s%s%s", origin ? origin : "", origin ? ": " : "",
            message);
    return FALSE;
}

/* It goes into os-release and /etc/hostname (hostname(5)); "?" stands for a digit of the machine ID. */
static gboolean check_hostname(const ImageConfig *config, GError **error) {
    const char *name = config->hostname;

    if (!name || (strlen(name) <= 64 &&
                         strspn(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-._?$") == strlen(name)))
        return TRUE;
    g_autofree char *shown = g_strescape(name, NULL);
    g_autofree char *message = g_strdup_printf(
            "Hostname=: \"%s\" is no name of a host: use at most 64 letters, digits, \"-\" and \".\"", shown);
    return fail(error, config, "Hostname", message);
}

/* What an extension or an addon cannot be made of. */
static gboolean check_partial(const ImageConfig *config, GError **error) {
    if (config->format == OUTPUT_FORMAT_PORTABLE && config->overlay)
        return fail(error, config, "Overlay",
                "Overlay=yes: a portable service is a whole image; make it without Overlay=, or make an "
                "extension of it with Format=sysext");
    if (boot_tree_is_partial(config) && config->packages[0] && !config->base_trees[0])
        return fail(error, config, "Packages",
                "Packages=: an extension cannot hold a whole distribution; name the tree that it extends "
                "with "
                "BaseTrees=");
    return TRUE;
}

static gboolean check_labels(const ImageConfig *config, GError **error) {
    if (config->selinux_relabel != FEATURE_ENABLED || outputs_are_disks(config))
        return TRUE;
    return fail(error, config, "SELinuxRelabel",
            "SELinuxRelabel=yes: only the file systems of disk images get labels; use Format=disk, or "
            "SELinuxRelabel=auto");
}

static gboolean check_content(const ImageConfig *config, GError **error) {
    return check_hostname(config, error) && check_labels(config, error);
}

/* The value of KEY in FIELDS ("KEY=value"); NULL if it is not there. */
static const char *profile_field(char *const *fields, const char *key) {
    for (; *fields; fields++)
        if (g_str_has_prefix(*fields, key) && (*fields)[strlen(key)] == '=')
            return *fields + strlen(key) + 1;
    return NULL;
}

/* The boot loader and "bootctl set-default" know them by their ID. */
static gboolean check_uki_profiles(const ImageConfig *config, GError **error) {
    RecipeUkiProfile **profiles = config->unified_kernel_image_profiles;

    for (guint i = 0; profiles[i]; i++) {
        const char *id = profile_field(profiles[i]->profile, "ID");
        if (g_strcmp0(id, "main") == 0)
            return fail(error, config, "UnifiedKernelImageProfiles",
                    "UnifiedKernelImageProfiles=: ID=main is that of the kernel image without a profile; give "
                    "the profile another ID");
        for (guint j = 0; j < i; j++) {
            const char *first = profile_field(profiles[j]->profile, "TITLE");
            const char *second = profile_field(profiles[i]->profile, "TITLE");
            if (!id || g_strcmp0(id, profile_field(profiles[j]->profile, "ID")) != 0)
                continue;
            g_autofree char *message = g_strdup_printf(
                    "UnifiedKernelImageProfiles=: profile %u (\"%s\") and profile %u (\"%s\") both have "
                    "ID=%s, so that one of them could not be named; give one another ID",
                    j + 1, first ? first : "", i + 1, second ? second : "", id);
            return fail(error, config, "UnifiedKernelImageProfiles", message);
        }
    }
    return TRUE;
}

static gboolean check_network(const ImageConfig *config, GError **error) {
    const char *origin = NULL;

    if (!config->with_network || !task_has(task_current(), TASK_NO_SCRIPT_NETWORK))
        return TRUE;
    origin = recipe_setting_origin(config, "WithNetwork");
    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
            "%s%sWithNetwork=yes: scripts of this build may not use the network (--no-script-network); remove it, and "
            "have the recipe bring what they would download",
            origin ? origin : "", origin ? ": " : "");
    return FALSE;
}

gboolean build_check(const Recipe *recipe, GError **error) {
    if (recipe->tools && !check_network(recipe->tools, error))
        return FALSE;
    for (ImageConfig **config = recipe->images; *config; config++)
        if (!check_output(*config, error) || !check_boot(*config, error) || !check_partial(*config, error) ||
                !check_content(*config, error) || !check_network(*config, error) ||
                !check_uki_profiles(*config, error) ||
                !recipe_limits_check(*config, error))
            return FALSE;
    return outputs_check_names(recipe, error);
}
