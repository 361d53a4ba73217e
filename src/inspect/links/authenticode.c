/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/efi/pe/authenticode.h"

#include "base/errors.h"
#include "crypto/sources/error.h"
#include "inspect/verdict/inspect-internal.h"

/* Signatures of what firmware and boot loader start. */

void inspect_node_add_signer(InspectNode *node, const Certificate *signer) {
    inspect_node_add_fact(node, "signer", certificate_get_subject(signer));
    inspect_node_add_fact(node, "fingerprint", certificate_get_fingerprint(signer));
}

gboolean inspect_has_certificate(GPtrArray *certificates, const Certificate *certificate) {
    for (guint i = 0; certificates && i < certificates->len; i++)
        if (certificate_equal(certificates->pdata[i], certificate))
            return TRUE;
    return FALSE;
}

void inspect_add_known(InspectContext *context, Certificate *certificate) {
    if (!inspect_has_certificate(context->known, certificate))
        g_ptr_array_add(context->known, certificate_ref(certificate));
}

void inspect_collect_signers(InspectContext *context, GBytes *image) {
    g_autoptr(GPtrArray) signatures =
            authenticode_parse(g_bytes_get_data(image, NULL), g_bytes_get_size(image), NULL);
    for (guint i = 0; signatures && i < signatures->len; i++) {
        const AuthenticodeSignature *signature = signatures->pdata[i];
        GPtrArray *certificates = cms_message_get_certificates(signature->message);
        for (guint j = 0; j < certificates->len; j++)
            inspect_add_known(context, certificates->pdata[j]);
    }
}

/* The signer of IMAGE: the pinned certificate, or else any certificate that firmware will know, or else
 * anybody. */
static Certificate *find_signer(InspectContext *context, GBytes *image, GError **error) {
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(image, &size);
    g_autoptr(Certificate) signer = NULL;
    if (context->options->certificate) {
        ignore_failure(authenticode_verify(data, size, context->options->certificate, &signer, error));
        return g_steal_pointer(&signer);
    }
    for (guint i = 0; context->db && i < context->db->len; i++)
        if (authenticode_verify(data, size, context->db->pdata[i], &signer, NULL))
            return g_steal_pointer(&signer);
    ignore_failure(authenticode_verify(data, size, NULL, &signer, error));
    return g_steal_pointer(&signer);
}

/* Firmware goes by any signature, and measures which one it went by; so beside the one that is expected
 * there is room for none of somebody else, and for none that is no signature. NULL: all is well. */
static char *find_odd_signature(InspectContext *context, GBytes *image) {
    const Certificate *pinned = context->options->certificate;
    g_autoptr(GPtrArray) candidates = g_ptr_array_new();
    g_autoptr(GPtrArray) signatures =
            authenticode_parse(g_bytes_get_data(image, NULL), g_bytes_get_size(image), NULL);
    if (pinned)
        g_ptr_array_add(candidates, (gpointer) pinned);
    for (guint i = 0; signatures && i < signatures->len; i++) {
        const AuthenticodeSignature *signature = signatures->pdata[i];
        g_autoptr(Certificate) signer = NULL;
        g_autoptr(GError) error = NULL;
        if (!cms_message_verify(signature->message, NULL, 0, candidates, &signer, &error))
            return g_strdup_printf("signature %u: %s", i + 1, error->message);
        if (pinned && !certificate_equal(pinned, signer))
            return g_strdup_printf("also signed by %s", certificate_get_description(signer));
    }
    return NULL;
}

void inspect_check_authenticode(InspectContext *context, InspectNode *node, const char *id,
        const char *title, GBytes *image, gboolean must_be_enrolled) {
    InspectNode *link = inspect_node_add(node, id, title);
    g_autoptr(GError) error = NULL;
    g_autoptr(Certificate) signer = find_signer(context, image, &error);
    if (!signer && !context->options->certificate &&
            g_error_matches(error, CRYPTO_ERROR, CRYPTO_ERROR_MISSING)) {
        /* An image that enrols keys wants its boot chain signed. */
        gboolean wanted = must_be_enrolled && context->db;
        inspect_node_set(link, wanted ? INSPECT_BROKEN : INSPECT_MISSING, "not signed");
        return;
    }
    if (!signer) {
        inspect_node_set_error(link, error);
        return;
    }
    inspect_node_add_signer(link, signer);
    g_autofree char *odd = find_odd_signature(context, image);
    if (odd)
        inspect_node_set(link, INSPECT_BROKEN, "%s", odd);
    else if (must_be_enrolled && context->db && !inspect_has_certificate(context->db, signer))
        inspect_node_set(link, INSPECT_BROKEN,
                "signed by %s, whose certificate is not in the db that this image enrols",
                certificate_get_description(signer));
    else
        inspect_node_set(link, INSPECT_OK, "signed by %s", certificate_get_description(signer));
}
