/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/inputs/input-files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "pipeline/inputs/input-packages.h"
#include "pipeline/inputs/input-set-private.h"
#include "pipeline/layers/inputs.h"
#include "pipeline/layers/masks.h"
#include "pipeline/tools-tree.h"
#include "text/os-release.h"
#include "tree/tree.h"

typedef struct {
    const InputSet *set;
    const ImageBuild *image;
    gboolean tools;
    Value *map;
    GError **error;
    gboolean failed;
} Files;

/* One source while it is walked. */
typedef struct {
    const InputSet *set;
    const char *path; /* absolute */
    Value *facts;     /* path below it -> fact */
    const Masks *masks;
    gboolean is_recipe; /* the folder of the recipe, which may have any mode */
} Source;

static const char *type_name(mode_t mode) {
    return S_ISREG(mode)    ? "file"
           : S_ISDIR(mode)  ? "directory"
           : S_ISLNK(mode)  ? "link"
           : S_ISFIFO(mode) ? "fifo"
           : S_ISSOCK(mode) ? "socket"
                            : "device";
}

static Value *describe_fact(const TreeFact *fact) {
    Value *map = value_new_map();

    input_set_string(map, "type", type_name(fact->mode));
    if (!S_ISLNK(fact->mode)) {
        g_autofree char *mode = g_strdup_printf("%04o", fact->mode & 07777);
        input_set_string(map, "mode", mode);
    }
    input_set_string(map, "content", fact->content);
    input_set_string(map, "attributes", fact->attributes);
    if (fact->seconds >= 0) {
        g_autofree char *time = g_strdup_printf("%" G_GINT64_FORMAT ".%09u", fact->seconds, fact->nanoseconds);
        input_set_string(map, "time", time);
    }
    return map;
}

static gboolean add_fact(const TreeFact *fact, gpointer data, GError **error) {
    const Source *source = data;
    g_autofree char *path = *fact->path ? g_build_filename(source->path, fact->path, NULL) : g_strdup(source->path);
    Value *map;

    if (source->is_recipe && !*fact->path)
        return TRUE;
    map = describe_fact(fact);
    if (!S_ISDIR(fact->mode))
        input_set_add_commit(source->set, map, path);
    /* A name of the tree, so the folder that it is in does not matter. */
    g_autofree char *name = input_set_name(source->set, fact->path);
    value_add(source->facts, name, map);
    return TRUE;
}

Value *input_files_single(const InputSet *set, const char *path, GError **error) {
    g_autofree char *real = realpath(path, NULL);
    g_autoptr(Value) facts = value_new_map();
    Source source = {.set = set, .path = path, .facts = facts};

    if (!tree_each_fact(AT_FDCWD, real ? real : path, -1, NULL, NULL, add_fact, &source, error)) {
        g_prefix_error(error, "Cannot read %s: ", path);
        return NULL;
    }
    return value_ref(value_lookup(facts, ""));
}

static gboolean matches(const char *name, const char *const *patterns) {
    for (const char *const *pattern = patterns; *pattern; pattern++)
        if (g_pattern_match_simple(*pattern, name))
            return TRUE;
    return FALSE;
}

/* What lies around in the folder of a recipe, which is the default of BuildSources=: scripts could look at
 * it, but it is for people, or has its effect by the recipe alone. */
static gboolean is_no_source(const InputSet *set, const char *path) {
    static const char *const others[] = {"mkosi.*", ".git*", ".editorconfig", "README*", "LICENSE*", "COPYING*",
            "AUTHORS*", "NEWS*", "CHANGELOG*", "CONTRIBUTING*", "SECURITY*", "*.md", "*.swp", "*~", NULL};
    g_autofree char *directory = g_path_get_dirname(path), *name = g_path_get_basename(path);

    return g_hash_table_contains(set->known, path) || (g_str_equal(directory, set->folder) && matches(name, others));
}

static gboolean skip_source(const char *path, gpointer data) {
    return inputs_skip_source(path, (gpointer) ((const Source *) data)->masks);
}

static gboolean skip_recipe_source(const char *path, gpointer data) {
    const Source *source = data;
    return skip_source(path, data) || is_no_source(source->set, path);
}

static gboolean walk(Source *source, gint64 epoch, TreeSkip skip, GError **error) {
    g_autofree char *real = realpath(source->path, NULL);

    /* What is missing now may be made by a script; it is an input all the same. */
    if (!real && errno == ENOENT)
        return TRUE;
    return tree_each_fact(AT_FDCWD, real ? real : source->path, epoch, skip, source, add_fact, source, error);
}

/* The name and version of what somebody else built, for people. */
static void add_release(Value *fact, const char *directory) {
    static const char *const places[] = {"usr/lib/os-release", "etc/os-release"};

    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *path = g_build_filename(directory, places[i], NULL), *text = NULL;
        if (!g_file_get_contents(path, &text, NULL, NULL))
            continue;
        g_autofree char *id = os_release_get(text, "IMAGE_ID"), *version = os_release_get(text, "IMAGE_VERSION");
        input_set_string(fact, "name", id);
        input_set_string(fact, "version", version);
        return;
    }
}

/* A whole operating system counts as one thing. */
static gboolean add_base(Source *source, GError **error) {
    g_autofree char *real = realpath(source->path, NULL), *digest = NULL;
    g_autoptr(Value) fact = NULL;
    struct stat info;

    if (!real || stat(real, &info) < 0)
        return TRUE;
    if (!S_ISDIR(info.st_mode))
        return walk(source, -1, NULL, error);
    if (!(digest = tree_digest(AT_FDCWD, real, TRUE, error)))
        return FALSE;
    fact = value_new_map();
    input_set_string(fact, "type", "directory");
    input_set_string(fact, "content", digest);
    add_release(fact, real);
    value_set(source->facts, "", g_steal_pointer(&fact));
    return TRUE;
}

static gboolean scripts_see_sources(const ImageConfig *config) {
    return config->prepare_scripts[0] || config->build_scripts[0] || config->post_installation_scripts[0] ||
           config->finalize_scripts[0] || config->post_output_scripts[0];
}

static gboolean add_sources(const Files *files, Source *source, GError **error) {
    g_autoptr(Masks) masks = masks_new(files->image->build->recipe, files->image->config);
    g_autofree char *real = realpath(source->path, NULL);

    source->masks = masks;
    source->is_recipe = g_strcmp0(real, files->set->folder) == 0;
    return walk(source, -1, source->is_recipe ? skip_recipe_source : skip_source, error);
}

/* Times of what becomes part of an image count, as far as they are kept. */
static gint64 epoch_of(const Files *files, SettingId id) {
    gboolean kept = id == SETTING_SKELETON_TREES || id == SETTING_EXTRA_TREES;
    return kept && !files->tools ? files->image->config->source_date_epoch : -1;
}

/* Local packages count as those that are installed, unless scripts can choose from them. */
static gboolean is_without_effect(const Files *files, SettingId id) {
    const ImageConfig *config = files->image->config;

    if (id == SETTING_PACKAGE_DIRECTORIES || id == SETTING_VOLATILE_PACKAGE_DIRECTORIES)
        return !files->tools && !input_packages_are_chosen(config);
    return id == SETTING_BUILD_SOURCES && !scripts_see_sources(config);
}

static gboolean add_source(Files *files, const Setting *setting, Value *sources, const char *path) {
    g_autofree char *name = input_set_name(files->set, path);
    g_autoptr(Value) facts = value_new_map();
    Source source = {.set = files->set, .path = path, .facts = facts};
    SettingId id = setting_id(setting);
    gboolean good;

    /* Words that are no paths, and what this build makes itself. */
    if (*path != '/' || value_has_key(sources, name) || build_find_output(files->image->build, path) ||
            is_without_effect(files, id))
        return TRUE;
    if (id == SETTING_BASE_TREES)
        good = add_base(&source, files->error);
    else if (id == SETTING_BUILD_SOURCES)
        good = add_sources(files, &source, files->error);
    else
        good = walk(&source, epoch_of(files, id), NULL, files->error);
    if (good)
        value_set(sources, name, g_steal_pointer(&facts));
    else
        g_prefix_error(files->error, "%s=%s: ", setting->name, path);
    return good;
}

gboolean input_files_have(const Setting *setting) {
    if (setting_id(setting) == SETTING_CONFIGURE_SCRIPTS)
        return FALSE;
    return setting->type == TYPE_TREE || setting->type == TYPE_SCRIPT ||
           (setting->type == TYPE_PATH && setting->shape == SHAPE_LIST);
}

/* What the setting NAME says, each as a path that is not resolved; NULL-terminated, owned by the caller. */
static char **list_paths(const ImageConfig *config, const char *name) {
    g_autofree char *text = image_config_setting_to_json(config, name);
    g_autoptr(Value) list = value_from_json(text, -1, NULL);
    g_autoptr(GStrvBuilder) paths = g_strv_builder_new();

    for (guint i = 0; i < value_length(list); i++) {
        const Value *element = value_element(list, i);
        const Value *path = element && value_kind(element) == VALUE_MAP ? value_lookup(element, "Source") : element;
        if (path && value_kind(path) == VALUE_STRING)
            g_strv_builder_add(paths, value_get_string(path));
    }
    return g_strv_builder_end(paths);
}

/* The tools tree is made with the configuration and the variables that these bring. */
static gboolean counts_for_tools(const Setting *setting) {
    SettingId id = setting_id(setting);

    return id == SETTING_SANDBOX_TREES || id == SETTING_ENVIRONMENT_FILES ||
           tools_tree_depends_on(setting->section, setting->name);
}

static void visit(const char *name, const char *json, gpointer data) {
    Files *files = data;
    const Setting *setting = setting_by_name(name);

    if (files->failed || !setting || !input_files_have(setting) || (files->tools && !counts_for_tools(setting)))
        return;
    g_auto(GStrv) paths = list_paths(files->image->config, name);
    g_autoptr(Value) sources = value_new_map();
    for (char **path = paths; *path && !files->failed; path++)
        files->failed = !add_source(files, setting, sources, *path);
    if (!files->failed && value_length(sources) > 0)
        value_set(files->map, name, g_steal_pointer(&sources));
}

static void note_paths(const char *name, const char *json, gpointer data) {
    const Files *files = data;
    const Setting *setting = setting_by_name(name);

    if (!setting || !input_files_have(setting) || setting_id(setting) == SETTING_BUILD_SOURCES)
        return;
    g_auto(GStrv) paths = list_paths(files->image->config, name);
    for (char **path = paths; *path; path++) {
        char *real = realpath(*path, NULL);
        if (real)
            g_hash_table_add(files->set->known, g_strdup(real));
        free(real);
    }
}

void input_files_note(const InputSet *set, const ImageBuild *image) {
    Files files = {.set = set, .image = image};

    inputs_each_setting(image, TRUE, note_paths, &files);
}

Value *input_files(const InputSet *set, const ImageBuild *image, gboolean tools, GError **error) {
    g_autoptr(Value) map = value_new_map();
    Files files = {.set = set, .image = image, .tools = tools, .map = map, .error = error};

    inputs_each_setting(image, TRUE, visit, &files);
    return files.failed ? NULL : g_steal_pointer(&map);
}
