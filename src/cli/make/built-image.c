/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/make/built-image.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "cli/arguments/verb-names.h"
#include "events/events.h"
#include "pipeline/scripts/script-configure.h"
#include "pipeline/state/output-names.h"
#include "sandbox/sandbox.h"
#include "tree/tree.h"

static int build_in_child(const VerbCall *call) {
    g_autoptr(GError) error = NULL;
    int exit_status = 0;
    if (verb_build(call, &exit_status, &error))
        return exit_status;
    events_error("%s", error->message);
    return 1;
}

static gboolean build(const VerbCall *call, GError **error) {
    pid_t pid = fork();
    if (pid < 0)
        return set_errno_error(error, errno, "Cannot fork");
    if (pid == 0)
        _exit(build_in_child(call));
    /* An interrupt is for the build, which cleans up. */
    struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt;
    sigaction(SIGINT, &ignore, &interrupt);
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    sigaction(SIGINT, &interrupt, NULL);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return TRUE;
    g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_MISSING, "The image was not built, so there is nothing to %s",
            call->arguments->verb);
    return FALSE;
}

gboolean built_image_prepare(const VerbCall *call, GError **error) {
    const Arguments *arguments = call->arguments;
    const Recipe *recipe = call->recipe;
    const VerbName *verb = verb_by_name(arguments->verb);
    if (!(verb->flags & VERB_NEEDS_BUILD) || strcmp(verb->name, "build") == 0)
        return TRUE;
    if (recipe->main->format == OUTPUT_FORMAT_NONE) {
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX, "Format=none makes no image, so there is nothing to %s",
                verb->name);
        return FALSE;
    }
    if (arguments->force > 0 || arguments->rerun_build_scripts)
        return build(call, error);
    g_autofree char *path = outputs_main_path(recipe->main);
    if (g_file_test(path, G_FILE_TEST_EXISTS))
        return TRUE;
    g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_MISSING,
            "There is no image %s: build it first with 'particleos build', or use -f to build it now", path);
    return FALSE;
}

int built_image_lock(const char *path, GError **error) {
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        return steal_fd(&fd);
    int saved = errno;
    if (saved == EWOULDBLOCK)
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_BUSY,
                "%s is in use by another process; Ephemeral=yes works on a copy", path);
    else
        set_errno_error(error, saved, "Cannot open %s", path);
    return -1;
}

char *built_image_copy(const char *path, const char *directory, GError **error) {
    g_autofree char *name = g_path_get_basename(path);
    AUTO_FD target = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autofree char *source = realpath(path, NULL);
    if (target < 0 || !source) {
        set_errno_error(error, errno, "Cannot open %s", target < 0 ? directory : path);
        return NULL;
    }
    if (!tree_copy(AT_FDCWD, source, target, name, 0, error)) {
        g_prefix_error(error, "Cannot copy %s: ", path);
        return NULL;
    }
    return g_build_filename(directory, name, NULL);
}

gboolean configure_built_image(Recipe *recipe, GError **error) {
    for (ImageConfig **config = recipe->images; *config; config++)
        if ((*config)->configure_scripts[0])
            return sandbox_become_root(error) && build_configure(recipe, error);
    return TRUE;
}
