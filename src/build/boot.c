/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "build/boot.h"

#include <fcntl.h>
#include <string.h>

#include "format/authenticode.h"
#include "format/efi-authenticated-variable.h"
#include "tree/tree.h"
#include "ui/step.h"

/* Enrolment variables carry a time; firmware only wants later ones to be later. */
#define DEFAULT_ENROLMENT_TIME 1577836800 /* 2020-01-01 */

gboolean boot_wanted(const ImageBuild *image) {
    const ImageConfig *config = image->config;

    if (config->bootable == FEATURE_DISABLED || config->format != OUTPUT_FORMAT_DISK)
        return FALSE;
    return config->bootable == FEATURE_ENABLED || (image->kernel && image->stub);
}

static KeySource *load_key(
        const char *what, const RecipeKeySource *source, const char *locator, GError **error) {
    KeySource *key = key_source_new((KeySourceKind) source->type, source->source, locator, error);

    if (!key)
        g_prefix_error(error, "%s=: ", what);
    return key;
}

static gboolean load_pair(const char *purpose, const RecipeKeySource *source, const char *locator,
        const char *certificate_path, KeySource **ret_key, Certificate **ret_certificate, GError **error) {
    g_autofree char *key_setting = g_strconcat(purpose, "Key", NULL);

    if (!locator || !certificate_path) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "The recipe signs, but there is no %sKey= and %sCertificate=: run \"particleos genkey\" to "
                "make "
                "mkosi.key and mkosi.crt in the recipe's directory",
                purpose, purpose);
        return FALSE;
    }
    if (!(*ret_key = load_key(key_setting, source, locator, error)))
        return FALSE;
    if (!(*ret_certificate = certificate_load(certificate_path, error)) ||
            !certificate_check_key(*ret_certificate, *ret_key, error)) {
        g_prefix_error(error, "%sCertificate=: ", purpose);
        return FALSE;
    }
    return TRUE;
}

static gboolean load_verity_keys(Build *build, const ImageConfig *config, GError **error) {
    gboolean needed = config->verity == VERITY_SIGNED;
    gboolean possible = config->verity == VERITY_AUTO && config->verity_key && config->verity_certificate;

    if (build->verity_key || !(needed || possible))
        return TRUE;
    return load_pair("Verity", &config->verity_key_source, config->verity_key, config->verity_certificate,
            &build->verity_key, &build->verity_certificate, error);
}

gboolean boot_load_keys(Build *build, GError **error) {
    for (guint i = 0; i < build->images->len; i++) {
        const ImageConfig *config = ((ImageBuild *) build->images->pdata[i])->config;
        if (!load_verity_keys(build, config, error))
            return FALSE;
        if (config->secure_boot && !build->secure_boot_key &&
                !load_pair("SecureBoot", &config->secure_boot_key_source, config->secure_boot_key,
                        config->secure_boot_certificate, &build->secure_boot_key,
                        &build->secure_boot_certificate, error))
            return FALSE;
    }
    return TRUE;
}

static GBytes *sign_binary(ImageBuild *image, GBytes *binary, AuthenticodeMode mode, GError **error) {
    if (!image->config->secure_boot)
        return g_bytes_ref(binary);
    return authenticode_sign(
            binary, image->build->secure_boot_key, image->build->secure_boot_certificate, mode, error);
}

static gboolean write_to_tree(ImageBuild *image, const char *path, GBytes *content, GError **error) {
    g_autofree char *parent = g_path_get_dirname(path);
    gsize length;
    const char *data = g_bytes_get_data(content, &length);

    return tree_mkdir_p(image->root_fd, parent, 0755, error) &&
           tree_write_file(image->root_fd, path, data, length, 0644, error);
}

/* Certificates of the recipe's mkosi.uefi.VARIABLE/, after the one that signs. */
static GPtrArray *enrolled_certificates(ImageBuild *image, const char *variable, GError **error) {
    g_autofree char *name = g_strconcat("mkosi.uefi.", variable, NULL);
    const char *recipe = image->build->recipe->config_directory;
    g_autofree char *directory = recipe ? g_build_filename(recipe, name, NULL) : NULL;
    g_autoptr(GPtrArray) certificates = g_ptr_array_new_with_free_func((GDestroyNotify) certificate_unref);
    g_autoptr(GPtrArray) more = NULL;

    g_ptr_array_add(certificates, certificate_ref(image->build->secure_boot_certificate));
    if (!directory || g_str_equal(variable, "PK"))
        return g_steal_pointer(&certificates);
    if (!(more = certificate_load_directory(directory, error)))
        return NULL;
    for (guint i = 0; i < more->len; i++)
        g_ptr_array_add(certificates, certificate_ref(more->pdata[i]));
    return g_steal_pointer(&certificates);
}

static gboolean write_enrolment(ImageBuild *image, const char *variable, GError **error) {
    gint64 time =
            image->config->source_date_epoch > 0 ? image->config->source_date_epoch : DEFAULT_ENROLMENT_TIME;
    g_autofree char *path = g_strdup_printf("efi/loader/keys/auto/%s.auth", variable);
    g_autoptr(GPtrArray) certificates = enrolled_certificates(image, variable, error);
    g_autoptr(GBytes) content = NULL;

    if (!certificates)
        return FALSE;
    content = efi_enrolment_variable_build(variable, time, certificates, image->build->secure_boot_key,
            image->build->secure_boot_certificate, error);
    return content && write_to_tree(image, path, content, error);
}

static gboolean install_systemd_boot(ImageBuild *image, GError **error) {
    const char *efi = architecture_to_efi(image->config->architecture);
    g_autofree char *upper = g_ascii_strup(efi, -1);
    g_autofree char *named = g_strdup_printf("efi/EFI/systemd/systemd-boot%s.efi", efi);
    g_autofree char *fallback = g_strdup_printf("efi/EFI/BOOT/BOOT%s.EFI", upper);
    g_autoptr(GBytes) binary = NULL;

    if (!image->boot_loader) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "Bootloader=systemd-boot, but the image has no "
                "/usr/lib/systemd/boot/efi/systemd-boot%s.efi; add the "
                "package systemd-boot-efi (Debian 12: systemd-boot) to Packages=",
                efi);
        return FALSE;
    }
    binary = sign_binary(image, image->boot_loader, AUTHENTICODE_REPLACE, error);
    return binary && write_to_tree(image, named, binary, error) &&
           write_to_tree(image, fallback, binary, error) &&
           tree_mkdir_p(image->root_fd, "boot/EFI/Linux", 0755, error) &&
           tree_mkdir_p(image->root_fd, "efi/loader/entries", 0755, error) &&
           tree_write_file(image->root_fd, "efi/loader/entries.srel", "type1\n", -1, 0644, error);
}

static gboolean write_enrolments(ImageBuild *image, GError **error) {
    if (!image->config->secure_boot || !image->config->secure_boot_auto_enroll)
        return TRUE;
    return write_enrolment(image, "PK", error) && write_enrolment(image, "KEK", error) &&
           write_enrolment(image, "db", error);
}

gboolean step_boot_loader(ImageBuild *image, GError **error) {
    g_autoptr(UiStep) step = NULL;

    if (!boot_wanted(image))
        return TRUE;
    step = ui_step_begin(image->name, "Installing the boot loader");
    switch (image->config->bootloader) {
    case BOOTLOADER_NONE:
    case BOOTLOADER_UKI:
        break;
    case BOOTLOADER_SYSTEMD_BOOT:
        if (!install_systemd_boot(image, error) || !write_enrolments(image, error))
            return FALSE;
        break;
    default:
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_NOT_IMPLEMENTED,
                "Bootloader=%s is not implemented yet; use systemd-boot, uki or none",
                bootloader_to_string(image->config->bootloader));
        return FALSE;
    }
    ui_step_done(g_steal_pointer(&step), NULL);
    return TRUE;
}
