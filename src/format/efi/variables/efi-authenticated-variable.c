/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/efi/variables/efi-authenticated-variable.h"

#include <string.h>

#include "base/little-endian.h"
#include "crypto/sources/error.h"

#define EFI_TIME_SIZE 16
#define WIN_CERTIFICATE_UEFI_GUID_SIZE 24 /* length, revision, type, GUID of the kind */
#define WIN_CERT_REVISION_2_0 0x0200u
#define WIN_CERT_TYPE_EFI_GUID 0x0ef1u

/* 8be4df61-93ca-11d2-aa0d-00e098032b8c */
const EfiGuid EFI_GLOBAL_VARIABLE_GUID = {
        {0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c}};

/* d719b2cb-3d3a-4596-a3bc-dad00e67656f */
const EfiGuid EFI_IMAGE_SECURITY_DATABASE_GUID = {
        {0xcb, 0xb2, 0x19, 0xd7, 0x3a, 0x3d, 0x96, 0x45, 0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f}};

/* 4aafd29d-68df-49ee-8aa9-347d375665a7 */
static const EfiGuid EFI_CERT_TYPE_PKCS7_GUID = {
        {0x9d, 0xd2, 0xaf, 0x4a, 0xdf, 0x68, 0xee, 0x49, 0x8a, 0xa9, 0x34, 0x7d, 0x37, 0x56, 0x65, 0xa7}};

const EfiGuid *efi_key_variable_get_vendor(const char *name) {
    if (strcmp(name, "PK") == 0 || strcmp(name, "KEK") == 0)
        return &EFI_GLOBAL_VARIABLE_GUID;
    if (strcmp(name, "db") == 0 || strcmp(name, "dbx") == 0)
        return &EFI_IMAGE_SECURITY_DATABASE_GUID;
    return NULL;
}

/* EFI_TIME of an authenticated variable: whole seconds in UTC, everything else zero. */
static gboolean make_time(gint64 timestamp, guint8 ret_time[static EFI_TIME_SIZE], GError **error) {
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(timestamp);
    int year = utc ? g_date_time_get_year(utc) : 0;
    if (year < 1900 || year > 9999) {
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_UNSUPPORTED,
                "The time %" G_GINT64_FORMAT " is outside of what UEFI variables can be dated with",
                timestamp);
        return FALSE;
    }
    memset(ret_time, 0, EFI_TIME_SIZE);
    ret_time[0] = (guint8) (year & 0xff);
    ret_time[1] = (guint8) (year >> 8);
    ret_time[2] = (guint8) g_date_time_get_month(utc);
    ret_time[3] = (guint8) g_date_time_get_day_of_month(utc);
    ret_time[4] = (guint8) g_date_time_get_hour(utc);
    ret_time[5] = (guint8) g_date_time_get_minute(utc);
    ret_time[6] = (guint8) g_date_time_get_second(utc);
    return TRUE;
}

/* What is signed: name in UTF-16 without terminator, vendor, attributes, time, new content. NULL for a
 * variable that is not one of the key databases. */
static GByteArray *make_signed_content(const char *name, EfiUpdate kind,
        const guint8 time[static EFI_TIME_SIZE], GBytes *payload, GError **error) {
    const EfiGuid *vendor = efi_key_variable_get_vendor(name);
    if (!vendor) {
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_UNSUPPORTED,
                "'%s' is not a Secure Boot variable (PK, KEK, db, dbx)", name);
        return NULL;
    }
    GByteArray *content = g_byte_array_new();
    for (const char *c = name; *c; c++)
        append_le16(content, (guint8) *c);
    g_byte_array_append(content, vendor->bytes, sizeof vendor->bytes);
    append_le32(content,
            EFI_VARIABLE_KEY_ATTRIBUTES | (kind == EFI_UPDATE_APPEND ? EFI_VARIABLE_APPEND_WRITE : 0));
    g_byte_array_append(content, time, EFI_TIME_SIZE);
    g_byte_array_append(content, g_bytes_get_data(payload, NULL), g_bytes_get_size(payload));
    return content;
}

/* The update of PAYLOAD at TIME that CONTENT, what is signed, belongs to. */
static GBytes *sign_update(const char *name, const guint8 time[static EFI_TIME_SIZE],
        const GByteArray *content, GBytes *payload, const KeySource *key, const Certificate *certificate,
        GError **error) {
    g_autoptr(GBytes) signature = cms_sign_detached(
            key, certificate, content->data, content->len, CMS_INCLUDE_CERTIFICATE | CMS_BARE, error);
    if (!signature) {
        g_prefix_error(error, "Cannot sign the UEFI variable %s: ", name);
        return NULL;
    }

    GByteArray *update = g_byte_array_new();
    g_byte_array_append(update, time, EFI_TIME_SIZE);
    append_le32(update, (guint32) (WIN_CERTIFICATE_UEFI_GUID_SIZE + g_bytes_get_size(signature)));
    append_le16(update, WIN_CERT_REVISION_2_0);
    append_le16(update, WIN_CERT_TYPE_EFI_GUID);
    g_byte_array_append(update, EFI_CERT_TYPE_PKCS7_GUID.bytes, sizeof(EfiGuid));
    g_byte_array_append(update, g_bytes_get_data(signature, NULL), g_bytes_get_size(signature));
    g_byte_array_append(update, g_bytes_get_data(payload, NULL), g_bytes_get_size(payload));
    return g_byte_array_free_to_bytes(update);
}

GBytes *efi_authenticated_variable_sign(const char *name, EfiUpdate kind, gint64 timestamp, GBytes *payload,
        const KeySource *key, const Certificate *certificate, GError **error) {
    guint8 time[EFI_TIME_SIZE];
    if (!make_time(timestamp, time, error))
        return NULL;
    g_autoptr(GByteArray) content = make_signed_content(name, kind, time, payload, error);
    return content ? sign_update(name, time, content, payload, key, certificate, error) : NULL;
}

GBytes *efi_authenticated_variable_complete(const char *name, GBytes *update, const KeySource *key,
        const Certificate *certificate, GError **error) {
    g_autoptr(EfiAuthenticatedVariable) variable =
            efi_authenticated_variable_parse(g_bytes_get_data(update, NULL), g_bytes_get_size(update), error);
    if (!variable || !cms_message_is_pending(variable->message) ||
            !cms_message_is_by(variable->message, certificate))
        return NULL;
    g_autoptr(GByteArray) content =
            make_signed_content(name, EFI_UPDATE_REPLACE, variable->timestamp, variable->payload, error);
    return content ? sign_update(name, variable->timestamp, content, variable->payload, key, certificate, error)
                   : NULL;
}

GBytes *efi_enrolment_variable_build(const char *name, gint64 timestamp, GPtrArray *certificates,
        const KeySource *key, const Certificate *certificate, GError **error) {
    g_autoptr(GBytes) lists = efi_signature_list_build(certificates, &PARTICLEOS_SIGNATURE_OWNER_GUID);
    return efi_authenticated_variable_sign(
            name, EFI_UPDATE_REPLACE, timestamp, lists, key, certificate, error);
}

static EfiAuthenticatedVariable *set_malformed(GError **error, const char *what) {
    g_set_error(
            error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED, "Damaged authenticated UEFI variable: %s", what);
    return NULL;
}

EfiAuthenticatedVariable *efi_authenticated_variable_parse(const void *data, gsize size, GError **error) {
    const guint8 *bytes = data;
    if (size < EFI_TIME_SIZE + WIN_CERTIFICATE_UEFI_GUID_SIZE)
        return set_malformed(error, "it is too short");
    const guint8 *certificate = bytes + EFI_TIME_SIZE;
    gsize length = read_le32(certificate);
    if (length < WIN_CERTIFICATE_UEFI_GUID_SIZE || length > size - EFI_TIME_SIZE)
        return set_malformed(error, "the size of its signature is wrong");
    if (read_le16(certificate + 6) != WIN_CERT_TYPE_EFI_GUID ||
            memcmp(certificate + 8, EFI_CERT_TYPE_PKCS7_GUID.bytes, sizeof(EfiGuid)) != 0)
        return set_malformed(error, "its signature is not PKCS#7");

    g_autoptr(CmsMessage) message = cms_message_parse(certificate + WIN_CERTIFICATE_UEFI_GUID_SIZE,
            length - WIN_CERTIFICATE_UEFI_GUID_SIZE, FALSE, error);
    if (!message) {
        g_prefix_error(error, "Damaged authenticated UEFI variable: ");
        return NULL;
    }
    EfiAuthenticatedVariable *variable = g_new0(EfiAuthenticatedVariable, 1);
    memcpy(variable->timestamp, bytes, EFI_TIME_SIZE);
    variable->message = g_steal_pointer(&message);
    variable->payload = g_bytes_new(bytes + EFI_TIME_SIZE + length, size - EFI_TIME_SIZE - length);
    return variable;
}

void efi_authenticated_variable_free(EfiAuthenticatedVariable *variable) {
    if (!variable)
        return;
    cms_message_free(variable->message);
    g_bytes_unref(variable->payload);
    g_free(variable);
}

gboolean efi_authenticated_variable_verify(const EfiAuthenticatedVariable *variable, const char *name,
        EfiUpdate kind, Certificate **ret_signer, GError **error) {
    g_autoptr(GByteArray) content =
            make_signed_content(name, kind, variable->timestamp, variable->payload, error);
    return content &&
           cms_message_verify(variable->message, content->data, content->len, NULL, ret_signer, error);
}
