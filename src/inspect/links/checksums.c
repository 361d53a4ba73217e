/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "base/hex.h"
#include "base/sha256.h"
#include "inspect/verdict/inspect-internal.h"

/* The SHA256SUMS file beside the image. */

/* The file that lists NAME: OUTPUT.SHA256SUMS for OUTPUT.raw, or plain SHA256SUMS. */
static char *find_list(const char *directory, const char *name) {
    g_autofree char *stem = g_strdup(name);
    for (char *dot = strrchr(stem, '.'); dot; dot = strrchr(stem, '.')) {
        *dot = '\0';
        g_autofree char *list = g_strconcat(stem, ".SHA256SUMS", NULL);
        char *path = g_build_filename(directory, list, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
            return path;
        g_free(path);
    }
    char *path = g_build_filename(directory, "SHA256SUMS", NULL);
    if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
        return path;
    g_free(path);
    return NULL;
}

/* "HASH *NAME" or "HASH  NAME". */
static gboolean parse_line(const char *line, const char **ret_name) {
    if (strlen(line) <= SHA256_HEX_SIZE + 2 || strspn(line, "0123456789abcdefABCDEF") != SHA256_HEX_SIZE ||
            line[SHA256_HEX_SIZE] != ' ' ||
            (line[SHA256_HEX_SIZE + 1] != ' ' && line[SHA256_HEX_SIZE + 1] != '*'))
        return FALSE;
    *ret_name = line + SHA256_HEX_SIZE + 2;
    return TRUE;
}

static void check_file(InspectNode *node, const char *directory, const char *line, const char *name) {
    InspectNode *link = inspect_node_add(node, "checksum", name);
    g_autofree char *path = g_build_filename(directory, name, NULL);
    if (strchr(name, '/') || !g_file_test(path, G_FILE_TEST_EXISTS)) {
        inspect_node_set(link, INSPECT_NOT_APPLICABLE, "not beside the image");
        return;
    }
    g_autoptr(GError) error = NULL;
    guint8 digest[SHA256_SIZE];
    if (!sha256_file(path, digest, &error)) {
        inspect_node_set_error(link, error);
        return;
    }
    g_autofree char *hex = hex_encode(digest, SHA256_SIZE);
    if (g_ascii_strncasecmp(hex, line, SHA256_HEX_SIZE) == 0)
        inspect_node_set(link, INSPECT_OK, "%.16s…", hex);
    else
        inspect_node_set(link, INSPECT_BROKEN, "its SHA-256 is %s, the list says %.64s", hex, line);
}

void inspect_check_checksums(InspectContext *context, InspectNode *node) {
    g_autofree char *directory = g_path_get_dirname(context->path);
    g_autofree char *name = g_path_get_basename(context->path);
    g_autofree char *list = find_list(directory, name);
    g_autofree char *content = NULL;
    g_autoptr(GError) error = NULL;
    if (!list) {
        inspect_node_set(node, INSPECT_NOT_APPLICABLE, "there is no SHA256SUMS file beside the image");
        return;
    }
    if (!g_file_get_contents(list, &content, NULL, &error)) {
        inspect_node_set_error(node, error);
        return;
    }
    g_auto(GStrv) lines = g_strsplit(content, "\n", -1);
    gboolean listed = FALSE;
    for (char **line = lines; *line; line++) {
        const char *file = NULL;
        g_strchomp(*line);
        if (**line == '\0')
            continue;
        if (!parse_line(*line, &file)) {
            inspect_node_set(inspect_node_add(node, "checksum", list), INSPECT_BROKEN,
                    "'%s' is no line of a checksum list", *line);
            continue;
        }
        listed = listed || strcmp(file, name) == 0;
        check_file(node, directory, *line, file);
    }
    if (!listed)
        inspect_node_set(
                inspect_node_add(node, "checksum", name), INSPECT_NOT_APPLICABLE, "is not in the list");
}
