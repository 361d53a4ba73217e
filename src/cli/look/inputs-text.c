/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inputs in short: who wants each of them takes the JSON. */
#include "cli/look/inputs-text.h"

#include <stdio.h>

#include "ui/terminal.h"

static JsonObject *object_at(JsonObject *object, const char *key) {
    return object && json_object_has_member(object, key) ? json_object_get_object_member(object, key) : NULL;
}

static const char *text_at(JsonObject *object, const char *key) {
    return object ? json_object_get_string_member_with_default(object, key, "") : "";
}

static void print_heading(const char *text) {
    printf("%s%s%s", ui_out_colour(UI_COLOUR_BOLD), text, ui_out_colour(UI_COLOUR_RESET));
}

static void print_packages(JsonObject *packages) {
    g_autoptr(GList) sets = packages ? json_object_get_members(packages) : NULL;

    for (GList *set = sets; set; set = set->next) {
        guint n = json_object_get_size(json_object_get_object_member(packages, set->data));
        if (n > 0)
            printf("  %-14s %u packages\n", (const char *) set->data, n);
    }
}

/* Trees and scripts by setting: how many files each source has. */
static void print_files(JsonObject *files) {
    g_autoptr(GList) names = files ? json_object_get_members(files) : NULL;

    for (GList *name = names; name; name = name->next) {
        JsonObject *sources = json_object_get_object_member(files, name->data);
        g_autoptr(GList) paths = json_object_get_members(sources);
        for (GList *path = paths; path; path = path->next)
            printf("  %s=%s (%u)\n", (const char *) name->data, (const char *) path->data,
                    json_object_get_size(json_object_get_object_member(sources, path->data)));
    }
}

static void print_certificates(JsonObject *certificates) {
    g_autoptr(GList) names = certificates ? json_object_get_members(certificates) : NULL;

    for (GList *name = names; name; name = name->next)
        printf("  %s %.16s\n", (const char *) name->data, text_at(certificates, name->data));
}

static void print_image(const char *name, JsonObject *image) {
    JsonObject *settings = object_at(image, "settings");

    print_heading(name);
    printf(" %s %s %s\n", text_at(settings, "Distribution"), text_at(settings, "Release"),
            text_at(settings, "Architecture"));
    print_packages(object_at(image, "packages"));
    print_files(object_at(image, "files"));
    print_certificates(object_at(image, "certificates"));
    if (object_at(image, "metadata"))
        printf("  scripts may install other packages\n");
}

static void print_recipe(JsonObject *files) {
    g_autoptr(GList) names = files ? json_object_get_members(files) : NULL;

    print_heading("recipe\n");
    for (GList *name = names; name; name = name->next)
        printf("  %s\n", (const char *) name->data);
}

static void print_repositories(JsonArray *repositories) {
    if (json_array_get_length(repositories) > 0)
        print_heading("repositories\n");
    for (guint i = 0; i < json_array_get_length(repositories); i++) {
        JsonObject *repository = json_array_get_object_element(repositories, i);
        printf("  %s %s %s\n", text_at(repository, "url"), text_at(repository, "suite"),
                text_at(repository, "components"));
    }
}

void inputs_print_text(JsonNode *root) {
    JsonObject *object = json_node_get_object(root), *commit = object_at(object, "commit");
    JsonObject *images = object_at(object, "images");
    g_autoptr(GList) names = json_object_get_members(images);

    printf("particleos %s\n", text_at(object_at(object, "program"), "version"));
    if (json_object_has_member(commit, "id"))
        printf("commit %.12s%s\n", text_at(commit, "id"),
                json_object_get_boolean_member(commit, "dirty") ? " and changes that are not committed" : "");
    print_recipe(object_at(object, "recipe"));
    for (GList *name = names; name; name = name->next)
        print_image(name->data, json_object_get_object_member(images, name->data));
    print_repositories(json_object_get_array_member(object, "repositories"));
}
