/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/layers/inputs.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/layers/masks.h"
#include "tree/tree.h"

void inputs_add_list(LayerInputs *inputs, const char *name, char *const *list) {
    g_autofree char *text = g_strjoinv("\n", (char **) list);
    layer_inputs_add(inputs, name, text);
}

void inputs_add_number(LayerInputs *inputs, const char *name, gint64 number) {
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, number);
    layer_inputs_add(inputs, name, text);
}

/* A tree that is a single file is called in the image what it is called here, or unpacked if that is the
 * name of an archive and it has no target. */
static void add_file_name(LayerInputs *inputs, const char *label, const RecipeTree *tree) {
    g_autofree char *name = g_strconcat(label, " name", NULL);
    g_autofree char *base = g_path_get_basename(tree->source);

    if (!g_file_test(tree->source, G_FILE_TEST_IS_DIR))
        layer_inputs_add(inputs, name, base);
}

/* Says what is done with a file, so that a layer in which it was taken for an archive is not used again. */
static void add_use(LayerInputs *inputs, const char *label, const RecipeTree *tree) {
    g_autofree char *name = g_strconcat(label, " use", NULL);

    if (g_file_test(tree->source, G_FILE_TEST_IS_REGULAR))
        layer_inputs_add(
                inputs, name, !tree->target && tree_is_archive_name(tree->source) ? "unpacked" : "copied");
}

gboolean inputs_add_trees(
        LayerInputs *inputs, const char *name, RecipeTree **trees, gint64 epoch, GError **error) {
    for (guint i = 0; trees[i]; i++) {
        g_autofree char *label = g_strdup_printf("%s[%u]", name, i);
        g_autofree char *target = g_strdup_printf("%s[%u] target", name, i);
        layer_inputs_add(inputs, target, trees[i]->target);
        add_use(inputs, label, trees[i]);
        add_file_name(inputs, label, trees[i]);
        if (!layer_inputs_add_path(inputs, label, trees[i]->source, epoch, error))
            return FALSE;
    }
    return TRUE;
}

gboolean inputs_add_paths(LayerInputs *inputs, const char *name, char *const *paths, GError **error) {
    for (guint i = 0; paths[i]; i++) {
        g_autofree char *label = g_strdup_printf("%s[%u]", name, i);
        if (!layer_inputs_add_path(inputs, label, paths[i], -1, error))
            return FALSE;
    }
    return TRUE;
}

/* Where things are kept, how they are fetched, and what is done once the outputs are made or while the recipe is
 * read: none of it is in the outputs. NSpawnSettings= is a file beside them. */
static gboolean shapes_outputs(const char *section, const char *name) {
    static const char *const elsewhere[] = {"OutputDirectory", "CacheDirectory", "PackageCacheDirectory",
            "WorkspaceDirectory", "BuildDirectory", "BuildKey", "CacheKey", "CompressionCache", "UnpackedPackages", "Incremental", "CacheOnly",
            "History", "Mirror", "LocalMirror", "RepositoryKeyCheck", "RepositoryKeyFetch", "ProxyUrl",
            "ProxyExclude", "ProxyPeerCertificate", "ProxyClientCertificate", "ProxyClientKey", "ToolsTree",
            "ConfigureScripts", "CleanScripts", "MinimumVersion", "PassEnvironment", "RepositoryDateCheck",
            "UseSubvolumes", "DelegateRanges", NULL};

    return (!g_str_equal(section, "Runtime") || g_str_equal(name, "NSpawnSettings")) &&
           !g_str_equal(section, "Include") && !g_strv_contains(elsewhere, name);
}

/* What is made of a finished tree only. */
static gboolean shapes_content(const char *section, const char *name) {
    static const char *const later[] = {"Checksum", "Sign", "Key", "OpenPGPTool", "OpenPGPKey",
            "OpenPGPKeySource", "OpenPGPCertificate", "OpenPGPCertificateSource", "SplitArtifacts",
            "OutputMode", "NSpawnSettings", NULL};

    return shapes_outputs(section, name) && !g_strv_contains(later, name);
}

/* TEXT with every mention of the folder of the recipe replaced by a word for it. */
static char *without_folder(const ImageBuild *image, const char *text) {
    const char *folder = image->build->recipe->config_directory;
    g_autoptr(GString) result = g_string_new(text);

    if (folder && !g_str_equal(folder, "/"))
        g_string_replace(result, folder, "%D", 0);
    return g_string_free(g_steal_pointer(&result), FALSE);
}

typedef struct {
    const ImageBuild *image;
    gboolean outputs;
    InputsVisit visit;
    gpointer data;
} Visit;

static void visit_setting(const char *section, const char *name, gpointer data) {
    const Visit *visit = data;
    const ImageConfig *config = visit->image->config;
    g_autofree char *json = NULL, *text = NULL;

    if (!(visit->outputs ? shapes_outputs(section, name) : shapes_content(section, name)))
        return;
    /* Nobody can expect anything of a seed that is another one each time. */
    if (g_str_equal(name, "Seed") && !recipe_setting_origin(config, name)) {
        if (visit->outputs)
            visit->visit(name, "null", visit->data);
        return;
    }
    json = image_config_setting_to_json(config, name);
    text = without_folder(visit->image, json);
    visit->visit(name, text, visit->data);
}

void inputs_each_setting(const ImageBuild *image, gboolean outputs, InputsVisit visit, gpointer data) {
    Visit all = {image, outputs, visit, data};

    recipe_each_setting(visit_setting, &all);
}

static void add_setting(const char *name, const char *json, gpointer data) {
    layer_inputs_add(data, name, json);
}

void inputs_add_configuration(LayerInputs *inputs, const ImageBuild *image) {
    inputs_each_setting(image, FALSE, add_setting, inputs);
}

/* What git keeps for itself: it changes when somebody just looks, and what it means is in what else counts. */
static gboolean is_private_to_git(const char *path) {
    static const char *const names[] = {
            "COMMIT_EDITMSG", "FETCH_HEAD", "ORIG_HEAD", "gc.log", "index", "logs", "objects", NULL};
    const char *git = strstr(path, "/.git/");
    const char *name = strrchr(path, '/') + 1;

    return git && (g_strv_contains(names, name) || g_str_has_suffix(name, ".lock"));
}

gboolean inputs_skip_source(const char *path, gpointer masks) {
    return masks_hide(masks, path) || is_private_to_git(path);
}

/* SOURCE is absolute and without links. */
static gboolean add_source(
        LayerInputs *inputs, const Masks *masks, const char *label, const char *source, GError **error) {
    int fd = open(source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autoptr(GPtrArray) names = NULL;

    /* A file, or nothing. */
    if (fd < 0)
        return masks_hide(masks, source) || layer_inputs_add_path(inputs, label, source, -1, error);
    if (!(names = tree_list(fd, error)))
        return FALSE;
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *path = g_build_filename(source, name, NULL);
        g_autofree char *input = g_strconcat(label, "/", name, NULL);
        g_autofree char *digest = NULL;

        if (inputs_skip_source(path, (gpointer) masks))
            continue;
        if (!(digest = tree_digest_except(AT_FDCWD, path, -1, inputs_skip_source, (gpointer) masks, error)))
            return FALSE;
        layer_inputs_add(inputs, input, digest);
    }
    return TRUE;
}

gboolean inputs_add_sources(LayerInputs *inputs, const ImageBuild *image, GError **error) {
    g_autoptr(Masks) masks = masks_new(image->build->recipe, image->config);

    for (guint i = 0; image->config->build_sources[i]; i++) {
        const RecipeTree *tree = image->config->build_sources[i];
        g_autofree char *label = g_strdup_printf("BuildSources[%u]", i);
        g_autofree char *target = g_strconcat(label, " target", NULL);
        g_autofree char *real = realpath(tree->source, NULL);

        layer_inputs_add(inputs, target, tree->target);
        if (!add_source(inputs, masks, label, real ? real : tree->source, error)) {
            g_prefix_error(error, "BuildSources=%s: ", tree->source);
            return FALSE;
        }
    }
    return TRUE;
}
