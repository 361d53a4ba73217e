/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The step that assembles, signs and places the unified kernel image. */

#include <fcntl.h>
#include <string.h>

#include "build/boot.h"
#include "build/configure.h"
#include "build/kernel.h"
#include "format/authenticode.h"
#include "format/uki.h"
#include "tree/tree.h"
#include "ui/step.h"

gboolean boot_write_artifact(ImageBuild *image, const char *name, GBytes *content, GError **error) {
    g_autofree char *path = g_build_filename(image->staging, name, NULL);
    gsize length;
    const char *data = g_bytes_get_data(content, &length);

    return g_file_set_contents_full(path, data, length, G_FILE_SET_CONTENTS_NONE, 0644, error);
}

static gboolean write_output_artifact(
        ImageBuild *image, const char *suffix, GBytes *content, GError **error) {
    g_autofree char *name = g_strconcat(image->config->output, suffix, NULL);
    return boot_write_artifact(image, name, content, error);
}

/* The initrds of Initrds= and the kernel modules initrd, in the order in which the kernel unpacks them. */
static GPtrArray *collect_initrds(ImageBuild *image, GError **error) {
    const ImageConfig *config = image->config;
    g_autoptr(GPtrArray) initrds = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);

    for (char **path = config->initrds; *path; path++) {
        g_autofree char *now = build_resolve_output(image->build, *path, error);
        g_autoptr(GMappedFile) mapped = now ? g_mapped_file_new(now, FALSE, error) : NULL;
        if (!mapped) {
            g_prefix_error(error, "Initrds=%s: ", *path);
            return NULL;
        }
        g_ptr_array_add(initrds, g_mapped_file_get_bytes(mapped));
    }
    if (config->kernel_modules_initrd) {
        GBytes *modules = kernel_modules_initrd(image, error);
        if (!modules) {
            g_prefix_error(error, "Cannot make the kernel modules initrd: ");
            return NULL;
        }
        g_ptr_array_add(initrds, modules);
        if ((config->split_artifacts & ARTIFACT_KERNEL_MODULES_INITRD) &&
                !write_output_artifact(image, ".kernel-modules-initrd", modules, error))
            return NULL;
    }
    return g_steal_pointer(&initrds);
}

/* One after the other, as a boot loader would load them. */
static GBytes *join_initrds(GPtrArray *initrds) {
    g_autoptr(GByteArray) joined = g_byte_array_new();
    static const guint8 padding[4];

    for (guint i = 0; i < initrds->len; i++) {
        gsize length;
        const guint8 *data = g_bytes_get_data(initrds->pdata[i], &length);
        g_byte_array_append(joined, padding, -joined->len & 3);
        g_byte_array_append(joined, data, length);
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&joined));
}

static char *read_optional(int root_fd, const char *path) {
    return tree_exists(root_fd, path) ? tree_read_file(root_fd, path, NULL, NULL) : NULL;
}

/* The image's own kernel/cmdline file, the root hash, KernelCommandLine=. */
static char *base_cmdline(ImageBuild *image) {
    g_autofree char *file = read_optional(image->root_fd, "etc/kernel/cmdline");
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);

    if (!file)
        file = read_optional(image->root_fd, "usr/lib/kernel/cmdline");
    if (file && *g_strstrip(file))
        g_ptr_array_add(words, g_strdup(file));
    if (image->usr_hash)
        g_ptr_array_add(words, g_strconcat("usrhash=", image->usr_hash, NULL));
    else if (image->root_hash)
        g_ptr_array_add(words, g_strconcat("roothash=", image->root_hash, NULL));
    for (char **word = image->config->kernel_command_line; *word; word++)
        g_ptr_array_add(words, g_strdup(*word));
    g_ptr_array_add(words, NULL);
    return g_strjoinv(" ", (char **) words->pdata);
}

static char *profile_text(char *const *fields) {
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);

    for (char *const *field = fields; *field; field++) {
        g_auto(GStrv) pair = g_strsplit(*field, "=", 2);
        g_ptr_array_add(keys, g_strdup(pair[0]));
        g_ptr_array_add(values, g_strdup(pair[1] ? pair[1] : ""));
    }
    return uki_profile_text(
            (const char *const *) keys->pdata, (const char *const *) values->pdata, keys->len);
}

static void uki_profile_free(gpointer data) {
    UkiProfile *profile = data;
    g_free((char *) profile->profile);
    g_free((char *) profile->cmdline);
    g_free(profile);
}

static gboolean has_field(char *const *fields, const char *prefix) {
    for (char *const *field = fields; *field; field++)
        if (g_str_has_prefix(*field, prefix))
            return TRUE;
    return FALSE;
}

static GPtrArray *collect_profiles(ImageBuild *image, const char *cmdline, GError **error) {
    g_autoptr(GPtrArray) profiles = g_ptr_array_new_with_free_func(uki_profile_free);

    for (RecipeUkiProfile **from = image->config->unified_kernel_image_profiles; *from; from++) {
        UkiProfile *profile;
        g_autofree char *extra = g_strjoinv(" ", (*from)->cmdline);

        if (!has_field((*from)->profile, "ID=")) {
            g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                    "UnifiedKernelImageProfiles=: a profile has no ID; add \"Profile=ID=...\" to its file");
            return NULL;
        }
        profile = g_new0(UkiProfile, 1);
        profile->profile = profile_text((*from)->profile);
        profile->cmdline = g_strconcat(cmdline, *extra && *cmdline ? " " : "", extra, NULL);
        profile->sign_expected_pcr = (*from)->sign_expected_pcr;
        g_ptr_array_add(profiles, profile);
    }
    return g_steal_pointer(&profiles);
}

static gboolean signs_expected_pcrs(const ImageBuild *image) {
    const ImageConfig *config = image->config;

    if (config->sign_expected_pcr != FEATURE_AUTO)
        return config->sign_expected_pcr == FEATURE_ENABLED;
    return config->sign_expected_pcr_key && config->sign_expected_pcr_certificate;
}

static KeySource *pcr_key(ImageBuild *image, GError **error) {
    const ImageConfig *config = image->config;
    KeySource *key;

    if (!config->sign_expected_pcr_key) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "SignExpectedPcr=yes, but there is no SignExpectedPcrKey=: run \"particleos genkey\" to "
                "make one");
        return NULL;
    }
    key = key_source_new((KeySourceKind) config->sign_expected_pcr_key_source.type,
            config->sign_expected_pcr_key_source.source, config->sign_expected_pcr_key, error);
    if (!key)
        g_prefix_error(error, "SignExpectedPcrKey=: ");
    return key;
}

static char *entry_token(ImageBuild *image) {
    g_autofree char *file = read_optional(image->root_fd, "etc/kernel/entry-token");
    g_autofree char *os_release = NULL;
    char *id;

    if (!file)
        file = read_optional(image->root_fd, "usr/lib/kernel/entry-token");
    if (file && *g_strstrip(file))
        return g_steal_pointer(&file);
    if (image->config->image_id)
        return g_strdup(image->config->image_id);
    os_release = image->os_release ? g_strndup(g_bytes_get_data(image->os_release, NULL),
                                             g_bytes_get_size(image->os_release))
                                   : g_strdup("");
    id = os_release_get(os_release, "ID");
    return id ? id : g_strdup("linux");
}

static char *uki_name(ImageBuild *image) {
    g_autofree char *token = entry_token(image);
    const char *hash = image->usr_hash ? image->usr_hash : image->root_hash;
    const char *format = image->config->unified_kernel_image_format;
    GString *name = g_string_new(NULL);

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
            g_string_append(name, image->kernel_version);
            break;
        case 'h':
            g_string_append(name, hash ? hash : "");
            break;
        case '&':
            g_string_append_c(name, '&');
            break;
        }
    }
    return g_string_free(name, FALSE);
}

static char *uki_path(ImageBuild *image) {
    if (image->config->bootloader == BOOTLOADER_UKI) {
        g_autofree char *efi = g_ascii_strup(architecture_to_efi(image->config->architecture), -1);
        return g_strdup_printf("efi/EFI/BOOT/BOOT%s.EFI", efi);
    }
    g_autofree char *name = uki_name(image);
    return g_strdup_printf("boot/EFI/Linux/%s.efi", name);
}

static GBytes *signed_kernel(ImageBuild *image, GError **error) {
    if (!image->config->secure_boot)
        return g_bytes_ref(image->kernel);
    /* The distribution's own signature stays. */
    return authenticode_sign(image->kernel, image->build->secure_boot_key,
            image->build->secure_boot_certificate, AUTHENTICODE_APPEND, error);
}

static GBytes *microcode(ImageBuild *image) {
    return image->microcode->len > 0 ? g_bytes_ref(image->microcode->pdata[0]) : NULL;
}

static GBytes *assemble(ImageBuild *image, GPtrArray *initrds, GPtrArray **ret_policies, GError **error) {
    g_autofree char *cmdline = base_cmdline(image);
    g_autoptr(GPtrArray) profiles = collect_profiles(image, cmdline, error);
    g_autoptr(GBytes) kernel = profiles ? signed_kernel(image, error) : NULL;
    g_autoptr(GBytes) ucode = microcode(image);
    g_autofree char *os_release = image->os_release ? g_strndup(g_bytes_get_data(image->os_release, NULL),
                                                              g_bytes_get_size(image->os_release))
                                                    : NULL;
    g_autoptr(KeySource) key = NULL;

    if (!kernel || (signs_expected_pcrs(image) && !(key = pcr_key(image, error))))
        return NULL;
    UkiSpec spec = {
            .stub = image->stub,
            .linux_image = kernel,
            .initrds = initrds,
            .cmdline = cmdline,
            .os_release = os_release,
            .uname = image->kernel_version,
            .splash = image->splash,
            .ucode = ucode,
            .profiles = profiles,
            .pcr_key = key,
            .base_sign_expected_pcr = TRUE,
            .pcr = {.initrd_policy = image->config->sign_initrd_pcrs == FEATURE_ENABLED},
    };
    g_autoptr(GBytes) uki = uki_build(&spec, ret_policies, error);
    if (!uki || !image->config->secure_boot)
        return g_steal_pointer(&uki);
    return authenticode_sign(uki, image->build->secure_boot_key, image->build->secure_boot_certificate,
            AUTHENTICODE_REPLACE, error);
}

static gboolean write_artifacts(
        ImageBuild *image, GBytes *uki, GPtrArray *initrds, GPtrArray *policies, GError **error) {
    ArtifactFlags wanted = image->config->split_artifacts;

    if ((wanted & ARTIFACT_UKI) && !write_output_artifact(image, ".efi", uki, error))
        return FALSE;
    if ((wanted & ARTIFACT_KERNEL) && !write_output_artifact(image, ".vmlinuz", image->kernel, error))
        return FALSE;
    if ((wanted & ARTIFACT_INITRD) && initrds->len > 0) {
        g_autoptr(GBytes) joined = join_initrds(initrds);
        if (!write_output_artifact(image, ".initrd", joined, error))
            return FALSE;
    }
    if ((wanted & ARTIFACT_PCRS) && policies) {
        g_autofree char *json = pcr_policies_to_json(policies);
        g_autoptr(GBytes) bytes = g_bytes_new(json, strlen(json));
        if (!write_output_artifact(image, ".pcrs", bytes, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean check_parts(ImageBuild *image, GError **error) {
    const char *missing = !image->kernel ? "kernel; add a linux-image package to Packages="
                          : !image->stub ? "systemd-stub; add the package systemd-boot-efi to Packages="
                                         : NULL;
    if (!missing)
        return TRUE;
    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT, "Bootable=yes, but the image has no %s", missing);
    return FALSE;
}

gboolean step_uki(ImageBuild *image, GError **error) {
    g_autoptr(GPtrArray) initrds = NULL;
    g_autoptr(GPtrArray) policies = NULL;
    g_autoptr(GBytes) uki = NULL;
    g_autofree char *path = NULL;
    g_autofree char *parent = NULL;
    g_autofree char *size = NULL;
    gsize length;
    const char *data;

    if (!boot_wanted(image) || image->config->bootloader == BOOTLOADER_NONE)
        return TRUE;
    if (!check_parts(image, error) || !(initrds = collect_initrds(image, error)))
        return FALSE;
    g_autoptr(UiStep) step = ui_step_begin(image->name, "Assembling the unified kernel image");
    if (!(uki = assemble(image, initrds, &policies, error))) {
        g_prefix_error(error, "Cannot assemble the unified kernel image: ");
        return FALSE;
    }
    path = uki_path(image);
    parent = g_path_get_dirname(path);
    data = g_bytes_get_data(uki, &length);
    if (!tree_mkdir_p(image->root_fd, parent, 0755, error) ||
            !tree_write_file(image->root_fd, path, data, length, 0644, error) ||
            !write_artifacts(image, uki, initrds, policies, error))
        return FALSE;
    size = ui_format_size(length);
    ui_step_done(g_steal_pointer(&step), "%s", size);
    return TRUE;
}
