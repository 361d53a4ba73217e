/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* particleos-signer: the process that holds the keys of the build service. */

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "signer/answer/signer.h"
#include "signer/program/copies.h"
#include "signer/program/credential.h"
#include "signer/program/keys-private.h"
#include "signer/program/keys.h"
#include "signer/program/lock-down.h"
#include "signer/program/serve.h"
#include "signer/program/trust.h"
#include "signer/text/error.h"

typedef struct {
    char *state, *socket, *policies, *name;
    char *checkpoint;
    gboolean development, version, again;
    char **rest;
} Options;

static void options_clear(Options *options) {
    g_free(options->state);
    g_free(options->socket);
    g_free(options->policies);
    g_free(options->checkpoint);
    g_free(options->name);
    g_strfreev(options->rest);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static void say(gpointer user, const char *text) {
    fprintf(stderr, "particleos-signer: %s\n", text);
}

static gboolean parse(Options *options, int argc, char **argv, GError **error) {
    GOptionEntry entries[] = {
            {"state", 0, 0, G_OPTION_ARG_FILENAME, &options->state, "Where keys and log are", "DIRECTORY"},
            {"policy", 0, 0, G_OPTION_ARG_FILENAME, &options->policies,
                    "Where policies are (signer.d in the state directory)", "DIRECTORY"},
            {"socket", 0, 0, G_OPTION_ARG_FILENAME, &options->socket, "Where to listen", "PATH"},
            {"log-name", 0, 0, G_OPTION_ARG_STRING, &options->name,
                    "What the log is called from the first start on (a name made of its key)", "NAME"},
            {"development", 0, 0, G_OPTION_ARG_NONE, &options->development,
                    "New projects are in development unless they are asked for otherwise", NULL},
            {"again", 0, 0, G_OPTION_ARG_NONE, &options->again, "Export keys that were exported before", NULL},
            {"checkpoint", 0, 0, G_OPTION_ARG_FILENAME, &options->checkpoint,
                    "The newest checkpoint that was published, for restore", "FILE"},
            {"version", 0, 0, G_OPTION_ARG_NONE, &options->version, "Show the version", NULL},
            {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->rest, NULL, NULL},
            {NULL},
    };
    GOptionContext *context = g_option_context_new(
            "[trust NAMESPACE/PROJECT FILE… | target NAMESPACE/PROJECT NAME=IMAGE_ID… | keys list | "
            "keys export NAMESPACE/PROJECT|instance OUTPUT CERTIFICATE… | keys import NAMESPACE/PROJECT|instance | "
            "backup DIRECTORY | restore DIRECTORY]");

    g_option_context_set_summary(context, "Signs what the build service makes, once it has looked at it.");
    g_option_context_add_main_entries(context, entries, NULL);
    gboolean good = g_option_context_parse(context, &argc, &argv, error);
    g_option_context_free(context);
    if (good && !options->state)
        options->state = g_strdup(g_getenv("STATE_DIRECTORY"));
    if (good && options->state && !options->policies)
        options->policies = g_build_filename(options->state, "signer.d", NULL);
    return good;
}

static gboolean serve(const Options *options, GError **error) {
    g_autoptr(KeySession) session = NULL;
    g_autoptr(Signer) signer = NULL;
    g_autoptr(Server) server = NULL;

    lock_down_memory();
    session = key_session_new(credential_ask, NULL);
    SignerOptions with = {
            .state = options->state,
            .name = options->name,
            .policies = options->policies,
            .development = options->development,
            .session = session,
            .say = say,
    };
    if (!(signer = signer_new(&with, error)) || !(server = server_new(options->socket, error)) ||
            !lock_down_calls(error))
        return FALSE;
    say(NULL, "ready");
    return server_run(server, signer, error);
}

static gboolean run_keys(const Options *options, char **words, GError **error) {
    guint n = g_strv_length(words);

    if (n == 1 && strcmp(words[0], "list") == 0)
        return keys_list(options->state, options->policies, error);
    if (n >= 2 && !g_str_equal(words[1], KEYS_INSTANCE) && !check_project(words[1], error))
        return FALSE;
    if (n >= 4 && strcmp(words[0], "export") == 0)
        return keys_export(options->state, options->policies, words[1], words[2], words + 3, options->again, error);
    if (n == 2 && strcmp(words[0], "import") == 0)
        return keys_import(options->state, options->policies, words[1], STDIN_FILENO, error);
    return signer_refuse(error, SIGNER_ERROR_FAILED,
            "Expected: keys list, keys export NAMESPACE/PROJECT|instance OUTPUT CERTIFICATE…, or: keys import "
            "NAMESPACE/PROJECT|instance");
}

static gboolean run(const Options *options, GError **error) {
    char **rest = options->rest;

    if (options->version) {
        puts("particleos-signer " PARTICLEOS_VERSION);
        return TRUE;
    }
    if (!options->state)
        return signer_refuse(error, SIGNER_ERROR_FAILED, "Say where keys and log are: --state=DIRECTORY");
    if (!rest)
        return serve(options, error);
    if (strcmp(rest[0], "trust") == 0 && rest[1] && rest[2])
        return trust_files(options->policies, rest[1], rest + 2, error);
    if (strcmp(rest[0], "target") == 0 && rest[1] && rest[2])
        return add_targets(options->policies, rest[1], rest + 2, error);
    if (strcmp(rest[0], "keys") == 0) {
        lock_down_memory();
        return run_keys(options, rest + 1, error);
    }
    if (strcmp(rest[0], "backup") == 0 && rest[1] && !rest[2])
        return copies_update(options->state, options->policies, rest[1], error);
    if (strcmp(rest[0], "restore") == 0 && rest[1] && !rest[2])
        return copies_bring_back(options->state, options->policies, rest[1], options->checkpoint, error);
    return signer_refuse(error, SIGNER_ERROR_FAILED,
            "Expected nothing, or one of: trust NAMESPACE/PROJECT FILE…, target NAMESPACE/PROJECT NAME=IMAGE_ID…, keys …, "
            "backup DIRECTORY, restore DIRECTORY");
}

int main(int argc, char **argv) {
    g_auto(Options) options = {NULL};
    g_autoptr(GError) error = NULL;

    setlocale(LC_ALL, "");
    if (parse(&options, argc, argv, &error) && run(&options, &error))
        return EXIT_SUCCESS;
    say(NULL, error->message);
    return EXIT_FAILURE;
}
