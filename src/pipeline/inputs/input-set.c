/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/inputs/input-set.h"

#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "pipeline/boot/microcode.h"
#include "pipeline/inputs/commits.h"
#include "pipeline/inputs/input-certificates.h"
#include "pipeline/inputs/input-files.h"
#include "pipeline/inputs/input-packages.h"
#include "pipeline/inputs/input-set-private.h"
#include "pipeline/inputs/input-settings.h"
#include "pipeline/inputs/input-tools.h"
#include "pipeline/layers/layer.h"
#include "pipeline/output-cache.h"
#include "pipeline/packages/package-folder.h"
#include "pipeline/packages/packages.h"
#include "pipeline/prepare.h"
#include "recipe/reading/builtin.h"

/* Grows when a reader of the older form would misunderstand the newer. */
#define INPUT_SET_VERSION 1

static gboolean is_below(const char *path, const char *directory) {
    gsize length = directory ? strlen(directory) : 0;

    return length > 1 && strncmp(path, directory, length) == 0 && (path[length] == '/' || !path[length]);
}

static char *below(const char *prefix, const char *path, const char *directory) {
    const char *rest = path + strlen(directory);

    rest += *rest == '/';
    if (!*prefix)
        return g_strdup(*rest ? rest : ".");
    return g_strconcat(prefix, *rest ? "/" : "", rest, NULL);
}

/* Bytes that are no text, as they are written in C. */
static char *as_text(const char *name) {
    GString *text = g_string_new(NULL);

    while (*name) {
        const char *end;
        gboolean valid = g_utf8_validate(name, -1, &end);
        g_string_append_len(text, name, end - name);
        name = end;
        if (!valid)
            g_string_append_printf(text, "\\x%02x", (guchar) *name++);
    }
    return g_string_free(text, FALSE);
}

char *input_set_name(const InputSet *set, const char *path) {
    const char *given = set->build->recipe->config_directory;
    const char *top = set->commits ? commits_top(set->commits) : NULL;
    g_autofree char *name = NULL;

    if (is_below(path, given))
        name = below("", path, given);
    else if (is_below(path, set->folder))
        name = below("", path, set->folder);
    else if (is_below(path, set->resources))
        name = below("%R", path, set->resources);
    else if (is_below(path, top))
        name = below("%G", path, top);
    return as_text(name ? name : path);
}

void input_set_string(Value *map, const char *key, const char *text) {
    if (text) {
        g_autofree char *valid = as_text(text);
        value_set(map, key, value_new_string(valid));
    }
}

void input_set_add_commit(const InputSet *set, Value *fact, const char *path) {
    g_autofree char *real = set->commits ? realpath(path, NULL) : NULL;
    gboolean dirty = FALSE;
    const Commit *commit = real ? commits_of_file(set->commits, real, &dirty) : NULL;

    if (dirty)
        value_set(fact, "uncommitted", value_new_bool(TRUE));
    if (!commit)
        return;
    Value *map = value_new_map();
    input_set_string(map, "id", commit->id);
    input_set_string(map, "author", commit->author);
    input_set_string(map, "subject", commit->subject);
    value_set(fact, "commit", map);
}

/* Files whose effect is in the settings: what was read, and programs and texts that became values. */
static gboolean add_recipe_file(InputSet *set, Value *files, const RecipeRead *read, GError **error) {
    g_autofree char *name = input_set_name(set, read->path);

    g_hash_table_add(set->known, g_strdup(read->path));
    if (read->kind == RECIPE_READ_SKIPPED || !g_file_test(read->path, G_FILE_TEST_IS_REGULAR) ||
            value_has_key(files, name))
        return TRUE;
    const Setting *setting = read->kind == RECIPE_READ_COMPANION ? setting_by_name(read->note) : NULL;
    if (setting && (input_files_have(setting) || setting->type == TYPE_KEY || setting->type == TYPE_CERTIFICATE ||
                           (setting->flags & SETTING_SECRET)))
        return TRUE;
    Value *fact = input_files_single(set, read->path, error);
    if (fact)
        value_set(files, name, fact);
    return fact != NULL;
}

static Value *recipe_files(InputSet *set, GError **error) {
    const GPtrArray *trace = set->build->recipe->trace;
    g_autoptr(Value) files = value_new_map();

    for (guint i = 0; trace && i < trace->len; i++)
        if (!add_recipe_file(set, files, trace->pdata[i], error))
            return NULL;
    return g_steal_pointer(&files);
}

static gboolean add_part(Value *map, const char *key, Value *part) {
    if (part)
        value_set(map, key, part);
    return part != NULL;
}

/* What of the machine that builds gets into the image. */
static Value *describe_machine(const ImageConfig *config) {
    g_autofree char *modules = output_cache_host_modules(config);
    g_autofree char *processor = config->microcode_host ? microcode_processor() : NULL;
    g_autofree char *digest = modules ? g_compute_checksum_for_string(G_CHECKSUM_SHA256, modules, -1) : NULL;
    Value *machine = value_new_map();

    input_set_string(machine, "modules", digest);
    input_set_string(machine, "processor", processor);
    return machine;
}

static Value *describe_image(InputSet *set, ImageBuild *image, Value *repositories, GError **error) {
    g_autoptr(Value) map = value_new_map();
    Value *metadata = NULL;

    value_set(map, "settings", input_settings(set, image, FALSE));
    value_set(map, "machine", describe_machine(image->config));
    value_set(map, "certificates", input_certificates(set, image->config));
    if (!add_part(map, "files", input_files(set, image, FALSE, error)))
        return NULL;
    if (!packages_are_used(image))
        return g_steal_pointer(&map);
    if (!input_packages_repositories(set, image, repositories, &metadata, error))
        return NULL;
    if (metadata)
        value_set(map, "metadata", metadata);
    g_autofree char *sources = input_packages_sources(image);
    input_set_string(map, "sources", sources);
    value_set(map, "programs", input_packages_programs(image));
    return add_part(map, "packages", input_packages(image, error)) ? g_steal_pointer(&map) : NULL;
}

static Value *describe_images(InputSet *set, Value *repositories, GError **error) {
    g_autoptr(Value) images = value_new_map();

    for (guint i = 0; i < set->build->images->len; i++)
        input_files_note(set, set->build->images->pdata[i]);
    for (guint i = 0; i < set->build->images->len; i++) {
        ImageBuild *image = set->build->images->pdata[i];
        Value *described = describe_image(set, image, repositories, error);
        if (!described) {
            g_prefix_error(error, "Cannot say what shapes the image %s: ", image->name);
            return NULL;
        }
        value_set(images, image->name, described);
    }
    return g_steal_pointer(&images);
}

/* The tools tree that this recipe makes. Newer packages in its repositories are no reason to make another one
 * (pipeline/tools-tree.c); what is in the one that there is counts. */
static gboolean describe_tools(InputSet *set, Value *map, Value *repositories, GError **error) {
    const Recipe *recipe = set->build->recipe;
    ImageBuild image = {.build = set->build, .config = recipe->tools, .name = "tools"};
    g_autoptr(Value) tools = value_new_map();

    if (!recipe->tools)
        return TRUE;
    value_set(tools, "settings", input_settings(set, &image, TRUE));
    if (!add_part(tools, "files", input_files(set, &image, TRUE, error)) ||
            !add_part(tools, "packages", input_tools_packages(set, repositories, error)))
        return FALSE;
    value_set(map, "tools", g_steal_pointer(&tools));
    return TRUE;
}

static Value *describe_program(void) {
    g_autofree char *build = layer_program_build();
    Value *program = value_new_map();

    input_set_string(program, "version", PARTICLEOS_VERSION);
    input_set_string(program, "build", build);
    return program;
}

static Value *describe_commit(const InputSet *set) {
    Value *commit = value_new_map();

    if (!set->commits)
        return commit;
    input_set_string(commit, "id", commits_head(set->commits));
    value_set(commit, "dirty", value_new_bool(commits_are_dirty(set->commits)));
    return commit;
}

/* A list, because it is for who looks at all of them, not at a certain one. */
static Value *list_repositories(const Value *repositories) {
    Value *list = value_new_list();

    for (guint i = 0; i < value_length(repositories); i++)
        value_append(list, value_ref(value_element(repositories, i)));
    return list;
}

static char *describe(InputSet *set, GError **error) {
    g_autoptr(Value) map = value_new_map();
    g_autoptr(Value) repositories = value_new_map();
    GString *text;

    value_set(map, "version", value_new_int(INPUT_SET_VERSION));
    value_set(map, "program", describe_program());
    value_set(map, "commit", describe_commit(set));
    if (!add_part(map, "recipe", recipe_files(set, error)) ||
            !add_part(map, "images", describe_images(set, repositories, error)) ||
            !describe_tools(set, map, repositories, error))
        return NULL;
    value_set(map, "repositories", list_repositories(repositories));
    text = g_string_new(NULL);
    value_to_json(map, text, 0);
    g_string_append_c(text, '\n');
    return g_string_free(text, FALSE);
}

/* What a build does before it makes images. */
static gboolean prepare(Build *build, GError **error) {
    if (!build_run_sync_scripts(build, error) || !build_open_images(build, error) || !packages_sync(build, TRUE, error))
        return FALSE;
    for (guint i = 0; i < build->images->len; i++)
        if (!package_folder_offer(build->images->pdata[i], error))
            return FALSE;
    return TRUE;
}

char *input_set_text(const Recipe *recipe, const BuildOptions *options, GError **error) {
    g_autoptr(Build) build = build_new(recipe, options, error);
    InputSet set = {.build = build};
    char *text;

    if (!build || !prepare(build, error))
        return NULL;
    g_autofree char *builtin = builtin_configuration_path("mkosi-initrd");
    set.resources = g_path_get_dirname(builtin);
    set.folder = recipe->config_directory ? realpath(recipe->config_directory, NULL) : NULL;
    set.commits = set.folder ? commits_new(set.folder) : NULL;
    set.known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    text = describe(&set, error);
    g_hash_table_unref(set.known);
    commits_free(set.commits);
    free(set.folder);
    g_free(set.resources);
    return text;
}
