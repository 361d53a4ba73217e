/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <sys/stat.h>

#include "cli/verbs.h"
#include "events/events.h"
#include "events/task.h"
#include "pipeline/build.h"
#include "pipeline/check.h"
#include "pipeline/clean.h"
#include "pipeline/keys/key-prompt.h"
#include "pipeline/scripts/script-configure.h"
#include "pipeline/state/build-options.h"
#include "pipeline/state/output-names.h"
#include "pipeline/tools-tree.h"
#include "sandbox/sandbox.h"
#include "tree/tree.h"
#include "ui/ask.h"

/* The first interrupt ends all children, after which the build fails and cleans up; the second one ends the
 * program. */
static Task *interrupted;

static void on_interrupt(int signal_number) {
    task_cancel(interrupted);
}

static void catch_interrupts(void) {
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESETHAND};

    interrupted = task_current();
    (void) sigaction(SIGINT, &action, NULL);
    (void) sigaction(SIGTERM, &action, NULL);
    (void) sigaction(SIGHUP, &action, NULL);
}

static void tell_result(const Recipe *recipe, gint64 start) {
    g_autofree char *path = outputs_main_path(recipe->main);
    TreeUsage usage = tree_usage(path);

    if (g_file_test(path, G_FILE_TEST_EXISTS))
        events_result(path, usage.size, usage.used, g_get_monotonic_time() - start);
}

/* What must be there before --rerun-build-scripts. */
static gboolean check_rerun(const VerbCall *call, const char *output, GError **error) {
    const Recipe *recipe = call->recipe;
    gboolean output_missing = recipe->main->format != OUTPUT_FORMAT_NONE && !g_file_test(output, G_FILE_TEST_EXISTS);

    if (!call->arguments->rerun_build_scripts)
        return TRUE;
    if (recipe->main->incremental != INCREMENTAL_NO && !output_missing)
        return TRUE;
    g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_MISSING, "--rerun-build-scripts: %s",
            output_missing ? "the image has not been built yet; build it once without the option"
                           : "it needs the cached tree that Incremental=yes keeps");
    return FALSE;
}

static gboolean check(const Recipe *recipe, GError **error) {
    return recipe_check_implemented(recipe, error) && build_check(recipe, error);
}

/* What has to be gone before the build: all with -fff, the build directory with -ff. */
static gboolean clean_before(const VerbCall *call, GError **error) {
    const Arguments *arguments = call->arguments;
    const Recipe *recipe = call->recipe;

    if (arguments->force > 2)
        return build_clean(recipe, 2, error);
    if (arguments->force > 0 && !build_run_clean_scripts(recipe, error))
        return FALSE;
    return (arguments->force < 2 && !arguments->wipe_build_dir) || build_wipe_build_directories(recipe, error);
}

/* Arguments of other verbs are not for build scripts. */
static BuildOptions make_options(const Arguments *arguments) {
    return (BuildOptions){
            .force = arguments->force,
            .rerun_build_scripts = arguments->rerun_build_scripts,
            .keep_workspace = arguments->debug_workspace,
            .script_arguments = g_str_equal(arguments->verb, "build") ? arguments->words : NULL,
    };
}

gboolean verb_build(const VerbCall *call, int *ret_exit_status, GError **error) {
    const Arguments *arguments = call->arguments;
    const BuildOptions options = make_options(arguments);
    Recipe *recipe = call->recipe;
    gint64 start = g_get_monotonic_time();
    g_autofree char *path = outputs_main_path(recipe->main);
    g_autoptr(KeyPrompt) prompt = key_prompt_new(arguments->key_pin_fd, arguments->key_pinentry, ui_ask_secret, error);
    g_autoptr(KeySession) session = key_prompt_session(prompt);

    if (!prompt)
        return FALSE;
    if (!arguments->force && !arguments->rerun_build_scripts && recipe->main->format != OUTPUT_FORMAT_NONE &&
            g_file_test(path, G_FILE_TEST_EXISTS)) {
        events_info("%s exists already; use -f to build it again", path);
        return TRUE;
    }
    if (!check_rerun(call, path, error) || !check(recipe, error) || !sandbox_become_root(error))
        return FALSE;
    catch_interrupts();
    /* Modes in trees are decided by recipes and packages, not by whoever builds. */
    (void) umask(0022);
    if (!clean_before(call, error) || !tools_tree_prepare(recipe, &options, session, error) ||
            !build_configure(recipe, error) || !check(recipe, error))
        return FALSE;
    if (!build_run(recipe, &options, session, error)) {
        if (task_is_cancelled(task_current())) {
            g_clear_error(error);
            g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_SIGNAL,
                    "Interrupted; earlier outputs are as they were, nothing is left behind");
        }
        return FALSE;
    }
    if (!arguments->rerun_build_scripts)
        tell_result(recipe, start);
    /* The version counts once it has been built. */
    return !arguments->auto_bump || verb_bump(call, ret_exit_status, error);
}
