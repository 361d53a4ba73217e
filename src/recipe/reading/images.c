/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/reading/images.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/directory.h"
#include "recipe/reading/builtin.h"
#include "recipe/result/image-order.h"
#include "recipe/values/paths.h"
#include "text/recipe-values.h"

/* What every further image gets of the main one, by scope. */
static void pass_down(const ImageValues *main, Namespace *target, SettingScope scope) {
    for (int id = 0; id < _SETTING_MAX; id++)
        if (settings[id].scope == scope && !settings[id].stored_in)
            namespace_set(target, id, main->values[id], main->origins[id]);
}

/* The entries of Environment= that PassEnvironment= names. */
static void pass_environment(const ImageValues *main, ImageParser *parser) {
    g_autoptr(Value) passed = value_new_map();
    const Value *names = main->values[SETTING_PASS_ENVIRONMENT];
    const Value *environment = main->values[SETTING_ENVIRONMENT];
    for (guint i = 0; i < value_length(names); i++) {
        const char *name = value_get_string(value_element(names, i));
        if (value_has_key(environment, name))
            value_set(passed, name, value_ref(value_lookup(environment, name)));
    }
    namespace_set(&parser->inherited, SETTING_ENVIRONMENT, passed,
            value_length(passed) > 0 ? main->origins[SETTING_ENVIRONMENT] : NULL);
}

/* Settings for the one special image keep the rank they were given with: option, file, or only a default. */
static void pass_special(ImageParser *main, const ImageValues *values, ImageParser *parser, SettingScope scope) {
    for (int id = 0; id < _SETTING_MAX; id++) {
        if (settings[id].scope != scope)
            continue;
        SettingId target = setting_id(setting_for_special_image(&settings[id]));
        if (main->cli.slots[id].given) {
            namespace_set(&parser->cli, target, values->values[id], values->origins[id]);
            parser->cli.slots[target].reset = main->cli.slots[id].reset;
        } else if (main->files.slots[id].given)
            namespace_set(&parser->inherited, target, values->values[id], values->origins[id]);
        else {
            value_unref(parser->defaults[target]);
            parser->defaults[target] = value_ref(values->values[id]);
            parser->default_known[target] = TRUE;
        }
    }
}

/* Where outputs of an image go: OutputDirectory=, else where the recipe is. */
static char *output_path(const ParserRun *run, const ImageValues *image) {
    const char *directory = value_get_string(image->values[SETTING_OUTPUT_DIRECTORY]);
    g_autofree char *current = g_get_current_dir();
    return g_build_filename(directory ?: run->config_directory ?: run->directory ?: current,
        value_get_string(image->values[SETTING_OUTPUT]), NULL);
}

/* Reads NAME (a file or a directory) of the configuration directory, if it is there. */
static gboolean read_own_configuration(ImageParser *parser, const char *name, GError **error) {
    if (!parser->run->config_directory)
        return TRUE;
    g_autofree char *path = g_build_filename(parser->run->config_directory, name, NULL);
    ReadFlags flags = g_file_test(path, G_FILE_TEST_IS_DIR) ? READ_LOCAL | READ_PROFILES : 0;
    return access(path, F_OK) != 0 || image_parser_read(parser, path, flags, NULL, error);
}

static gboolean read_builtin(ImageParser *parser, const char *name, GError **error) {
    g_autofree char *path = builtin_configuration_path(name);
    return image_parser_read(parser, path, READ_PROFILES, NULL, error);
}

static ImageValues *make_tools(ImageParser *main, const ImageValues *values, GError **error) {
    g_autoptr(ImageParser) parser = image_parser_new(main->run, "tools");
    g_autoptr(Value) format = value_new_string("directory");
    pass_down(values, &parser->cli, SCOPE_MULTIVERSAL);
    namespace_set(&parser->cli, SETTING_FORMAT, format, g_intern_static_string("ToolsTree="));
    pass_special(main, values, parser, SCOPE_TOOLS);
    pass_environment(values, parser);
    if (!read_own_configuration(parser, "mkosi.tools.conf", error) || !read_builtin(parser, "mkosi-tools", error))
        return NULL;
    return image_parser_get_values(parser);
}

static ImageValues *make_initrd(ImageParser *main, const ImageValues *values, GError **error) {
    g_autoptr(ImageParser) parser = image_parser_new(main->run, "default-initrd");
    pass_down(values, &parser->cli, SCOPE_UNIVERSAL);
    pass_down(values, &parser->cli, SCOPE_MULTIVERSAL);
    pass_down(values, &parser->inherited, SCOPE_INHERIT);
    pass_down(values, &parser->inherited, SCOPE_INITRD_INHERIT);
    pass_special(main, values, parser, SCOPE_INITRD);
    pass_environment(values, parser);
    if (!read_own_configuration(parser, "mkosi.initrd.conf", error) || !read_builtin(parser, "mkosi-initrd", error))
        return NULL;
    return image_parser_get_values(parser);
}

/* Decides ToolsTree=: a path, nothing, or an image of its own. */
static gboolean resolve_tools(ImageParser *main, ImageValues *values, ImageValues **ret, GError **error) {
    const char *tree = value_get_string(values->values[SETTING_TOOLS_TREE]);
    *ret = NULL;
    if (g_strcmp0(tree, "no") == 0)
        image_values_set(values, SETTING_TOOLS_TREE, NULL);
    if (g_strcmp0(tree, "default") != 0 && g_strcmp0(tree, "yes") != 0)
        return TRUE;

    gboolean in_box;
    const char *box = g_getenv("MKOSI_IN_BOX");
    if (box && recipe_boolean_parse(box, &in_box) && in_box) {
        image_values_set(values, SETTING_TOOLS_TREE, value_new_string(g_getenv("MKOSI_DEFAULT_TOOLS_TREE_PATH")));
        return TRUE;
    }
    *ret = make_tools(main, values, error);
    if (!*ret)
        return FALSE;
    image_values_set(values, SETTING_TOOLS_TREE, value_new_string_take(output_path(main->run, *ret)));
    return TRUE;
}

static gboolean check_image_name(const char *name, const char *path, GPtrArray *images, GError **error) {
    static const char *const taken[] = {"main", "default-initrd", "tools"};
    g_autofree char *shown = path_for_people(path);
    for (gsize i = 0; i < G_N_ELEMENTS(taken); i++)
        if (strcmp(name, taken[i]) == 0) {
            g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX,
                    "%s: \"%s\" is the name of a special image; rename the subimage", shown, name);
            return FALSE;
        }
    for (guint i = 0; i < images->len; i++)
        if (strcmp(((ImageValues *) images->pdata[i])->image, name) == 0) {
            g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX,
                    "%s: There are two images named \"%s\", a directory and a file; remove one", shown, name);
            return FALSE;
        }
    return TRUE;
}

/* Reads one entry of mkosi.images/; appends nothing when it is none or its conditions do not hold. */
static gboolean read_subimage(
        ImageParser *main, const ImageValues *values, const char *path, GPtrArray *images, GError **error) {
    struct stat info;
    g_autofree char *name = g_path_get_basename(path);
    gboolean directory = stat(path, &info) == 0 && S_ISDIR(info.st_mode), matched;
    if (!directory) {
        if (!g_str_has_suffix(name, ".conf") || strcmp(name, ".conf") == 0)
            return TRUE;
        name[strlen(name) - strlen(".conf")] = 0;
    }
    if (!check_image_name(name, path, images, error))
        return FALSE;

    g_autoptr(ImageParser) parser = image_parser_new(main->run, name);
    pass_down(values, &parser->cli, SCOPE_UNIVERSAL);
    pass_down(values, &parser->cli, SCOPE_MULTIVERSAL);
    pass_down(values, &parser->inherited, SCOPE_INHERIT);
    pass_environment(values, parser);
    ReadFlags flags = directory ? READ_LOCAL | READ_PROFILES : 0;
    if (!image_parser_read(parser, path, flags, &matched, error))
        return FALSE;
    if (matched)
        g_ptr_array_add(images, image_parser_get_values(parser));
    return TRUE;
}

static GPtrArray *read_subimages(ImageParser *main, const ImageValues *values, GError **error) {
    g_autoptr(GPtrArray) images = g_ptr_array_new_with_free_func((GDestroyNotify) image_values_free);
    if (!main->run->config_directory)
        return g_steal_pointer(&images);
    g_autofree char *directory = g_build_filename(main->run->config_directory, "mkosi.images", NULL);
    g_autoptr(GPtrArray) names = list_directory_if_any(directory);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(directory, names->pdata[i], NULL);
        if (!read_subimage(main, values, path, images, error))
            return NULL;
    }
    return g_steal_pointer(&images);
}

static gboolean wants_default_initrd(const ImageValues *image) {
    return value_list_contains(image->values[SETTING_INITRDS], "default");
}

/* The word "default" in Initrds= becomes the path of the default initrd. */
static void use_initrd(ImageValues *image, const char *path) {
    if (!wants_default_initrd(image))
        return;
    Value *initrds = value_new_list(), *old = image->values[SETTING_INITRDS];
    for (guint i = 0; i < value_length(old); i++) {
        Value *element = value_element(old, i);
        value_append(initrds, value_is_string(element, "default") ? value_new_string(path) : value_ref(element));
    }
    image_values_set(image, SETTING_INITRDS, initrds);

    Value *dependencies = value_new_list();
    value_append_all(dependencies, image->values[SETTING_DEPENDENCIES]);
    value_append(dependencies, value_new_string("default-initrd"));
    image_values_set(image, SETTING_DEPENDENCIES, dependencies);
}

static gboolean add_initrd(ImageParser *main, ImageValues *values, GPtrArray *images, GError **error) {
    gboolean wanted = wants_default_initrd(values);
    for (guint i = 0; i < images->len; i++)
        wanted |= wants_default_initrd(images->pdata[i]);
    if (!wanted)
        return TRUE;
    ImageValues *initrd = make_initrd(main, values, error);
    if (!initrd)
        return FALSE;
    g_autofree char *path = output_path(main->run, initrd);
    use_initrd(values, path);
    for (guint i = 0; i < images->len; i++)
        use_initrd(images->pdata[i], path);
    g_ptr_array_add(images, initrd);
    return TRUE;
}

GPtrArray *images_resolve(ImageParser *main, ImageValues **ret_tools, GError **error) {
    g_autoptr(ImageValues) values = image_parser_get_values(main);
    g_autoptr(ImageValues) tools = NULL;
    if (!resolve_tools(main, values, &tools, error))
        return NULL;
    g_autoptr(GPtrArray) images = read_subimages(main, values, error);
    if (!images)
        return NULL;

    if (!image_parser_given(main, SETTING_DEPENDENCIES)) {
        Value *all = value_new_list();
        for (guint i = 0; i < images->len; i++)
            value_append(all, value_new_string(((ImageValues *) images->pdata[i])->image));
        image_values_set(values, SETTING_DEPENDENCIES, all);
    }
    if (!add_initrd(main, values, images, error))
        return NULL;

    GPtrArray *ordered = images_order(images, values, error);
    if (!ordered)
        return NULL;
    g_ptr_array_add(ordered, g_steal_pointer(&values));
    *ret_tools = g_steal_pointer(&tools);
    return ordered;
}
