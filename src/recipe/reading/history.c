/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/reading/history.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/errors.h"
#include "events/events.h"
#include "recipe/values/checked-json.h"
#include "recipe/values/paths.h"

#define HISTORY ".mkosi-private/history"

static gboolean wants(const ImageParser *main, RecipeWants what) {
    return main->run->config_directory && (main->run->request->wants & what);
}

static char *history_path(const char *directory) {
    return g_build_filename(directory, HISTORY, "latest.json", NULL);
}

/* One remembered setting. */
static gboolean join(ImageParser *main, const char *key, const Value *json, GError **error) {
    const Setting *setting = setting_by_name(key);
    if (!setting || setting->stored_in) {
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX,
                "\"%s\" is not a setting; build again, or remove the file", key);
        return FALSE;
    }
    if (strcmp(setting->section, "Runtime") == 0 || strcmp(setting->section, "Include") == 0)
        return TRUE;
    g_autoptr(Value) value = NULL;
    g_autoptr(GError) problem = NULL;
    if (!value_checked_from_json(setting, json, &value, &problem)) {
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX, "%s; build again, or remove the file", problem->message);
        return FALSE;
    }
    SettingId id = setting_id(setting);
    Slot *slot = &main->cli.slots[id];
    if (slot->given && !value_equal(slot->value, value))
        events_warning(
                "Ignoring --%s: the image was built with another value; use -f to build it again", setting->option);
    namespace_set(&main->cli, id, value, slot->origin ?: g_intern_static_string(HISTORY));
    if (setting->shape != SHAPE_SCALAR && value_length(value) == 0)
        slot->reset = TRUE;
    return TRUE;
}

/* All remembered settings. TEXT need not be terminated. */
static gboolean join_all(ImageParser *main, const char *text, gsize length, GError **error) {
    g_autoptr(GError) problem = NULL;
    g_autoptr(Value) history = value_from_json(text, length, &problem);
    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    if (!history || value_kind(history) != VALUE_MAP) {
        g_set_error_literal(
                error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX, "The file is not a JSON object; build again, or remove it");
        return FALSE;
    }
    for (guint i = 0; i < value_length(history); i++)
        /* Derived, not set: mkosi leaves it out too. */
        if (strcmp(value_key(history, i), "BuildSubdirectory") != 0 &&
                !join(main, value_key(history, i), value_element(history, i), error))
            return FALSE;
    return TRUE;
}

gboolean history_read(ImageParser *main, GError **error) {
    if (!wants(main, RECIPE_WANTS_HISTORY))
        return TRUE;
    const char *output = value_get_string(main->cli.slots[SETTING_OUTPUT_DIRECTORY].value);
    g_autofree char *path = output ? history_path(output) : NULL;
    if (!path || access(path, F_OK) != 0) {
        g_free(path);
        path = history_path(main->run->config_directory);
    }
    g_autofree char *text = NULL, *shown = path_for_people(path);
    gsize length;
    if (access(path, F_OK) != 0)
        return TRUE;
    if (!g_file_get_contents(path, &text, &length, error))
        return FALSE;
    if (join_all(main, text, length, error))
        return TRUE;
    g_prefix_error(error, "%s: ", shown);
    return FALSE;
}

char *history_snapshot(ImageParser *main) {
    g_autoptr(Value) map = value_new_map();
    for (int id = 0; id < _SETTING_MAX; id++)
        if (main->cli.slots[id].given && !settings[id].stored_in && settings[id].type != TYPE_INCLUDE)
            value_set(map, settings[id].name, value_ref(slot_value(&main->cli.slots[id], &settings[id])));
    GString *out = g_string_new(NULL);
    value_to_json(map, out, 0);
    g_string_append_c(out, '\n');
    return g_string_free(out, FALSE);
}

static gboolean write_to(const char *directory, const char *snapshot, GError **error) {
    g_autofree char *path = history_path(directory), *folder = g_path_get_dirname(path);
    if (g_mkdir_with_parents(folder, 0755) < 0)
        return set_errno_error(error, errno, "Cannot create %s", folder);
    /* Options may hold passwords. */
    return g_file_set_contents_full(path, snapshot, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}

gboolean history_write(ImageParser *main, const char *snapshot, GError **error) {
    if (!wants(main, RECIPE_WANTS_NEW_HISTORY) || !image_parser_bool(main, SETTING_HISTORY))
        return TRUE;
    const char *output = image_parser_text(main, SETTING_OUTPUT_DIRECTORY);
    return write_to(main->run->config_directory, snapshot, error) && (!output || write_to(output, snapshot, error));
}

gboolean recipe_remove_history(const Recipe *recipe, GError **error) {
    const char *const directories[] = {recipe->config_directory, recipe->main->output_directory};

    for (gsize i = 0; i < G_N_ELEMENTS(directories); i++) {
        if (!directories[i])
            continue;
        g_autofree char *path = history_path(directories[i]), *folder = g_path_get_dirname(path);
        g_autofree char *private = g_path_get_dirname(folder);
        if (unlink(path) < 0 && errno != ENOENT && errno != ENOTDIR)
            return set_errno_error(error, errno, "Cannot remove %s", path);
        /* They may hold something else. */
        (void) rmdir(folder);
        (void) rmdir(private);
    }
    return TRUE;
}
