/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/efi/variables/efi-signature-list.h"

#include <string.h>

#include "base/little-endian.h"
#include "base/sha256.h"
#include "crypto/sources/error.h"

#define LIST_HEADER_SIZE 28 /* type, list size, header size, entry size */

/* a5c059a1-94e4-4aa7-87b5-ab155c2bf072 */
const EfiGuid EFI_CERT_X509_GUID = {
        {0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a, 0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72}};

/* c1c41626-504c-4092-aca9-41f936934328 */
const EfiGuid EFI_CERT_SHA256_GUID = {
        {0x26, 0x16, 0xc4, 0xc1, 0x4c, 0x50, 0x92, 0x40, 0xac, 0xa9, 0x41, 0xf9, 0x36, 0x93, 0x43, 0x28}};

/* 5a1e70d5-0c5c-4a7b-9d3e-6c1f2b0f8e41, made for this program */
const EfiGuid PARTICLEOS_SIGNATURE_OWNER_GUID = {
        {0xd5, 0x70, 0x1e, 0x5a, 0x5c, 0x0c, 0x7b, 0x4a, 0x9d, 0x3e, 0x6c, 0x1f, 0x2b, 0x0f, 0x8e, 0x41}};

gboolean efi_guid_equal(const EfiGuid *a, const EfiGuid *b) {
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

char *efi_guid_to_string(const EfiGuid *guid) {
    const guint8 *b = guid->bytes;
    return g_strdup_printf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[3],
            b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static void append_header(GByteArray *lists, const EfiGuid *type, gsize n, gsize data_size) {
    guint32 entry_size = (guint32) (sizeof(EfiGuid) + data_size);
    g_byte_array_append(lists, type->bytes, sizeof(EfiGuid));
    append_le32(lists, (guint32) (LIST_HEADER_SIZE + n * entry_size));
    append_le32(lists, 0);
    append_le32(lists, entry_size);
}

GBytes *efi_signature_list_build_sha256(const guint8 *digests, gsize n, const EfiGuid *owner) {
    GByteArray *list = g_byte_array_new();
    append_header(list, &EFI_CERT_SHA256_GUID, n, SHA256_SIZE);
    for (gsize i = 0; i < n; i++) {
        g_byte_array_append(list, owner->bytes, sizeof(EfiGuid));
        g_byte_array_append(list, digests + i * SHA256_SIZE, SHA256_SIZE);
    }
    return g_byte_array_free_to_bytes(list);
}

GBytes *efi_signature_list_build(GPtrArray *certificates, const EfiGuid *owner) {
    GByteArray *lists = g_byte_array_new();
    for (guint i = 0; i < certificates->len; i++) {
        gsize size = 0;
        const guint8 *der = g_bytes_get_data(certificate_get_der(certificates->pdata[i]), &size);
        append_header(lists, &EFI_CERT_X509_GUID, 1, size);
        g_byte_array_append(lists, owner->bytes, sizeof(EfiGuid));
        g_byte_array_append(lists, der, size);
    }
    return g_byte_array_free_to_bytes(lists);
}

void efi_signature_free(EfiSignature *signature) {
    if (!signature)
        return;
    g_bytes_unref(signature->data);
    g_free(signature);
}

static gboolean set_malformed(GError **error, const char *what, gsize offset) {
    g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED,
            "Damaged EFI signature list at byte %" G_GSIZE_FORMAT ": %s", offset, what);
    return FALSE;
}

/* Reads the list at LIST, of which LEFT bytes are there, and says how long it is. */
static gboolean parse_list(const guint8 *list, gsize left, gsize offset, GPtrArray *signatures,
        gsize *ret_size, GError **error) {
    if (left < LIST_HEADER_SIZE)
        return set_malformed(error, "it is cut off", offset);
    gsize list_size = read_le32(list + 16);
    gsize header_size = read_le32(list + 20);
    gsize entry_size = read_le32(list + 24);
    if (list_size < LIST_HEADER_SIZE || list_size > left || header_size > list_size - LIST_HEADER_SIZE)
        return set_malformed(error, "its size is wrong", offset);
    gsize entries_size = list_size - LIST_HEADER_SIZE - header_size;
    if (entry_size <= sizeof(EfiGuid) || entries_size % entry_size != 0)
        return set_malformed(error, "the size of its entries is wrong", offset);

    const guint8 *entries = list + LIST_HEADER_SIZE + header_size;
    for (gsize done = 0; done < entries_size; done += entry_size) {
        EfiSignature *signature = g_new0(EfiSignature, 1);
        memcpy(signature->type.bytes, list, sizeof(EfiGuid));
        memcpy(signature->owner.bytes, entries + done, sizeof(EfiGuid));
        signature->data = g_bytes_new(entries + done + sizeof(EfiGuid), entry_size - sizeof(EfiGuid));
        g_ptr_array_add(signatures, signature);
    }
    *ret_size = list_size;
    return TRUE;
}

GPtrArray *efi_signature_list_parse(const void *data, gsize size, GError **error) {
    g_autoptr(GPtrArray) signatures = g_ptr_array_new_with_free_func((GDestroyNotify) efi_signature_free);
    for (gsize done = 0, step = 0; done < size; done += step)
        if (!parse_list((const guint8 *) data + done, size - done, done, signatures, &step, error))
            return NULL;
    return g_steal_pointer(&signatures);
}

GPtrArray *efi_signature_list_get_certificates(GPtrArray *signatures, GError **error) {
    g_autoptr(GPtrArray) certificates = g_ptr_array_new_with_free_func((GDestroyNotify) certificate_unref);
    for (guint i = 0; i < signatures->len; i++) {
        const EfiSignature *signature = signatures->pdata[i];
        if (!efi_guid_equal(&signature->type, &EFI_CERT_X509_GUID))
            continue;
        Certificate *certificate = certificate_new(
                g_bytes_get_data(signature->data, NULL), g_bytes_get_size(signature->data), error);
        if (!certificate) {
            g_prefix_error(error, "Entry %u of an EFI signature list: ", i + 1);
            return NULL;
        }
        g_ptr_array_add(certificates, certificate);
    }
    return g_steal_pointer(&certificates);
}
