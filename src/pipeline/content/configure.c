/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/content/configure.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errors.h"
#include "crypto/certificates/certificate.h"
#include "crypto/sources/pkcs11-uri.h"
#include "pipeline/content/extension.h"
#include "pipeline/content/recipe-environment.h"
#include "pipeline/keys/key-certificate.h"
#include "pipeline/state/boot-rules.h"
#include "text/environment-file.h"
#include "text/os-release.h"
#include "tree/tree.h"

static gboolean is_regular_file(int root_fd, const char *path) {
    struct stat info;
    return fstatat(root_fd, path, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode);
}

static gboolean configure_os_release(ImageBuild *image, GError **error) {
    static const char *const candidates[] = {
            "usr/lib/os-release", "usr/lib/initrd-release", "etc/os-release"};
    const ImageConfig *config = image->config;
    g_autofree char *prefixes = recipe_environment_value(config, "PORTABLE_PREFIXES");
    const struct {
        const char *name, *value;
    } settings[] = {
            {"IMAGE_ID", config->image_id},
            {"IMAGE_VERSION", config->image_version},
            {"DEFAULT_HOSTNAME", config->hostname},
            {"PORTABLE_PREFIXES", prefixes},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(candidates); i++) {
        g_autofree char *text = NULL;
        if (!is_regular_file(image->root_fd, candidates[i]))
            continue;
        if (!(text = tree_read_file(image->root_fd, candidates[i], NULL, error)))
            return FALSE;
        for (size_t j = 0; j < G_N_ELEMENTS(settings); j++) {
            if (!settings[j].value)
                continue;
            char *changed = os_release_set(text, settings[j].name, settings[j].value);
            g_free(text);
            text = changed;
        }
        if (!tree_write_file(image->root_fd, candidates[i], text, -1, 0644, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean link_unless_there(int root_fd, const char *target, const char *name, GError **error) {
    if (symlinkat(target, root_fd, name) == 0 || errno == EEXIST)
        return TRUE;
    return set_errno_error(error, errno, "Cannot link /%s to %s in the tree", name, target);
}

static gboolean configure_initrd(ImageBuild *image, GError **error) {
    int fd = image->root_fd;

    if (boot_tree_is_partial(image->config) || image->config->format == OUTPUT_FORMAT_PORTABLE)
        return TRUE;
    if (tree_exists(fd, "usr/lib/systemd/systemd") &&
            !link_unless_there(fd, "/usr/lib/systemd/systemd", "init", error))
        return FALSE;
    return !image->config->make_initrd ||
           link_unless_there(fd, "/etc/os-release", "etc/initrd-release", error);
}

/* systemd never lets the clock be earlier than the time of this file. */
static gboolean configure_clock(ImageBuild *image, GError **error) {
    struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};

    if (!tree_write_file(image->root_fd, "usr/lib/clock-epoch", "", 0, 0644, error))
        return FALSE;
    if (image->config->source_date_epoch < 0)
        return TRUE;
    times[0] = times[1] = (struct timespec){.tv_sec = image->config->source_date_epoch};
    if (utimensat(image->root_fd, "usr/lib/clock-epoch", times, AT_SYMLINK_NOFOLLOW) == 0)
        return TRUE;
    return set_errno_error(error, errno, "Cannot set the time of /usr/lib/clock-epoch");
}

/* NULL without an error: there is none. One of a token is there already, with its key. */
static Certificate *verity_certificate(ImageBuild *image, gboolean *ret_known, GError **error) {
    const ImageConfig *config = image->config;
    const KeyPlace certificate = {&config->verity_certificate_source, config->verity_certificate};
    const KeyPlace key = {&config->verity_key_source, config->verity_key};

    *ret_known = certificate.locator || (config->verity == VERITY_SIGNED && image->build->verity_certificate);
    if (*ret_known && !certificate.locator)
        return certificate_ref(image->build->verity_certificate);
    return *ret_known ? key_certificate_open(image->build->key_session, certificate, key, NULL, error) : NULL;
}

/* The certificate as systemd reads it, which is PEM. A file of that form is taken as it is, unless the private key lies
 * beside the certificate in it. */
static char *verity_certificate_text(const ImageConfig *config, const Certificate *certificate) {
    g_autofree char *text = NULL;

    if (config->verity_certificate && config->verity_certificate_source.type == KEY_SOURCE_FILE &&
            g_file_get_contents(config->verity_certificate, &text, NULL, NULL) &&
            strstr(text, "-----BEGIN") && !strstr(text, "PRIVATE KEY"))
        return g_steal_pointer(&text);
    return certificate_to_pem(certificate);
}

/* Its name without ".crt": that of the file. */
static char *verity_certificate_name(const ImageConfig *config) {
    if (!config->verity_certificate || pkcs11_uri_check(config->verity_certificate))
        return g_strdup("verity");
    g_autofree char *base = g_path_get_basename(config->verity_certificate);
    const char *dot = strrchr(base, '.');
    return dot && dot > base ? g_strndup(base, dot - base) : g_strdup(base);
}

/* Where systemd looks for certificates that signatures of verity root hashes may be checked with: those of
 * this image, or of extensions that will be merged into it. */
static gboolean configure_verity_certificate(ImageBuild *image, GError **error) {
    const ImageConfig *config = image->config;
    gboolean known;

    if (boot_format_is_attached(config->format))
        return TRUE;
    g_autoptr(Certificate) certificate = verity_certificate(image, &known, error);
    if (!certificate) {
        g_prefix_error(error, "VerityCertificate=: ");
        return !known;
    }
    g_autofree char *text = verity_certificate_text(config, certificate);
    g_autofree char *name = verity_certificate_name(config);
    g_autofree char *path = g_strdup_printf("usr/lib/verity.d/%s.crt", name);
    return tree_mkdir_p(image->root_fd, "usr/lib/verity.d", 0755, error) &&
           tree_write_file(image->root_fd, path, text, strlen(text), 0644, error);
}

/* A fixed drop-in for the consoles on which root is logged in. */
static gboolean configure_autologin(ImageBuild *image, GError **error) {
    static const struct {
        const char *unit, *options;
    } consoles[] = {
            {"console-getty.service", "--noclear --keep-baud console 115200,38400,9600"},
            {"serial-getty@ttyS0.service", "--keep-baud 115200,57600,38400,9600 -"},
            {"serial-getty@hvc0.service", "--keep-baud 115200,57600,38400,9600 -"},
            {"getty@tty1.service", "--noclear -"},
    };

    if (!image->config->autologin)
        return TRUE;
    for (size_t i = 0; i < G_N_ELEMENTS(consoles); i++) {
        g_autofree char *directory = g_strdup_printf("usr/lib/systemd/system/%s.d", consoles[i].unit);
        g_autofree char *path = g_build_filename(directory, "autologin.conf", NULL);
        g_autofree char *text = g_strdup_printf(
                "[Service]\nExecStart=\nExecStart=-agetty -o '-f -p -- \\\\u' --autologin root %s $TERM\n"
                "StandardInput=tty\nStandardOutput=tty\n",
                consoles[i].options);
        if (!tree_mkdir_p(image->root_fd, directory, 0755, error) ||
                !tree_write_file(image->root_fd, path, text, -1, 0644, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean configure_machine_id(ImageBuild *image, GError **error) {
    if (!image->config->machine_id)
        return TRUE;
    g_auto(GStrv) parts = g_strsplit(image->config->machine_id, "-", -1);
    g_autofree char *digits = g_strjoinv("", parts);
    g_autofree char *text = g_strconcat(digits, "\n", NULL);
    return tree_mkdir_p(image->root_fd, "etc", 0755, error) &&
           tree_write_file(image->root_fd, "etc/machine-id", text, -1, 0444, error);
}

gboolean step_configure(ImageBuild *image, GError **error) {
    gboolean partial = boot_tree_is_partial(image->config);

    return (partial || configure_os_release(image, error)) && configure_initrd(image, error) &&
           (partial || configure_clock(image, error)) && configure_verity_certificate(image, error) &&
           configure_autologin(image, error) && configure_machine_id(image, error) &&
           extension_configure_release(image, error) && extension_configure_mount_points(image, error);
}
