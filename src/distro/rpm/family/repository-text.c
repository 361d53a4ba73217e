/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/rpm/family/repository-text.h"

#include <string.h>

/* Lower numbers come first; 99 is that of all others. */
#define PRIORITY_FIRST 50

char *repository_text_join(const char *mirror, const char *path) {
    g_autofree char *base = g_strdup(mirror);
    gsize length = strlen(base);

    while (length > 0 && base[length - 1] == '/')
        base[--length] = '\0';
    return *path ? g_strconcat(base, "/", path, NULL) : g_steal_pointer(&base);
}

void repository_text_add(RepositoryText *text, const char *id, const char *suffix, const char *mirror, const char *path,
        RepositoryFlags flags) {
    gboolean check = text->config->repository_key_check;
    g_autofree char *url = repository_text_join(mirror, path);
    g_auto(GStrv) keys = g_strsplit(text->keys, "\n", -1);

    g_string_append_printf(text->text, "[%s%s]\nname=%s%s\nbaseurl=%s\ngpgcheck=%d\nrepo_gpgcheck=%d\nenabled=%d\n", id,
            suffix, id, suffix, url, check, check && (flags & REPOSITORY_SIGNED), (flags & REPOSITORY_ENABLED) != 0);
    if (flags & REPOSITORY_FIRST)
        g_string_append_printf(text->text, "priority=%d\n", PRIORITY_FIRST);
    for (char **key = keys; *key && **key; key++)
        g_string_append_printf(text->text, "%s%s\n", key == keys ? "gpgkey=" : "       ", *key);
    g_string_append_c(text->text, '\n');
}

void repository_text_add_rows(RepositoryText *text, const RepositoryRow *rows, gsize n, const char *mirror,
        const char *folder, gboolean updates) {
    for (gsize i = 0; i < n; i++) {
        gboolean in_folder = rows[i].path[0] == '@';
        g_autofree char *path = g_strconcat(in_folder ? folder : "", rows[i].path + in_folder, NULL);

        if (updates || !(rows[i].flags & REPOSITORY_OF_UPDATES))
            repository_text_add(text, rows[i].id, "", mirror, path, rows[i].flags);
    }
}
