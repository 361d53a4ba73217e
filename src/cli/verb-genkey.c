/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"
#include "cli/verbs.h"
#include "crypto/certificate.h"
#include "crypto/error.h"
#include "crypto/genkey.h"
#include "crypto/key-session.h"
#include "format/openpgp.h"
#include "ui/log.h"

/* The key ring is called as on devices. */
#define KEYRING_NAME "import-pubring.gpg"

typedef struct {
    const char *key, *certificate;
} Names;

static const Names names_of[] = {
        [GENKEY_FOR_IMAGES] = {"mkosi.key", "mkosi.crt"},
        [GENKEY_FOR_MANIFESTS] = {"mkosi.openpgp.key", "mkosi.openpgp.crt"},
};

/* An OpenPGP key does not expire, so its certificate should not either. */
static gboolean parse_days(const char *text, GenkeyPurpose purpose, int *ret_days, GError **error) {
    guint64 days = purpose == GENKEY_FOR_MANIFESTS ? GENKEY_VALID_DAYS_MAX : GENKEY_DEFAULT_VALID_DAYS;
    if (text && !g_ascii_string_to_unsigned(text, 10, 1, GENKEY_VALID_DAYS_MAX, &days, error)) {
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
    const Names *names = &names_of[GENKEY_FOR_IMAGES];
    printf("Made a private key and a certificate for %s, valid for %d days.\n\n",
            certificate_get_subject(certificate), days);
    printf("  %s/%s   the private key: whoever has it can sign images that your machines boot\n", directory,
            names->key);
    printf("  %s/%s   the certificate: SHA-256 %s\n\n", directory, names->certificate,
            certificate_get_fingerprint(certificate));
    printf("Back up both, offline and encrypted: machines that have enrolled this certificate accept\n"
           "updates only from this key, and it cannot be made again. Do not put %s under version\n"
           "control. Make and enrol a new pair before the certificate expires.\n",
            names->key);
}

static void print_openpgp_result(const char *directory, const OpenpgpKey *key) {
    const Names *names = &names_of[GENKEY_FOR_MANIFESTS];
    printf("The OpenPGP key %s signs manifests of updates with OpenPGPTool=builtin.\n\n",
            openpgp_key_get_fingerprint(key));
    printf("  %s/%s    the private key: whoever has it can offer updates to your machines\n", directory, names->key);
    printf("  %s/%s    its certificate: name and time of the key\n", directory, names->certificate);
    printf("  %s/" KEYRING_NAME "   the public key: machines have it as /usr/lib/systemd/" KEYRING_NAME "\n\n",
            directory);
    printf("Back up all three, offline and encrypted. Without the certificate the key would be another one for\n"
           "machines. Do not put %s under version control.\n",
            names->key);
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
    return set_errno_error(error, errno, "Cannot rename %s to %s", name, old);
}

static gboolean write_keyring(int directory_fd, GBytes *packets, GError **error) {
    gsize size;
    const void *data = g_bytes_get_data(packets, &size);
    AUTO_FD fd = openat(directory_fd, KEYRING_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

    if (fd >= 0 && write_all(fd, data, size) && fsync(fd) == 0)
        return TRUE;
    int code = errno;
    if (fd >= 0)
        (void) unlinkat(directory_fd, KEYRING_NAME, 0);
    return set_errno_error(error, code, "Cannot create " KEYRING_NAME);
}

/* The public key for devices, from the pair in the directory. */
static gboolean make_keyring(const char *directory, int directory_fd, GError **error) {
    const Names *names = &names_of[GENKEY_FOR_MANIFESTS];
    g_autofree char *key_path = g_build_filename(directory, names->key, NULL);
    g_autofree char *certificate_path = g_build_filename(directory, names->certificate, NULL);
    g_autoptr(KeySource) source = key_source_new(KEY_SOURCE_KIND_FILE, NULL, key_path, error);
    g_autoptr(Certificate) certificate = source ? certificate_load(certificate_path, error) : NULL;
    g_autoptr(OpenpgpKey) key = certificate ? openpgp_key_new_for_certificate(source, certificate, error) : NULL;
    g_autoptr(GBytes) packets = key ? openpgp_key_export(key, error) : NULL;

    if (!packets || !write_keyring(directory_fd, packets, error))
        return FALSE;
    print_openpgp_result(directory, key);
    return TRUE;
}

/* Whether all is there but the key ring. */
static gboolean lacks_keyring(int directory_fd) {
    const Names *names = &names_of[GENKEY_FOR_MANIFESTS];
    return faccessat(directory_fd, names->key, F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
           faccessat(directory_fd, names->certificate, F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
           faccessat(directory_fd, KEYRING_NAME, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
}

/* Before a key is made: the key ring of another one is in nobody's way. */
static gboolean check_no_keyring(int directory_fd, GError **error) {
    if (faccessat(directory_fd, KEYRING_NAME, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
        return TRUE;
    g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_EXISTS,
            KEYRING_NAME " exists already; move it away together with the key that it belongs to");
    return FALSE;
}

static gboolean make_pair(const Recipe *recipe, const char *directory, int fd, GenkeyOptions *options, GError **error) {
    const Names *names = &names_of[options->purpose];
    gboolean force = recipe->arguments->force > 0;

    if (force && (!set_aside(fd, names->key, error) || !set_aside(fd, names->certificate, error) ||
                         (options->purpose == GENKEY_FOR_MANIFESTS && !set_aside(fd, KEYRING_NAME, error))))
        return FALSE;
    if ((options->purpose == GENKEY_FOR_MANIFESTS && !check_no_keyring(fd, error)) ||
            !genkey_create_at(fd, names->key, names->certificate, options, error)) {
        g_prefix_error(error, "Cannot make keys in %s: ", directory);
        return FALSE;
    }
    return TRUE;
}

static gboolean show_pair(const char *directory, int days, GError **error) {
    g_autofree char *path = g_build_filename(directory, names_of[GENKEY_FOR_IMAGES].certificate, NULL);
    g_autoptr(Certificate) certificate = certificate_load(path, error);

    if (certificate)
        print_result(directory, certificate, days);
    return certificate != NULL;
}

gboolean verb_genkey(Recipe *recipe, int *ret_exit_status, GError **error) {
    const RecipeArguments *arguments = recipe->arguments;
    const char *directory = recipe->config_directory ? recipe->config_directory
                            : recipe->directory      ? recipe->directory
                            : arguments->directory   ? arguments->directory
                                                     : ".";
    gboolean openpgp = arguments->genkey_openpgp;
    g_autofree char *common_name = make_common_name(arguments->genkey_common_name);
    GenkeyOptions options = {
            .purpose = openpgp ? GENKEY_FOR_MANIFESTS : GENKEY_FOR_IMAGES, .common_name = common_name};
    if (!parse_days(arguments->genkey_valid_days, options.purpose, &options.valid_days, error))
        return FALSE;

    AUTO_FD fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return set_errno_error(error, errno, "Cannot open directory %s", directory);
    gboolean only_keyring = openpgp && arguments->force == 0 && lacks_keyring(fd);
    if ((!only_keyring && !make_pair(recipe, directory, fd, &options, error)) ||
            !(openpgp ? make_keyring(directory, fd, error) : show_pair(directory, options.valid_days, error)))
        return FALSE;
    *ret_exit_status = 0;
    return TRUE;
}
