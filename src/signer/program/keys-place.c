/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "signer/program/keys-private.h"
#include "signer/text/error.h"

/* Those of the instance, which no policy names: policy/instance.h. */
static const KeyFiles instance_keys[] = {
        {"log", "log.key", "log.crt"},
        {"provenance", "provenance.key", "provenance.crt"},
};

void key_place_clear(KeyPlace *place) {
    g_clear_pointer(&place->directory, g_free);
    g_clear_pointer(&place->policy, signer_policy_free);
    g_clear_pointer(&place->keys, g_array_unref);
}

char *keys_directory(const char *state, const char *owner) {
    return g_str_equal(owner, KEYS_INSTANCE) ? g_build_filename(state, "instance", NULL)
                                             : g_build_filename(state, "keys", owner, NULL);
}

char *keys_mark_path(const char *state, const char *owner) {
    g_autofree char *directory = keys_directory(state, owner);

    return g_build_filename(directory, "exported", NULL);
}

/* Whether KEY is in files of the project's own directory. */
static gboolean is_own_file(const SignerKey *key) {
    return key->key && key->kind == KEY_SOURCE_KIND_FILE && !strchr(key->key, '/') && !strchr(key->certificate, '/') &&
           key->key[0] != '.' && key->certificate[0] != '.';
}

gboolean key_place_open(
        const char *state, const char *policies, const char *owner, KeyPlace *ret, GError **error) {
    g_auto(KeyPlace) place = {
            .owner = owner,
            .directory = keys_directory(state, owner),
            .keys = g_array_new(FALSE, FALSE, sizeof(KeyFiles)),
    };

    if (g_str_equal(owner, KEYS_INSTANCE)) {
        g_array_append_vals(place.keys, instance_keys, G_N_ELEMENTS(instance_keys));
    } else {
        if (!(place.policy = signer_policy_load(policies, owner, error)))
            return FALSE;
        for (SignerPurpose purpose = 0; purpose < SIGNER_N_PURPOSES; purpose++) {
            const SignerKey *key = &place.policy->keys[purpose];
            const KeyFiles files = {signer_purpose_to_string(purpose), key->key, key->certificate};

            if (is_own_file(key))
                g_array_append_val(place.keys, files);
        }
    }
    *ret = place;
    place = (KeyPlace){NULL};
    return TRUE;
}

const KeyFiles *key_place_find(const KeyPlace *place, const char *purpose) {
    for (guint i = 0; i < place->keys->len; i++) {
        const KeyFiles *files = &g_array_index(place->keys, KeyFiles, i);

        if (g_str_equal(files->purpose, purpose))
            return files;
    }
    return NULL;
}
