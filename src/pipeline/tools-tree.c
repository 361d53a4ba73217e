/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/tools-tree.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>

#include "events/events.h"
#include "pipeline/build.h"
#include "pipeline/check.h"
#include "pipeline/layers/inputs.h"
#include "pipeline/layers/layer.h"
#include "pipeline/state/output-names.h"
#include "tree/tree.h"

static char *manifest_path(const char *tree) {
    return g_strconcat(tree, ".manifest", NULL);
}

typedef struct {
    LayerInputs *inputs;
    const ImageConfig *config;
} ToolsSettings;

gboolean tools_tree_depends_on(const char *section, const char *name) {
    return g_str_equal(section, "Distribution") || g_str_equal(section, "Content") || g_str_equal(name, "Environment");
}

static void add_setting(const char *section, const char *name, gpointer data) {
    const ToolsSettings *tools = data;
    g_autofree char *json = NULL;

    if (!tools_tree_depends_on(section, name))
        return;
    json = image_config_setting_to_json(tools->config, name);
    layer_inputs_add(tools->inputs, name, json);
}

/* What the recipe says of the tree. That the repositories have newer packages does not make it another one:
 * tools are not part of the image; -ff asks for new ones. */
static char *tools_key(const ImageConfig *config, GError **error) {
    g_autoptr(LayerInputs) inputs = layer_inputs_new();
    ToolsSettings tools = {inputs, config};

    recipe_each_setting(add_setting, &tools);
    if (!inputs_add_trees(inputs, "SkeletonTrees", config->skeleton_trees, -1, error) ||
            !inputs_add_trees(inputs, "ExtraTrees", config->extra_trees, -1, error) ||
            !inputs_add_trees(inputs, "SandboxTrees", config->sandbox_trees, -1, error) ||
            !inputs_add_paths(inputs, "PackageDirectories", config->package_directories, error) ||
            !inputs_add_paths(inputs, "VolatilePackageDirectories", config->volatile_package_directories, error) ||
            !inputs_add_paths(inputs, "EnvironmentFiles", config->environment_files, error) ||
            !inputs_add_paths(inputs, "PrepareScripts", config->prepare_scripts, error) ||
            !inputs_add_paths(inputs, "BuildScripts", config->build_scripts, error) ||
            !inputs_add_paths(inputs, "PostInstallationScripts", config->post_installation_scripts, error) ||
            !inputs_add_paths(inputs, "FinalizeScripts", config->finalize_scripts, error))
        return NULL;
    return g_strconcat(layer_inputs_key(inputs), "\n", NULL);
}

static gboolean is_current(const char *tree, const char *key) {
    g_autofree char *path = manifest_path(tree);
    g_autofree char *stored = NULL;

    return g_file_test(tree, G_FILE_TEST_IS_DIR) && g_file_get_contents(path, &stored, NULL, NULL) &&
           g_str_equal(stored, key);
}

void tools_recipe_init(ToolsRecipe *tools, const Recipe *recipe) {
    *tools = (ToolsRecipe){.recipe = *recipe, .images = {recipe->tools}};
    tools->recipe.images = tools->images;
    tools->recipe.main = recipe->tools;
    tools->recipe.tools = NULL;
    tools->recipe.whole = recipe;
}

static gboolean build_tools(
        const Recipe *recipe, const BuildOptions *options, KeySession *session, GError **error) {
    const BuildOptions tools_options = {.force = options->force, .keep_workspace = options->keep_workspace};
    ToolsRecipe tools;

    tools_recipe_init(&tools, recipe);
    return build_check(&tools.recipe, error) && build_run(&tools.recipe, &tools_options, session, error);
}

gboolean tools_tree_prepare(
        const Recipe *recipe, const BuildOptions *options, KeySession *session, GError **error) {
    g_autofree char *tree = recipe->tools ? outputs_main_path(recipe->tools) : NULL;
    g_autofree char *manifest = tree ? manifest_path(tree) : NULL;
    g_autofree char *key = NULL;

    if (!tree)
        return TRUE;
    if (!(key = tools_key(recipe->tools, error)))
        return FALSE;
    if (options->force < 2 && is_current(tree, key)) {
        events_debug("tools: the tools tree %s is reused (key %.16s)", tree, key);
        return TRUE;
    }
    events_debug("tools: the tools tree %s is made anew", tree);
    (void) g_unlink(manifest);
    if (!build_tools(recipe, options, session, error) || !g_file_set_contents(manifest, key, -1, error)) {
        g_prefix_error(error, "Cannot build the tools tree (ToolsTree=default): ");
        return FALSE;
    }
    return TRUE;
}

gboolean tools_tree_clean(const Recipe *recipe, GError **error) {
    g_autofree char *tree = recipe->tools ? outputs_main_path(recipe->tools) : NULL;
    g_autofree char *manifest = tree ? manifest_path(tree) : NULL;

    return !tree || (tree_remove(AT_FDCWD, manifest, error) && tree_remove(AT_FDCWD, tree, error));
}
