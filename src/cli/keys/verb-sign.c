/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include "pipeline/keys/key-prompt.h"
#include "cli/keys/signing-argument.h"
#include "cli/verbs.h"
#include "crypto/keys/key-session.h"
#include "signing/sign.h"
#include "ui/ask.h"

/* A key that a setting names; the same one is opened once. */
static gboolean open_key(KeySession *session, GPtrArray *keys, const char *setting, const RecipeKeySource *source,
        const char *locator, GError **error) {
    if (!locator)
        return TRUE;
    KeySource *key = key_session_open(session, source ? (KeySourceKind) source->type : KEY_SOURCE_KIND_FILE,
            source ? source->source : NULL, locator, error);
    if (!key) {
        g_prefix_error(error, "%s=: ", setting);
        return FALSE;
    }
    g_ptr_array_add(keys, key);
    return TRUE;
}

static gboolean open_keys(KeySession *session, const ImageConfig *config, GPtrArray *keys, GError **error) {
    return open_key(session, keys, "Key", NULL, config->key, error) &&
           open_key(session, keys, "SecureBootKey", &config->secure_boot_key_source, config->secure_boot_key, error) &&
           open_key(session, keys, "VerityKey", &config->verity_key_source, config->verity_key, error) &&
           open_key(session, keys, "SignExpectedPcrKey", &config->sign_expected_pcr_key_source,
                   config->sign_expected_pcr_key, error) &&
           open_key(session, keys, "OpenPGPKey", &config->openpgp_key_source, config->openpgp_key, error);
}

static void print_request(gpointer user, const SigningRequest *request) {
    printf("%-9s %s\n          by %s\n", signing_type_to_string(request->type), request->what,
            certificate_get_description(request->certificate));
}

gboolean verb_sign(const VerbCall *call, int *ret_exit_status, GError **error) {
    g_autoptr(SigningDirectory) directory = load_signing_directory(call->arguments, error);
    g_autoptr(KeyPrompt) prompt =
            key_prompt_new(call->arguments->key_pin_fd, call->arguments->key_pinentry, ui_ask_secret, error);
    g_autoptr(KeySession) session = key_prompt_session(prompt);
    if (!prompt)
        return FALSE;
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func((GDestroyNotify) key_source_unref);
    g_autoptr(GPtrArray) left = NULL;
    const ImageConfig *config = call->recipe->main;
    guint made = 0;

    if (!directory || !config || !open_keys(session, config, keys, error))
        return FALSE;
    if (keys->len == 0) {
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX,
                "There is no key to sign with: name it with --key=FILE, or with --secure-boot-key=, --verity-key= and "
                "--sign-expected-pcr-key=, which also take keys in tokens");
        return FALSE;
    }
    if (!signing_sign(directory, keys, print_request, NULL, &made, &left, error))
        return FALSE;
    printf("%u signatures made in %s/answers\n", made, directory->path);
    if (left->len == 0)
        return TRUE;
    const SigningRequest *first = left->pdata[0];
    g_set_error(error, SIGNING_ERROR, SIGNING_ERROR_MISSING,
            "%u requests are by other keys than those that were given, the first: %s, by %s", left->len, first->what,
            certificate_get_description(first->certificate));
    return FALSE;
}
