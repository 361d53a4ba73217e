/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was read for each image, in order, and what was left out and why. */
#include "cli/verbs.h"

#include <stdio.h>
#include <string.h>

#include "recipe/values/paths.h"
#include "ui/terminal.h"
#include "ui/pager.h"

static void print_note(UiColour colour, const char *path, const char *what) {
    printf("%s# %s%s%s\n", ui_out_colour(colour), path, what, ui_out_colour(UI_COLOUR_RESET));
}

static gboolean print_read(const RecipeRead *read, GError **error) {
    g_autofree char *shown = path_for_people(read->path);
    g_autofree char *what = NULL, *text = NULL;
    switch (read->kind) {
    case RECIPE_READ_SKIPPED:
        what = g_strdup_printf(" is skipped: %s", read->note);
        print_note(UI_COLOUR_YELLOW, shown, what);
        return TRUE;
    case RECIPE_READ_COMPANION:
        what = g_strdup_printf(" sets %s=", read->note);
        print_note(UI_COLOUR_GREEN, shown, what);
        return TRUE;
    case RECIPE_READ_FILE:
        break;
    }
    if (!g_file_get_contents(read->path, &text, NULL, error))
        return FALSE;
    print_note(UI_COLOUR_BLUE, shown, "");
    printf("%s%s\n", text, *text && !g_str_has_suffix(text, "\n") ? "\n" : "");
    return TRUE;
}

static gboolean print_image(const Recipe *recipe, const char *image, const char *remark, GError **error) {
    printf("%s### IMAGE: %s%s%s\n", ui_out_colour(UI_COLOUR_BOLD), image, remark, ui_out_colour(UI_COLOUR_RESET));
    for (guint i = 0; i < recipe->trace->len; i++) {
        const RecipeRead *read = recipe->trace->pdata[i];
        if (strcmp(read->image, image) == 0 && !print_read(read, error))
            return FALSE;
    }
    printf("\n");
    return TRUE;
}

/* Images that are not made: their conditions do not hold, or nothing depends on them. */
static gboolean print_others(const Recipe *recipe, GHashTable *printed, GError **error) {
    for (guint i = 0; i < recipe->trace->len; i++) {
        const RecipeRead *read = recipe->trace->pdata[i];
        if (g_hash_table_add(printed, (char *) read->image) && !print_image(recipe, read->image, " (not built)", error))
            return FALSE;
    }
    return TRUE;
}

static gboolean print_all(const Recipe *recipe, GError **error) {
    g_autoptr(GHashTable) printed = g_hash_table_new(g_str_hash, g_str_equal);
    for (ImageConfig **image = recipe->images; *image; image++) {
        g_hash_table_add(printed, (*image)->image);
        if (!print_image(recipe, (*image)->image, "", error))
            return FALSE;
    }
    if (recipe->tools) {
        g_hash_table_add(printed, recipe->tools->image);
        if (!print_image(recipe, recipe->tools->image, "", error))
            return FALSE;
    }
    return print_others(recipe, printed, error);
}

gboolean verb_cat_config(const VerbCall *call, int *ret_exit_status, GError **error) {
    ui_pager_start(!call->arguments->no_pager);
    gboolean good = print_all(call->recipe, error);
    ui_pager_finish();
    return good;
}
