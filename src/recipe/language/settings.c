/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/language/settings.h"

#include <string.h>

/* Built once, so that 190 settings cost one hash each. */
static GHashTable *names, *options;

static void build_indices(void) {
    static gsize done;
    if (!g_once_init_enter(&done))
        return;
    names = g_hash_table_new(g_str_hash, g_str_equal);
    options = g_hash_table_new(g_str_hash, g_str_equal);
    for (int i = 0; i < _SETTING_MAX; i++) {
        const Setting *setting = &settings[i];
        g_hash_table_insert(names, (char *) setting->name, (gpointer) setting);
        if (setting->old_name)
            g_hash_table_insert(names, (char *) setting->old_name, (gpointer) setting);
        g_hash_table_insert(options, (char *) setting->option, (gpointer) setting);
        if (setting->old_option)
            g_hash_table_insert(options, (char *) setting->old_option, (gpointer) setting);
    }
    g_once_init_leave(&done, 1);
}

const Setting *setting_by_name(const char *name) {
    build_indices();
    return g_hash_table_lookup(names, name);
}

const Setting *setting_by_option(const char *option) {
    build_indices();
    return g_hash_table_lookup(options, option);
}

const Setting *setting_by_letter(char letter) {
    for (int i = 0; i < _SETTING_MAX; i++)
        if (settings[i].letter == letter)
            return &settings[i];
    return NULL;
}

const Setting *setting_by_specifier(char specifier) {
    for (int i = 0; i < _SETTING_MAX; i++)
        if (settings[i].specifier == specifier)
            return &settings[i];
    return NULL;
}

SettingId setting_id(const Setting *setting) {
    return setting - settings;
}

SettingId setting_slot(const Setting *setting) {
    return setting->stored_in ?: setting_id(setting);
}

const Setting *setting_for_special_image(const Setting *setting) {
    const char *prefix = setting->scope == SCOPE_TOOLS ? "ToolsTree" : "Initrd";
    return setting_by_name(setting->name + strlen(prefix));
}
