/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "build/build.h"
#include "cli/verbs.h"
#include "crypto/certificate.h"
#include "inspect/inspect.h"
#include "ui/log.h"

/* The image that is named, or the one that the recipe makes. */
static char *find_image(const Recipe *recipe, GError **error) {
    char **named = recipe->arguments->arguments;
    if (named && named[0] && named[1]) {
        g_set_error_literal(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX,
                "One image at a time: particleos inspect [--certificate FILE] [--json] IMAGE");
        return NULL;
    }
    if (named && named[0])
        return g_strdup(named[0]);
    if (recipe->main && recipe->main->output)
        return build_output_path(recipe->main);
    g_set_error_literal(error, RECIPE_ERROR, RECIPE_ERROR_MISSING,
            "There is no recipe here that says which image to inspect; name one: particleos inspect IMAGE");
    return NULL;
}

static void print_verdict(const InspectNode *report) {
    guint ok = inspect_node_count(report, INSPECT_OK);
    guint broken = inspect_node_count(report, INSPECT_BROKEN);
    guint missing = inspect_node_count(report, INSPECT_MISSING);
    UiColour colour = broken > 0 ? UI_COLOUR_RED : missing > 0 ? UI_COLOUR_YELLOW : UI_COLOUR_GREEN;
    printf("\n%s%s%s: %u links hold, %u broken, %u missing\n", ui_out_colour(colour),
            broken > 0    ? "The chain is broken"
            : missing > 0 ? "The chain is incomplete"
                          : "The chain holds",
            ui_out_colour(UI_COLOUR_RESET), ok, broken, missing);
}

gboolean verb_inspect(Recipe *recipe, int *ret_exit_status, GError **error) {
    const RecipeArguments *arguments = recipe->arguments;
    g_autofree char *path = find_image(recipe, error);
    if (!path)
        return FALSE;
    g_autoptr(Certificate) certificate = NULL;
    if (arguments->certificate && !(certificate = certificate_load(arguments->certificate, error)))
        return FALSE;

    InspectOptions options = {.certificate = certificate};
    g_autoptr(InspectNode) report = inspect_image(path, &options, error);
    if (!report)
        return FALSE;
    if (arguments->json) {
        g_autofree char *json = inspect_node_to_json(report);
        fputs(json, stdout);
    } else {
        inspect_node_print(report);
        print_verdict(report);
    }
    *ret_exit_status = inspect_node_get_worst(report) == INSPECT_BROKEN ? 1 : 0;
    return TRUE;
}
