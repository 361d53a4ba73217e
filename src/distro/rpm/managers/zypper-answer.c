/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/rpm/managers/zypper-answer.h"

#include "distro/rpm/metadata/table.h"

typedef struct {
    GPtrArray *choices;
    gboolean installs; /* in an element that lists what would be installed */
} Reader;

/* The elements that hold packages which would come. */
static gboolean is_list(const char *element) {
    static const char *const lists[] = {"to-install", "to-upgrade", "to-downgrade", "to-reinstall", "to-change-arch",
            "to-change-vendor", "to-upgrade-change-arch", "to-upgrade-change-vendor", "to-downgrade-change-arch",
            "to-downgrade-change-vendor", NULL};
    return g_strv_contains(lists, element);
}

static void on_start(GMarkupParseContext *context, const char *element, const char **names, const char **values,
        gpointer data, GError **error) {
    Reader *reader = data;
    const char *type = NULL, *name = NULL, *edition = NULL, *architecture = NULL, *repository = NULL;

    if (is_list(element))
        reader->installs = TRUE;
    if (!reader->installs || !g_str_equal(element, "solvable"))
        return;
    for (guint i = 0; names[i]; i++) {
        type = g_str_equal(names[i], "type") ? values[i] : type;
        name = g_str_equal(names[i], "name") ? values[i] : name;
        edition = g_str_equal(names[i], "edition") ? values[i] : edition;
        architecture = g_str_equal(names[i], "arch") ? values[i] : architecture;
        repository = g_str_equal(names[i], "repository") ? values[i] : repository;
    }
    /* Patterns and products are known by their packages. */
    if (!name || !edition || !architecture || g_strcmp0(type, "package") != 0)
        return;
    RpmChoice *choice = g_new0(RpmChoice, 1);
    choice->name = g_strdup(name);
    choice->evr = g_strdup(g_str_has_prefix(edition, "0:") ? edition + 2 : edition);
    choice->architecture = g_strdup(architecture);
    choice->repository = g_strdup(repository);
    g_ptr_array_add(reader->choices, choice);
}

static void on_end(GMarkupParseContext *context, const char *element, gpointer data, GError **error) {
    Reader *reader = data;
    if (is_list(element))
        reader->installs = FALSE;
}

static const GMarkupParser parser = {.start_element = on_start, .end_element = on_end};

GPtrArray *zypper_answer_parse(const char *text, GError **error) {
    g_autoptr(GPtrArray) choices = g_ptr_array_new_with_free_func((GDestroyNotify) rpm_choice_free);
    Reader reader = {.choices = choices};
    g_autoptr(GMarkupParseContext) context = g_markup_parse_context_new(&parser, 0, &reader, NULL);

    if (g_markup_parse_context_parse(context, text, -1, error) && g_markup_parse_context_end_parse(context, error))
        return g_steal_pointer(&choices);
    g_prefix_error(error, "zypper's answer cannot be read: ");
    return NULL;
}
