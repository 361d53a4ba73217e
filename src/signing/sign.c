/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signing/sign.h"

typedef struct {
    SigningDirectory *directory;
    GPtrArray *keys;
    SigningReport report;
    gpointer user;
    guint n_made;
} Signer;

static const KeySource *find_key(GPtrArray *keys, const Certificate *certificate) {
    for (guint i = 0; i < keys->len; i++)
        if (certificate_check_key(certificate, keys->pdata[i], NULL))
            return keys->pdata[i];
    return NULL;
}

/* An answer that is there and right is not made again. */
static GBytes *answer(gpointer user, const SigningRequest *request, GError **error) {
    Signer *signer = user;
    GBytes *present = signing_directory_answer(signer->directory, request, NULL);
    const KeySource *key = present ? NULL : find_key(signer->keys, request->certificate);
    gsize size;
    const void *data = g_bytes_get_data(request->bytes, &size);

    if (present || !key)
        return present;
    g_autoptr(GBytes) signature = key_source_sign(key, data, size, error);
    if (!signature || !signing_directory_put(signer->directory, request, signature, error))
        return NULL;
    /* A key whose public half is not that of its private one would not be noticed before the image starts. */
    g_autoptr(GBytes) checked = signing_directory_answer(signer->directory, request, error);
    if (!checked)
        return NULL;
    signer->n_made++;
    if (signer->report)
        signer->report(signer->user, request);
    return g_steal_pointer(&checked);
}

gboolean signing_sign(SigningDirectory *directory, GPtrArray *keys, SigningReport report, gpointer user, guint *ret_made,
        GPtrArray **ret_left, GError **error) {
    Signer signer = {directory, keys, report, user, 0};
    g_autoptr(GPtrArray) left = g_ptr_array_new_with_free_func((GDestroyNotify) signing_request_free);

    for (guint i = 0; i < directory->things->len; i++) {
        g_autoptr(GError) problem = NULL;
        g_autoptr(GBytes) done = signing_thing_complete(
                directory->things->pdata[i], directory->certificates, answer, &signer, left, &problem);
        if (!done && problem) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return FALSE;
        }
    }
    *ret_made = signer.n_made;
    *ret_left = g_steal_pointer(&left);
    return TRUE;
}
