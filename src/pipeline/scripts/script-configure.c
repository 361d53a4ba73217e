/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/scripts/script-configure.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"
#include "pipeline/scripts/script-check.h"
#include "pipeline/scripts/script-environment.h"
#include "pipeline/scripts/script-mounts.h"
#include "pipeline/scripts/script-run.h"
#include "pipeline/scripts/script-sources.h"
#include "sandbox/sandbox.h"

static const ScriptKind script_configure = {
        "configure", "/work/configure", SCRIPT_FILTER | SCRIPT_REAL_SOURCES | SCRIPT_READ_ONLY_SOURCES};

/* A file in memory with TEXT, to be read from its beginning. */
static int text_to_fd(const char *text, GError **error) {
    AUTO_FD fd = memfd_create("configuration", MFD_CLOEXEC);

    if (fd >= 0 && write_all(fd, text, strlen(text)) && lseek(fd, 0, SEEK_SET) == 0)
        return steal_fd(&fd);
    set_errno_error(error, errno, "Cannot keep the configuration in memory");
    return -1;
}

/* What SCRIPT prints; owned by the caller. */
static char *run_script(ScriptRun *run, const char *script, gsize *ret_length, GError **error) {
    const char *const argv[] = {run->kind->path, NULL};
    g_autofree char *json = image_config_to_json(run->config);
    AUTO_FD input = text_to_fd(json, error);
    g_autoptr(Sandbox) sandbox = NULL;
    char *output;

    if (input < 0 || !script_check(run, script, FALSE, error))
        return NULL;
    sandbox = script_sandbox(run, script, FALSE);
    sandbox_stdin_fd(sandbox, input);
    sandbox_show_output(sandbox);
    if (!script_environment(sandbox, run, FALSE, error))
        return NULL;
    if (!(output = sandbox_run_output(sandbox, argv, ret_length, error)))
        g_prefix_error(error, "The configure script %s failed: ", script);
    return output;
}

/* Runs the configure scripts that CONFIG has at the beginning; each sees what the one before it changed. It
 * is no step (ui/step.h): the program may still have to become root, which needs it to have no threads. */
static ImageConfig *configure(const Recipe *recipe, const ImageConfig *config, GError **error) {
    g_auto(GStrv) scripts = g_strdupv(config->configure_scripts);
    ImageConfig *changed = NULL;

    for (char **script = scripts; *script; script++) {
        const ImageConfig *current = changed ? changed : config;
        ScriptRun run = {.kind = &script_configure, .recipe = recipe, .config = current};
        g_autoptr(ScriptSources) sources = script_sources_new(run.kind, recipe, current, error);
        ImageConfig *next = NULL;
        gsize length;

        run.sources = sources;
        g_autofree char *output = sources ? run_script(&run, *script, &length, error) : NULL;
        if (output)
            next = image_config_from_json(current, output, length, *script, error);
        if (changed)
            image_config_free(changed);
        if (!next)
            return NULL;
        changed = next;
    }
    return changed;
}

gboolean build_configure(Recipe *recipe, GError **error) {
    gboolean any = FALSE;

    for (ImageConfig **config = recipe->images; *config; config++) {
        ImageConfig *changed;
        if (!(*config)->configure_scripts[0])
            continue;
        if (!(changed = configure(recipe, *config, error)))
            return FALSE;
        if (recipe->main == *config)
            recipe->main = changed;
        image_config_free(*config);
        *config = changed;
        any = TRUE;
    }
    return !any || recipe_sort_images(recipe, error);
}
