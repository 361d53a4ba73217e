/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sign=: Output.SHA256SUMS.gpg by GnuPG, by a program with the interface of "Stateless OpenPGP"
 * (draft-dkg-openpgp-stateless-cli), or by ourselves. */

#include "pipeline/integrity/signature.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "events/events.h"
#include "events/step.h"
#include "pipeline/integrity/manifest-signer.h"
#include "pipeline/state/output-names.h"
#include "sandbox/sandbox.h"

#define WORK_HOME "/work/gnupg"
#define WORK_OUT "/work/out"
#define WORK_KEY "/work/signing-key.pgp"

static gboolean uses_gpg(const ImageConfig *config) {
    return g_str_equal(config->openpgp_tool, "gpg");
}

/* GNUPGHOME of Environment=, else of the caller, else ~/.gnupg; owned by the caller. */
static char *gpg_home(const ImageConfig *config) {
    const char *home = g_getenv("GNUPGHOME");

    for (char **variable = config->environment; *variable; variable++)
        if (g_str_has_prefix(*variable, "GNUPGHOME="))
            home = strchr(*variable, '=') + 1;
    return home && *home ? g_canonicalize_filename(home, NULL)
                         : g_build_filename(g_get_home_dir(), ".gnupg", NULL);
}

static gboolean check_failed(const ImageConfig *config, const char *reason, GError **error) {
    const char *origin = recipe_setting_origin(config, "Sign");

    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT, "%s%sSign=yes: %s", origin ? origin : "",
            origin ? ": " : "", reason);
    return FALSE;
}

gboolean signature_check(const ImageConfig *config, GError **error) {
    g_autofree char *home = gpg_home(config);
    g_autofree char *program = g_find_program_in_path(config->openpgp_tool);
    g_autofree char *reason = NULL;

    if (config->sign != SIGN_YES || config->format == OUTPUT_FORMAT_NONE)
        return TRUE;
    if (!config->checksum)
        return check_failed(config, "the checksums are what is signed, but Checksum= is no", error);
    if (outputs_have_keyring(config))
        return manifest_signer_check(config, error);
    if (!program && !config->tools_tree)
        reason = g_strdup_printf("the program %s (OpenPGPTool=) is not installed", config->openpgp_tool);
    else if (uses_gpg(config) && !g_file_test(home, G_FILE_TEST_IS_DIR))
        reason = g_strdup_printf("there is no GnuPG home %s (set GNUPGHOME)", home);
    else if (!uses_gpg(config) && (!config->key || !g_file_test(config->key, G_FILE_TEST_IS_REGULAR)))
        reason = g_strdup_printf("%s needs a file with the key in Key=", config->openpgp_tool);
    return !reason || check_failed(config, reason, error);
}

gboolean wants_signature(const ImageBuild *image) {
    return image->config->sign == SIGN_YES && image->config->checksum;
}

static void set_environment(Sandbox *sandbox, const ImageConfig *config) {
    for (char **variable = config->environment; *variable; variable++) {
        g_auto(GStrv) pair = g_strsplit(*variable, "=", 2);
        sandbox_setenv(sandbox, pair[0], pair[1] ? pair[1] : "");
    }
}

/* Agents put their sockets here and not into the user's home, provided that nobody else may enter. */
static char *make_runtime_directory(ImageBuild *image, GError **error) {
    g_autofree char *path = g_build_filename(image->places.directory, "gnupg-run", NULL);

    if ((g_mkdir(path, 0700) == 0 || errno == EEXIST) && chmod(path, 0700) == 0)
        return g_steal_pointer(&path);
    set_errno_error(error, errno, "Cannot create %s", path);
    return NULL;
}

/* With a terminal GnuPG asks there for a passphrase. The agent that it starts ends with the sandbox. */
static gboolean sign_with_gpg(ImageBuild *image, const char *sums, const char *signature, GError **error) {
    const ImageConfig *config = image->config;
    gboolean terminal = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(config->tools_tree);
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    g_autofree char *home = gpg_home(config);
    g_autofree char *runtime = make_runtime_directory(image, error);

    if (!runtime)
        return FALSE;
    set_environment(sandbox, config);
    sandbox_setenv(sandbox, "GNUPGHOME", WORK_HOME);
    /* A terminal of its own. */
    sandbox_setenv(sandbox, "GPG_TTY", terminal ? "/dev/tty" : NULL);
    sandbox_bind(sandbox, home, WORK_HOME, 0);
    sandbox_bind(sandbox, image->places.staging, WORK_OUT, 0);
    sandbox_bind(sandbox, runtime, "/run/user/0", 0);
    /* Smart cards. */
    sandbox_bind(sandbox, "/run/pcscd", "/run/pcscd", SANDBOX_OPTIONAL);
    g_strv_builder_add_many(words, "gpg", "--detach-sign", "--pinentry-mode", "loopback", NULL);
    if (terminal)
        sandbox_interactive(sandbox);
    else
        g_strv_builder_add(words, "--batch");
    /* Not as default key: if that is missing, GnuPG signs with another one. */
    if (config->key)
        g_strv_builder_add_many(words, "--local-user", config->key, NULL);
    g_strv_builder_add_many(words, "--output", signature, sums, NULL);

    g_auto(GStrv) argv = g_strv_builder_end(words);
    if (terminal)
        events_terminal_take();
    gboolean ok = sandbox_run(sandbox, (const char *const *) argv, error);
    if (terminal)
        events_terminal_return();
    return ok;
}

static gboolean sign_with_sop(ImageBuild *image, const char *sums, const char *signature, GError **error) {
    const ImageConfig *config = image->config;
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(config->tools_tree);
    const char *argv[] = {config->openpgp_tool, "sign", WORK_KEY, NULL};
    g_autofree char *key = g_canonicalize_filename(config->key, NULL);
    AUTO_FD input = open(sums, O_RDONLY | O_CLOEXEC);
    gsize length = 0;

    if (input < 0)
        return set_errno_error(error, errno, "Cannot open %s", sums);
    set_environment(sandbox, config);
    sandbox_bind(sandbox, key, WORK_KEY, SANDBOX_READ_ONLY);
    sandbox_bind(sandbox, "/run/pcscd", "/run/pcscd", SANDBOX_OPTIONAL);
    sandbox_stdin_fd(sandbox, input);
    /* What it says there when it fails is the reason, not the signature. */
    g_autofree char *output = sandbox_run_output(sandbox, argv, &length, error);
    return output && g_file_set_contents_full(signature, output, length, G_FILE_SET_CONTENTS_NONE, 0644, error);
}

gboolean step_signature(ImageBuild *image, GError **error) {
    const ImageConfig *config = image->config;
    gboolean builtin = outputs_have_keyring(config), gpg = !builtin && uses_gpg(config);
    g_autofree char *sums = g_strdup_printf("%s/%s.SHA256SUMS", gpg ? WORK_OUT : image->places.staging, config->output);
    g_autofree char *signature = g_strconcat(sums, ".gpg", NULL);
    g_autoptr(EventsStep) step = events_step_begin(image->name, "Signing the checksums");

    if (!(builtin ? manifest_signer_sign : gpg ? sign_with_gpg : sign_with_sop)(image, sums, signature, error)) {
        g_prefix_error(error, "Sign=yes: ");
        return FALSE;
    }
    events_step_done(g_steal_pointer(&step), NULL);
    return TRUE;
}
