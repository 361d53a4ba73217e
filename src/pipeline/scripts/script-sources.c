/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/scripts/script-sources.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/errors.h"
#include "pipeline/layers/masks.h"
#include "pipeline/state/image-build.h"
#include "sandbox/sandbox.h"
#include "tree/tree.h"
#include "tree/workspace.h"

typedef struct {
    char *path;   /* what is mounted */
    char *origin; /* what it is of the host */
    char *target; /* below /work/src */
    char *work;   /* of the overlay, or NULL */
    gboolean mounted;
} Source;

struct ScriptSources {
    Workspace *workspace; /* of overlays that are thrown away, or NULL */
    GPtrArray *sources;
    Masks *masks;
};

static void source_free(gpointer data) {
    Source *source = data;

    if (source->mounted)
        ignore_failure(tree_unmount(source->path, NULL));
    if (source->work)
        ignore_failure(tree_remove(AT_FDCWD, source->work, NULL));
    g_free(source->work);
    g_free(source->path);
    g_free(source->origin);
    g_free(source->target);
    g_free(source);
}

void script_sources_free(ScriptSources *sources) {
    if (!sources)
        return;
    g_ptr_array_unref(sources->sources);
    masks_free(sources->masks);
    g_clear_pointer(&sources->workspace, workspace_free);
    g_free(sources);
}

static gboolean is_below(const char *path, const char *directory) {
    gsize length = strlen(directory);
    return strncmp(path, directory, length) == 0 &&
           (path[length] == '/' || path[length] == '\0' || g_str_equal(directory, "/"));
}

/* The kernel refuses an overlay whose upper directory lies inside of a lower one. */
static const char *temporary_directory(const ImageConfig *config) {
    const char *const candidates[] = {g_getenv("TMPDIR"), "/var/tmp", "/tmp", "/dev/shm"};

    for (size_t i = 0; i < G_N_ELEMENTS(candidates); i++) {
        gboolean inside = FALSE;
        if (!candidates[i] || !g_file_test(candidates[i], G_FILE_TEST_IS_DIR))
            continue;
        for (RecipeTree **tree = config->build_sources; *tree; tree++)
            inside |= is_below(candidates[i], (*tree)->source);
        if (!inside)
            return candidates[i];
    }
    return "/var/tmp";
}

static gboolean make_directory(const char *path, mode_t mode, GError **error) {
    if ((g_mkdir_with_parents(path, 0755) == 0 || errno == EEXIST) && g_chmod(path, mode) == 0)
        return TRUE;
    return set_errno_error(error, errno, "Cannot create %s", path);
}

/* Where the changes to the source TREE go: kept in the build directory, or thrown away. */
static char *upper_directory(const ImageConfig *config, const RecipeTree *tree, gboolean keep,
        const char *temporary, GError **error) {
    g_autofree char *base = g_path_get_basename(tree->source);
    g_autofree char *name = g_strconcat("mkosi.buildovl.", base, NULL);

    if (!keep)
        return g_build_filename(temporary, "upper", NULL);
    if (!config->build_subdirectory) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "BuildSourcesEphemeral=buildcache keeps changes in the build directory, but there is none; "
                "set BuildDirectory= or create mkosi.builddir");
        return NULL;
    }
    if (is_below(config->build_subdirectory, tree->source)) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "BuildSourcesEphemeral=buildcache: the build directory %s lies inside of the source %s, so "
                "it cannot hold the changes to it; set BuildDirectory= to a directory elsewhere",
                config->build_subdirectory, tree->source);
        return NULL;
    }
    return g_build_filename(config->build_subdirectory, name, NULL);
}

/* Lays an overlay over SOURCE, in DIRECTORY. */
static gboolean mount_overlay(Source *source, const RecipeTree *tree, const ImageConfig *config,
        gboolean keep, const char *directory, GError **error) {
    g_autofree char *upper = upper_directory(config, tree, keep, directory, error);
    g_autofree char *work = upper ? g_strconcat(upper, ".work", NULL) : NULL;
    g_autofree char *merged = g_build_filename(directory, "merged", NULL);
    char *const lowers[] = {tree->source, NULL};
    struct stat info;

    if (!upper)
        return FALSE;
    if (stat(tree->source, &info) < 0)
        return set_errno_error(error, errno, "Cannot read the source %s", tree->source);
    if (!S_ISDIR(info.st_mode)) {
        g_free(source->path);
        source->path = g_build_filename(directory, "file", NULL);
        return make_directory(directory, 0755, error) &&
               tree_copy(AT_FDCWD, tree->source, AT_FDCWD, source->path, 0, error);
    }
    if (!make_directory(upper, info.st_mode & 0777, error) || !make_directory(work, 0755, error) ||
            !make_directory(merged, 0755, error) ||
            !tree_mount_overlay(lowers, upper, work, merged, error)) {
        g_prefix_error(error, "Cannot protect the source %s (BuildSourcesEphemeral=): ", tree->source);
        return FALSE;
    }
    g_free(source->path);
    source->path = g_steal_pointer(&merged);
    source->work = g_steal_pointer(&work);
    source->mounted = TRUE;
    return TRUE;
}

ScriptSources *script_sources_new(
        const ScriptKind *kind, const Recipe *recipe, const ImageConfig *config, GError **error) {
    g_autoptr(ScriptSources) sources = g_new0(ScriptSources, 1);
    BuildSourcesEphemeral ephemeral =
            kind->flags & SCRIPT_REAL_SOURCES ? BUILD_SOURCES_EPHEMERAL_NO : config->build_sources_ephemeral;
    gboolean keep = ephemeral == BUILD_SOURCES_EPHEMERAL_BUILDCACHE && (kind->flags & SCRIPT_CACHED_SOURCES);

    sources->sources = g_ptr_array_new_with_free_func(source_free);
    sources->masks = masks_new(recipe, config);
    if (ephemeral != BUILD_SOURCES_EPHEMERAL_NO && config->build_sources[0] &&
            !(sources->workspace = workspace_new(temporary_directory(config), error)))
        return NULL;
    for (guint i = 0; config->build_sources[i]; i++) {
        const RecipeTree *tree = config->build_sources[i];
        Source *source = g_new0(Source, 1);
        source->path = g_strdup(tree->source);
        source->origin = g_strdup(tree->source);
        source->target = g_strdup(tree->target ? tree->target : "");
        g_ptr_array_add(sources->sources, source);
        if (ephemeral == BUILD_SOURCES_EPHEMERAL_NO)
            continue;
        g_autofree char *name = g_strdup_printf("%u", i);
        g_autofree char *directory = workspace_mkdir(sources->workspace, name, error);
        if (!directory || !mount_overlay(source, tree, config, keep, directory, error))
            return NULL;
    }
    return g_steal_pointer(&sources);
}

void script_sources_bind(const ScriptSources *sources, Sandbox *sandbox, SandboxMountFlags flags) {
    for (guint i = 0; i < sources->sources->len; i++) {
        const Source *source = sources->sources->pdata[i];
        g_autofree char *target = g_build_filename("/work/src", source->target, NULL);
        sandbox_bind(sandbox, source->path, target, flags);
        masks_apply(sources->masks, sandbox, source->origin, target, NULL);
    }
}

void script_sources_mask(
        const ScriptSources *sources, Sandbox *sandbox, const char *path, const char *target) {
    masks_apply(sources->masks, sandbox, path, target, NULL);
}
