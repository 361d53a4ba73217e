/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/rpm/metadata/table.h"

#include <string.h>

void rpm_choice_free(RpmChoice *choice) {
    if (!choice)
        return;
    g_free(choice->name);
    g_free(choice->architecture);
    g_free(choice->evr);
    g_free(choice->repository);
    g_free(choice);
}

gboolean dnf_table_is_answer(const char *text) {
    return strstr(text, "Transaction Summary") || strstr(text, "Nothing to do");
}

/* "Installing dependencies:", but not "Installing Groups:", which has names of groups. */
static gboolean is_of_packages(const char *title) {
    static const char *const titles[] = {"Installing", "Upgrading", "Downgrading", "Reinstalling"};

    if (strstr(title, "roups:") || strstr(title, "Environment"))
        return g_str_has_prefix(title, "Installing group/module packages:");
    for (gsize i = 0; i < G_N_ELEMENTS(titles); i++)
        if (g_str_has_prefix(title, titles[i]))
            return TRUE;
    return FALSE;
}

/* " NAME ARCHITECTURE EVR REPOSITORY SIZE [UNIT]" */
static RpmChoice *parse_row(const char *line) {
    g_auto(GStrv) all = g_strsplit_set(line, " \t", -1);
    g_autoptr(GPtrArray) words = g_ptr_array_new();

    for (char **word = all; *word; word++)
        if (**word)
            g_ptr_array_add(words, *word);
    if (words->len < 5 || g_str_equal(words->pdata[0], "replacing"))
        return NULL;
    RpmChoice *choice = g_new0(RpmChoice, 1);
    const char *evr = words->pdata[2];
    choice->name = g_strdup(words->pdata[0]);
    choice->architecture = g_strdup(words->pdata[1]);
    choice->evr = g_strdup(g_str_has_prefix(evr, "0:") ? evr + 2 : evr);
    choice->repository = g_strdup(words->pdata[3]);
    return choice;
}

GPtrArray *dnf_table_parse(const char *text) {
    GPtrArray *choices = g_ptr_array_new_with_free_func((GDestroyNotify) rpm_choice_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    gboolean wanted = FALSE;

    for (char **line = lines; *line; line++) {
        if (g_str_has_prefix(*line, "Transaction Summary"))
            break;
        if (**line != ' ') {
            wanted = g_str_has_suffix(g_strchomp(*line), ":") && is_of_packages(*line);
            continue;
        }
        RpmChoice *choice = wanted ? parse_row(*line) : NULL;
        if (choice)
            g_ptr_array_add(choices, choice);
    }
    return choices;
}
