/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/boot/esp-path.h"

#include <string.h>

/* A file of DIRECTORY itself, whose name ends in SUFFIX. */
static gboolean is_in(const char *path, const char *directory, const char *suffix) {
    return g_str_has_prefix(path, directory) && !strchr(path + strlen(directory), '/') &&
           g_str_has_suffix(path, suffix) && strlen(path) > strlen(directory) + strlen(suffix);
}

/* What a UKI takes along from the directory beside it. */
static EspFileKind classify_extra(const char *path) {
    const char *slash = strrchr(path, '/');
    g_autofree char *directory = slash ? g_strndup(path, slash - path) : NULL;
    if (!directory || !g_str_has_suffix(directory, ".efi.extra.d"))
        return ESP_FILE_UNKNOWN;
    if (g_str_has_suffix(slash, ".addon.efi"))
        return ESP_FILE_ADDON;
    if (g_str_has_suffix(slash, ".sysext.raw") || g_str_has_suffix(slash, ".confext.raw") ||
            g_str_has_suffix(slash, ".raw"))
        return ESP_FILE_EXTENSION;
    return g_str_has_suffix(slash, ".cred") ? ESP_FILE_CREDENTIAL : ESP_FILE_UNKNOWN;
}

static gboolean is_key(const char *path) {
    static const char *const names[] = {"pk.auth", "kek.auth", "db.auth", "dbx.auth"};
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    if (g_strv_length(parts) != 4 || strcmp(parts[0], "loader") != 0 || strcmp(parts[1], "keys") != 0)
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(parts[3], names[i]) == 0)
            return TRUE;
    return FALSE;
}

EspFileKind esp_file_classify(const char *path) {
    g_autofree char *lower = g_ascii_strdown(path, -1);
    if (is_in(lower, "efi/boot/", ".efi") || is_in(lower, "efi/systemd/", ".efi") ||
            is_in(lower, "efi/systemd/drivers/", ".efi"))
        return ESP_FILE_LOADER;
    if (is_in(lower, "efi/linux/", ".efi"))
        return ESP_FILE_UKI;
    if (is_in(lower, "loader/addons/", ".addon.efi"))
        return ESP_FILE_ADDON;
    if (g_str_has_prefix(lower, "loader/credentials/"))
        return ESP_FILE_CREDENTIAL;
    if (is_key(lower))
        return ESP_FILE_KEY;
    if (strcmp(lower, "loader/loader.conf") == 0)
        return ESP_FILE_CONF;
    if (is_in(lower, "loader/entries/", ".conf"))
        return ESP_FILE_ENTRY;
    if (strcmp(lower, "loader/random-seed") == 0)
        return ESP_FILE_SEED;
    if (strcmp(lower, "loader/entries.srel") == 0)
        return ESP_FILE_MARKER;
    return classify_extra(lower);
}

char *esp_uki_name(const char *path) {
    char *name = g_ascii_strdown(path, -1);
    char *plus = strrchr(name, '+');
    if (!plus || !g_str_has_suffix(plus, ".efi") || !g_ascii_isdigit(plus[1]))
        return name;
    const char *rest = plus + 1 + strspn(plus + 1, "0123456789");
    if (*rest == '-')
        rest += 1 + strspn(rest + 1, "0123456789");
    if (strcmp(rest, ".efi") == 0)
        strcpy(plus, ".efi");
    return name;
}
