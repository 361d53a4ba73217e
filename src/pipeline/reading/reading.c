/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/reading/reading.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/directory.h"
#include "base/errors.h"
#include "events/events.h"
#include "pipeline/layers/masks.h"
#include "pipeline/reading/reading-environment.h"
#include "pipeline/reading/reading-git.h"
#include "sandbox/sandbox.h"

/* Whose files git reads does not matter where nobody can write to them. */
#define GIT_CONFIGURATION "[safe]\n\tdirectory = *\n"

/* The program itself stays, be its name one of those that are hidden. */
static void add_place(Sandbox *sandbox, const ReadingPlace *place, const char *program) {
    g_autoptr(Masks) masks = masks_new_by_name(place->top, place->directory);

    sandbox_bind(sandbox, place->top, place->top, SANDBOX_READ_ONLY);
    masks_apply(masks, sandbox, place->top, place->top, program);
    reading_add_git(sandbox, place);
}

void reading_trust_git(Sandbox *sandbox) {
    sandbox_file(sandbox, "/etc/gitconfig", GIT_CONFIGURATION, FALSE);
    sandbox_setenv(sandbox, "GIT_OPTIONAL_LOCKS", "0");
}

void reading_add_git(Sandbox *sandbox, const ReadingPlace *place) {
    if (!place->git)
        return;
    if (!path_is_below(place->git_common, place->top))
        sandbox_bind(sandbox, place->git_common, place->git_common, SANDBOX_READ_ONLY);
    reading_cover_git(sandbox, place->git_common);
    if (!g_str_equal(place->git, place->git_common))
        reading_cover_git(sandbox, place->git);
}

static gboolean is_shown(const GPtrArray *places, const char *path) {
    for (guint i = 0; i < places->len; i++)
        if (path_is_below(path, ((const ReadingPlace *) places->pdata[i])->top))
            return TRUE;
    return FALSE;
}

/* Where DIRECTORY is not among PLACES yet, its place is added. */
static gboolean note_place(GPtrArray *places, const char *directory, GError **error) {
    g_autofree char *real = realpath(directory, NULL);
    ReadingPlace *place;

    if (!real)
        return set_errno_error(error, errno, "Cannot look at %s", directory);
    if (is_shown(places, real))
        return TRUE;
    if (!(place = reading_place_new(real, error)))
        return FALSE;
    g_ptr_array_add(places, place);
    return TRUE;
}

/* Otherwise it is only where somebody happens to work. */
static gboolean holds_recipe(const char *directory) {
    g_autofree char *conf = directory ? g_build_filename(directory, "mkosi.conf", NULL) : NULL;
    return conf && g_file_test(conf, G_FILE_TEST_EXISTS);
}

/* Binaries name variables that are not meant for them. */
static void add_environment(Sandbox *sandbox, const char *program) {
    g_auto(GStrv) caller = g_get_environ(), withheld = NULL;
    g_autofree char *text = NULL, *names = NULL;

    if (!g_file_get_contents(program, &text, NULL, NULL) || !g_str_has_prefix(text, "#!"))
        return;
    g_auto(GStrv) given = reading_environment(text, caller, &withheld);
    for (char **variable = given; *variable; variable++) {
        g_auto(GStrv) pair = g_strsplit(*variable, "=", 2);
        sandbox_setenv(sandbox, pair[0], pair[1]);
    }
    if (!withheld[0])
        return;
    names = g_strjoinv(", ", withheld);
    events_warning("%s does not get these variables of your environment: %s; --trust-recipe runs it with all",
            program, names);
}

/* The directories that PROGRAM sees: that of the recipe, and its own, which can be one that is included. */
static GPtrArray *find_places(const RecipeProgram *program, GError **error) {
    g_autoptr(GPtrArray) places = g_ptr_array_new_with_free_func((GDestroyNotify) reading_place_free);

    if ((holds_recipe(program->config_directory) && !note_place(places, program->config_directory, error)) ||
            !note_place(places, program->directory, error))
        return NULL;
    return g_steal_pointer(&places);
}

static Sandbox *make_sandbox(const RecipeProgram *program, char **ret_command, GError **error) {
    g_autofree char *real = realpath(program->path, NULL), *directory = realpath(program->directory, NULL);
    g_autoptr(GPtrArray) places = NULL;

    if (!real || !directory) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "%s", g_strerror(errno));
        return NULL;
    }
    if (!(places = find_places(program, error)))
        return NULL;
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(NULL);
    for (guint i = 0; i < places->len; i++)
        add_place(sandbox, places->pdata[i], real);
    if (is_shown(places, real)) {
        g_autofree char *name = g_path_get_basename(program->path);
        *ret_command = g_build_filename(directory, name, NULL);
    } else {
        sandbox_bind(sandbox, real, real, SANDBOX_READ_ONLY);
        *ret_command = g_strdup(real);
    }
    reading_trust_git(sandbox);
    add_environment(sandbox, real);
    sandbox_chdir(sandbox, directory);
    sandbox_show_output(sandbox);
    return g_steal_pointer(&sandbox);
}

char *reading_run_trusted(const RecipeProgram *program, GError **error) {
    g_autoptr(Sandbox) sandbox = sandbox_new_for_host();
    const char *const argv[] = {program->path, NULL};

    sandbox_interactive(sandbox);
    sandbox_chdir(sandbox, program->directory);
    return sandbox_run_output(sandbox, argv, NULL, error);
}

char *reading_run_program(const RecipeProgram *program, GError **error) {
    g_autofree char *command = NULL;

    g_autoptr(Sandbox) sandbox = make_sandbox(program, &command, error);
    const char *const argv[] = {command, NULL};
    char *output = sandbox ? sandbox_run_output(sandbox, argv, NULL, error) : NULL;
    if (!output)
        g_prefix_error(error, "in a sandbox without network, files of the host and the caller's environment "
                              "(--trust-recipe runs it without a sandbox): ");
    return output;
}
