/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "cli/verbs.h"
#include "crypto/certificate.h"
#include "crypto/genkey.h"
#include "ui/cleanup.h"
#include "ui/log.h"

#define KEY_NAME "mkosi.key"
#define CERTIFICATE_NAME "mkosi.crt"

static gboolean parse_days(const char *text, int *ret_days, GError **error) {
    guint64 days = GENKEY_DEFAULT_VALID_DAYS;
    if (text && !g_ascii_string_to_unsigned(text, 10, 1, 36500, &days, error)) {
        g_prefix_error(error, "--genkey-valid-days=%s: ", text);
        return FALSE;
    }
    *ret_days = (int) days;
    return TRUE;
}

/* The name that was asked for, with %u for the user; by default it says whose key it is. */
static char *make_common_name(const char *wanted) {
    g_auto(GStrv) parts = g_strsplit(wanted ? wanted : "particleos of %u", "%u", -1);
    return g_strjoinv(g_get_user_name(), parts);
}

static void print_result(const char *directory, const Certificate *certificate, int days) {
    printf("Made a private key and a certificate for %s, valid for %d days.\n\n",
            certificate_get_subject(certificate), days);
    printf("  %s/" KEY_NAME "   the private key: whoever has it can sign images that your machines boot\n",
            directory);
    printf("  %s/" CERTIFICATE_NAME "   the certificate: SHA-256 %s\n\n", directory,
            certificate_get_fingerprint(certificate));
    printf("Back up both, offline and encrypted: machines that have enrolled this certificate accept\n"
           "updates only from this key, and it cannot be made again. Do not put " KEY_NAME " under version\n"
           "control. Make and enrol a new pair before the certificate expires.\n");
}

/* With --force a key that is there already makes room. It is kept: it may be the only one that machines
 * accept. */
static gboolean set_aside(int directory_fd, const char *name, GError **error) {
    g_autofree char *old = g_strconcat(name, ".old", NULL);
    if (renameat2(directory_fd, name, directory_fd, old, RENAME_NOREPLACE) == 0) {
        ui_info("%s is %s now", name, old);
        return TRUE;
    }
    if (errno == ENOENT)
        return TRUE;
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "Cannot rename %s to %s: %s", name, old,
            g_strerror(errno));
    return FALSE;
}

gboolean verb_genkey(Recipe *recipe, int *ret_exit_status, GError **error) {
    const RecipeArguments *arguments = recipe->arguments;
    const char *directory = recipe->config_directory ? recipe->config_directory
                            : recipe->directory      ? recipe->directory
                            : arguments->directory   ? arguments->directory
                                                     : ".";
    g_autofree char *common_name = make_common_name(arguments->genkey_common_name);
    GenkeyOptions options = {.common_name = common_name};
    if (!parse_days(arguments->genkey_valid_days, &options.valid_days, error))
        return FALSE;

    AUTO_FD fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "Cannot open directory %s: %s",
                directory, g_strerror(errno));
        return FALSE;
    }
    if (arguments->force > 0 && (!set_aside(fd, KEY_NAME, error) || !set_aside(fd, CERTIFICATE_NAME, error)))
        return FALSE;
    if (!genkey_create_at(fd, KEY_NAME, CERTIFICATE_NAME, &options, error)) {
        g_prefix_error(error, "Cannot make keys in %s: ", directory);
        return FALSE;
    }
    g_autofree char *path = g_build_filename(directory, CERTIFICATE_NAME, NULL);
    g_autoptr(Certificate) certificate = certificate_load(path, error);
    if (!certificate)
        return FALSE;
    print_result(directory, certificate, options.valid_days);
    *ret_exit_status = 0;
    return TRUE;
}
