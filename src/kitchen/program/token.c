/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/program/token.h"

#include <string.h>

#include "kitchen/model/database/model.h"

#define SOFTHSM "softhsm"
#define SOFTHSM_MODULE "/usr/lib/softhsm/libsofthsm2.so"
#define SOFTHSM_CONFIG "/etc/particleos/softhsm2.conf"
#define TOKENS "/var/lib/particleos-signer/tokens"
#define PIN "/etc/particleos/key-pin"
#define DROP_IN "/etc/systemd/system/particleos-signer.service.d/token.conf"
#define PIN_SIZE 24

gboolean token_check(const char *token, GError **error) {
    if (!token || strcmp(token, SOFTHSM) == 0 || (token[0] == '/' && !strpbrk(token, " \t\n\"'\\%$")))
        return TRUE;
    g_set_error(
            error, INSTALL_ERROR, 0, "--token=%s: expected softhsm, or the absolute path of a PKCS#11 module", token);
    return FALSE;
}

/* A token as the user of the signer, by a program that takes PINs from the environment. */
static gboolean make_token(Install *install, const char *pin, GError **error) {
    static const char *const directory[] = {
            "install", "-d", "-m", "0700", "-o", "kitchen-signer", "-g", "kitchen-signer", TOKENS, NULL};
#define AS_SIGNER                                                                                                      \
    "setpriv", "--reuid=kitchen-signer", "--regid=kitchen-signer", "--init-groups", "pkcs11-tool", "--module",         \
            SOFTHSM_MODULE
    static const char *const initialise[] = {
            AS_SIGNER, "--init-token", "--slot-index=0", "--label=particleos", "--so-pin=env:PARTICLEOS_PIN", NULL};
    static const char *const set_pin[] = {AS_SIGNER, "--token-label=particleos", "--init-pin", "--login",
            "--login-type=so", "--so-pin=env:PARTICLEOS_PIN", "--pin=env:PARTICLEOS_PIN", NULL};

    g_setenv("SOFTHSM2_CONF", SOFTHSM_CONFIG, TRUE);
    g_setenv("PARTICLEOS_PIN", pin, TRUE);
    gboolean good = install_run(install, directory, NULL, error) && install_run(install, initialise, NULL, error) &&
                    install_run(install, set_pin, NULL, error);
    g_unsetenv("PARTICLEOS_PIN");
    return good;
}

static gboolean make_softhsm(Install *install, gboolean elsewhere, GError **error) {
    g_autoptr(GError) failure = NULL;
    g_autofree char *there = install_read(install, PIN, &failure);
    g_autofree char *secret = model_secret_new();

    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (there) {
        install_say(install, "has       %s: the token is there already", PIN);
        return TRUE;
    }
    secret[PIN_SIZE] = '\0';
    if (!install_file(install, PIN, 0600, secret, error))
        return FALSE;
    if (!elsewhere)
        return make_token(install, secret, error);
    install_say(install, "leaves out the token: it is made on the machine itself, by the same command without --root=");
    return TRUE;
}

gboolean token_install(Install *install, gboolean elsewhere, const char *token, GError **error) {
    gboolean soft = g_strcmp0(token, SOFTHSM) == 0;
    g_autofree char *text = NULL;

    if (!token)
        return TRUE;
    text = g_strdup_printf(
            "# The token of the signer, and where its PIN is.\n[Service]\n%sEnvironment=PKCS11_MODULE_PATH=%s\n"
            "LoadCredential=particleos.key-pin:" PIN "\n",
            soft ? "Environment=SOFTHSM2_CONF=" SOFTHSM_CONFIG "\n" : "", soft ? SOFTHSM_MODULE : token);
    if (!install_file(install, DROP_IN, 0644, text, error))
        return FALSE;
    if (!soft) {
        install_say(install, "Write the PIN of the token to %s (mode 0600)", PIN);
        return TRUE;
    }
    return install_file(install, SOFTHSM_CONFIG, 0644,
                   "directories.tokendir = " TOKENS "\nobjectstore.backend = file\n", error) &&
           make_softhsm(install, elsewhere, error);
}
