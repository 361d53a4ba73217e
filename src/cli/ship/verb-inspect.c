/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include "cli/make/built-image.h"
#include "cli/verbs.h"
#include "crypto/certificates/certificate.h"
#include "inspect/verdict/inspect.h"
#include "pipeline/state/output-names.h"
#include "ui/terminal.h"

/* Why there is nothing to inspect in what CONFIG makes, and what to do instead; NULL: there is. */
static const char *find_obstacle(const ImageConfig *config) {
    switch (config->format) {
    case OUTPUT_FORMAT_DISK:
    case OUTPUT_FORMAT_ESP:
    case OUTPUT_FORMAT_UKI:
    case OUTPUT_FORMAT_ADDON:
    case OUTPUT_FORMAT_SYSEXT:
    case OUTPUT_FORMAT_CONFEXT:
    case OUTPUT_FORMAT_PORTABLE:
        return NULL;
    case OUTPUT_FORMAT_NONE:
        return "makes no image, so there is nothing to inspect";
    case OUTPUT_FORMAT_DIRECTORY:
        return "makes a directory, which has no chain of trust to inspect; look into it with 'particleos "
               "shell'";
    case OUTPUT_FORMAT_OCI:
        return "has no chain of trust to inspect; its own tools check its digests, for example 'skopeo "
               "copy'";
    default:
        return "makes an archive, which has no chain of trust to inspect; check it against its SHA256SUMS "
               "(Checksum=yes)";
    }
}

/* For messages: the images of RECIPE that can be inspected, but not CONFIG. */
static char *describe_others(const Recipe *recipe, const ImageConfig *config) {
    g_autoptr(GString) text = g_string_new(NULL);
    for (ImageConfig **image = recipe->images; *image; image++)
        if (*image != config && !find_obstacle(*image))
            g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", (*image)->image);
    return text->len > 0 ? g_strdup_printf("; --image=NAME inspects another image of the recipe: %s", text->str)
                         : g_strdup("");
}

static const ImageConfig *find_config(const Recipe *recipe, const char *name, GError **error) {
    if (!name)
        return recipe->main;
    g_autoptr(GString) names = g_string_new(NULL);
    for (ImageConfig **image = recipe->images; *image; image++) {
        if (strcmp((*image)->image, name) == 0)
            return *image;
        g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", (*image)->image);
    }
    g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX, "--image: this recipe has no image \"%s\"; it has: %s", name,
            names->str);
    return NULL;
}

/* What the recipe makes, where its build leaves it. */
static char *find_output(const Recipe *recipe, const char *name, GError **error) {
    const ImageConfig *config = find_config(recipe, name, error);
    if (!config)
        return NULL;
    const char *obstacle = find_obstacle(config);
    if (obstacle) {
        g_autofree char *others = describe_others(recipe, config);
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX, "Format=%s %s%s", output_format_to_string(config->format),
                obstacle, others);
        return NULL;
    }
    g_autofree char *path = outputs_main_path(config);
    if (g_file_test(path, G_FILE_TEST_EXISTS))
        return g_steal_pointer(&path);
    g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_MISSING,
            "There is no image %s: build it first with 'particleos build', or name one: particleos inspect "
            "IMAGE",
            path);
    return NULL;
}

/* "HASH  PATH" in each line, as sha256sum prints them: path to hash. */
static GHashTable *read_known_files(const char *path, GError **error) {
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, error))
        return NULL;
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i]; i++) {
        const char *line = g_strchomp(lines[i]);
        if (*line == '\0' || *line == '#')
            continue;
        gsize digits = strspn(line, "0123456789abcdefABCDEF");
        if (digits != 64 || line[64] != ' ' || (line[65] != ' ' && line[65] != '*') || line[66] == '\0') {
            g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX,
                    "%s:%u: expected a SHA-256 and a path, as sha256sum prints them", path, i + 1);
            return NULL;
        }
        const char *name = line + 66;
        while (*name == '/' || g_str_has_prefix(name, "./"))
            name += *name == '/' ? 1 : 2;
        g_hash_table_replace(known, g_ascii_strdown(name, -1), g_strndup(line, 64));
    }
    return g_steal_pointer(&known);
}

/* The image that is named, or the one that the recipe makes. */
static char *find_image(const VerbCall *call, GError **error) {
    char **named = call->arguments->words;
    const char *name = call->arguments->image;
    Recipe *recipe = call->recipe;
    if (named[0] && named[1]) {
        g_set_error_literal(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX,
                "One image at a time: particleos inspect [--certificate FILE] [--json] IMAGE");
        return NULL;
    }
    if (named[0] && name) {
        g_set_error_literal(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX,
                "--image names an image of the recipe, which is not read when a file is named");
        return NULL;
    }
    if (named[0])
        return g_strdup(named[0]);
    if (recipe->main && recipe->main->output)
        return configure_built_image(recipe, error) ? find_output(recipe, name, error) : NULL;
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

/* The certificate PATH, or all in the directory of that name. */
static GPtrArray *load_others(const char *path, GError **error) {
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        return certificate_load_directory(path, error);
    Certificate *certificate = certificate_load(path, error);
    if (!certificate)
        return NULL;
    GPtrArray *others = g_ptr_array_new_with_free_func((GDestroyNotify) certificate_unref);
    g_ptr_array_add(others, certificate);
    return others;
}

gboolean verb_inspect(const VerbCall *call, int *ret_exit_status, GError **error) {
    const Arguments *arguments = call->arguments;
    g_autofree char *path = find_image(call, error);
    if (!path)
        return FALSE;
    g_autoptr(Certificate) certificate = NULL;
    if (arguments->certificate && !(certificate = certificate_load(arguments->certificate, error)))
        return FALSE;
    g_autoptr(Certificate) pcr_certificate = NULL;
    if (arguments->pcr_certificate && !(pcr_certificate = certificate_load(arguments->pcr_certificate, error)))
        return FALSE;
    g_autoptr(Certificate) root_hash_certificate = NULL;
    if (arguments->root_hash_certificate &&
            !(root_hash_certificate = certificate_load(arguments->root_hash_certificate, error)))
        return FALSE;
    g_autoptr(GPtrArray) others = NULL;
    if (arguments->other_certificate && !(others = load_others(arguments->other_certificate, error)))
        return FALSE;
    g_autoptr(GHashTable) known_files = NULL;
    if (arguments->known_files && !(known_files = read_known_files(arguments->known_files, error)))
        return FALSE;

    InspectOptions options = {
            .certificate = certificate,
            .pcr_certificate = pcr_certificate,
            .root_hash_certificate = root_hash_certificate,
            .others = others,
            .known_files = known_files,
    };
    g_autoptr(InspectNode) report = inspect_image(path, &options, error);
    if (!report)
        return FALSE;
    if (arguments->json) {
        g_autofree char *json = inspect_node_to_json(report);
        fputs(json, stdout);
    } else {
        g_autofree char *text = inspect_node_to_text(report, ui_out_style());
        fputs(text, stdout);
        print_verdict(report);
    }
    /* Whoever calls goes by the status: only a chain that is whole is good. */
    InspectVerdict worst = inspect_node_get_worst(report);
    *ret_exit_status = worst == INSPECT_BROKEN || worst == INSPECT_MISSING ? 1 : 0;
    return TRUE;
}
