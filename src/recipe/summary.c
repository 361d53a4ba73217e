/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The summary for people. */
#include "recipe/recipe.h"

#include <stdio.h>
#include <string.h>

#include "recipe/image-values.h"
#include "recipe/paths.h"
#include "recipe/value-text.h"
#include "ui/log.h"

#define WIDTH 100

/* Words are put beside each other as far as the line goes; what has blanks in it stands alone. */
static void print_lines(const char *name, int column, GPtrArray *lines) {
    int at = 0;
    printf("  %s%*s%s", ui_out_colour(UI_COLOUR_BOLD), column, name, ui_out_colour(UI_COLOUR_RESET));
    for (guint i = 0; i < lines->len; i++) {
        const char *text = lines->pdata[i];
        int length = g_utf8_strlen(text, -1);
        if (at > 0 && column + 4 + at + 2 + length > WIDTH) {
            printf("\n  %*s", column, "");
            at = 0;
        }
        printf("  %s", text);
        at += 2 + length;
    }
    printf("\n");
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
static void print_heading(const ImageConfig *image) {
    const char *extension = image->output_extension && *image->output_extension ? "." : "";
    g_autofree char *path = image_config_output_path(image, "");
    g_autofree char *shown = path_for_people(path);
    printf("%s%s%s  %s%s %s %s, %s: %s%s%s%s\n", ui_out_colour(UI_COLOUR_GREEN), image->image,
            ui_out_colour(UI_COLOUR_RESET), ui_out_colour(UI_COLOUR_DIM),
            distribution_to_string(image->distribution), image->release,
            architecture_to_string(image->architecture), output_format_to_string(image->format), shown,
            extension, *extension ? image->output_extension : "", ui_out_colour(UI_COLOUR_RESET));
}

static void print_image(const ImageConfig *main, const ImageConfig *image, gboolean all) {
    int column = 0;
    for (int id = 0; id < _SETTING_MAX; id++)
        if (is_shown(main, image, id, all))
            column = MAX(column, (int) strlen(settings[id].name));

    print_heading(image);
    const char *section = NULL;
    for (int id = 0; id < _SETTING_MAX; id++) {
        if (!is_shown(main, image, id, all))
            continue;
        if (g_strcmp0(section, settings[id].section) != 0) {
            section = settings[id].section;
            printf("\n  %s[%s]%s\n", ui_out_colour(UI_COLOUR_DIM), section, ui_out_colour(UI_COLOUR_RESET));
        }
        g_autoptr(GPtrArray) lines = setting_value_lines(&settings[id], image->values->values[id]);
        print_lines(settings[id].name, column, lines);
    }
    printf("\n");
}

void recipe_print_summary(const Recipe *recipe, gboolean all) {
    g_autofree char *where = path_for_people(recipe->config_directory ?: "(no recipe)");
    printf("Recipe %s\n\n", where);
    for (ImageConfig **image = recipe->images; *image; image++)
        print_image(recipe->main, *image, all);
    if (recipe->tools)
        print_image(recipe->main, recipe->tools, all);
    if (!all)
        printf("%sOnly what differs from the defaults is shown, and what holds for all images only with "
               "the "
               "main image.\n--all shows everything, --json is for programs.%s\n",
                ui_out_colour(UI_COLOUR_DIM), ui_out_colour(UI_COLOUR_RESET));
}
