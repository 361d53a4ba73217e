/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include "base/directory.h"
#include "signer/policy/keys.h"
#include "signer/program/keys-private.h"
#include "signer/program/keys.h"
#include "signer/text/text.h"

static char *format_day(gint64 time) {
    g_autoptr(GDateTime) day = g_date_time_new_from_unix_utc(time);

    return day ? g_date_time_format(day, "%Y-%m-%d") : g_strdup("?");
}

static char *format_exported(const char *state, const char *owner) {
    g_autofree char *mark = keys_mark_path(state, owner);
    char *exported = NULL;

    if (g_file_get_contents(mark, &exported, NULL, NULL))
        exported[strcspn(exported, " \n")] = '\0';
    return exported;
}

static void print_key(const char *owner, const char *purpose, const char *place, const Certificate *certificate,
        const char *exported) {
    gint64 from = 0, end = 0;
    g_autofree char *until =
            certificate_get_validity(certificate, &from, &end, NULL) ? format_day(end) : g_strdup("?");

    printf("%s %s %s %s until %s%s%s\n", owner, purpose, place, certificate_get_fingerprint(certificate), until,
            exported ? ", exported " : "", exported ? exported : "");
}

static void list_key(SignerKeys *keys, const SignerPolicy *policy, const char *project, SignerPurpose purpose,
        const char *exported) {
    static const char *const places[] = {[KEY_SOURCE_KIND_FILE] = "file",
            [KEY_SOURCE_KIND_ENGINE] = "engine",
            [KEY_SOURCE_KIND_PROVIDER] = "provider"};
    const SignerKey *key = signer_policy_get_key(policy, purpose, NULL);
    g_autoptr(GError) problem = NULL;
    g_autoptr(Certificate) certificate = NULL;

    if (!key)
        return;
    certificate = signer_keys_open_certificate(keys, policy, project, purpose, &problem);
    if (!certificate) {
        printf("%s %s: %s\n", project, signer_purpose_to_string(purpose), problem->message);
        return;
    }
    print_key(project, signer_purpose_to_string(purpose), places[key->kind], certificate,
            key->kind == KEY_SOURCE_KIND_FILE ? exported : NULL);
}

static void list_project(const char *state, SignerKeys *keys, const char *policies, const char *project) {
    g_autoptr(GError) problem = NULL;
    g_autoptr(SignerPolicy) policy = signer_policy_load(policies, project, &problem);
    g_autofree char *exported = format_exported(state, project);

    if (!policy) {
        printf("%s: %s\n", project, problem->message);
        return;
    }
    for (SignerPurpose purpose = 0; purpose < SIGNER_N_PURPOSES; purpose++)
        list_key(keys, policy, project, purpose, exported);
}

/* A signer that never ran has none yet. */
static gboolean list_instance(const char *state, GError **error) {
    g_auto(KeyPlace) place = {NULL};
    g_autofree char *exported = format_exported(state, KEYS_INSTANCE);

    if (!key_place_open(state, "", KEYS_INSTANCE, &place, error))
        return FALSE;
    for (guint i = 0; i < place.keys->len; i++) {
        const KeyFiles *files = &g_array_index(place.keys, KeyFiles, i);
        g_autofree char *path = g_build_filename(place.directory, files->certificate, NULL);
        g_autoptr(Certificate) certificate = certificate_load(path, NULL);

        if (certificate)
            print_key(KEYS_INSTANCE, files->purpose, "file", certificate, exported);
    }
    return TRUE;
}

gboolean keys_list(const char *state, const char *policies, GError **error) {
    g_autofree char *directory = g_build_filename(state, "keys", NULL);
    g_autoptr(KeySession) session = key_session_new(NULL, NULL);
    g_autoptr(SignerKeys) keys = signer_keys_new(directory, session);
    g_autoptr(GPtrArray) namespaces = list_directory(policies, error);

    for (guint i = 0; namespaces && i < namespaces->len; i++) {
        g_autofree char *path = g_build_filename(policies, namespaces->pdata[i], NULL);
        g_autoptr(GPtrArray) files = list_directory_if_any(path);

        for (guint k = 0; k < files->len; k++) {
            const char *file = files->pdata[k];
            g_autofree char *name =
                    g_str_has_suffix(file, ".conf") ? g_strndup(file, strlen(file) - strlen(".conf")) : NULL;
            g_autofree char *project =
                    name ? g_strdup_printf("%s/%s", (const char *) namespaces->pdata[i], name) : NULL;

            if (project && signer_is_name(namespaces->pdata[i]) && signer_is_name(name))
                list_project(state, keys, policies, project);
        }
    }
    return namespaces && list_instance(state, error);
}
