/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/manual/manual.h"

#include <gio/gio.h>
#include <string.h>

#include "cli/manual/manual-settings.h"
#include "cli/manual/manual-verbs.h"

const ManualPage manual_pages[] = {
        {"particleos", "particleos", 1},
        {"recipe", "particleos-recipe", 5},
        {"settings", "particleos-settings", 5},
        {"sandbox", "particleos-sandbox", 1},
        {"signer", "particleos-signer", 1},
        {"kitchen", "particleos-kitchen", 1},
        {"update", "particleos-update", 8},
        {NULL},
};

const ManualPage *manual_find_page(const char *name) {
    for (const ManualPage *page = manual_pages; page->topic; page++)
        if (strcmp(page->topic, name) == 0 || strcmp(page->page, name) == 0)
            return page;
    return NULL;
}

static char *load_source(const ManualPage *page) {
    g_autofree char *path = g_strdup_printf("/particleos/manual/%s.%d.md", page->page, page->section);
    g_autoptr(GBytes) bytes = g_resources_lookup_data(path, 0, NULL);
    g_return_val_if_fail(bytes, NULL);
    return g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

char *manual_load(const ManualPage *page, GError **error) {
    g_autofree char *source = load_source(page);
    if (strcmp(page->topic, "settings") != 0)
        return manual_complete_verbs(source);
    return manual_complete_settings(source, error);
}

char *manual_load_setting(const char *name) {
    g_autofree char *source = load_source(manual_find_page("settings"));
    g_autofree char *bare = g_str_has_suffix(name, "=") ? g_strndup(name, strlen(name) - 1) : g_strdup(name);
    return manual_explain_setting(source, bare);
}
