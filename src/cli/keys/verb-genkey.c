/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"
#include "pipeline/keys/key-prompt.h"
#include "cli/keys/genkey-report.h"
#include "cli/keys/genkey-use.h"
#include "cli/verbs.h"
#include "crypto/sources/error.h"
#include "crypto/generate/genkey.h"
#include "crypto/generate/key-make.h"
#include "crypto/keys/key-session.h"
#include "crypto/sources/pkcs11-uri.h"
#include "events/events.h"
#include "ui/ask.h"

#define COMMON_NAME "particleos of %u"

/* What the command line asks for. */
typedef struct {
    const Arguments *arguments;
    const char *directory;
    int fd; /* of it */
    KeySourceKind kind;
    const char *name; /* of engine or provider, or NULL */
    KeySession *session;
} Order;

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

/* With --force a key that is there already makes room. It is kept: it may be the only one that machines
 * accept. */
static gboolean set_aside(int directory_fd, const char *name, GError **error) {
    g_autofree char *old = g_strconcat(name, ".old", NULL);
    if (renameat2(directory_fd, name, directory_fd, old, RENAME_NOREPLACE) == 0) {
        events_info("%s is %s now", name, old);
        return TRUE;
    }
    if (errno == ENOENT)
        return TRUE;
    return set_errno_error(error, errno, "Cannot rename %s to %s", name, old);
}

static gboolean write_keyring(int directory_fd, GBytes *packets, GError **error) {
    gsize size;
    const void *data = g_bytes_get_data(packets, &size);
    AUTO_FD fd = openat(directory_fd, GENKEY_KEYRING, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

    if (fd >= 0 && write_all(fd, data, size) && fsync(fd) == 0)
        return TRUE;
    int code = errno;
    if (fd >= 0)
        (void) unlinkat(directory_fd, GENKEY_KEYRING, 0);
    return set_errno_error(error, code, "Cannot create " GENKEY_KEYRING);
}

/* ---- what is asked for ---- */

static gboolean refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean refuse(GError **error, const char *format, ...) {
    va_list list;
    va_start(list, format);
    *error = g_error_new_valist(RECIPE_ERROR, RECIPE_ERROR_USAGE, format, list);
    va_end(list);
    return FALSE;
}

static gboolean parse_source(Order *order, GError **error) {
    const char *text = order->arguments->genkey_source ? order->arguments->genkey_source : "file";
    const char *colon = strchr(text, ':');

    order->name = colon ? colon + 1 : NULL;
    if (g_str_equal(text, "file"))
        order->kind = KEY_SOURCE_KIND_FILE;
    else if (g_str_has_prefix(text, "engine:") && *order->name)
        order->kind = KEY_SOURCE_KIND_ENGINE;
    else if (g_str_has_prefix(text, "provider:") && *order->name)
        order->kind = KEY_SOURCE_KIND_PROVIDER;
    else
        return refuse(error, "--genkey-source=%s: Use one of file, engine:NAME, provider:NAME", text);
    return TRUE;
}

/* Keys of a TPM are files that it alone can use; others have no file. */
static gboolean keeps_files(const Order *order) {
    return order->kind == KEY_SOURCE_KIND_FILE ||
           (order->kind == KEY_SOURCE_KIND_PROVIDER && g_str_equal(order->name, "tpm2"));
}

static gboolean check_options(const Order *order, GError **error) {
    const Arguments *arguments = order->arguments;
    const char *key = arguments->genkey_key;

    if (arguments->genkey_per_purpose && arguments->genkey_openpgp)
        return refuse(error, "--genkey-per-purpose makes the key of --genkey-openpgp as well; give one of them");
    /* A build has all its keys open. The TPM, and the kernel's resource manager for each caller, have room for three
     * objects, one of which is the parent of the key that is opened. */
    if (!key && arguments->genkey_per_purpose && order->kind == KEY_SOURCE_KIND_PROVIDER && keeps_files(order))
        return refuse(error,
                "--genkey-per-purpose: A TPM has room for two keys at a time, and a build uses four. Make one key "
                "in the TPM, and others elsewhere");
    if (!key && !keeps_files(order))
        return refuse(error,
                "--genkey-source=%s: Say with --genkey-key which key it is, for instance "
                "--genkey-key='pkcs11:token=NAME;object=%s;type=private'",
                arguments->genkey_source, arguments->genkey_per_purpose ? "%p" : "boot");
    if (key && arguments->genkey_per_purpose && !strstr(key, "%p"))
        return refuse(error,
                "--genkey-key=%s: Every purpose has a key of its own, so write %%p where its name goes "
                "(secure-boot, verity, pcr, manifest)",
                key);
    return TRUE;
}

/* The name that was asked for; by default it says whose key it is, and what for if there are several. */
static char *make_common_name(const Order *order, const GenkeyUse *use) {
    const char *wanted = order->arguments->genkey_common_name;
    gboolean several = order->arguments->genkey_per_purpose;
    g_autofree char *pattern = g_strconcat(
            wanted ? wanted : COMMON_NAME, several && !(wanted && strstr(wanted, "%p")) ? " (%p)" : "", NULL);
    return genkey_use_expand(use, pattern);
}

static gboolean make_options(
        const Order *order, const GenkeyUse *use, GenkeyOptions *ret_options, char **ret_name, GError **error) {
    *ret_name = make_common_name(order, use);
    *ret_options = (GenkeyOptions){.purpose = use->purpose,
            .common_name = *ret_name,
            .request = order->arguments->genkey_request,
            .provider = order->kind == KEY_SOURCE_KIND_PROVIDER ? order->name : NULL};
    return parse_days(order->arguments->genkey_valid_days, use->purpose, &ret_options->valid_days, error);
}

static GenkeyItem *item_new(const Order *order, const GenkeyUse *use) {
    const char *key = order->arguments->genkey_key;
    GenkeyItem *item = g_new0(GenkeyItem, 1);

    item->use = use;
    item->key_name = g_strconcat(use->stem, ".key", NULL);
    item->certificate_name = g_strconcat(use->stem, order->arguments->genkey_request ? ".csr" : ".crt", NULL);
    item->locator = key ? genkey_use_expand(use, key) : NULL;
    return item;
}

static gboolean exists(const Order *order, const char *name) {
    return faccessat(order->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- the key ring of devices ---- */

static gboolean make_keyring(const Order *order, const GenkeyItem *item, GError **error) {
    g_autofree char *path = g_build_filename(order->directory, item->key_name, NULL);
    g_autofree char *certificate_path = g_build_filename(order->directory, item->certificate_name, NULL);
    g_autoptr(KeySource) source =
            key_session_open(order->session, order->kind, order->name, item->locator ? item->locator : path, error);
    g_autoptr(Certificate) certificate = source ? certificate_load(certificate_path, error) : NULL;
    g_autoptr(OpenpgpKey) key = certificate ? openpgp_key_new_for_certificate(source, certificate, error) : NULL;
    g_autoptr(GBytes) packets = key ? openpgp_key_export(key, error) : NULL;

    if (!packets || !write_keyring(order->fd, packets, error))
        return FALSE;
    if (!order->arguments->genkey_per_purpose && !item->locator && order->kind == KEY_SOURCE_KIND_FILE)
        genkey_report_openpgp(order->directory, key);
    return TRUE;
}

/* Whether all is there but the key ring. */
static gboolean lacks_keyring(const Order *order, const GenkeyItem *item) {
    return (item->locator || exists(order, item->key_name)) && exists(order, item->certificate_name) &&
           !exists(order, GENKEY_KEYRING);
}

/* Before a key is made: the key ring of another one is in nobody's way. */
static gboolean check_no_keyring(const Order *order, GError **error) {
    if (!exists(order, GENKEY_KEYRING))
        return TRUE;
    g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_EXISTS,
            GENKEY_KEYRING " exists already; move it away together with the key that it belongs to");
    return FALSE;
}

/* ---- one key ---- */

/* What people make keys with where OpenSSL cannot. */
static void add_advice(const Order *order, const GenkeyItem *item, GError **error) {
    g_autofree char *token = NULL, *object = NULL;
    if (!pkcs11_uri_check(item->locator))
        return;
    if ((token = pkcs11_uri_get(item->locator, "token")) && (object = pkcs11_uri_get(item->locator, "object"))) {
        g_autofree char *quoted_token = g_shell_quote(token), *quoted_object = g_shell_quote(object);
        g_autofree char *text = g_strdup_printf(
                "%s. OpenSSL's %s makes no keys; this does, and genkey then makes the certificate: pkcs11-tool --module "
                "MODULE --token-label %s --login --keypairgen --key-type rsa:2048 --label %s --id ID",
                (*error)->message, order->name, quoted_token, quoted_object);
        g_free((*error)->message);
        (*error)->message = g_steal_pointer(&text);
    }
}

/* The key that was named; a token makes it unless it is there. */
static KeySource *get_named_key(const Order *order, GenkeyItem *item, GError **error) {
    gboolean token = order->kind == KEY_SOURCE_KIND_PROVIDER && pkcs11_uri_check(item->locator);
    if (token && !key_token_has(order->session, order->name, item->locator)) {
        item->is_new = TRUE;
        return key_make_in_token(order->session, order->name, item->locator, GENKEY_DEFAULT_RSA_BITS, error);
    }
    KeySource *key = key_session_open(order->session, order->kind, order->name, item->locator, error);
    if (!key && order->kind == KEY_SOURCE_KIND_ENGINE)
        add_advice(order, item, error);
    return key;
}

static gboolean make_room(const Order *order, const GenkeyItem *item, GError **error) {
    return order->arguments->force == 0 ||
           ((item->locator || set_aside(order->fd, item->key_name, error)) &&
                   set_aside(order->fd, item->certificate_name, error) &&
                   (item->use->purpose != GENKEY_FOR_MANIFESTS || set_aside(order->fd, GENKEY_KEYRING, error)));
}

static gboolean make_pair(const Order *order, GenkeyItem *item, const GenkeyOptions *options, GError **error) {
    if (!make_room(order, item, error))
        return FALSE;
    gboolean good = item->use->purpose != GENKEY_FOR_MANIFESTS || check_no_keyring(order, error);
    if (good && item->locator) {
        g_autoptr(KeySource) key = get_named_key(order, item, error);
        good = key && genkey_certify_at(order->fd, key, item->certificate_name, options, error);
    } else if (good) {
        item->is_new = TRUE;
        good = genkey_create_at(order->fd, item->key_name, item->certificate_name, options, error);
    }
    if (!good)
        g_prefix_error(error, "Cannot make keys in %s: ", order->directory);
    return good;
}

/* The kernel takes signatures of /usr by certificates that the firmware knows. */
static gboolean enrol_verity(const Order *order, const GenkeyItem *item, GError **error) {
    g_autofree char *from = g_build_filename(order->directory, item->certificate_name, NULL);
    g_autofree char *directory = g_build_filename(order->directory, GENKEY_DB_DIRECTORY, NULL);
    g_autofree char *to = g_build_filename(order->directory, GENKEY_DB_VERITY, NULL);
    g_autofree char *text = NULL;
    gsize size;

    if (g_mkdir_with_parents(directory, 0755) < 0)
        return set_errno_error(error, errno, "Cannot make directory %s", directory);
    return (order->arguments->force == 0 || set_aside(order->fd, GENKEY_DB_VERITY, error)) &&
           g_file_get_contents(from, &text, &size, error) &&
           g_file_set_contents_full(to, text, size, G_FILE_SET_CONTENTS_CONSISTENT, 0644, error);
}

/* Of several keys those that are there are kept, so that what could not be made can be made later. */
static gboolean is_complete(const Order *order, const GenkeyItem *item) {
    return order->arguments->genkey_per_purpose && order->arguments->force == 0 &&
           (item->locator || exists(order, item->key_name)) && exists(order, item->certificate_name);
}

static gboolean make_item(const Order *order, GenkeyItem *item, GError **error) {
    g_autofree char *name = NULL;
    GenkeyOptions options;
    gboolean manifests = item->use->purpose == GENKEY_FOR_MANIFESTS;
    gboolean only_keyring = manifests && order->arguments->force == 0 && lacks_keyring(order, item);

    if (!make_options(order, item->use, &options, &name, error))
        return FALSE;
    item->kept = only_keyring || is_complete(order, item);
    if (!item->kept && !make_pair(order, item, &options, error))
        return FALSE;
    if (options.request || (item->kept && !only_keyring))
        return TRUE;
    if (item->use == genkey_uses[GENKEY_VERITY])
        return enrol_verity(order, item, error);
    return !manifests || make_keyring(order, item, error);
}

/* ---- all of them ---- */

static gboolean make_items(const Order *order, GPtrArray *items, GError **error) {
    const Arguments *arguments = order->arguments;
    const GenkeyUse *one = arguments->genkey_openpgp ? &genkey_use_manifests : &genkey_use_images;
    guint n = arguments->genkey_per_purpose ? N_GENKEY_PURPOSES : 1;

    for (guint i = 0; i < n; i++) {
        GenkeyItem *item = item_new(order, n > 1 ? genkey_uses[i] : one);
        g_ptr_array_add(items, item);
        if (!make_item(order, item, error))
            return FALSE;
    }
    return TRUE;
}

/* One key in a file, with its certificate. */
static gboolean report_pair(const Order *order, GError **error) {
    const Arguments *arguments = order->arguments;
    g_autofree char *path = g_build_filename(order->directory, "mkosi.crt", NULL);
    g_autoptr(Certificate) certificate = NULL;
    int days;

    if (arguments->genkey_openpgp)
        return TRUE; /* said with the key ring */
    if (!parse_days(arguments->genkey_valid_days, GENKEY_FOR_IMAGES, &days, error) ||
            !(certificate = certificate_load(path, error)))
        return FALSE;
    genkey_report_images(order->directory, certificate, days);
    return TRUE;
}

static gboolean run(const Order *order, GError **error) {
    const Arguments *arguments = order->arguments;
    g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func(genkey_item_free);

    if (!make_items(order, items, error))
        return FALSE;
    if (order->kind == KEY_SOURCE_KIND_FILE && !arguments->genkey_key && !arguments->genkey_per_purpose &&
            !arguments->genkey_request)
        return report_pair(order, error);
    genkey_report_items(order->directory, items, order->kind == KEY_SOURCE_KIND_FILE ? NULL : arguments->genkey_source,
            arguments->genkey_request);
    return TRUE;
}

gboolean verb_genkey(const VerbCall *call, int *ret_exit_status, GError **error) {
    const Arguments *arguments = call->arguments;
    const Recipe *recipe = call->recipe;
    Order order = {.arguments = arguments,
            .directory = recipe->config_directory ? recipe->config_directory
                         : recipe->directory      ? recipe->directory
                                                  : "."};
    if (!parse_source(&order, error) || !check_options(&order, error))
        return FALSE;
    AUTO_FD fd = open(order.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return set_errno_error(error, errno, "Cannot open directory %s", order.directory);
    g_autoptr(KeyPrompt) prompt = key_prompt_new(arguments->key_pin_fd, arguments->key_pinentry, ui_ask_secret, error);
    g_autoptr(KeySession) session = key_prompt_session(prompt);
    if (!prompt)
        return FALSE;
    order.fd = fd;
    order.session = session;
    if (!run(&order, error))
        return FALSE;
    *ret_exit_status = 0;
    return TRUE;
}
