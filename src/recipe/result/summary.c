/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The summary for people. */
#include "recipe/result/recipe.h"

#include <string.h>

#include "recipe/result/image-values.h"
#include "recipe/values/paths.h"
#include "recipe/values/value-text.h"

#define WIDTH 100

/* Words are put beside each other as far as the line goes; what has blanks in it stands alone. */
static void append_lines(
        GString *text, const TextStyle *style, const char *name, int column, GPtrArray *lines) {
    int at = 0;
    g_string_append_printf(text, "  %s%*s%s", style->bold, column, name, style->reset);
    for (guint i = 0; i < lines->len; i++) {
        const char *line = lines->pdata[i];
        int length = g_utf8_strlen(line, -1);
        if (at > 0 && column + 4 + at + 2 + length > WIDTH) {
            g_string_append_printf(text, "\n  %*s", column, "");
            at = 0;
        }
        g_string_append_printf(text, "  %s", line);
        at += 2 + length;
    }
    g_string_append_c(text, '\n');
}

/* What the main image passes on is shown once, with the main image. */
static gboolean is_passed_on(const ImageConfig *main, const ImageConfig *image, SettingId id) {
    SettingScope scope = settings[id].scope;
    if (main == image)
        return FALSE;
    if (scope != SCOPE_UNIVERSAL && scope != SCOPE_MULTIVERSAL && scope != SCOPE_INHERIT)
        return FALSE;
    return value_equal(main->values->values[id], image->values->values[id]);
}

static gboolean is_shown(const ImageConfig *main, const ImageConfig *image, SettingId id, gboolean all) {
    const Setting *setting = &settings[id];
    if (setting->stored_in || setting->type == TYPE_INCLUDE)
        return FALSE;
    return all || (!image_values_is_default(image->values, id) && !is_passed_on(main, image, id));
}

/* The name, and in one line what it is and where it goes. */
static void append_heading(GString *text, const TextStyle *style, const ImageConfig *image) {
    const char *extension = image->output_extension && *image->output_extension ? "." : "";
    g_autofree char *path = image_config_output_path(image, "");
    g_autofree char *shown = path_for_people(path);
    g_string_append_printf(text, "%s%s%s  %s%s %s %s, %s: %s%s%s%s\n", style->green, image->image,
            style->reset, style->dim,
            distribution_to_string(image->distribution), image->release,
            architecture_to_string(image->architecture), output_format_to_string(image->format), shown,
            extension, *extension ? image->output_extension : "", style->reset);
}

static void append_image(GString *text, const TextStyle *style, const ImageConfig *main, const ImageConfig *image,
        gboolean all) {
    int column = 0;
    for (int id = 0; id < _SETTING_MAX; id++)
        if (is_shown(main, image, id, all))
            column = MAX(column, (int) strlen(settings[id].name));

    append_heading(text, style, image);
    const char *section = NULL;
    for (int id = 0; id < _SETTING_MAX; id++) {
        if (!is_shown(main, image, id, all))
            continue;
        if (g_strcmp0(section, settings[id].section) != 0) {
            section = settings[id].section;
            g_string_append_printf(text, "\n  %s[%s]%s\n", style->dim, section, style->reset);
        }
        g_autoptr(GPtrArray) lines = setting_value_lines(&settings[id], image->values->values[id]);
        append_lines(text, style, settings[id].name, column, lines);
    }
    g_string_append_c(text, '\n');
}

char *recipe_summary(const Recipe *recipe, gboolean all, const TextStyle *style) {
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *where = path_for_people(recipe->config_directory ?: "(no recipe)");
    g_string_append_printf(text, "Recipe %s\n\n", where);
    for (ImageConfig **image = recipe->images; *image; image++)
        append_image(text, style, recipe->main, *image, all);
    if (recipe->tools)
        append_image(text, style, recipe->main, recipe->tools, all);
    if (!all)
        g_string_append_printf(text, "%sOnly what differs from the defaults is shown, and what holds for all images "
               "only with the main image.\n--all shows everything, --json is for programs.%s\n",
                style->dim, style->reset);
    return g_string_free(g_steal_pointer(&text), FALSE);
}
