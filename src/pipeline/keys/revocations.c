/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/keys/revocations.h"

#include <errno.h>
#include <string.h>

#include "base/errors.h"
#include "base/hex.h"
#include "format/efi/variables/efi-authenticated-variable.h"
#include "format/efi/variables/efi-signature-list.h"
#include "pipeline/state/image-build.h"

#define VARIABLE "dbx"
#define SUFFIX ".auth"
#define LIST_SUFFIX ".list"
#define UNKNOWN "-"
#define FILE_MODE 0644

static void revocation_free(Revocation *revocation) {
    g_free(revocation->version);
    g_free(revocation->name);
    g_free(revocation);
}

static gboolean parse_digest(const char *text, guint8 ret_digest[static SHA256_SIZE]) {
    g_autoptr(GBytes) bytes = strlen(text) == 2 * SHA256_SIZE ? hex_decode(text, -1) : NULL;

    if (bytes)
        memcpy(ret_digest, g_bytes_get_data(bytes, NULL), SHA256_SIZE);
    return bytes != NULL;
}

static Revocation *find(GPtrArray *revocations, const guint8 digest[static SHA256_SIZE]) {
    for (guint i = 0; i < revocations->len; i++) {
        Revocation *revocation = revocations->pdata[i];
        if (memcmp(revocation->digest, digest, SHA256_SIZE) == 0)
            return revocation;
    }
    return NULL;
}

/* Words of the list are separated by spaces, lines by newlines. */
static char *clean(const char *text, gboolean is_word) {
    if (!text || !*text)
        return NULL;
    char *copy = g_strdup(text);
    for (char *c = copy; *c; c++)
        if ((guint8) *c < ' ' || *c == 0x7f || (is_word && *c == ' '))
            *c = '_';
    return copy;
}

void revocations_add(GPtrArray *revocations, const guint8 digest[static SHA256_SIZE], const char *version,
        const char *name) {
    Revocation *revocation = find(revocations, digest);
    if (!revocation) {
        revocation = g_new0(Revocation, 1);
        memcpy(revocation->digest, digest, SHA256_SIZE);
        revocation->is_new = TRUE;
        g_ptr_array_add(revocations, revocation);
    }
    if (version) {
        g_free(revocation->version);
        revocation->version = clean(version, TRUE);
    }
    if (name) {
        g_free(revocation->name);
        revocation->name = clean(name, FALSE);
    }
}

char *revocations_list_path(const char *path) {
    gsize length = strlen(path);
    if (g_str_has_suffix(path, SUFFIX))
        length -= strlen(SUFFIX);
    return g_strdup_printf("%.*s" LIST_SUFFIX, (int) length, path);
}

/* What the list knows about digests; one that is missing or edited costs names only. */
static void read_list(GPtrArray *revocations, const char *path) {
    g_autofree char *list = revocations_list_path(path);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(list, &text, NULL, NULL))
        return;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        g_auto(GStrv) words = g_strsplit(*line, " ", 3);
        guint8 digest[SHA256_SIZE];
        if (g_strv_length(words) != 3 || !parse_digest(words[0], digest) || !find(revocations, digest))
            continue;
        revocations_add(revocations, digest, g_str_equal(words[1], UNKNOWN) ? NULL : words[1],
                g_str_equal(words[2], UNKNOWN) ? NULL : words[2]);
    }
}

static gboolean read_payload(GPtrArray *revocations, GBytes *payload, GError **error) {
    g_autoptr(GPtrArray) signatures =
            efi_signature_list_parse(g_bytes_get_data(payload, NULL), g_bytes_get_size(payload), error);
    if (!signatures)
        return FALSE;
    for (guint i = 0; i < signatures->len; i++) {
        const EfiSignature *signature = signatures->pdata[i];
        if (!efi_guid_equal(&signature->type, &EFI_CERT_SHA256_GUID) ||
                g_bytes_get_size(signature->data) != SHA256_SIZE) {
            g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                    "entry %u is no SHA-256 digest of a program; merge such entries by other means", i + 1);
            return FALSE;
        }
        revocations_add(revocations, g_bytes_get_data(signature->data, NULL), NULL, NULL);
    }
    return TRUE;
}

static gboolean read_update(
        GPtrArray *revocations, const void *data, gsize size, Certificate **ret_signer, GError **error) {
    g_autoptr(EfiAuthenticatedVariable) update = efi_authenticated_variable_parse(data, size, error);
    return update &&
           efi_authenticated_variable_verify(update, VARIABLE, EFI_UPDATE_APPEND, ret_signer, error) &&
           read_payload(revocations, update->payload, error);
}

GPtrArray *revocations_load(const char *path, Certificate **ret_signer, GError **error) {
    g_autoptr(GPtrArray) revocations = g_ptr_array_new_with_free_func((GDestroyNotify) revocation_free);
    g_autoptr(GError) problem = NULL;
    g_autofree char *data = NULL;
    gsize size = 0;

    if (ret_signer)
        *ret_signer = NULL;
    if (!g_file_get_contents(path, &data, &size, &problem)) {
        if (g_error_matches(problem, G_FILE_ERROR, G_FILE_ERROR_NOENT))
            return g_steal_pointer(&revocations);
        g_propagate_error(error, g_steal_pointer(&problem));
        return NULL;
    }
    if (!read_update(revocations, data, size, ret_signer, error)) {
        g_prefix_error(error, "Cannot read earlier revocations from %s: ", path);
        return NULL;
    }
    read_list(revocations, path);
    for (guint i = 0; i < revocations->len; i++)
        ((Revocation *) revocations->pdata[i])->is_new = FALSE;
    return g_steal_pointer(&revocations);
}

static int compare_digests(const void *a, const void *b) {
    const Revocation *x = *(const Revocation *const *) a, *y = *(const Revocation *const *) b;
    return memcmp(x->digest, y->digest, SHA256_SIZE);
}

static char *make_list(GPtrArray *revocations) {
    GString *text = g_string_new("# Programs that the firmware shall not start any more: digest, version, "
                                 "file. Made by \"particleos revoke\".\n");
    for (guint i = 0; i < revocations->len; i++) {
        const Revocation *revocation = revocations->pdata[i];
        g_autofree char *digest = hex_encode(revocation->digest, SHA256_SIZE);
        g_string_append_printf(
                text, "%s %s %s\n", digest, revocation->version ?: UNKNOWN, revocation->name ?: UNKNOWN);
    }
    return g_string_free(text, FALSE);
}

static GBytes *make_update(GPtrArray *revocations, gint64 timestamp, const KeySource *key,
        const Certificate *certificate, GError **error) {
    g_autoptr(GByteArray) digests = g_byte_array_new();
    for (guint i = 0; i < revocations->len; i++)
        g_byte_array_append(digests, ((Revocation *) revocations->pdata[i])->digest, SHA256_SIZE);
    g_autoptr(GBytes) payload = efi_signature_list_build_sha256(
            digests->data, revocations->len, &PARTICLEOS_SIGNATURE_OWNER_GUID);
    return efi_authenticated_variable_sign(
            VARIABLE, EFI_UPDATE_APPEND, timestamp, payload, key, certificate, error);
}

static gboolean write_file(const char *path, const void *data, gsize size, GError **error) {
    return g_file_set_contents_full(path, data, size,
            G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, FILE_MODE, error);
}

gboolean revocations_save(GPtrArray *revocations, const char *path, gint64 timestamp, const KeySource *key,
        const Certificate *certificate, GError **error) {
    g_ptr_array_sort(revocations, compare_digests);
    g_autofree char *list_path = revocations_list_path(path);
    g_autofree char *directory = g_path_get_dirname(path);
    g_autofree char *list = make_list(revocations);
    g_autoptr(GBytes) update = make_update(revocations, timestamp, key, certificate, error);

    if (!update)
        return FALSE;
    if (g_mkdir_with_parents(directory, 0755) < 0)
        return set_errno_error(error, errno, "Cannot make directory %s", directory);
    return write_file(list_path, list, strlen(list), error) &&
           write_file(path, g_bytes_get_data(update, NULL), g_bytes_get_size(update), error);
}
