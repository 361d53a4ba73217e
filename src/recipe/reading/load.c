/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/reading/load.h"

#include <string.h>
#include <unistd.h>

#include "recipe/reading/bump.h"
#include "recipe/reading/history.h"
#include "recipe/reading/images.h"
#include "recipe/result/image-secrets.h"
#include "recipe/values/paths.h"

static void run_clear(ParserRun *run) {
    g_free(run->config_directory);
    g_free(run->seed);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ParserRun, run_clear)

static gboolean exists_in(const char *directory, const char *name) {
    g_autofree char *path = g_build_filename(directory, name, NULL);
    return access(path, F_OK) == 0;
}

/* The working directory, or mkosi/ in it when the recipe is there. */
static char *find_config_directory(const char *directory) {
    if (!directory)
        return NULL;
    g_autofree char *conf = g_build_filename(directory, "mkosi/mkosi.conf", NULL);
    gboolean here = exists_in(directory, "mkosi.conf") || exists_in(directory, "mkosi.tools.conf");
    gboolean below = g_file_test(conf, G_FILE_TEST_IS_REGULAR) || exists_in(directory, "mkosi/mkosi.tools.conf");
    return !here && below ? path_resolve(directory, "mkosi") : g_strdup(directory);
}

/* Whether the slot of a setting that decides what an image is made of has a value: where it is to be put,
 * or how it is run, makes no recipe. */
static gboolean describes_image(const ImageParser *main, SettingId id) {
    const char *section = settings[id].section;
    gboolean content = g_str_equal(section, "Include") || g_str_equal(section, "Distribution") ||
                       g_str_equal(section, "Content") || id == SETTING_FORMAT || id == SETTING_IMAGE_ID;
    return content && main->cli.slots[id].given;
}

/* Keys and versions are left by other verbs in a directory that need not be a recipe for that. */
static gboolean is_left_by_verbs(const char *path) {
    static const char *const names[] = {
            "mkosi.key", "mkosi.crt", "mkosi.openpgp.key", "mkosi.openpgp.crt", "mkosi.version", NULL};
    g_autofree char *name = g_path_get_basename(path);
    return g_strv_contains(names, name);
}

/* A file of the directory that was read, images of it, or an option that says what to make. */
static gboolean has_recipe(const ImageParser *main) {
    const ParserRun *run = main->run;
    for (guint i = 0; i < run->trace->len; i++)
        if (!is_left_by_verbs(((const RecipeRead *) run->trace->pdata[i])->path))
            return TRUE;
    for (int id = 0; id < _SETTING_MAX; id++)
        if (describes_image(main, id))
            return TRUE;
    return run->config_directory && exists_in(run->config_directory, "mkosi.images");
}

/* Otherwise something would be made from the defaults alone: an image of the host's distribution. */
static gboolean check_recipe(const ImageParser *main, GError **error) {
    if (!(main->run->request->wants & RECIPE_WANTS_CONTENT) || has_recipe(main))
        return TRUE;
    g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_MISSING,
            "There is no recipe in %s: no mkosi.conf, and no option that says what to make; go to the "
            "directory of the recipe, or name it with --directory",
            main->directory);
    return FALSE;
}

/* Sets the version after this one, as if it were an option. */
static gboolean apply_bump(ImageParser *main, GError **error) {
    if (!(main->run->request->wants & RECIPE_WANTS_NEXT_VERSION) || !main->run->config_directory ||
            main->cli.slots[SETTING_IMAGE_VERSION].value)
        return TRUE;
    g_autofree char *version = bump_version(main->run, error);
    if (!version)
        return FALSE;
    if (!value_check_text(&settings[SETTING_IMAGE_VERSION], version, error)) {
        g_prefix_error(error, "The new version: ");
        return FALSE;
    }
    g_autoptr(Value) value = value_new_string(version);
    namespace_set(&main->cli, SETTING_IMAGE_VERSION, value, g_intern_static_string("bump"));
    return TRUE;
}

/* The main image: options, history, --include, the configuration directory. */
static gboolean read_main(ImageParser *main, GError **error) {
    if (!history_read(main, error))
        return FALSE;
    g_autofree char *snapshot = history_snapshot(main);
    if (!image_parser_include_pending(main, error))
        return FALSE;
    g_ptr_array_set_size(main->files_read, 0);
    if (!apply_bump(main, error))
        return FALSE;
    const char *directory = main->run->config_directory;
    if (directory && !image_parser_read(main, directory, READ_LOCAL | READ_PROFILES, NULL, error))
        return FALSE;
    return check_recipe(main, error) && history_write(main, snapshot, error);
}

static ImageConfig *make_config(ImageValues *values) {
    ImageConfig *config = image_config_new(values);
    secrets_note_image(config);
    return config;
}

static gboolean read_recipe(Recipe *recipe, ImageParser *main, GError **error) {
    ImageValues *tools;
    if (!read_main(main, error))
        return FALSE;
    g_autoptr(GPtrArray) images = images_resolve(main, &tools, error);
    if (!images)
        return FALSE;

    recipe->tools = tools ? make_config(tools) : NULL;
    g_free(recipe->images);
    recipe->images = g_new0(ImageConfig *, images->len + 1);
    for (guint i = 0; i < images->len; i++)
        recipe->images[i] = make_config(images->pdata[i]);
    recipe->main = recipe->images[images->len - 1];
    g_ptr_array_set_free_func(images, NULL); /* the configs own them now */
    return TRUE;
}

static gboolean assign(ImageParser *main, const RecipeAssignment *assignment, GError **error) {
    const Setting *setting = setting_by_name(assignment->setting);
    ParseContext context = {assignment->directory, TRUE};
    if (setting->type == TYPE_INCLUDE)
        return includes_add(main->includes, assignment->text, assignment->option, &context, error);
    Slot *slot = &main->cli.slots[setting_slot(setting)];
    if (!slot_assign(slot, setting, assignment->text, &context, error)) {
        if (error && setting->type == TYPE_ENUM)
            (*error)->code = RECIPE_ERROR_USAGE;
        g_prefix_error(error, "%s: ", assignment->option);
        return FALSE;
    }
    g_autofree char *origin = g_strdup_printf("--%s", setting->option);
    slot->origin = g_intern_string(origin);
    return TRUE;
}

static gboolean assign_all(ImageParser *main, const GPtrArray *assignments, GError **error) {
    for (guint i = 0; assignments && i < assignments->len; i++)
        if (!assign(main, assignments->pdata[i], error))
            return FALSE;
    return TRUE;
}

Recipe *recipe_load(const RecipeRequest *request, GError **error) {
    g_autoptr(Recipe) recipe = g_new0(Recipe, 1);
    g_auto(ParserRun) run = {
            .request = request,
            .directory = request->directory,
            .config_directory = find_config_directory(request->directory),
            .seed = g_uuid_string_random(),
    };
    g_autoptr(ImageParser) main = image_parser_new(&run, "main");

    recipe->directory = g_strdup(run.directory);
    recipe->config_directory = g_strdup(run.config_directory);
    recipe->images = g_new0(ImageConfig *, 1);
    if (!assign_all(main, request->assignments, error))
        return NULL;
    if (!(request->wants & RECIPE_WANTS_IMAGES))
        return g_steal_pointer(&recipe);
    recipe->trace = run.trace = recipe_trace_new();
    return read_recipe(recipe, main, error) ? g_steal_pointer(&recipe) : NULL;
}
