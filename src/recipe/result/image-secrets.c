/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/result/image-secrets.h"

#include <sys/stat.h>

#include "events/redact.h"
#include "recipe/values/secrets.h"

#define LARGEST_FILE (64 * 1024)

static char *read_small(const char *path) {
    struct stat info;
    char *text = NULL;

    if (path && stat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_size <= LARGEST_FILE)
        (void) g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

static void note_file(const char *path) {
    g_autofree char *text = read_small(path);

    if (text)
        redact_secret(text);
}

static void note_variables(const char *path) {
    g_autofree char *text = read_small(path);
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

    for (char **line = lines; *line; line++)
        secrets_note_pair(g_strstrip(*line), FALSE);
}

static void note_credential(const RecipeCredential *credential) {
    if (secrets_is_public_credential(credential->name))
        return;
    if (credential->path)
        note_file(credential->path);
    else if (credential->value)
        redact_secret(credential->value);
}

void secrets_note_image(const ImageConfig *config) {
    if (config->root_password.text)
        redact_secret(config->root_password.text);
    note_file(config->passphrase);
    for (RecipeCredential **credential = config->credentials; credential && *credential; credential++)
        note_credential(*credential);
    for (char **file = config->environment_files; file && *file; file++)
        note_variables(*file);
    for (char **variable = config->environment; variable && *variable; variable++)
        secrets_note_pair(*variable, FALSE);
    if (config->proxy_url)
        redact_addresses(config->proxy_url);
}
