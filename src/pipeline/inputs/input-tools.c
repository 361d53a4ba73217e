/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/inputs/input-tools.h"

#include "distro/distro.h"
#include "pipeline/inputs/input-packages.h"
#include "pipeline/packages/packages.h"
#include "pipeline/prepare.h"
#include "pipeline/state/output-names.h"
#include "pipeline/tools-tree.h"

static Value *describe_package(const DistroInstalled *package) {
    Value *map = value_new_map();

    input_set_string(map, "version", package->version);
    input_set_string(map, "architecture", package->architecture);
    return map;
}

static Value *describe_packages(const GPtrArray *packages) {
    Value *map = value_new_map();

    for (guint i = 0; i < packages->len; i++) {
        const DistroInstalled *package = packages->pdata[i];
        g_autofree char *longer = g_strconcat(package->name, ":", package->architecture, NULL);

        value_set(map, value_has_key(map, package->name) ? longer : package->name, describe_package(package));
    }
    return map;
}

static gboolean add_repositories(const InputSet *set, ImageBuild *image, Value *repositories, GError **error) {
    g_autoptr(Value) metadata = NULL;
    Value *found = NULL;

    if (!packages_sync(image->build, TRUE, error) ||
            !input_packages_repositories(set, image, repositories, &found, error))
        return FALSE;
    metadata = found;
    return TRUE;
}

Value *input_tools_packages(const InputSet *set, Value *repositories, GError **error) {
    ToolsRecipe tools;
    g_autoptr(Build) build = NULL;
    g_autoptr(GPtrArray) packages = NULL;
    g_autofree char *tree = outputs_main_path(set->build->recipe->tools);
    g_autoptr(Value) map = value_new_map();

    tools_recipe_init(&tools, set->build->recipe);
    build = build_new(&tools.recipe, &set->build->options, error);
    if (!build || !build_open_images(build, error))
        return NULL;
    ImageBuild *image = build->images->pdata[0];
    if (!packages_are_used(image))
        return g_steal_pointer(&map);
    packages = distro_installed(image->distro, tree, error);
    if (!packages || !add_repositories(set, image, repositories, error))
        return NULL;
    value_set(map, "install", describe_packages(packages));
    return g_steal_pointer(&map);
}
