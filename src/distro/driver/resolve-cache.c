/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/driver/resolve-cache.h"

#include <string.h>
#include <sys/stat.h>

#include "base/directory.h"


#define DIRECTORY_NAME "resolved"

void resolve_cache_digest_files(GChecksum *checksum, const char *directory, const char *suffix) {
    g_autoptr(GPtrArray) names = list_directory_if_any(directory);

    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *path = g_build_filename(directory, name, NULL);
        g_autofree char *content = NULL;
        gsize length = 0;

        if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
            resolve_cache_digest_files(checksum, path, suffix);
            continue;
        }
        if ((suffix && !g_str_has_suffix(name, suffix)) ||
                !g_file_get_contents(path, &content, &length, NULL))
            continue;
        guint64 size = GUINT64_TO_LE(length);
        g_checksum_update(checksum, (const guchar *) name, strlen(name) + 1);
        g_checksum_update(checksum, (const guchar *) &size, sizeof(size));
        g_checksum_update(checksum, (const guchar *) content, length);
    }
}

void resolve_cache_digest_program(GChecksum *checksum, const char *path) {
    struct stat info = {};

    (void) stat(path, &info);
    g_autofree char *text = g_strdup_printf("%s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, path,
            (gint64) info.st_size, (gint64) info.st_mtime);
    g_checksum_update(checksum, (const guchar *) text, strlen(text) + 1);
}

static char *answer_path(const char *cache, const char *key) {
    return g_build_filename(cache, DIRECTORY_NAME, key, NULL);
}

char *resolve_cache_get(const char *cache, const char *key) {
    g_autofree char *path = answer_path(cache, key);
    char *answer = NULL;

    (void) g_file_get_contents(path, &answer, NULL, NULL);
    return answer;
}

void resolve_cache_put(const char *cache, const char *key, const char *answer) {
    g_autofree char *path = answer_path(cache, key);
    g_autofree char *directory = g_path_get_dirname(path);

    if (g_mkdir_with_parents(directory, 0755) == 0)
        (void) g_file_set_contents(path, answer, -1, NULL);
}
