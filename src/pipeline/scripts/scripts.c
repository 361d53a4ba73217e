/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/scripts/scripts.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "events/step.h"
#include "events/task.h"
#include "pipeline/layers/build-overlay.h"
#include "pipeline/scripts/script-check.h"
#include "pipeline/scripts/script-environment.h"
#include "pipeline/scripts/script-mounts.h"
#include "pipeline/scripts/script-run.h"
#include "pipeline/scripts/script-sources.h"
#include "sandbox/sandbox.h"
#include "tree/tree.h"

static const ScriptKind script_sync = {
        "sync", "/work/sync", SCRIPT_NETWORK | SCRIPT_REAL_SOURCES | SCRIPT_CALLER};
static const ScriptKind script_prepare = {
        "prepare", "/work/prepare", SCRIPT_NETWORK | SCRIPT_TREE | SCRIPT_COMPILES};
static const ScriptKind script_build = {"build", "/work/build-script",
        SCRIPT_TREE | SCRIPT_COMPILES | SCRIPT_DEST | SCRIPT_BUILD_DIRECTORY | SCRIPT_CACHED_SOURCES};
static const ScriptKind script_postinst = {
        "postinst", "/work/postinst", SCRIPT_TREE | SCRIPT_OUTPUTS | SCRIPT_BUILD_RESULTS};
static const ScriptKind script_finalize = {
        "finalize", "/work/finalize", SCRIPT_TREE | SCRIPT_OUTPUTS | SCRIPT_BUILD_RESULTS};
static const ScriptKind script_postoutput = {"postoutput", "/work/postoutput", SCRIPT_OUTPUTS};
static const ScriptKind script_clean = {
        "clean", "/work/clean", SCRIPT_OUTPUTS | SCRIPT_REAL_SOURCES | SCRIPT_WITHOUT_TOOLS_TREE};

static char *const no_arguments[] = {NULL};
static char *const final_argument[] = {(char *) "final", NULL};
static char *const build_argument[] = {(char *) "build", NULL};

/* "PATH ARGUMENT..." of the script. */
static const char *const *script_command(const ScriptRun *run, GPtrArray *words) {
    g_ptr_array_add(words, (char *) run->kind->path);
    for (char *const *argument = run->arguments; *argument; argument++)
        g_ptr_array_add(words, *argument);
    g_ptr_array_add(words, NULL);
    return (const char *const *) words->pdata;
}

/* What shells mean by 127 is easily overlooked. */
static void explain_failure(const ScriptRun *run, const char *script, GError **error) {
    gboolean lacks_network =
            (run->kind->flags & SCRIPT_NETWORK) && task_has(task_current(), TASK_NO_SCRIPT_NETWORK);
    gboolean not_found = error && g_error_matches(*error, SANDBOX_ERROR, SANDBOX_ERROR_EXIT) &&
                         strstr((*error)->message, "exit status 127");

    g_prefix_error(error, "The %s script %s failed%s%s: ", run->kind->name, script,
            not_found ? " (127 means that a program it calls was not found)" : "",
            lacks_network ? " (it had no network, because of --no-script-network)" : "");
}

static gboolean run_script(ScriptRun *run, const char *script, GError **error) {
    gboolean chroot = (run->kind->flags & SCRIPT_TREE) && g_str_has_suffix(script, ".chroot");
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_autoptr(Sandbox) sandbox = NULL;

    if (!script_check(run, script, chroot, error))
        return FALSE;
    sandbox = script_sandbox(run, script, chroot);
    sandbox_show_output(sandbox);
    /* Results of build scripts can be read by whoever calls us. */
    if (run->kind->flags & SCRIPT_DEST)
        sandbox_copy_stdout(sandbox, task_get_output(task_current()));
    if (!script_environment(sandbox, run, chroot, error))
        return FALSE;
    if (sandbox_run(sandbox, script_command(run, words), error))
        return TRUE;
    explain_failure(run, script, error);
    return FALSE;
}

/* Runs SCRIPTS one after the other; they share what they change in throw-away sources. */
static gboolean run_scripts(ScriptRun *run, char *const *scripts, const char *where, GError **error) {
    g_autofree char *json = NULL;
    g_autoptr(ScriptSources) sources = NULL;
    gboolean ok = TRUE;

    if (!scripts[0])
        return TRUE;
    if (!(sources = script_sources_new(run->kind, run->recipe, run->config, error)))
        return FALSE;
    json = image_config_to_json(run->config);
    run->json = json;
    run->sources = sources;
    script_mounts_remember(run);
    for (char *const *script = scripts; ok && *script; script++) {
        g_autofree char *base = g_path_get_basename(*script);
        g_autoptr(EventsStep) step = events_step_begin(run->config->image, "Running %s%s", base, where);
        ok = run_script(run, *script, error);
        if (ok)
            events_step_done(g_steal_pointer(&step), NULL);
    }
    run->json = NULL;
    run->sources = NULL;
    return ok && script_mounts_clean(run, error);
}

/* A run of scripts of KIND on the tree of IMAGE. */
static ScriptRun image_run(const ScriptKind *kind, ImageBuild *image, char *const *arguments) {
    return (ScriptRun){
            .kind = kind,
            .recipe = image->build->recipe,
            .config = image->config,
            .image = image,
            .root = kind->flags & SCRIPT_TREE ? image->root : NULL,
            .out = kind->flags & SCRIPT_OUTPUTS ? image->places.staging : NULL,
            .arguments = arguments,
    };
}

gboolean scripts_want_image(const ImageBuild *image) {
    return !scripts_end_build(image) || image->config->build_scripts[0];
}

gboolean scripts_run_sync(ImageBuild *image, gboolean cached, GError **error) {
    ScriptRun run = image_run(&script_sync, image, final_argument);

    run.cached = cached;
    return run_scripts(&run, image->config->sync_scripts, "", error);
}

/* They may download packages, which is for one at a time. */
static gboolean run_prepare_scripts(ScriptRun *run, const char *where, GError **error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&run->image->build->package_cache_lock);
    return run_scripts(run, run->config->prepare_scripts, where, error);
}

gboolean scripts_run_prepare(ImageBuild *image, GError **error) {
    ScriptRun run = image_run(&script_prepare, image, final_argument);
    return run_prepare_scripts(&run, "", error);
}

gboolean scripts_run_prepare_build(ImageBuild *image, const char *root, GError **error) {
    ScriptRun run = image_run(&script_prepare, image, build_argument);

    run.root = root;
    return run_prepare_scripts(&run, " for the build scripts", error);
}

gboolean wants_build_scripts(const ImageBuild *image) {
    return image->config->build_scripts[0] != NULL;
}

/* Makes the build directory, and what scripts install into. */
static gboolean make_build_directories(ImageBuild *image, GError **error) {
    const char *const paths[] = {image->places.destination, image->config->build_subdirectory};
    struct stat info;

    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        if (!paths[i])
            continue;
        if (g_mkdir_with_parents(paths[i], 0755) < 0 || stat(paths[i], &info) < 0)
            return set_errno_error(error, errno, "Cannot create %s", paths[i]);
        /* Files in it would inherit its group, and take it into the image. */
        if (info.st_mode & (S_ISUID | S_ISGID))
            (void) g_chmod(paths[i], info.st_mode & 0777);
    }
    return TRUE;
}

gboolean step_build_scripts(ImageBuild *image, GError **error) {
    char *const *arguments = image->build->options.script_arguments;
    ScriptRun run = image_run(&script_build, image, arguments ? arguments : no_arguments);
    g_autofree char *root = NULL;
    gboolean ok;

    if (!image->places.destination)
        image->places.destination = g_build_filename(image->places.directory, "dest", NULL);
    if (!make_build_directories(image, error) || !(root = build_overlay_mount(image, TRUE, error)))
        return FALSE;
    run.root = root;
    run.dest = image->places.destination;
    ok = run_scripts(&run, image->config->build_scripts, "", error);
    return build_overlay_unmount(root, ok ? error : NULL) && ok;
}

gboolean wants_build_results(const ImageBuild *image) {
    return image->places.destination != NULL;
}

gboolean step_build_results(ImageBuild *image, GError **error) {
    g_autoptr(GDir) dir = g_dir_open(image->places.destination, 0, error);

    if (!dir)
        return FALSE;
    if (!g_dir_read_name(dir))
        return TRUE;
    g_autoptr(EventsStep) step = events_step_begin(image->name, "Installing what the build scripts made");
    if (!tree_copy(AT_FDCWD, image->places.destination, image->root_fd, "/",
                TREE_COPY_KEEP_OWNER | TREE_COPY_CONTENTS_ONLY, error)) {
        g_prefix_error(error, "Cannot install $DESTDIR of the build scripts: ");
        return FALSE;
    }
    events_step_done(g_steal_pointer(&step), NULL);
    return TRUE;
}

gboolean scripts_end_build(const ImageBuild *image) {
    return image->config->format == OUTPUT_FORMAT_NONE ||
           image->build->options.rerun_build_scripts;
}

gboolean wants_postinst(const ImageBuild *image) {
    return image->config->post_installation_scripts[0] != NULL;
}

gboolean step_postinst(ImageBuild *image, GError **error) {
    ScriptRun run = image_run(&script_postinst, image, final_argument);
    return make_build_directories(image, error) &&
           run_scripts(&run, image->config->post_installation_scripts, "", error);
}

gboolean wants_finalize(const ImageBuild *image) {
    return image->config->finalize_scripts[0] != NULL;
}

gboolean step_finalize(ImageBuild *image, GError **error) {
    ScriptRun run = image_run(&script_finalize, image, no_arguments);
    return make_build_directories(image, error) &&
           run_scripts(&run, image->config->finalize_scripts, "", error);
}

gboolean wants_postoutput(const ImageBuild *image) {
    return image->config->post_output_scripts[0] && !image->elsewhere.waiting; /* else they run when it is finished */
}

gboolean step_postoutput(ImageBuild *image, GError **error) {
    ScriptRun run = image_run(&script_postoutput, image, no_arguments);
    return run_scripts(&run, image->config->post_output_scripts, "", error);
}

gboolean scripts_run_postoutput(const Recipe *recipe, const ImageConfig *config, GError **error) {
    ScriptRun run = {
            .kind = &script_postoutput,
            .recipe = recipe,
            .config = config,
            .out = image_config_output_directory(config),
            .arguments = no_arguments,
    };
    return run_scripts(&run, config->post_output_scripts, "", error);
}

gboolean scripts_run_clean(const Recipe *recipe, const ImageConfig *config, GError **error) {
    const char *output_directory = image_config_output_directory(config);
    ScriptRun run = {
            .kind = &script_clean,
            .recipe = recipe,
            .config = config,
            .out = g_file_test(output_directory, G_FILE_TEST_IS_DIR) ? output_directory : NULL,
            .arguments = no_arguments,
    };
    return run_scripts(&run, config->clean_scripts, "", error);
}
