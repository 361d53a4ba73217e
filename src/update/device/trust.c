/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "update/device/trust.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/hex.h"
#include "crypto/cms/cms.h"
#include "events/events.h"
#include "format/efi/variables/efi-signature-list.h"
#include "update/transfer/error.h"

#define DB_VARIABLE "/sys/firmware/efi/efivars/db-d719b2cb-3d3a-4596-a3bc-dad00e67656f"
#define ATTRIBUTES_SIZE 4
#define LARGEST (64u * 1024)

static void append(GPtrArray *to, GPtrArray *from) {
    for (guint i = 0; from && i < from->len; i++)
        g_ptr_array_add(to, certificate_ref(from->pdata[i]));
}

static void unref_certificate(gpointer certificate) {
    certificate_unref(certificate);
}

/* The firmware's db; one that cannot be read names nobody. */
static void load_db(const Machine *machine, GPtrArray *certificates) {
    g_autofree char *path = machine_path(machine, DB_VARIABLE);
    g_autofree char *text = NULL;
    gsize size = 0;

    if (!g_file_get_contents(path, &text, &size, NULL) || size < ATTRIBUTES_SIZE)
        return;
    g_autoptr(GPtrArray) lists = efi_signature_list_parse(text + ATTRIBUTES_SIZE, size - ATTRIBUTES_SIZE, NULL);
    g_autoptr(GPtrArray) found = lists ? efi_signature_list_get_certificates(lists, NULL) : NULL;
    append(certificates, found);
}

GPtrArray *trust_load(const Machine *machine, GError **error) {
    static const char *const places[] = {
            "/etc/verity.d", "/run/verity.d", "/usr/local/lib/verity.d", "/usr/lib/verity.d"};
    g_autoptr(GPtrArray) certificates = g_ptr_array_new_with_free_func(unref_certificate);

    for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *path = machine_path(machine, places[i]);
        g_autoptr(GPtrArray) found = certificate_load_directory(path, error);
        if (!found)
            return NULL;
        append(certificates, found);
    }
    load_db(machine, certificates);
    return g_steal_pointer(&certificates);
}

/* ---- the partition: a JSON object of strings ---- */

static gboolean fail(GError **error, const char *what) {
    return update_fail(error, UPDATE_ERROR_UNTRUSTED, "The signature of the root hash: %s", what);
}

static void skip_blanks(const char **at) {
    *at += strspn(*at, " \t\r\n");
}

/* A string without escapes; what it says is in Base64 or hexadecimal. */
static char *take_string(const char **at) {
    const char *end;

    skip_blanks(at);
    if (**at != '"' || !(end = strchr(*at + 1, '"')) || memchr(*at + 1, '\\', end - *at - 1))
        return NULL;
    char *text = g_strndup(*at + 1, end - *at - 1);
    *at = end + 1;
    return text;
}

static gboolean take_sign(const char **at, char sign) {
    skip_blanks(at);
    if (**at != sign)
        return FALSE;
    ++*at;
    return TRUE;
}

static gboolean take_member(TrustSignature *signature, gboolean *has_hash, const char *name, const char *value) {
    if (g_str_equal(name, "rootHash")) {
        g_autoptr(GBytes) hash = strlen(value) == 2 * VERITY_DIGEST_SIZE ? hex_decode(value, -1) : NULL;
        if (!hash || *has_hash)
            return FALSE;
        memcpy(signature->root_hash, g_bytes_get_data(hash, NULL), VERITY_DIGEST_SIZE);
        return *has_hash = TRUE;
    }
    if (g_str_equal(name, "signature")) {
        gsize size = 0;
        guchar *der = signature->signature ? NULL : g_base64_decode(value, &size);
        if (der)
            signature->signature = g_bytes_new_take(der, size);
        return der && size > 0;
    }
    return g_str_equal(name, "certificateFingerprint");
}

static gboolean parse_object(TrustSignature *signature, const char *text, GError **error) {
    gboolean has_hash = FALSE, more = TRUE;

    if (!take_sign(&text, '{'))
        return fail(error, "no JSON object");
    while (more) {
        g_autofree char *name = take_string(&text);
        g_autofree char *value = name && take_sign(&text, ':') ? take_string(&text) : NULL;
        if (!value || !take_member(signature, &has_hash, name, value))
            return fail(error, "a member that is unknown, there twice, or malformed");
        more = take_sign(&text, ',');
    }
    if (!take_sign(&text, '}') || !has_hash || !signature->signature)
        return fail(error, "rootHash or signature is missing");
    skip_blanks(&text);
    return *text == '\0' || fail(error, "something comes behind it");
}

gboolean trust_signature_parse(const void *data, gsize size, TrustSignature *ret, GError **error) {
    g_auto(TrustSignature) signature = {.signature = NULL};
    const char *end = size > 0 ? memchr(data, '\0', size) : NULL;
    gsize length = end ? (gsize) (end - (const char *) data) : size;

    for (gsize i = length; i < size; i++)
        if (((const char *) data)[i] != '\0')
            return fail(error, "something comes behind it");
    if (length == 0 || length > LARGEST)
        return fail(error, "empty, or too long");
    g_autofree char *text = g_strndup(data, length);
    if (!parse_object(&signature, text, error))
        return FALSE;
    *ret = signature;
    signature.signature = NULL;
    return TRUE;
}

void trust_signature_clear(TrustSignature *signature) {
    g_clear_pointer(&signature->signature, g_bytes_unref);
}

/* SIGNER is CANDIDATE, or was issued by it. */
static gboolean is_trusted(const Certificate *signer, const Certificate *candidate) {
    X509 *one = certificate_peek(signer), *other = certificate_peek(candidate);
    gboolean issued = X509_check_issued(other, one) == X509_V_OK && X509_check_ca(other) > 0 &&
                      X509_verify(one, X509_get0_pubkey(other)) == 1;

    ERR_clear_error();
    return certificate_equal(signer, candidate) || issued;
}

gboolean trust_check(const TrustSignature *signature, const GPtrArray *certificates, GError **error) {
    g_autofree char *text = hex_encode(signature->root_hash, VERITY_DIGEST_SIZE);
    g_autoptr(Certificate) signer = NULL;
    g_autoptr(GError) failure = NULL;

    if (certificates->len == 0) {
        events_debug("Nobody on this device names a certificate for volumes: only the manifest's signature counts");
        return TRUE;
    }
    g_autoptr(CmsMessage) message = cms_message_parse(
            g_bytes_get_data(signature->signature, NULL), g_bytes_get_size(signature->signature), FALSE, &failure);
    if (!message || !cms_message_verify(message, text, strlen(text), (GPtrArray *) certificates, &signer, &failure))
        return update_fail(error, UPDATE_ERROR_UNTRUSTED,
                "The root hash %s is not signed by a key that this device trusts: %s", text, failure->message);
    for (guint i = 0; i < certificates->len; i++)
        if (is_trusted(signer, certificates->pdata[i]))
            return TRUE;
    return update_fail(error, UPDATE_ERROR_UNTRUSTED,
            "The root hash %s is signed by %s, which this device does not trust", text,
            certificate_get_description(signer));
}
