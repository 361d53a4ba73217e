/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signing/manifest.h"

#include <openssl/x509.h>

#include "format/openpgp/openpgp.h"

#define RING_SUFFIX ".import-pubring.gpg"

typedef struct {
    Certificate *certificate;
    const char *title; /* of what is signed now */
    SigningAnswer answer;
    gpointer user;
    GPtrArray *things, *requests;
} Desk;

static GBytes *ask(gpointer user, const void *data, gsize size, GError **error) {
    Desk *desk = user;
    g_autoptr(GError) problem = NULL;
    g_autoptr(GPtrArray) certificates = g_ptr_array_new();
    SigningThing *thing = signing_thing_new(SIGNING_MANIFEST, desk->title, g_bytes_new(data, size), NULL);

    g_ptr_array_add(desk->things, thing);
    g_ptr_array_add(certificates, desk->certificate);
    GBytes *signature =
            signing_thing_complete(thing, certificates, desk->answer, desk->user, desk->requests, &problem);
    if (problem)
        g_propagate_error(error, g_steal_pointer(&problem));
    else if (!signature)
        g_set_error(error, SIGNING_ERROR, SIGNING_ERROR_MISSING, "%s is not signed yet", desk->title);
    return signature;
}

/* What could not be made because an answer is missing is asked for. */
static gboolean forgive(GBytes *made, GError *problem, GError **error) {
    if (made || g_error_matches(problem, SIGNING_ERROR, SIGNING_ERROR_MISSING)) {
        g_clear_error(&problem);
        return TRUE;
    }
    g_propagate_error(error, problem);
    return FALSE;
}

static GBytes *sign_sums(const OpenpgpKey *key, const char *path, gint64 when, GError **error) {
    g_autoptr(OpenpgpSignature) signature = openpgp_signature_new(key);
    g_autofree char *text = NULL;
    gsize size;

    if (!g_file_get_contents(path, &text, &size, error))
        return NULL;
    openpgp_signature_update(signature, text, size);
    return openpgp_signature_finish(signature, MAX(when, openpgp_key_get_created(key)), error);
}

static gboolean write_packets(const char *path, GBytes *packets, GError **error) {
    gsize size;
    const char *data = g_bytes_get_data(packets, &size);
    return g_file_set_contents_full(path, data, (gssize) size, G_FILE_SET_CONTENTS_CONSISTENT, 0644, error);
}

gboolean signing_manifest(const SigningDirectory *directory, const char *files, SigningAnswer answer, gpointer user,
        GPtrArray *things, GPtrArray *requests, GError **error) {
    Certificate *certificate = directory->finish.manifest_certificate;
    g_autofree char *sums_name = g_strconcat(directory->image, ".SHA256SUMS", NULL);
    g_autofree char *ring_name = g_strconcat(directory->image, RING_SUFFIX, NULL);
    g_autofree char *sums = g_build_filename(files, sums_name, NULL);
    g_autofree char *ring = g_build_filename(files, ring_name, NULL);
    g_autofree char *signature = g_strconcat(sums, ".gpg", NULL);
    Desk desk = {certificate, sums_name, answer, user, things, requests};
    g_autoptr(KeySource) source = key_source_new_elsewhere(X509_get0_pubkey(certificate_peek(certificate)),
            certificate_get_subject(certificate), ask, &desk);
    g_autoptr(OpenpgpKey) key = openpgp_key_new_for_certificate(source, certificate, error);
    GError *problem = NULL;

    if (!key)
        return FALSE;
    g_autoptr(GBytes) packet = sign_sums(key, sums, directory->finish.manifest_time, &problem);
    if (!forgive(packet, g_steal_pointer(&problem), error))
        return FALSE;
    desk.title = ring_name;
    g_autoptr(GBytes) packets = openpgp_key_export(key, &problem);
    if (!forgive(packets, g_steal_pointer(&problem), error))
        return FALSE;
    return !packet || !packets ||
           (write_packets(signature, packet, error) && write_packets(ring, packets, error));
}
