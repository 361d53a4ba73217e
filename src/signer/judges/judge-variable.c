/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What firmware trusts from the first boot on (PK, KEK, db), and what it does not any more (dbx). */

#include <string.h>

#include "base/hex.h"
#include "base/little-endian.h"
#include "format/efi/variables/efi-authenticated-variable.h"
#include "signer/judges/judges.h"
#include "signer/text/error.h"
#include "signer/text/text.h"

#define VARIABLE_SIZE_MAX (256 * 1024)
#define REVOKED_MAX 512

/* ---- enrolment ---- */

/* "PK", "KEK", "db" of "loader/keys/auto/PK.auth"; NULL: another file. */
static const char *variable_of(const char *title) {
    static const char *const names[] = {"PK", "KEK", "db"};
    g_autofree char *base = g_path_get_basename(title);

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *file = g_strconcat(names[i], ".auth", NULL);
        if (g_str_equal(base, file))
            return names[i];
    }
    return NULL;
}

static gboolean add_own(SignerCase *this, SignerPurpose purpose, GPtrArray *certificates, GError **error) {
    if (!signer_policy_get_key(this->policy, purpose, NULL))
        return TRUE;
    Certificate *certificate =
            signer_keys_open_certificate(this->keys, this->policy, this->request->owner, purpose, error);
    if (certificate)
        g_ptr_array_add(certificates, certificate);
    return certificate != NULL;
}

/* The certificates that VARIABLE may hold. */
static GPtrArray *list_allowed(SignerCase *this, const char *variable, GError **error) {
    g_autoptr(GPtrArray) allowed = g_ptr_array_new_with_free_func((GDestroyNotify) certificate_unref);
    gboolean is_db = g_str_equal(variable, "db");
    GPtrArray *paths = is_db ? this->policy->vendors_db : this->policy->vendors_kek;

    if (!is_db && !add_own(this, SIGNER_PURPOSE_ENROLMENT, allowed, error))
        return NULL;
    if (is_db && (!add_own(this, SIGNER_PURPOSE_SECURE_BOOT, allowed, error) ||
                         !add_own(this, SIGNER_PURPOSE_VERITY, allowed, error) ||
                         !add_own(this, SIGNER_PURPOSE_IPE, allowed, error)))
        return NULL;
    if (g_str_equal(variable, "PK"))
        return g_steal_pointer(&allowed);
    GPtrArray *vendors = signer_keys_load_certificates(this->keys, this->request->owner, paths, error);
    if (!vendors)
        return NULL;
    g_ptr_array_extend_and_steal(allowed, vendors);
    return g_steal_pointer(&allowed);
}

static gboolean check_certificates(GPtrArray *certificates, GPtrArray *allowed, const char *variable, GError **error) {
    for (guint i = 0; i < certificates->len; i++) {
        gboolean known = FALSE;
        for (guint k = 0; k < allowed->len && !known; k++)
            known = certificate_equal(certificates->pdata[i], allowed->pdata[k]);
        if (!known)
            return signer_refuse(error, SIGNER_ERROR_CONTENT,
                    "%s would trust %s, which is neither of this project nor in the policy's list of "
                    "vendors",
                    variable, certificate_get_description(certificates->pdata[i]));
    }
    if (g_str_equal(variable, "PK") && certificates->len != 1)
        return signer_refuse(error, SIGNER_ERROR_CONTENT, "There is one platform key, not %u", certificates->len);
    return certificates->len > 0 || signer_refuse(error, SIGNER_ERROR_CONTENT, "%s would trust nobody", variable);
}

/* Firmware takes nothing that is older than what it has, so one from the future would be the last. */
static gboolean check_time(const SignerCase *this, const guint8 timestamp[static 16], GError **error) {
    g_autofree char *version = g_strdup_printf("%04u%02u%02u%02u%02u%02u", read_le16(timestamp), timestamp[2],
            timestamp[3], timestamp[4], timestamp[5], timestamp[6]);

    return !signer_is_far_ahead(version, this->time) ||
           signer_refuse(error, SIGNER_ERROR_CONTENT, "%s is of the future (%s)", this->thing->title, version);
}

gboolean signer_judge_enrolment(SignerCase *this, GError **error) {
    const char *variable = variable_of(this->request->title);
    g_autoptr(GError) problem = NULL;
    gsize size;

    if (!variable)
        return signer_refuse(
                error, SIGNER_ERROR_CONTENT, "%s is not PK.auth, KEK.auth or db.auth", this->request->title);
    if (!signer_case_take_thing(this, SIGNING_VARIABLE, VARIABLE_SIZE_MAX, SIGNER_PURPOSE_ENROLMENT, error))
        return FALSE;
    const guint8 *data = g_bytes_get_data(this->thing->content, &size);
    g_autoptr(EfiAuthenticatedVariable) update = efi_authenticated_variable_parse(data, size, &problem);
    g_autoptr(GPtrArray) signatures = update ? efi_signature_list_parse(g_bytes_get_data(update->payload, NULL),
                                                       g_bytes_get_size(update->payload), &problem)
                                             : NULL;
    g_autoptr(GPtrArray) certificates = signatures ? efi_signature_list_get_certificates(signatures, &problem) : NULL;
    if (!certificates)
        return signer_refuse_because(
                error, g_steal_pointer(&problem), SIGNER_ERROR_CONTENT, "%s", this->request->title);
    if (certificates->len != signatures->len)
        return signer_refuse(
                error, SIGNER_ERROR_CONTENT, "%s holds something that is no certificate", this->request->title);
    g_autoptr(GPtrArray) allowed = list_allowed(this, variable, error);
    json_object_set_string_member(this->facts, "variable", variable);
    return allowed && check_certificates(certificates, allowed, variable, error) &&
           check_time(this, update->timestamp, error);
}

/* ---- addition ---- */

/* While keys change, machines get the next certificate for db before anything is signed with its key. The request names none:
 * what is added is what the policy has. */
gboolean signer_judge_addition(SignerCase *this, GError **error) {
    g_autoptr(GPtrArray) certificates = list_allowed(this, "db", error);
    JsonArray *facts = json_array_new();

    for (guint i = 0; certificates && i < certificates->len; i++)
        json_array_add_string_element(facts, certificate_get_fingerprint(certificates->pdata[i]));
    json_object_set_array_member(this->facts, "added", facts);
    if (!certificates)
        return FALSE;
    if (certificates->len == 0)
        return signer_refuse(error, SIGNER_ERROR_POLICY, "%s has no certificate for db", this->policy->path);
    this->payload = efi_signature_list_build(certificates, &PARTICLEOS_SIGNATURE_OWNER_GUID);
    return TRUE;
}

/* ---- revocation ---- */

static int compare_strings_of(gconstpointer a, gconstpointer b) {
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* The digests of the request, sorted. */
static GPtrArray *read_digests(const SignerCase *this, GError **error) {
    JsonArray *array = signer_request_get_array(this->request, "digests");
    g_autoptr(GPtrArray) digests = g_ptr_array_new();
    guint n = json_array_get_length(array);

    if (n == 0 || n > REVOKED_MAX) {
        signer_refuse(error, SIGNER_ERROR_MALFORMED, "1 to %d programs can be revoked at once", REVOKED_MAX);
        return NULL;
    }
    for (guint i = 0; i < n; i++) {
        JsonNode *node = json_array_get_element(array, i);
        const char *digest = json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node) : NULL;
        if (!signer_is_digest(digest)) {
            signer_refuse(error, SIGNER_ERROR_MALFORMED, "Digest %u is no SHA-256 in lower-case hexadecimal", i + 1);
            return NULL;
        }
        g_ptr_array_add(digests, (char *) digest);
    }
    g_ptr_array_sort(digests, compare_strings_of);
    for (guint i = 1; i < n; i++)
        if (g_str_equal(digests->pdata[i - 1], digests->pdata[i])) {
            signer_refuse(
                    error, SIGNER_ERROR_MALFORMED, "The digest %s is there twice", (const char *) digests->pdata[i]);
            return NULL;
        }
    return g_steal_pointer(&digests);
}

gboolean signer_judge_revocation(SignerCase *this, GError **error) {
    g_autoptr(GPtrArray) digests = read_digests(this, error);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    JsonArray *facts = json_array_new();

    for (guint i = 0; digests && i < digests->len; i++) {
        g_autoptr(GBytes) digest = hex_decode(digests->pdata[i], -1);
        g_byte_array_append(bytes, g_bytes_get_data(digest, NULL), (guint) g_bytes_get_size(digest));
        json_array_add_string_element(facts, digests->pdata[i]);
    }
    json_object_set_array_member(this->facts, "revoked", facts);
    if (!digests)
        return FALSE;
    this->payload = efi_signature_list_build_sha256(bytes->data, digests->len, &PARTICLEOS_SIGNATURE_OWNER_GUID);
    return TRUE;
}

gboolean signer_compare_revocation(SignerCase *this, const SignerIndex *index, GError **error) {
    JsonArray *digests = json_object_get_array_member(this->facts, "revoked");

    for (guint i = 0; i < json_array_get_length(digests); i++) {
        const char *digest = json_array_get_string_element(digests, i);
        const char *version = signer_index_find_program(index, this->request->owner, digest);
        if (!version)
            return signer_refuse(error, SIGNER_ERROR_CONTENT, "%s is no program that was signed for %s", digest,
                    this->request->owner);
        if (strcmp(version, this->request->version) >= 0)
            return signer_refuse(error, SIGNER_ERROR_VERSION,
                    "%s is of version %s, which is not older than %s: devices would have nothing to start", digest,
                    version, this->request->version);
    }
    return TRUE;
}

/* Signs with the key of a case, and writes the signature down. */
typedef struct {
    SignerCase *this;
    SignerPair pair;
} Desk;

static GBytes *sign(gpointer user, const void *data, gsize size, GError **error) {
    Desk *desk = user;
    g_autoptr(GBytes) bytes = g_bytes_new(data, size);
    return signer_case_sign_bytes(desk->this, &desk->pair, SIGNER_PURPOSE_ENROLMENT,
            signer_type_to_string(desk->this->request->type), bytes, error);
}

gboolean signer_sign_update(SignerCase *this, GError **error) {
    gboolean adds = this->request->type == SIGNER_ADDITION;
    Desk desk = {.this = this};
    g_autoptr(GBytes) update = NULL;

    if (signer_keys_open(this->keys, this->policy, this->request->owner, SIGNER_PURPOSE_ENROLMENT, &desk.pair, error)) {
        g_autoptr(KeySource) key = key_source_new_elsewhere(key_source_peek(desk.pair.key), "enrolment", sign, &desk);
        update = efi_authenticated_variable_sign(
                adds ? "db" : "dbx", EFI_UPDATE_APPEND, this->time, this->payload, key, desk.pair.certificate, error);
    }
    signer_pair_clear(&desk.pair);
    if (update)
        signer_case_answer(this, signer_type_to_string(this->request->type), update);
    return update != NULL;
}
