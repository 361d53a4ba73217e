/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/verity/signature/verity-signature.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "base/hex.h"
#include "crypto/cms/cms.h"
#include "crypto/sources/error.h"

#define ROOT_HASH_SIZE_MAX 64

GBytes *verity_signature_sign(const guint8 *root_hash, gsize root_hash_size, const KeySource *key,
        const Certificate *certificate, GError **error) {
    g_autofree char *text = hex_encode(root_hash, root_hash_size);
    GBytes *signature = cms_sign_detached(key, certificate, text, strlen(text), 0, error);
    if (!signature)
        g_prefix_error(error, "Cannot sign the verity root hash %s: ", text);
    return signature;
}

GBytes *verity_signature_partition_build(const guint8 *root_hash, gsize root_hash_size, GBytes *signature,
        const Certificate *certificate, GError **error) {
    g_autofree char *hash = hex_encode(root_hash, root_hash_size);
    g_autofree char *base64 =
            g_base64_encode(g_bytes_get_data(signature, NULL), g_bytes_get_size(signature));
    /* None of the values needs escaping. */
    g_autofree char *json =
            g_strdup_printf("{\"rootHash\":\"%s\",\"certificateFingerprint\":\"%s\",\"signature\":\"%s\"}\n",
                    hash, certificate_get_fingerprint(certificate), base64);
    gsize size = strlen(json);
    if (size > VERITY_SIGNATURE_PARTITION_SIZE) {
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_UNSUPPORTED,
                "A verity signature of %" G_GSIZE_FORMAT " bytes does not fit into its partition of %u",
                size, VERITY_SIGNATURE_PARTITION_SIZE);
        return NULL;
    }
    guint8 *partition = g_malloc0(VERITY_SIGNATURE_PARTITION_SIZE);
    memcpy(partition, json, size);
    return g_bytes_new_take(partition, VERITY_SIGNATURE_PARTITION_SIZE);
}

static gboolean set_malformed(GError **error, const char *what) {
    g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED, "Damaged verity signature: %s", what);
    return FALSE;
}

/* The text in front of the zeros that fill the partition, and nothing but zeros behind it. */
static gboolean get_text_size(const char *data, gsize size, gsize *ret_size, GError **error) {
    const char *end = memchr(data, '\0', size);
    gsize text_size = end ? (gsize) (end - data) : size;
    for (gsize i = text_size; i < size; i++)
        if (data[i] != '\0')
            return set_malformed(error, "data after the JSON text");
    *ret_size = text_size;
    return TRUE;
}

static const char *get_string(JsonObject *object, const char *name) {
    JsonNode *node = json_object_get_member(object, name);
    return node && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node) : NULL;
}

static gboolean read_object(VeritySignature *signature, JsonObject *object, GError **error) {
    static const char *const known[] = {"rootHash", "signature", "certificateFingerprint", NULL};
    g_autoptr(GList) names = json_object_get_members(object);
    for (const GList *name = names; name; name = name->next)
        if (!g_strv_contains(known, name->data))
            return set_malformed(error, "a field that nobody knows");
    const char *root_hash = get_string(object, "rootHash");
    const char *base64 = get_string(object, "signature");
    const char *fingerprint = get_string(object, "certificateFingerprint");
    signature->root_hash = root_hash ? hex_decode(root_hash, -1) : NULL;
    if (!signature->root_hash || g_bytes_get_size(signature->root_hash) == 0 ||
            g_bytes_get_size(signature->root_hash) > ROOT_HASH_SIZE_MAX)
        return set_malformed(error, "no root hash");

    gsize size = 0;
    guint8 *der = base64 ? g_base64_decode(base64, &size) : NULL;
    signature->signature = der ? g_bytes_new_take(der, size) : NULL;
    if (size == 0)
        return set_malformed(error, "no signature");
    /* Some writers put colons between the bytes. */
    if (fingerprint) {
        g_auto(GStrv) parts = g_strsplit(fingerprint, ":", -1);
        g_autofree char *joined = g_strjoinv("", parts);
        signature->fingerprint = g_ascii_strdown(joined, -1);
    }
    return TRUE;
}

VeritySignature *verity_signature_parse(const void *data, gsize size, GError **error) {
    gsize text_size = 0;
    if (!get_text_size(data, size, &text_size, error))
        return NULL;
    if (text_size == 0 || text_size > G_MAXINT || !g_utf8_validate(data, text_size, NULL)) {
        set_malformed(error, "it is empty or not text");
        return NULL;
    }
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    if (!json_parser_load_from_data(parser, data, (gssize) text_size, error)) {
        g_prefix_error(error, "Damaged verity signature: ");
        return NULL;
    }
    JsonNode *root = json_parser_get_root(parser);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
        set_malformed(error, "not a JSON object");
        return NULL;
    }
    g_autoptr(VeritySignature) signature = g_new0(VeritySignature, 1);
    if (!read_object(signature, json_node_get_object(root), error))
        return NULL;
    return g_steal_pointer(&signature);
}

void verity_signature_free(VeritySignature *signature) {
    if (!signature)
        return;
    g_bytes_unref(signature->root_hash);
    g_bytes_unref(signature->signature);
    g_free(signature->fingerprint);
    g_free(signature);
}

gboolean verity_signature_verify(
        const VeritySignature *signature, GPtrArray *candidates, Certificate **ret_signer, GError **error) {
    g_autofree char *text =
            hex_encode(g_bytes_get_data(signature->root_hash, NULL), g_bytes_get_size(signature->root_hash));
    g_autoptr(CmsMessage) message = cms_message_parse(g_bytes_get_data(signature->signature, NULL),
            g_bytes_get_size(signature->signature), FALSE, error);
    if (!message || !cms_message_verify(message, text, strlen(text), candidates, ret_signer, error)) {
        g_prefix_error(error, "Verity root hash %s: ", text);
        return FALSE;
    }
    return TRUE;
}

GBytes *verity_signature_complete(
        GBytes *partition, const KeySource *key, const Certificate *certificate, GError **error) {
    g_autoptr(VeritySignature) old =
            verity_signature_parse(g_bytes_get_data(partition, NULL), g_bytes_get_size(partition), error);
    g_autoptr(CmsMessage) message = old ? cms_message_parse(g_bytes_get_data(old->signature, NULL),
                                                  g_bytes_get_size(old->signature), FALSE, error)
                                        : NULL;
    gsize size;

    if (!message || !cms_message_is_pending(message) || !cms_message_is_by(message, certificate))
        return NULL;
    const guint8 *root_hash = g_bytes_get_data(old->root_hash, &size);
    g_autoptr(GBytes) signature = verity_signature_sign(root_hash, size, key, certificate, error);
    return signature ? verity_signature_partition_build(root_hash, size, signature, certificate, error) : NULL;
}
