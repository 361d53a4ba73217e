/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Configuration files: the syntax, and the value of every setting in them. */
#include "recipe/reading/conditions.h"
#include "text/version.h"
#include "recipe/values/ini.h"
#include "recipe/values/value-parse.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gboolean every_section(const char *section) {
    return TRUE;
}

static void assign(const IniEntry *entry) {
    static const ParseContext context = {"/nonexistent", FALSE};
    const Setting *setting = entry->name ? setting_by_name(entry->name) : NULL;
    /* Globs would read the machine's directories. */
    if (!setting || setting->type == TYPE_SCRIPT || setting->type == TYPE_UKI_PROFILE)
        return;
    g_autoptr(GError) error = NULL;
    Slot slot = {0};
    if (!slot_assign(&slot, setting, entry->value, &context, &error))
        g_assert_nonnull(error);
    g_autoptr(GString) json = g_string_new(NULL);
    value_to_json(slot_value(&slot, setting), json, 0);
    slot_clear(&slot);
    version_compare(entry->value, entry->name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autoptr(GError) error = NULL;
    guint line = 0;
    ini_file_free(ini_parse((const char *) data, size, is_condition_section, &line, NULL));
    g_autoptr(IniFile) file = ini_parse((const char *) data, size, every_section, &line, &error);
    g_assert_true(!file == !!error);
    for (guint i = 0; file && i < file->entries->len; i++)
        assign(&g_array_index(file->entries, IniEntry, i));
    return 0;
}
