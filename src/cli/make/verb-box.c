/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verb box: a command that sees the host, but with the programs of the tools tree. */

#include <string.h>

#include "base/directory.h"
#include "cli/run/host-program.h"
#include "cli/verbs.h"
#include "pipeline/keys/key-prompt.h"
#include "pipeline/state/build-options.h"
#include "pipeline/tools-tree.h"
#include "recipe/language/distributions.h"
#include "sandbox/sandbox.h"
#include "ui/ask.h"

/* Everything of the host's root directory but its programs and their configuration. */
static void bind_host(Sandbox *sandbox) {
    static const char *const replaced[] = {
            "usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "opt", "etc", "proc"};
    g_autoptr(GPtrArray) names = list_directory_if_any("/");

    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_strconcat("/", names->pdata[i], NULL);
        gboolean ours = FALSE;
        for (gsize j = 0; j < G_N_ELEMENTS(replaced); j++)
            ours |= strcmp(names->pdata[i], replaced[j]) == 0;
        if (!ours && g_file_test(path, G_FILE_TEST_IS_DIR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK))
            sandbox_bind(sandbox, path, path, SANDBOX_OPTIONAL);
    }
}

/* "(box)" once, then "(box:2)" and so on. */
static char *prompt_prefix(void) {
    const char *before = g_getenv("SHELL_PROMPT_PREFIX");
    const char *inside = g_getenv("MKOSI_IN_BOX");
    g_autoptr(GRegex) regex = g_regex_new("\\(box(?::([1-9][0-9]*))?\\)", 0, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    int start, end;

    if (!inside || !before || !g_regex_match(regex, before, 0, &match) ||
            !g_match_info_fetch_pos(match, 0, &start, &end))
        return g_strconcat("(box)", before, NULL);
    g_autofree char *level = g_match_info_fetch(match, 1);
    guint64 number = level && *level ? g_ascii_strtoull(level, NULL, 10) : 1;
    return g_strdup_printf("%.*s(box:%" G_GUINT64_FORMAT ")%s", start, before, number + 1, before + end);
}

static void set_environment(Sandbox *sandbox, const ImageConfig *config) {
    g_auto(GStrv) environment = g_get_environ();
    g_autofree char *prefix = prompt_prefix();
    g_autofree char *release = NULL, *id = NULL;
    g_autofree char *extra = g_strjoinv(":", config->extra_search_paths);
    Distribution host;

    for (char **variable = environment; *variable; variable++) {
        g_auto(GStrv) pair = g_strsplit(*variable, "=", 2);
        if (*pair[0] && pair[1])
            sandbox_setenv(sandbox, pair[0], pair[1]);
    }
    sandbox_setenv(sandbox, "MKOSI_IN_BOX", "1");
    sandbox_setenv(sandbox, "SHELL_PROMPT_PREFIX", prefix);
    if (distribution_detect("/", &host, &release, &id)) {
        sandbox_setenv(sandbox, "MKOSI_HOST_DISTRIBUTION", distribution_to_string(host));
        sandbox_setenv(sandbox, "MKOSI_HOST_RELEASE", release);
    }
    if (config->tools_tree)
        sandbox_setenv(sandbox, "MKOSI_DEFAULT_TOOLS_TREE_PATH", config->tools_tree);
    if (*extra) {
        g_autofree char *path = g_strconcat(extra, ":", g_getenv("PATH"), NULL);
        sandbox_setenv(sandbox, "PATH", path);
    }
}

static gboolean prepare_tools(const VerbCall *call, GError **error) {
    const BuildOptions options = {.force = call->arguments->force, .keep_workspace = call->arguments->debug_workspace};
    g_autoptr(KeyPrompt) prompt =
            key_prompt_new(call->arguments->key_pin_fd, call->arguments->key_pinentry, ui_ask_secret, error);
    g_autoptr(KeySession) session = key_prompt_session(prompt);
    return prompt && tools_tree_prepare(call->recipe, &options, session, error);
}

gboolean verb_box(const VerbCall *call, int *ret_exit_status, GError **error) {
    const ImageConfig *config = call->recipe->main;
    char *const *words = call->arguments->words;
    g_autofree char *directory = g_get_current_dir();
    g_autoptr(Sandbox) sandbox = NULL;

    if (!words || !words[0]) {
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX,
                "box needs a command to run with the programs of the tools tree, such as 'box -- bash'");
        return FALSE;
    }
    if (config->tools_tree && (!sandbox_become_root(error) || !prepare_tools(call, error)))
        return FALSE;
    if (config->tools_tree) {
        sandbox = sandbox_new_for_tools(config->tools_tree);
        bind_host(sandbox);
        sandbox_privileges(sandbox, SANDBOX_PRIVILEGES_SCRIPT);
        sandbox_network(sandbox, TRUE);
        sandbox_chdir(sandbox, directory);
        sandbox_interactive(sandbox);
    } else {
        sandbox = sandbox_new_for_host();
        sandbox_interactive(sandbox);
    }
    set_environment(sandbox, config);
    return host_program_run(sandbox, (const char *const *) words, ret_exit_status, error);
}
